/* sqlite_check: SQLite's own checks. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"

int
sqlite_check_storage(struct db *d, int deep, char *found, size_t room,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	sqlite3_stmt *stmt = NULL;
	int code, result = 0;

	snprintf(found, room, "nothing");
	code = sqlite3_prepare_v2(s->h, deep ? "PRAGMA integrity_check(1)" :
		"PRAGMA quick_check(1)", -1, &stmt, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(stmt);
		if (code == SQLITE_ROW)
			snprintf(found, room, "%s",
				(const char *)sqlite3_column_text(stmt, 0));
	}
	/* A file can be too damaged even for the check: that is an answer. */
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		snprintf(found, room, "%s", sqlite3_errmsg(s->h));
	else if (code != SQLITE_ROW)
		result = sqlite_error(s, e, "check it");
	sqlite3_finalize(stmt);
	return result;
}

/* table NULL: of all; the code at the end. */
static int
check_keys(struct sqlite *s, const char *table, int64_t *n, char *first,
	size_t room)
{
	char *quoted = table == NULL ? NULL : sqlite_sql_quote(table);
	char *sql = quoted == NULL ? mem_dup("PRAGMA foreign_key_check") :
		mem_printf("PRAGMA foreign_key_check(%s)", quoted);
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(s->h, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
			if ((*n)++ == 0)
				snprintf(first, room,
					"table '%s', rowid %lld, into '%s'",
					sqlite3_column_text(stmt, 0),
					sqlite3_column_int64(stmt, 1),
					sqlite3_column_text(stmt, 2));
	sqlite3_finalize(stmt);
	free(quoted);
	free(sql);
	return code;
}

/* Table by table: some have keys that SQLite itself cannot follow. */
static int
check_each(struct sqlite *s, int64_t *n, char *first, size_t room,
	struct err *e)
{
	struct strs tables = { 0 };
	struct db_rows *r;
	size_t i;
	int more, result = 0;

	if (db_query(&r, &s->base, e, "SELECT DISTINCT t.name FROM "
		"pragma_table_list AS t JOIN pragma_foreign_key_list(t.name) "
		"WHERE t.schema = 'main' AND t.type = 'table'", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		strs_add(&tables, db_text(r, 0));
	db_rows_free(r);
	for (i = 0; i < tables.n && more == 0 && result == 0; i++) {
		int code = check_keys(s, tables.v[i], n, first, room);

		if (code == SQLITE_ERROR)
			report_say(s->base.report, REPORT_NOTE, "the foreign "
				"keys of '%s' cannot be checked, as they could "
				"not before: %s", tables.v[i],
				sqlite3_errmsg(s->h));
		else if (code != SQLITE_DONE)
			result = sqlite_error(s, e, "check its foreign keys");
	}
	strs_free(&tables);
	return more == -1 ? -1 : result;
}

int
sqlite_check_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	int code;

	*n = 0;
	first[0] = '\0';
	code = check_keys(s, NULL, n, first, room);
	if (code == SQLITE_DONE)
		return 0;
	/* With keys off, SQLite lives with them; a migration may not make them. */
	if (code != SQLITE_ERROR || !sqlite3_get_autocommit(s->h))
		return sqlite_error(s, e, "check its foreign keys");
	*n = 0;
	first[0] = '\0';
	return check_each(s, n, first, room, e);
}
