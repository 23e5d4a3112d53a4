/* pg_gap: what differs between a database and an archive, table by table. */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_source.h"

static void
add_gap(struct db_gap **out, size_t *n, const char *table,
	const struct wire_table *then, const struct wire_table *now)
{
	struct db_gap *g;

	if (db_is_ours(table) || (then != NULL && now != NULL &&
		then->rows == now->rows &&
		strcmp(then->digest, now->digest) == 0))
		return;
	*out = mem_grow(*out, *n + 1, sizeof(**out));
	g = &(*out)[(*n)++];
	g->table = mem_dup(table);
	g->rows_then = then == NULL ? -1 : then->rows;
	g->rows_now = now == NULL ? -1 : now->rows;
	/* Digests tell that rows differ, not which. */
	g->added = g->changed = g->removed = -1;
}

int
pg_gap_count(struct db *d, const struct db_rebuilt *from,
	struct db_gap **out, size_t *n, struct err *e)
{
	struct pg_dump_result then, now;
	const struct wire_table *t;
	size_t i;

	if (pg_scratch_archived(from, &then, e) == -1)
		return -1;
	if (pg_source_scan(pg_of(d), "count the gap", from->jobs, &then, &now,
		    e) == -1) {
		pg_dump_result_free(&then);
		return -1;
	}
	t = then.tables.items;
	for (i = 0; i < then.tables.n; i++)
		add_gap(out, n, t[i].name, &t[i], pg_dump_table(&now,
			t[i].name));
	t = now.tables.items;
	for (i = 0; i < now.tables.n; i++)
		if (pg_dump_table(&then, t[i].name) == NULL)
			add_gap(out, n, t[i].name, NULL, &t[i]);
	if (strcmp(now.core, then.core) != 0)
		report_say(d->report, REPORT_NOTE, "definitions (tables, "
			"views, functions, sequences) have changed since the "
			"backup: they go back, too");
	pg_dump_result_free(&now);
	pg_dump_result_free(&then);
	return 0;
}
