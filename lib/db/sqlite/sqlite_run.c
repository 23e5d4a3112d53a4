/*
 * sqlite_run: one statement of somebody's migration, run under a guard.  The
 * authorizer sees what the statement would do before it does anything, so
 * that no spelling can leave the transaction, the database or the watch.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"

/* Pragmas that only ask, or that last no longer than the transaction. */
static const char *const harmless[] = { "table_info", "table_xinfo",
	"table_list", "index_list", "index_info", "index_xinfo",
	"foreign_key_list", "foreign_key_check", "foreign_keys",
	"defer_foreign_keys", "user_version", "application_id", "quick_check",
	"integrity_check", "optimize", "page_count", "page_size", "encoding",
	"database_list", "function_list", "collation_list", "compile_options",
	"schema_version", "freelist_count", "data_version", NULL };

static int
deny(struct sqlite *s, const char *what, const char *name)
{
	snprintf(s->denied, sizeof(s->denied), "%s%s%.120s", what,
		name == NULL ? "" : " ", name == NULL ? "" : name);
	return SQLITE_DENY;
}

static int
allowed_pragma(const char *name, const char *value)
{
	const char *const *p;

	for (p = harmless; *p != NULL; p++)
		if (strs_same(*p, name)) {
			/* Asking for a setting is harmless, changing is not. */
			if (value != NULL && (strs_same(name, "foreign_keys") ||
				strs_same(name, "page_size") ||
				strs_same(name, "encoding") ||
				strs_same(name, "schema_version")))
				return 0;
			return 1;
		}
	return 0;
}

static int
disagree(struct sqlite *s, const char *what, const char *name)
{
	s->disagreed = 1;
	return deny(s, what, name);
}

/* NAME_data and its kind, in which a virtual table keeps what it holds. */
static int
is_part(const char *table, const char *of)
{
	size_t n = strlen(of);

	return strncasecmp(table, of, n) == 0 && table[n] == '_';
}

/* Rows of a user's table, by the statement itself or by a foreign key. */
static int
changes_rows(struct sqlite *s, const char *what, const char *table,
	const char *schema, const char *trigger)
{
	enum db_intent intent = s->running->intent;

	if (db_is_ours(table))
		return deny(s, "writing to mig's own table", table);
	if (trigger == NULL && schema != NULL && strcmp(schema, "main") == 0 &&
		sqlite3_strnicmp(table, "sqlite_", 7) != 0 &&
		(intent == DB_INTENT_OTHER || intent == DB_INTENT_DROP_COLUMN))
		return disagree(s, what, table);
	return SQLITE_OK;
}

static int
on_authorize(void *arg, int action, const char *a, const char *b,
	const char *schema, const char *trigger)
{
	struct sqlite *s = arg;

	if (s->running == NULL)
		return SQLITE_OK;
	sqlite_trace_note(s, action, a, b);
	if (s->running->how == DB_RUN_OUTSIDE) {
		/* VACUUM attaches, copies and renames inside itself. */
		return SQLITE_OK;
	}
	switch (action) {
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return deny(s, a, NULL);
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		return deny(s, "ATTACH, DETACH or VACUUM", NULL);
	case SQLITE_PRAGMA:
		return allowed_pragma(a, b) ? SQLITE_OK :
			deny(s, "PRAGMA", a);
	case SQLITE_DROP_TABLE:
	case SQLITE_DROP_VTABLE:
		if (db_is_ours(a))
			return deny(s, "dropping mig's own table", a);
		if (s->running->intent != DB_INTENT_DROP_TABLE ||
			!(strs_same(s->running->table, a) || (s->dropping &&
				is_part(a, s->running->table))))
			return disagree(s, "drops the table", a);
		s->dropping |= action == SQLITE_DROP_VTABLE;
		return SQLITE_OK;
	case SQLITE_INSERT:
		return db_is_ours(a) ?
			deny(s, "writing to mig's own table", a) : SQLITE_OK;
	case SQLITE_DELETE:
		return changes_rows(s, "deletes from the table", a, schema,
			trigger);
	case SQLITE_UPDATE:
		return changes_rows(s, "updates the table", a, schema,
			trigger);
	case SQLITE_ALTER_TABLE:
		if (db_is_ours(b))
			return deny(s, "altering mig's own table", b);
		/* The third word is the column, of DROP COLUMN only. */
		return schema == NULL || *schema == '\0' ||
				s->running->intent == DB_INTENT_DROP_COLUMN ?
			SQLITE_OK : disagree(s, "drops a column of", b);
	case SQLITE_CREATE_TABLE:
	case SQLITE_CREATE_TEMP_TABLE:
	case SQLITE_CREATE_VIEW:
	case SQLITE_CREATE_TEMP_VIEW:
		return db_is_ours(a) ?
			deny(s, "the name of mig's own table", a) : SQLITE_OK;
	case SQLITE_CREATE_TRIGGER:
	case SQLITE_CREATE_TEMP_TRIGGER:
		return db_is_ours(b) ?
			deny(s, "a trigger on mig's own table", b) : SQLITE_OK;
	case SQLITE_FUNCTION:
		if (b != NULL && strs_same(b, "load_extension"))
			return deny(s, "load_extension()", NULL);
		return SQLITE_OK;
	}
	return SQLITE_OK;
}

