/* Cutting and classifying scripts. */
#include "base/err.h"
#include "migration/script.h"
#include "tap.h"

struct want {
	const char *sql;
	enum script_kind kind;
	const char *table, *column; /* NULL: none */
	int all;
};

static const struct want wants[] = {
	{ "DROP TABLE users", SCRIPT_DROP_TABLE, "users", NULL, 0 },
	{ "drop table if exists main.\"us\"\"ers\"", SCRIPT_DROP_TABLE,
		"us\"ers", NULL, 0 },
	{ "DROP TABLE [a b]", SCRIPT_DROP_TABLE, "a b", NULL, 0 },
	{ "DROP TABLE 'q'", SCRIPT_DROP_TABLE, "q", NULL, 0 },
	{ "DROP VIEW v", SCRIPT_DROP, NULL, NULL, 0 },
	{ "ALTER TABLE t RENAME TO u", SCRIPT_RENAME_TABLE, "t", NULL, 0 },
	{ "ALTER TABLE t RENAME COLUMN a TO b", SCRIPT_OTHER, "t", NULL, 0 },
	{ "ALTER TABLE t DROP COLUMN c", SCRIPT_DROP_COLUMN, "t", "c", 0 },
	{ "alter table t drop c", SCRIPT_DROP_COLUMN, "t", "c", 0 },
	{ "DELETE FROM t", SCRIPT_DELETE, "t", NULL, 1 },
	{ "DELETE FROM t WHERE id = 1", SCRIPT_DELETE, "t", NULL, 0 },
	{ "DELETE FROM t WHERE 1", SCRIPT_DELETE, "t", NULL, 1 },
	{ "DELETE FROM t WHERE true", SCRIPT_DELETE, "t", NULL, 1 },
	{ "DELETE FROM t WHERE 1 = 1", SCRIPT_DELETE, "t", NULL, 1 },
	{ "DELETE FROM t WHERE 1 == 1 RETURNING id", SCRIPT_DELETE, "t", NULL,
		1 },
	{ "DELETE FROM t WHERE 0", SCRIPT_DELETE, "t", NULL, 0 },
	{ "DELETE FROM t WHERE 1 = 2", SCRIPT_DELETE, "t", NULL, 0 },
	{ "DELETE FROM t WHERE id IN (SELECT 1)", SCRIPT_DELETE, "t", NULL, 0 },
	{ "WITH x AS (SELECT 1) DELETE FROM t", SCRIPT_DELETE, "t", NULL, 1 },
	{ "WITH x AS (SELECT 1 WHERE 1) DELETE FROM t WHERE id IN x",
		SCRIPT_DELETE, "t", NULL, 0 },
	{ "WITH replace AS (SELECT 1) DELETE FROM t", SCRIPT_DELETE, "t", NULL,
		1 },
	{ "WITH RECURSIVE a (x) AS (SELECT 1), b AS (SELECT 2) UPDATE t SET c = 1",
		SCRIPT_UPDATE, "t", "c", 1 },
	{ "\xef\xbb\xbf" "DROP TABLE t", SCRIPT_DROP_TABLE, "t", NULL, 0 },
	{ "UPDATE t SET a = 1", SCRIPT_UPDATE, "t", "a", 1 },
	{ "UPDATE t SET a = 1 WHERE b = 2", SCRIPT_UPDATE, "t", "a", 0 },
	{ "UPDATE t SET a = (SELECT 1 WHERE 1)", SCRIPT_UPDATE, "t", "a", 1 },
	{ "UPDATE OR IGNORE t SET \"b c\" = 1", SCRIPT_UPDATE, "t", "b c", 1 },
	{ "UPDATE t SET (a, b) = (1, 2)", SCRIPT_UPDATE, "t", "b", 1 },
	{ "REPLACE INTO t VALUES (1)", SCRIPT_REPLACE, "t", NULL, 0 },
	{ "INSERT OR REPLACE INTO t VALUES (1)", SCRIPT_REPLACE, "t", NULL,
		0 },
	{ "INSERT INTO t VALUES ('DELETE FROM x')", SCRIPT_INSERT, "t", NULL,
		0 },
	{ "CREATE TEMP TABLE IF NOT EXISTS t (a)", SCRIPT_CREATE_TABLE, "t",
		NULL, 0 },
	{ "PRAGMA foreign_keys = OFF", SCRIPT_PRAGMA, "foreign_keys", NULL,
		0 },
	{ "BEGIN", SCRIPT_CONTROL, "BEGIN", NULL, 0 },
	{ "commit", SCRIPT_CONTROL, "commit", NULL, 0 },
	{ "ATTACH 'x' AS y", SCRIPT_CONTROL, "ATTACH", NULL, 0 },
	{ "VACUUM", SCRIPT_VACUUM, NULL, NULL, 0 },
	{ "SELECT 1", SCRIPT_OTHER, NULL, NULL, 0 },
	{ "DROP", SCRIPT_DROP, NULL, NULL, 0 },
	{ "UPDATE", SCRIPT_OTHER, NULL, NULL, 0 },
	{ "ALTER TABLE", SCRIPT_OTHER, NULL, NULL, 0 },
};

static void
classify(void)
{
	struct script s;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		const struct want *w = &wants[i];
		const struct script_statement *x;

		if (script_scan(w->sql, 1, LEX_SQLITE, &s, &e) == -1 || s.n != 1) {
			OK(0, "%s is one statement", w->sql);
			continue;
		}
		x = &s.v[0];
		OK(x->kind == w->kind && x->all == w->all &&
			(w->table == NULL || (x->table != NULL &&
				strcmp(x->table, w->table) == 0)) &&
			(w->column == NULL || strs_has(&x->columns, w->column)),
			"%s", w->sql);
		script_free(&s);
	}
}

static void
cut(void)
{
	static const char trigger[] =
		"-- one; two\n"
		"CREATE TABLE t (a TEXT DEFAULT ';');;\n"
		"/* ; */ CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN\n"
		"  UPDATE t SET a = CASE WHEN 1 THEN 2 END;\n"
		"  SELECT 1; END;\n"
		"INSERT INTO t VALUES ('it''s; fine')";
	static const char *const bad[] = { "SELECT 'x", "SELECT \"x",
		"/* x", "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1;" };
	struct script s;
	struct strs l = { 0 };
	struct err e;
	size_t i;

	OK(script_scan(trigger, 10, LEX_SQLITE, &s, &e) == 0 && s.n == 3,
		"a trigger is one statement");
	OK(s.n == 3 && s.v[0].line == 11 && s.v[1].line == 12 &&
		s.v[2].line == 15, "lines are counted");
	script_free(&s);
	OK(script_scan(" -- nothing\n;", 1, LEX_SQLITE, &s, &e) == 0 && s.n == 0,
		"comments are no statement");
	script_free(&s);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		OK(script_scan(bad[i], 1, LEX_SQLITE, &s, &e) == -1 &&
			strncmp(e.text, "line 1: ", 8) == 0, "refused: %s",
			bad[i]);
	OK(script_scan("CREATE TABLE n (a); DROP TABLE t; ALTER TABLE n "
		       "RENAME TO T; DROP TABLE u; ALTER TABLE w RENAME TO z",
		   1, LEX_SQLITE, &s, &e) == 0, "a rebuild is scanned");
	script_rebuilds(&s, &l);
	OK(l.n == 1 && strs_has(&l, "t"), "and only it is one");
	strs_free(&l);
	script_free(&s);
}

int
main(void)
{
	classify();
	cut();
	return tap_done();
}
