/* script_part: the statements of a part as its format means them. */
#include <string.h>

#include "base/mem.h"
#include "migration/migration.h"
#include "migration/script.h"

static int
is_word(const struct script_statement *s, const char *a, const char *b)
{
	return s->kind == SCRIPT_CONTROL && s->table != NULL &&
		(strs_same(s->table, a) || strs_same(s->table, b));
}

/* A BEGIN before everything and a COMMIT behind it, and no other. */
static void
unwrap(struct script *s)
{
	struct script inner = { 0 }, ends = { 0 };
	size_t i;

	if (s->n < 2 || !is_word(&s->v[0], "BEGIN", "START") ||
		!is_word(&s->v[s->n - 1], "COMMIT", "END"))
		return;
	for (i = 1; i + 1 < s->n; i++)
		if (s->v[i].kind == SCRIPT_CONTROL)
			return;
	ends.v = mem_array(2, sizeof(*ends.v));
	ends.v[0] = s->v[0];
	ends.v[1] = s->v[s->n - 1];
	ends.n = 2;
	inner = *s;
	inner.n -= 2;
	memmove(inner.v, inner.v + 1, inner.n * sizeof(*inner.v));
	*s = inner;
	script_free(&ends);
}

static int
is_outside(const struct script_statement *s)
{
	return s->kind == SCRIPT_OUTSIDE || s->kind == SCRIPT_VACUUM;
}

int
script_of_part(const struct migration_part *p, enum lex_rules rules,
	struct script *out, struct err *e)
{
	size_t i, n = 0;

	if (script_scan(p->text, p->line, rules, out, e) == -1)
		return -1;
	out->outside = p->outside;
	if (p->own_transaction)
		unwrap(out);
	for (i = 0; i < out->n; i++)
		n += is_outside(&out->v[i]);
	if (n > 0 && n == out->n && (p->detect == MIGRATION_ALL ||
		(p->detect == MIGRATION_ALONE && n == 1)))
		out->outside = 1;
	return 0;
}
