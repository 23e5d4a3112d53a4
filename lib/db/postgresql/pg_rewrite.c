/* pg_rewrite: whether a statement makes the rows of its table anew. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg.h"
#include "db/postgresql/pg_watch.h"

/* One that only changes the catalog takes no longer; others wait meanwhile. */
#define TRY_MS "100"

/* Where the rows of a table, its partitions and children are; NULL: no such table. */
static int
files_of(struct pg *p, const char *table, char **out, struct err *e)
{
	return pg_sql_value(p, out, e, "WITH RECURSIVE t (oid) AS (SELECT "
		"pg_catalog.to_regclass($1)::pg_catalog.oid UNION SELECT "
		"i.inhrelid FROM pg_catalog.pg_inherits i JOIN t ON "
		"i.inhparent = t.oid) SELECT pg_catalog.string_agg(c.oid::text "
		"|| ':' || c.relfilenode::text, ' ' ORDER BY c.oid) FROM "
		"pg_catalog.pg_class c JOIN t ON c.oid = t.oid", table);
}

/* It is run, looked at and taken back. */
static int
try(struct pg *p, const struct db_statement *s, const char *before,
	struct err *e)
{
	char *sql = mem_dup_n(s->sql, s->n), *after = NULL;
	PGresult *r = pg_sql_one(p, sql, 0, NULL, e);
	int result = 1;

	free(sql);
	if (r == NULL)
		return -1;
	/* What is wrong with it is said when it is run. */
	if (PQresultStatus(r) == PGRES_COMMAND_OK) {
		result = files_of(p, s->table, &after, e);
		if (result == 0)
			result = after == NULL || strcmp(before, after) != 0;
	}
	free(after);
	PQclear(r);
	return result;
}

int
pg_rewrites(struct db *d, const struct db_statement *s, struct err *e)
{
	struct pg *p = pg_of(d);
	int hushed = p->base.hushed, result;
	char *before;

	/* Nobody waits for a copy, and what is traced is to be run once. */
	if (p->staged || !pg_catalog_is_name(s->table))
		return 1;
	if (files_of(p, s->table, &before, e) == -1)
		return -1;
	if (before == NULL)
		return 1;
	p->base.hushed = 1;
	result = pg_sql_exec(d, "SAVEPOINT mig_try; SET LOCAL "
		"statement_timeout = " TRY_MS, e);
	if (result == 0)
		result = try(p, s, before, e);
	if (result != -1 && pg_sql_exec(d, "ROLLBACK TO SAVEPOINT mig_try; "
		"RELEASE SAVEPOINT mig_try", e) == -1)
		result = -1;
	p->base.hushed = hushed;
	free(before);
	return result;
}
