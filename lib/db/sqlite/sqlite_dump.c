/* sqlite_dump: a small database as the statements that make it again. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/sqlite/sqlite.h"

#define UNIQUE_INDEX "(type = 'index' AND sql LIKE 'CREATE UNIQUE%')"
#define THEIRS \
	"sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name " \
	"NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') AND " \
	"tbl_name NOT IN ('mig_identity', 'mig_ledger', 'mig_event')"

/* A comment at its end would take the semicolon. */
static void
put_statement(struct buf *out, const char *sql)
{
	buf_printf(out, "%s%s;\n\n", sql, strstr(sql, "--") == NULL ? "" : "\n");
}

static int
put_schema(struct db *d, const char *query, struct buf *out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, query, "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		put_statement(out, db_text(r, 0));
	db_rows_free(r);
	return more;
}

/* "a, b" and "quote(a) || ', ' || quote(b)", of what an INSERT can set. */
static int
columns_of(struct db *d, const char *table, struct buf *names,
	struct buf *values, struct err *e)
{
	struct db_rows *r;
	int more;

	/* Rows that are known by their rowid alone keep it. */
	if (db_query(&r, d, e, "SELECT 'rowid' WHERE (SELECT wr FROM "
		"pragma_table_list WHERE schema = 'main' AND name = ?1) = 0 AND "
		"NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1, 'main') WHERE "
		"lower(name) = 'rowid') AND NOT EXISTS (SELECT 1 FROM "
		"pragma_table_xinfo(?1, 'main') WHERE pk > 0 AND upper(type) = "
		"'INTEGER') UNION ALL SELECT name FROM (SELECT name FROM "
		"pragma_table_xinfo(?1, 'main') WHERE hidden = 0 ORDER BY cid)",
		"s", table) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		char *name = sqlite_sql_quote(db_text(r, 0));

		buf_printf(names, "%s%s", names->len == 0 ? "" : ", ", name);
		/* quote() ends at a NUL, and has no word for an infinity. */
		buf_printf(values, "%sCASE WHEN typeof(%s) = 'text' AND "
			"instr(CAST(%s AS BLOB), x'00') THEN 'CAST(' || "
			"quote(CAST(%s AS BLOB)) || ' AS TEXT)' WHEN typeof(%s) "
			"= 'real' AND abs(%s) > 1.7976931348623157e308 THEN "
			"CASE WHEN %s > 0 THEN '9e999' ELSE '-9e999' END ELSE "
			"quote(%s) END", values->len == 0 ? "" :
			" || ', ' || ", name, name, name, name, name, name,
			name);
		free(name);
	}
	db_rows_free(r);
	return more;
}

/* 1: there were some. */
static int
put_rows(struct db *d, const char *table, int is_virtual, struct buf *out,
	struct err *e)
{
	char *quoted = sqlite_sql_quote(table), *sql;
	struct buf names = { 0 }, values = { 0 };
	struct db_rows *r;
	int more = columns_of(d, table, &names, &values, e), any = 0;

	sql = mem_printf("SELECT %s FROM main.%s", is_virtual ? "1" :
		values.data == NULL ? "''" : values.data, quoted);
	if (more != -1)
		more = db_query(&r, d, e, sql, "");
	if (more != -1) {
		while ((more = db_next(r, e)) == 1 && !is_virtual) {
			any = 1;
			buf_printf(out, "INSERT INTO %s (%s) VALUES (%s);\n",
				quoted, names.data, db_text(r, 0));
		}
		db_rows_free(r);
	}
	if (more == 1) {
		err_set(e, ERR_REFUSED, "squash", "the virtual table '%s' has "
			"rows, which cannot be written down", table);
		more = err_next(e, "squash up to a version before it");
	}
	if (any)
		buf_char(out, '\n');
	buf_free(&names);
	buf_free(&values);
	free(sql);
	free(quoted);
	return more == -1 ? -1 : any;
}

static int
put_all_rows(struct db *d, struct buf *out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, "SELECT name, sql LIKE 'CREATE VIRTUAL%' FROM "
		"sqlite_schema WHERE type = 'table' AND " THEIRS " ORDER BY "
		"rowid", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		if (put_rows(d, db_text(r, 0), (int)db_int(r, 1), out, e) ==
			-1) {
			more = -1;
			break;
		}
	db_rows_free(r);
	return more;
}

/* What AUTOINCREMENT has counted. */
static int
put_sequences(struct db *d, struct buf *out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, "SELECT 1 FROM sqlite_schema WHERE name = "
		"'sqlite_sequence'", "") == -1)
		return -1;
	more = db_next(r, e);
	db_rows_free(r);
	return more != 1 ? more : put_schema(d, "SELECT 'UPDATE sqlite_sequence "
		"SET seq = ' || seq || ' WHERE name = ' || quote(name) || "
		"';\nINSERT INTO sqlite_sequence (name, seq) SELECT ' || "
		"quote(name) || ', ' || seq || ' WHERE NOT EXISTS (SELECT 1 FROM "
		"sqlite_sequence WHERE name = ' || quote(name) || ')' FROM "
		"sqlite_sequence ORDER BY name", out, e);
}

int
sqlite_dump_sql(struct db *d, struct buf *out, struct err *e)
{
	struct buf rows = { 0 };
	/* A foreign key may lead to what a unique index makes unique. */
	int result = put_schema(d, "SELECT sql FROM sqlite_schema WHERE (type = "
		"'table' OR " UNIQUE_INDEX ") AND " THEIRS " ORDER BY type = "
		"'index', rowid", out, e);

	if (result == 0)
		result = put_all_rows(d, &rows, e);
	/* Rows of a parent may come after those of its children. */
	if (result == 0 && rows.len > 0) {
		buf_text(out, "PRAGMA defer_foreign_keys = ON;\n\n");
		buf_add(out, rows.data, rows.len);
	}
	buf_free(&rows);
	if (result == 0)
		result = put_sequences(d, out, e);
	if (result == 0)
		result = put_schema(d, "SELECT sql FROM sqlite_schema WHERE "
			"type <> 'table' AND NOT (" UNIQUE_INDEX ") AND " THEIRS
			" ORDER BY rowid", out, e);
	/* What an application keeps in the file's header. */
	return result == -1 ? -1 : put_schema(d, "SELECT 'PRAGMA user_version = "
		"' || user_version FROM pragma_user_version WHERE user_version "
		"<> 0 UNION ALL SELECT 'PRAGMA application_id = ' || "
		"application_id FROM pragma_application_id WHERE application_id "
		"<> 0", out, e);
}
