/* db_keep: values of a table kept aside. */
#include "db/db_keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"

int
db_keep(struct db *d, const char *table, const struct strs *columns,
	int64_t limit, struct db_keep *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->table = mem_dup(table);
	return d->driver->keep(d, columns, limit, out, e);
}

/* The first column of the first row; -1 in *n when the query cannot be run. */
static int
ask(struct db *d, const char *sql, int64_t *n)
{
	struct db_rows *r;
	struct err ignored;

	*n = -1;
	if (db_query(&r, d, &ignored, sql, "") == -1)
		return -1;
	if (db_next(r, &ignored) == 1)
		*n = db_int(r, 0);
	db_rows_free(r);
	return *n == -1 ? -1 : 0;
}

int
db_keep_compare(struct db *d, const struct db_keep *k, size_t column,
	const char *table_now, const char *now, int64_t *lossy,
	struct strs *samples, struct err *e)
{
	char *from = NULL, *sql;
	struct db_rows *r;
	int how, more;

	*lossy = -1;
	/* Less and less exact, until it can be asked. */
	for (how = 0; k->aside != NULL && *lossy == -1; how++) {
		free(from);
		from = d->driver->keep_query(k, column, table_now, now, how);
		if (from == NULL)
			return 0;
		sql = mem_printf("SELECT count(*) %s", from);
		ask(d, sql, lossy);
		free(sql);
	}
	if (*lossy <= 0) {
		free(from);
		return 0;
	}
	sql = mem_printf("SELECT k, o, w %s ORDER BY 1 LIMIT %d", from,
		DB_KEEP_SAMPLES);
	free(from);
	more = db_query(&r, d, e, sql, "");
	free(sql);
	if (more == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		const char *was = db_text(r, 1), *is = db_text(r, 2);
		char *line = mem_printf("%.60s: %.60s -> %.60s", db_text(r, 0),
			was == NULL ? "null" : was, is == NULL ? "null" : is);

		strs_add(samples, line);
		free(line);
	}
	db_rows_free(r);
	return more;
}

void
db_keep_free(struct db *d, struct db_keep *k)
{
	struct err ignored;
	char *sql;

	if (k->aside != NULL) {
		sql = mem_printf("DROP TABLE IF EXISTS %s", k->aside);
		db_exec(d, sql, &ignored);
		free(sql);
	}
	free(k->table);
	free(k->aside);
	free(k->key);
	strs_free(&k->columns);
	strs_free(&k->types);
	memset(k, 0, sizeof(*k));
}
