/* sqlite_keep: values of a table kept aside; see db/db_keep.h. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/sqlite/sqlite.h"

/* The columns of the primary key, or the rowid. */
static int
find_key(struct db *d, struct db_keep *k, struct err *e)
{
	struct buf b = { 0 };
	struct db_rows *r;
	char *quoted;
	int more, n = 0, rowid = 0;

	if (db_query(&r, d, e, "SELECT x.name, l.wr, count(*) OVER () FROM "
		"pragma_table_list(?1) AS l, pragma_table_xinfo(?1, 'main') AS "
		"x WHERE l.schema = 'main' AND l.type = 'table' AND x.pk > 0 "
		"ORDER BY x.pk", "s", k->table) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		quoted = sqlite_sql_quote(db_text(r, 0));
		if (db_int(r, 2) == 1)
			buf_printf(&b, "n.%s", quoted);
		else
			buf_printf(&b, "%squote(n.%s)", n == 0 ? "" :
				" || ',' || ", quoted);
		free(quoted);
		n++;
	}
	db_rows_free(r);
	if (more == 0 && n == 0 && db_query(&r, d, e, "SELECT 1 FROM "
		"pragma_table_list(?1) WHERE schema = 'main' AND type = "
		"'table' AND wr = 0", "s", k->table) == 0) {
		rowid = db_next(r, e) == 1;
		db_rows_free(r);
	}
	if (rowid)
		buf_text(&b, "n.rowid");
	if (n + rowid > 0)
		k->key = buf_detach(&b);
	buf_free(&b);
	return more;
}

static int
list_columns(struct db *d, const struct strs *columns, struct db_keep *k,
	struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, "SELECT name FROM pragma_table_xinfo(?1, "
		"'main') WHERE hidden = 0 ORDER BY cid", "s", k->table) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		if (columns->n == 0 || strs_has(columns, db_text(r, 0)))
			strs_add(&k->columns, db_text(r, 0));
	db_rows_free(r);
	return more;
}

int
sqlite_keep_values(struct db *d, const struct strs *columns, int64_t limit,
	struct db_keep *k, struct err *e)
{
	static int64_t last;
	struct buf make = { 0 }, fill = { 0 };
	struct sqlite *s = sqlite_of(d);
	char *quoted, *count;
	size_t i;
	int result;

	if (find_key(d, k, e) == -1 || list_columns(d, columns, k, e) == -1)
		return -1;
	if (k->key == NULL || k->columns.n == 0)
		return 0;
	k->aside = mem_printf("temp.mig_kept_%lld", (long long)++last);
	buf_printf(&make, "CREATE TEMP TABLE %s (k", k->aside + 5);
	buf_printf(&fill, "INSERT INTO %s SELECT %s", k->aside, k->key);
	for (i = 0; i < k->columns.n; i++) {
		quoted = sqlite_sql_quote(k->columns.v[i]);
		buf_printf(&make, ", c%zu", i);
		buf_printf(&fill, ", n.%s", quoted);
		free(quoted);
	}
	quoted = sqlite_sql_quote(k->table);
	buf_printf(&fill, " FROM main.%s AS n LIMIT %lld", quoted,
		(long long)limit);
	free(quoted);
	buf_char(&make, ')');
	result = db_exec(d, make.data, e);
	if (result == 0)
		result = db_exec(d, fill.data, e);
	count = mem_printf("SELECT count(*) FROM %s", k->aside);
	if (result == 0)
		result = sqlite_sql_int_of(s, count, &k->rows, e);
	free(count);
	buf_free(&make);
	buf_free(&fill);
	return result;
}

/* Numbers are the same by value, everything else by its text. */
char *
sqlite_keep_query(const struct db_keep *k, size_t column,
	const char *table_now, const char *now, int how)
{
	char *c = sqlite_sql_quote(now), *t = sqlite_sql_quote(table_now);
	char *out = how > 0 ? NULL : mem_printf("FROM (SELECT b.k AS k, "
		"quote(b.c%zu) AS o, quote(n.%s) AS w FROM %s AS b JOIN main.%s "
		"AS n ON %s = b.k WHERE b.c%zu IS NOT NULL AND CAST(b.c%zu AS "
		"TEXT) IS NOT CAST(n.%s AS TEXT) AND NOT (typeof(b.c%zu) IN "
		"('integer', 'real') AND typeof(n.%s) IN ('integer', 'real') "
		"AND b.c%zu = n.%s))", column, c, k->aside, t, k->key, column, column, c,
		column, c, column, c);

	free(c);
	free(t);
	return out;
}
