/* script_classify: what one statement is about, from its words. */
#include "migration/script_classify.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "db/lex.h"
#include "migration/script.h"

/* A reader one token ahead; errors were found when the text was cut. */
struct words {
	struct lex lex;
	struct lex_token t; /* the present token */
};

static void
step(struct words *w)
{
	struct err e;

	if (lex_next(&w->lex, &w->t, &e) == -1)
		w->t.kind = LEX_END;
}

static int
eat(struct words *w, const char *word)
{
	if (!lex_is(&w->t, word))
		return 0;
	step(w);
	return 1;
}

/* "[schema .] name": the name, or NULL.  Gives. */
static char *
take_name(struct words *w)
{
	struct lex_token first = w->t;

	if (first.kind != LEX_WORD && first.kind != LEX_NAME &&
		first.kind != LEX_STRING)
		return NULL;
	step(w);
	if (lex_is_char(&w->t, '.')) {
		step(w);
		first = w->t;
		step(w);
	}
	return lex_name(&first);
}

static void
eat_if_exists(struct words *w)
{
	if (eat(w, "IF")) {
		eat(w, "NOT");
		eat(w, "EXISTS");
	}
}

/* Move to the word at depth 0, or to the end. */
static int
find_word(struct words *w, const char *word)
{
	int depth = 0;

	for (; w->t.kind != LEX_END; step(w)) {
		if (lex_is_char(&w->t, '('))
			depth++;
		else if (lex_is_char(&w->t, ')'))
			depth--;
		else if (depth == 0 && lex_is(&w->t, word))
			return 1;
	}
	return 0;
}

static int
same_token(const struct lex_token *a, const struct lex_token *b)
{
	return a->kind == b->kind && a->n == b->n &&
		memcmp(a->text, b->text, a->n) == 0;
}

/* Whether what follows WHERE is always true: 1, TRUE, 1 = 1. */
static int
always_true(struct words *w)
{
	struct lex_token first = w->t, other;

	if (first.kind != LEX_NUMBER && first.kind != LEX_STRING &&
		!lex_is(&first, "TRUE"))
		return 0;
	step(w);
	if (w->t.kind == LEX_END || lex_is(&w->t, "RETURNING"))
		return lex_is(&first, "TRUE") ||
			!(first.n == 1 && *first.text == '0');
	if (!lex_is_char(&w->t, '='))
		return 0;
	step(w);
	if (lex_is_char(&w->t, '='))
		step(w);
	other = w->t;
	step(w);
	return same_token(&first, &other) &&
		(w->t.kind == LEX_END || lex_is(&w->t, "RETURNING"));
}

static void
read_where(struct words *w, struct script_statement *s)
{
	s->all = 1;
	if (find_word(w, "WHERE")) {
		step(w);
		s->all = always_true(w);
	}
}

static void
read_drop(struct words *w, struct script_statement *s)
{
	s->kind = SCRIPT_DROP;
	if (!eat(w, "TABLE"))
		return;
	eat_if_exists(w);
	s->table = take_name(w);
	if (s->table != NULL)
		s->kind = SCRIPT_DROP_TABLE;
}

static void
read_alter(struct words *w, struct script_statement *s)
{
	char *column;

	if (!eat(w, "TABLE"))
		return;
	s->table = take_name(w);
	if (eat(w, "RENAME")) {
		if (eat(w, "TO")) {
			s->to = take_name(w);
			s->kind = SCRIPT_RENAME_TABLE;
		}
	} else if (eat(w, "DROP")) {
		eat(w, "COLUMN");
		column = take_name(w);
		if (column != NULL) {
			strs_add(&s->columns, column);
			s->kind = SCRIPT_DROP_COLUMN;
		}
		free(column);
	}
}

static void
read_create(struct words *w, struct script_statement *s)
{
	if (!eat(w, "TEMP"))
		eat(w, "TEMPORARY");
	s->kind = SCRIPT_CREATE;
	if (!eat(w, "TABLE"))
		return;
	eat_if_exists(w);
	s->table = take_name(w);
	if (s->table != NULL)
		s->kind = SCRIPT_CREATE_TABLE;
}

static void
read_delete(struct words *w, struct script_statement *s)
{
	if (!eat(w, "FROM"))
		return;
	s->table = take_name(w);
	s->kind = SCRIPT_DELETE;
	read_where(w, s);
}

