/* script_classify: what one statement is about, from its words. */
#include "migration/script_classify.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "db/lex.h"
#include "migration/script.h"
#include "migration/script_words.h"

/* "[schema .] name": the name, or NULL.  Gives. */
static char *
take_name(struct script_words *w)
{
	struct lex_token first = w->t;

	if (first.kind != LEX_WORD && first.kind != LEX_NAME &&
		first.kind != LEX_STRING)
		return NULL;
	script_step(w);
	if (lex_is_char(&w->t, '.')) {
		script_step(w);
		first = w->t;
		script_step(w);
	}
	return lex_name(&first);
}

static void
eat_if_exists(struct script_words *w)
{
	if (script_eat(w, "IF")) {
		script_eat(w, "NOT");
		script_eat(w, "EXISTS");
	}
}

static void
read_drop(struct script_words *w, struct script_statement *s)
{
	s->kind = SCRIPT_DROP;
	if (!script_eat(w, "TABLE"))
		return;
	eat_if_exists(w);
	s->table = take_name(w);
	if (s->table != NULL)
		s->kind = SCRIPT_DROP_TABLE;
}

static void
read_alter(struct script_words *w, struct script_statement *s)
{
	char *column;

	if (!script_eat(w, "TABLE"))
		return;
	s->table = take_name(w);
	if (script_eat(w, "RENAME")) {
		if (script_eat(w, "TO")) {
			s->to = take_name(w);
			s->kind = SCRIPT_RENAME_TABLE;
		}
	} else if (script_eat(w, "DROP")) {
		script_eat(w, "COLUMN");
		column = take_name(w);
		if (column != NULL) {
			strs_add(&s->columns, column);
			s->kind = SCRIPT_DROP_COLUMN;
		}
		free(column);
	}
}

static void
read_create(struct script_words *w, struct script_statement *s)
{
	if (!script_eat(w, "TEMP"))
		script_eat(w, "TEMPORARY");
	s->kind = SCRIPT_CREATE;
	if (!script_eat(w, "TABLE"))
		return;
	eat_if_exists(w);
	s->table = take_name(w);
	if (s->table != NULL)
		s->kind = SCRIPT_CREATE_TABLE;
}

static void
read_delete(struct script_words *w, struct script_statement *s)
{
	if (!script_eat(w, "FROM"))
		return;
	s->table = take_name(w);
	s->kind = SCRIPT_DELETE;
	script_read_where(w, s);
}

static void
read_update(struct script_words *w, struct script_statement *s)
{
	if (script_eat(w, "OR"))
		script_step(w);
	s->table = take_name(w);
	s->kind = SCRIPT_UPDATE;
	if (script_find(w, "SET")) {
		script_step(w);
		script_read_set(w, s);
	}
	script_read_where(w, s);
}

static void
read_insert(struct script_words *w, struct script_statement *s, int replace)
{
	if (script_eat(w, "OR")) {
		replace = lex_is(&w->t, "REPLACE");
		script_step(w);
	}
	if (!script_eat(w, "INTO"))
		return;
	s->table = take_name(w);
	s->kind = replace ? SCRIPT_REPLACE : SCRIPT_INSERT;
}

static void
read_pragma(struct script_words *w, struct script_statement *s)
{
	s->table = take_name(w);
	s->kind = SCRIPT_PRAGMA;
	if (lex_is_char(&w->t, '=') || lex_is_char(&w->t, '(')) {
		script_step(w);
		s->to = lex_name(&w->t);
	}
}

void
script_classify(struct script_statement *s, enum lex_rules rules)
{
	static const char *const control[] = { "BEGIN", "COMMIT", "END",
		"ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", NULL };
	const char *const *c;
	struct script_words w;

	if (rules == LEX_POSTGRESQL) {
		script_postgresql(s);
		return;
	}
	lex_open(&w.lex, s->text, s->n, s->line, rules);
	script_step(&w);
	for (c = control; *c != NULL; c++)
		if (lex_is(&w.t, *c)) {
			s->kind = SCRIPT_CONTROL;
			s->table = lex_name(&w.t);
			return;
		}
	if (script_eat(&w, "WITH"))
		script_read_with(&w, s);
	if (script_eat(&w, "DROP"))
		read_drop(&w, s);
	else if (script_eat(&w, "ALTER"))
		read_alter(&w, s);
	else if (script_eat(&w, "CREATE"))
		read_create(&w, s);
	else if (script_eat(&w, "DELETE"))
		read_delete(&w, s);
	else if (script_eat(&w, "UPDATE"))
		read_update(&w, s);
	else if (script_eat(&w, "INSERT"))
		read_insert(&w, s, 0);
	else if (script_eat(&w, "REPLACE"))
		read_insert(&w, s, 1);
	else if (script_eat(&w, "PRAGMA"))
		read_pragma(&w, s);
	else if (script_eat(&w, "VACUUM"))
		s->kind = SCRIPT_VACUUM;
	if (s->table == NULL && s->kind != SCRIPT_VACUUM &&
		s->kind != SCRIPT_CREATE && s->kind != SCRIPT_DROP) {
		s->kind = SCRIPT_OTHER; /* the engine will say what is wrong */
		s->all = 0;
	}
}
