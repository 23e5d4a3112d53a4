/* script_words: the words of one statement. */
#include "migration/script_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "migration/script.h"

/* Errors were found when the text was cut. */
void
script_step(struct script_words *w)
{
	struct err e;

	if (lex_next(&w->lex, &w->t, &e) == -1)
		w->t.kind = LEX_END;
}

int
script_eat(struct script_words *w, const char *word)
{
	if (!lex_is(&w->t, word))
		return 0;
	script_step(w);
	return 1;
}

int
script_find(struct script_words *w, const char *word)
{
	int depth = 0;

	for (; w->t.kind != LEX_END; script_step(w)) {
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

/* The brackets that were opened are closed, and nothing follows. */
static int
is_over(struct script_words *w, int depth)
{
	for (; depth > 0 && lex_is_char(&w->t, ')'); script_step(w))
		depth--;
	return depth == 0 && (w->t.kind == LEX_END || lex_is(&w->t,
		"RETURNING"));
}

/* Whether what follows WHERE is always true: 1, TRUE, 1 = 1, (1 = 1). */
static int
always_true(struct script_words *w)
{
	struct lex_token first, other;
	int depth = 0;

	for (; lex_is_char(&w->t, '('); script_step(w))
		depth++;
	first = w->t;
	if (first.kind != LEX_NUMBER && first.kind != LEX_STRING &&
		!lex_is(&first, "TRUE"))
		return 0;
	script_step(w);
	if (is_over(w, depth))
		return lex_is(&first, "TRUE") ||
			!(first.n == 1 && *first.text == '0');
	if (!lex_is_char(&w->t, '='))
		return 0;
	script_step(w);
	if (lex_is_char(&w->t, '='))
		script_step(w);
	other = w->t;
	script_step(w);
	return same_token(&first, &other) && is_over(w, depth);
}

void
script_read_where(struct script_words *w, struct script_statement *s)
{
	s->all = 1;
	if (script_find(w, "WHERE")) {
		script_step(w);
		s->all = always_true(w);
	}
}

/* a = 1, (b, c) = (2, 3) */
void
script_read_set(struct script_words *w, struct script_statement *s)
{
	int depth = 0, left = 1, list = 0;

	for (; w->t.kind != LEX_END; script_step(w)) {
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

int
script_may_repeat(const struct script_statement *s, enum lex_rules rules)
{
	static const char *const always[] = { "VACUUM", "ANALYZE", "REINDEX",
		"CHECKPOINT", "SET", "RESET", "PRAGMA", "REFRESH",
		"CLUSTER", "COMMENT", NULL };
	const char *const *word;
	struct script_words w;

	lex_open(&w.lex, s->text, s->n, s->line, rules);
	script_step(&w);
	for (word = always; *word != NULL; word++)
		if (lex_is(&w.t, *word))
			return 1;
	/* Of an ALTER it may be about another thing than what is changed. */
	if (script_eat(&w, "DROP"))
		return script_find(&w, "IF") && script_eat(&w, "IF") &&
			lex_is(&w.t, "EXISTS");
	return script_eat(&w, "CREATE") && script_find(&w, "IF") &&
		script_eat(&w, "IF") && script_eat(&w, "NOT") &&
		lex_is(&w.t, "EXISTS");
}