/* The names before "=" in a SET list: a = 1, (b, c) = (2, 3). */
static void
read_set(struct words *w, struct script_statement *s)
{
	int depth = 0, left = 1, list = 0;

	for (; w->t.kind != LEX_END; step(w)) {
		if (lex_is_char(&w->t, '(')) {
			depth++;
			list = left && depth == 1;
		} else if (lex_is_char(&w->t, ')')) {
			depth--;
		} else if (depth == 0 && lex_is_char(&w->t, '=')) {
			left = 0;
		} else if (depth == 0 && lex_is_char(&w->t, ',')) {
			left = 1;
		} else if (depth == 0 && !left &&
			(lex_is(&w->t, "WHERE") || lex_is(&w->t, "FROM") ||
				lex_is(&w->t, "RETURNING"))) {
			return;
		} else if (left && w->t.kind != LEX_PUNCTUATION &&
			(depth == 0 || (depth == 1 && list))) {
			char *name = lex_name(&w->t);

			strs_add_once(&s->columns, name);
			free(name);
		}
	}
}

static void
read_update(struct words *w, struct script_statement *s)
{
	if (eat(w, "OR"))
		step(w);
	s->table = take_name(w);
	s->kind = SCRIPT_UPDATE;
	if (find_word(w, "SET")) {
		step(w);
		read_set(w, s);
	}
	read_where(w, s);
}

static void
read_insert(struct words *w, struct script_statement *s, int replace)
{
	if (eat(w, "OR")) {
		replace = lex_is(&w->t, "REPLACE");
		step(w);
	}
	if (!eat(w, "INTO"))
		return;
	s->table = take_name(w);
	s->kind = replace ? SCRIPT_REPLACE : SCRIPT_INSERT;
}

static void
read_pragma(struct words *w, struct script_statement *s)
{
	s->table = take_name(w);
	s->kind = SCRIPT_PRAGMA;
	if (lex_is_char(&w->t, '=') || lex_is_char(&w->t, '(')) {
		step(w);
		s->to = lex_name(&w->t);
	}
}

/* After WITH: on to the statement proper. */
static void
skip_with(struct words *w)
{
	int depth = 0, closed = 0;

	/* Only what follows a closing bracket: a name may be "replace". */
	for (; w->t.kind != LEX_END; step(w)) {
		if (lex_is_char(&w->t, '(')) {
			depth++;
		} else if (lex_is_char(&w->t, ')')) {
			closed = --depth == 0;
			continue;
		} else if (depth == 0 && closed &&
			(lex_is(&w->t, "INSERT") || lex_is(&w->t, "UPDATE") ||
				lex_is(&w->t, "DELETE") ||
				lex_is(&w->t, "REPLACE") ||
				lex_is(&w->t, "SELECT"))) {
			return;
		}
		closed = 0;
	}
}

void
script_classify(struct script_statement *s)
{
	static const char *const control[] = { "BEGIN", "COMMIT", "END",
		"ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", NULL };
	const char *const *c;
	struct words w;

	lex_open(&w.lex, s->text, s->n, s->line);
	step(&w);
	for (c = control; *c != NULL; c++)
		if (lex_is(&w.t, *c)) {
			s->kind = SCRIPT_CONTROL;
			s->table = lex_name(&w.t);
			return;
		}
	if (eat(&w, "WITH"))
		skip_with(&w);
	if (eat(&w, "DROP"))
		read_drop(&w, s);
	else if (eat(&w, "ALTER"))
		read_alter(&w, s);
	else if (eat(&w, "CREATE"))
		read_create(&w, s);
	else if (eat(&w, "DELETE"))
		read_delete(&w, s);
	else if (eat(&w, "UPDATE"))
		read_update(&w, s);
	else if (eat(&w, "INSERT"))
		read_insert(&w, s, 0);
	else if (eat(&w, "REPLACE"))
		read_insert(&w, s, 1);
	else if (eat(&w, "PRAGMA"))
		read_pragma(&w, s);
	else if (eat(&w, "VACUUM"))
		s->kind = SCRIPT_VACUUM;
	if (s->table == NULL && s->kind != SCRIPT_VACUUM &&
		s->kind != SCRIPT_CREATE && s->kind != SCRIPT_DROP) {
		s->kind = SCRIPT_OTHER; /* the engine will say what is wrong */
		s->all = 0;
	}
}
