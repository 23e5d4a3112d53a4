/* sqlite_sql: queries of mig's own, and transactions. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sqlite/sqlite.h"

extern const char sqlite_ledger_sql[]; /* made from ledger.sql */

int
sqlite_sql_exec(struct db *d, const char *sql, struct err *e)
{
	struct sqlite *s = sqlite_of(d);

	if (sqlite3_exec(s->h, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_error(s, e, "run mig's own SQL");
	return 0;
}

int
sqlite_sql_query(struct db_rows *r, const char *sql, const char *args,
	va_list ap, struct err *e)
{
	struct sqlite *s = sqlite_of(r->db);
	sqlite3_stmt *stmt = NULL;
	int i, code;

	if (sqlite3_prepare_v2(s->h, sql, -1, &stmt, NULL) != SQLITE_OK)
		return sqlite_error(s, e, "prepare mig's own SQL");
	for (i = 0, code = SQLITE_OK; args[i] != '\0' && code == SQLITE_OK;
		i++) {
		if (args[i] == 's') {
			const char *text = va_arg(ap, const char *);

			code = text == NULL ?
				sqlite3_bind_null(stmt, i + 1) :
				sqlite3_bind_text(stmt, i + 1, text, -1,
					SQLITE_TRANSIENT);
		} else {
			code = sqlite3_bind_int64(stmt, i + 1,
				va_arg(ap, int64_t));
		}
	}
	if (code != SQLITE_OK) {
		sqlite_error(s, e, "bind mig's own SQL");
		sqlite3_finalize(stmt);
		return -1;
	}
	r->own = stmt;
	return 0;
}

int
sqlite_sql_next(struct db_rows *r, struct err *e)
{
	switch (sqlite3_step(r->own)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	}
	return sqlite_error(sqlite_of(r->db), e, "run mig's own SQL");
}

const char *
sqlite_sql_text(struct db_rows *r, int column)
{
	return (const char *)sqlite3_column_text(r->own, column);
}

int64_t
sqlite_sql_int(struct db_rows *r, int column)
{
	return sqlite3_column_int64(r->own, column);
}

void
sqlite_sql_free(struct db_rows *r)
{
	sqlite3_finalize(r->own);
	r->own = NULL;
}

int
sqlite_sql_int_of(struct sqlite *s, const char *sql, int64_t *out,
	struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(s->h, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW) {
		*out = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
		return 0;
	}
	sqlite_error(s, e, "read it");
	sqlite3_finalize(stmt);
	return -1;
}

char *
sqlite_sql_quote(const char *name)
{
	char *out = mem_alloc(strlen(name) * 2 + 3), *p = out;

	*p++ = '"';
	for (; *name != '\0'; name++) {
		if (*name == '"')
			*p++ = '"';
		*p++ = *name;
	}
	*p = '"';
	return out;
}

const char *
sqlite_sql_named(const char *name)
{
	static const struct {
		const char *name, *sql;
	} more[] = {
		{ "size", "SELECT (SELECT page_count FROM pragma_page_count) * "
			"(SELECT page_size FROM pragma_page_size)" },
		/* Only where a column is AUTOINCREMENT is there such a table. */
		{ "sequences-there", "SELECT 1 FROM sqlite_schema WHERE name = "
			"'sqlite_sequence'" },
		{ "sequences", "SELECT name, seq FROM sqlite_sequence WHERE "
			"seq > 0 ORDER BY name" },
		/* There are no such things. */
		{ "attached", "SELECT type, name, tbl_name FROM sqlite_schema "
			"WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "
			"UNION ALL SELECT type, name, '' FROM sqlite_schema "
			"WHERE type = 'view' ORDER BY 1, 2" },
		{ "unvalidated", "SELECT 1 WHERE 0" },
		{ "parts", "SELECT 1 WHERE 0" },
	};
	size_t i;

	if (strcmp(name, "ledger") == 0)
		return sqlite_ledger_sql;
	for (i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (strcmp(more[i].name, name) == 0)
			return more[i].sql;
	return NULL;
}

int
sqlite_sql_begin(struct db *d, int foreign_keys, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	int64_t on;

	/*
	 * The pragma does nothing inside a transaction, so it comes before;
	 * and it walks over every table, so it is only used for a change.
	 */
	if (sqlite_sql_int_of(s, "PRAGMA foreign_keys", &on, e) == -1)
		return -1;
	if ((on != 0) != (foreign_keys != 0) &&
		(sqlite_sql_exec(d, foreign_keys ? "PRAGMA foreign_keys = ON" :
			"PRAGMA foreign_keys = OFF", e) == -1 ||
			sqlite_sql_int_of(s, "PRAGMA foreign_keys", &on, e) ==
				-1))
		return -1;
	if ((on != 0) != (foreign_keys != 0))
		return err_bug(e, "foreign_keys did not change");
	if (sqlite3_exec(s->h, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		SQLITE_OK)
		return sqlite_error(s, e, "begin a transaction");
	return 0;
}

int
sqlite_sql_commit(struct db *d, struct err *e)
{
	struct sqlite *s = sqlite_of(d);

	if (sqlite3_exec(s->h, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	sqlite_error(s, e, "commit");
	sqlite_sql_rollback(d);
	return -1;
}

void
sqlite_sql_rollback(struct db *d)
{
	struct sqlite *s = sqlite_of(d);

	if (!sqlite3_get_autocommit(s->h)) {
		/* An interrupt must not stop the way back. */
		sqlite_open_interruptible(s, 0);
		sqlite3_exec(s->h, "ROLLBACK", NULL, NULL, NULL);
		sqlite_open_interruptible(s, 1);
	}
}

int
sqlite_sql_settle(struct db *d, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	int left = 0, done = 0;
	int code = sqlite3_wal_checkpoint_v2(s->h, "main",
		SQLITE_CHECKPOINT_TRUNCATE, &left, &done);

	if (code != SQLITE_OK)
		return sqlite_error(s, e, "move its WAL into it");
	/* -1: not in WAL mode.  After a truncation nothing is left. */
	if (left > 0)
		return err_set(e, ERR_ENV, "busy",
			"database '%s': its WAL could not be moved into it",
			s->shown);
	return 0;
}
