/* op_rehearse_expect: the tables that a text may take without naming them. */
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "db/driver.h"
#include "migration/script.h"
#include "op/op_rehearse_part.h"

/* What it does stands somewhere else than in its words. */
static int
is_opaque(const struct script_statement *s)
{
	static const char *const words[] = { "do", "call", "select", "execute",
		NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (s->kind == SCRIPT_OTHER && s->n > strlen(*w) &&
			strncasecmp(s->text, *w, strlen(*w)) == 0)
			return 1;
	return 0;
}

/* Something with CASCADE drops or empties what it does not name. */
static int
takes_along(const struct script_statement *s)
{
	size_t i;

	if (s->kind == SCRIPT_DROP || s->kind == SCRIPT_DROP_TABLE ||
		s->kind == SCRIPT_DROP_COLUMN || s->kind == SCRIPT_TRUNCATE)
		for (i = 0; i + 7 <= s->n; i++)
			if (strncasecmp(s->text + i, "cascade", 7) == 0)
				return 1;
	return 0;
}

static int
all_tables(struct rehearse *x, struct strs *out, struct err *e)
{
	struct shape_list all = { 0 };
	const struct wire_table *t;
	size_t i;

	if (db_tables(x->a.s.db, &all, e) == -1)
		return -1;
	t = all.items;
	for (i = 0; i < all.n; i++)
		if (!db_is_ours(t[i].name) && t[i].rows != -1)
			strs_add_once(out, t[i].name);
	db_tables_free(&all);
	return 0;
}

int
op_rehearse_expect(struct rehearse *x, const struct migration_part *part,
	struct strs *out, struct err *e)
{
	struct script script;
	size_t i;
	int any = 0;

	if (script_of_part(part, db_rules(x->a.s.db), &script, e) == -1)
		return -1;
	for (i = 0; i < script.n; i++)
		any |= is_opaque(&script.v[i]) || takes_along(&script.v[i]);
	script_free(&script);
	return any ? all_tables(x, out, e) : 0;
}
