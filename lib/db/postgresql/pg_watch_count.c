/* pg_watch_count: rows and values that may all go, counted while they are there. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

int
pg_watch_count(struct pg *p, const char *table, int64_t *rows, struct err *e)
{
	char *full = pg_catalog_full(table);
	struct db_census c;
	int result;

	*rows = -1;
	memset(&c, 0, sizeof(c));
	result = pg_census(&p->base, full, PG_CENSUS_ROWS, &c, e);
	if (result == 0 && c.there)
		*rows = c.rows;
	db_census_free(&c);
	free(full);
	return result;
}

char *
pg_watch_key(const char *oid, const char *column)
{
	return column == NULL ? mem_dup(oid) : mem_printf("%s.%s", oid,
		column);
}

int64_t
pg_watch_counted(const struct pg_watch *w, const char *oid, const char *column)
{
	char *key = pg_watch_key(oid, column);
	int64_t amount = -1;
	size_t i;

	for (i = 0; i < w->counted_n && amount == -1; i++)
		if (strcmp(w->counted[i].key, key) == 0)
			amount = w->counted[i].amount;
	free(key);
	return amount;
}

static void
add_counted(struct pg_watch *w, const char *oid, const char *column,
	int64_t amount)
{
	if (pg_watch_counted(w, oid, column) != -1)
		return;
	w->counted = mem_grow(w->counted, w->counted_n + 1,
		sizeof(*w->counted));
	w->counted[w->counted_n].key = pg_watch_key(oid, column);
	w->counted[w->counted_n++].amount = amount;
}

int
pg_watch_note(struct pg *p, const char *table, struct err *e)
{
	struct db_census c;
	char *oid;
	size_t i;

	memset(&c, 0, sizeof(c));
	if (!pg_catalog_is_name(table))
		return 0;
	if (pg_sql_value(p, &oid, e, "SELECT pg_catalog.to_regclass($1)::"
		"pg_catalog.oid", table) == -1)
		return -1;
	if (oid == NULL)
		return 0;
	if (pg_census(&p->base, table, 0, &c, e) == -1) {
		free(oid);
		return -1;
	}
	for (i = 0; i < c.n; i++)
		add_counted(p->watch, oid, c.columns[i], c.values[i]);
	if (c.there)
		add_counted(p->watch, oid, NULL, c.rows);
	free(oid);
	db_census_free(&c);
	return 0;
}

/*
 * The same for what an earlier try has found to go.  Nobody else is to write to it
 * between this count and its end: it is locked.  A snapshot from before the lock would
 * not show what came in meanwhile: then it stays uncounted, which is refused.
 */
int
pg_watch_note_found(struct pg *p, const char *key, struct err *e)
{
	char *oid = mem_dup_n(key, strcspn(key, ".")), *name = NULL, *sql;
	int result = 0;

	if (pg_watch_counted(p->watch, oid, NULL) != -1) {
		free(oid);
		return 0;
	}
	if (pg_sql_value(p, &name, e, "SELECT pg_catalog.format('%I.%I', "
		"n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"c.oid = $1::pg_catalog.oid AND pg_catalog.current_setting("
		"'transaction_isolation') LIKE 'read%'", oid) == -1)
		result = -1;
	if (result == 0 && name != NULL) {
		sql = mem_printf("LOCK TABLE %s IN SHARE MODE", name);
		result = pg_sql_exec(&p->base, sql, e) == -1 ||
			pg_watch_note(p, name, e) == -1 ? -1 : 0;
		free(sql);
	}
	free(name);
	free(oid);
	return result;
}
