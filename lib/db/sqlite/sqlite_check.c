/* sqlite_check: SQLite's own checks. */
#include <stdio.h>

#include "base/err.h"
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

int
sqlite_check_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	sqlite3_stmt *stmt = NULL;
	int code;

	*n = 0;
	first[0] = '\0';
	code = sqlite3_prepare_v2(s->h, "PRAGMA foreign_key_check", -1, &stmt,
		NULL);
	if (code == SQLITE_OK) {
		while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
			if ((*n)++ == 0)
				snprintf(first, room,
					"table '%s', rowid %lld, into '%s'",
					sqlite3_column_text(stmt, 0),
					sqlite3_column_int64(stmt, 1),
					sqlite3_column_text(stmt, 2));
	}
	sqlite3_finalize(stmt);
	if (code != SQLITE_DONE)
		return sqlite_error(s, e, "check its foreign keys");
	return 0;
}
