/* script_part: the statements of a part as its format means them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/migration.h"
#include "migration/script.h"
#include "migration/text.h"

static int
is_word(const struct script_statement *s, const char *a, const char *b)
{
	return s->kind == SCRIPT_CONTROL && s->table != NULL &&
		(strs_same(s->table, a) || strs_same(s->table, b));
}

/* Nothing but pairs of BEGIN and COMMIT. */
static int
is_paired(const struct script *s)
{
	size_t i;
	int open = 0;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].kind != SCRIPT_CONTROL)
			continue;
		if (!(open ? is_word(&s->v[i], "COMMIT", "END") :
			is_word(&s->v[i], "BEGIN", "START")))
			return 0;
		open = !open;
	}
	return !open;
}

/*
 * Without what mig sees to itself: the transaction is the migration's, and
 * foreign keys are off while a table is rebuilt.
 */
static void
unwrap(struct script *s)
{
	struct script kept = { .rules = s->rules, .outside = s->outside };
	struct script gone = { 0 };
	int paired = is_paired(s);
	size_t i;

	kept.v = mem_array(s->n, sizeof(*kept.v));
	gone.v = mem_array(s->n, sizeof(*gone.v));
	for (i = 0; i < s->n; i++) {
		const struct script_statement *x = &s->v[i];

		if ((x->kind == SCRIPT_CONTROL && paired) ||
			(x->kind == SCRIPT_PRAGMA && x->to != NULL &&
				strs_same(x->table, "foreign_keys")))
			gone.v[gone.n++] = *x;
		else
			kept.v[kept.n++] = *x;
	}
	free(s->v);
	*s = kept;
	script_free(&gone);
}

/* What the engine refuses in a transaction. */
static int
is_outside(const struct script_statement *s)
{
	return s->kind == SCRIPT_OUTSIDE || s->kind == SCRIPT_VACUUM ||
		(s->kind == SCRIPT_PRAGMA && s->to != NULL &&
			strs_same(s->table, "journal_mode"));
}

/* "line 12: ...": of which file, and of one that is included its own line. */
static void
place(const struct migration_part *p, struct err *e)
{
	const char *rest = strchr(e->text, ':'), *file;
	char words[512];
	int line;

	if (rest == NULL || sscanf(e->text, "line %d", &line) != 1)
		return;
	snprintf(words, sizeof(words), "%s", rest);
	file = text_place(p, &line);
	err_set(e, e->code, "scan", "in '%s' line %d%s", file, line, words);
	err_next(e, p->file == NULL ? "go back with mig-rollback --restore" :
		"mend the file");
}

int
script_of_part(const struct migration_part *p, enum lex_rules rules,
	struct script *out, struct err *e)
{
	size_t i, n = 0;

	if (text_check(p, e) == -1)
		return -1;
	if (script_scan(p->run != NULL ? p->run : p->text, p->line, rules, out,
		e) == -1) {
		place(p, e);
		text_hide(p, e);
		return -1;
	}
	out->outside = p->outside;
	if (p->own_transaction)
		unwrap(out);
	for (i = 0; i < out->n; i++)
		n += is_outside(&out->v[i]);
	/* Others mark whole folders: what can be undone is run so. */
	if (n == 0 && p->of_other)
		out->outside = 0;
	if (n > 0 && n == out->n && (p->detect == MIGRATION_ALL ||
		(p->detect == MIGRATION_ALONE && n == 1)))
		out->outside = 1;
	return 0;
}
