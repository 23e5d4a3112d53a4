/* pg_keep: values of a table kept aside; see db/db_keep.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_watch.h"

/* The text of the primary key, and every column with its type. */
static int
look(struct pg *p, const struct strs *columns, struct db_keep *k,
	struct err *e)
{
	PGresult *r;
	int i;

	if (pg_sql_value(p, &k->key, e, "SELECT 'pg_catalog.concat_ws('','', ' "
		"|| pg_catalog.string_agg('n.' || pg_catalog.quote_ident("
		"a.attname) || '::pg_catalog.text', ', ' ORDER BY a.attnum) || "
		"')' FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a "
		"ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
		"WHERE i.indrelid = pg_catalog.to_regclass($1) AND "
		"i.indisprimary", k->table) == -1)
		return -1;
	if (k->key == NULL)
		return 0;
	r = pg_watch_ask(p, "SELECT a.attname, pg_catalog.format_type("
		"a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a WHERE "
		"a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND "
		"NOT a.attisdropped ORDER BY a.attnum", k->table, e);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++) {
		if (columns->n > 0 && !strs_has(columns, PQgetvalue(r, i, 0)))
			continue;
		strs_add(&k->columns, PQgetvalue(r, i, 0));
		strs_add(&k->types, PQgetvalue(r, i, 1));
	}
	PQclear(r);
	return 0;
}

static char *
quoted(const char *name)
{
	struct buf b = { 0 };

	lex_quote(&b, name, strlen(name));
	return buf_detach(&b);
}

int
pg_keep_values(struct db *d, const struct strs *columns, int64_t limit,
	struct db_keep *k, struct err *e)
{
	static int64_t last;
	struct pg *p = pg_of(d);
	struct buf sql = { 0 };
	char *name, *count, *n = NULL;
	size_t i;
	int result;

	if (!pg_catalog_is_name(k->table))
		return 0;
	if (look(p, columns, k, e) == -1)
		return -1;
	if (k->key == NULL || k->columns.n == 0)
		return 0;
	k->aside = mem_printf("pg_temp.mig_kept_%lld", (long long)++last);
	buf_printf(&sql, "CREATE TEMPORARY TABLE mig_kept_%lld AS SELECT %s AS "
		"k", (long long)last, k->key);
	for (i = 0; i < k->columns.n; i++) {
		name = quoted(k->columns.v[i]);
		buf_printf(&sql, ", n.%s::pg_catalog.text AS c%zu", name, i);
		free(name);
	}
	name = pg_catalog_qualified(d, k->table);
	buf_printf(&sql, " FROM %s AS n LIMIT %lld", name, (long long)limit);
	free(name);
	result = pg_sql_long(p, sql.data, e);
	buf_free(&sql);
	count = mem_printf("SELECT pg_catalog.count(*) FROM %s", k->aside);
	if (result == 0)
		result = pg_sql_value(p, &n, e, count, NULL);
	k->rows = n == NULL ? 0 : strtoll(n, NULL, 10);
	free(count);
	free(n);
	return result;
}

/*
 * Led back to the type that it had, by a cast of the server's or by its text; where
 * neither can be done, or values of the type cannot be compared, by text alone.
 */
char *
pg_keep_query(const struct db_keep *k, size_t column, const char *table_now,
	const char *now, int how)
{
	static const char *const back[] = { "", "::pg_catalog.text" };
	char *c = quoted(now), *t = pg_catalog_full(table_now), *more, *out;

	more = how > 1 ? mem_dup("") : mem_printf(" AND n.%s%s::%s IS DISTINCT "
		"FROM b.c%zu::%s", c, back[how], k->types.v[column], column,
		k->types.v[column]);
	out = how > 2 ? NULL : mem_printf("FROM (SELECT b.k AS k, b.c%zu AS o, "
		"n.%s::pg_catalog.text AS w FROM %s AS b JOIN %s AS n ON %s = "
		"b.k WHERE b.c%zu IS NOT NULL AND n.%s::pg_catalog.text IS "
		"DISTINCT FROM b.c%zu%s) AS x", column, c, k->aside, t, k->key,
		column, c, column, more);
	free(more);
	free(c);
	free(t);
	return out;
}