static int
is_blank(const char *p, const char *end)
{
	for (; p < end; p++)
		if (strchr(" \t\r\n\f;", *p) == NULL)
			return 0;
	return 1;
}

static int
failed(struct sqlite *s, int code, struct err *e)
{
	if (s->disagreed) {
		err_set(e, ERR_FAILED, "scan",
			"SQLite and mig disagree about this statement: it %s",
			s->denied);
		return err_next(e, "write it plainly; and report it as a bug");
	}
	if (s->denied[0] != '\0') {
		err_set(e, ERR_REFUSED, "forbidden",
			"a migration may not use %s", s->denied);
		return err_next(e, "take it out of the file: mig runs each "
				   "migration in one transaction of its own");
	}
	if ((code & 0xff) == SQLITE_INTERRUPT) {
		err_set(e, ERR_ENV, "interrupted", "interrupted");
		return err_next(e, "run it again when ready");
	}
	if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_FULL ||
		(code & 0xff) == SQLITE_IOERR ||
		(code & 0xff) == SQLITE_CORRUPT)
		return sqlite_error(s, e, "run the statement");
	err_set(e, ERR_FAILED, "statement", "%s", sqlite3_errmsg(s->h));
	return err_next(e, "mend the file");
}

int
sqlite_run_statement(struct db *d, const struct db_statement *x,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	sqlite3_stmt *stmt = NULL;
	const char *tail = NULL;
	int code, result = 0;

	if (x->intent != DB_INTENT_DEFINE && sqlite_watch_look(s, e) == -1)
		return -1;
	s->denied[0] = '\0';
	s->disagreed = s->dropping = 0;
	s->running = x;
	sqlite3_set_authorizer(s->h, on_authorize, s);
	code = sqlite3_prepare_v2(s->h, x->sql, (int)x->n, &stmt, &tail);
	if (code == SQLITE_OK && stmt != NULL && !is_blank(tail, x->sql + x->n)) {
		result = err_set(e, ERR_FAILED, "scan",
			"SQLite and mig disagree about where the statement "
			"ends");
	} else if (code == SQLITE_OK && stmt != NULL) {
		while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
			;
	} else if (code == SQLITE_OK) {
		code = SQLITE_DONE; /* only comments */
	}
	if (result == 0 && code != SQLITE_DONE)
		result = failed(s, code, e);
	sqlite_trace_read(s, stmt == NULL ? 0 : sqlite3_stmt_status(stmt,
		SQLITE_STMTSTATUS_FULLSCAN_STEP, 0));
	sqlite3_finalize(stmt);
	s->running = NULL;
	sqlite3_set_authorizer(s->h, NULL, NULL);
	return result;
}
