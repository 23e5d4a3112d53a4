/*
 * The contract of a driver: what every engine must do alike.  Runs on the
 * empty database of MIG_CONTRACT_URL, else on a new SQLite file.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/driver.h"
#include "os/lock.h"
#include "tap.h"

static const char *url;

static struct db *
open_as(enum db_mode mode)
{
	struct db_options o = { .url = url, .mode = mode, .busy_ms = 500 };
	struct err e;
	struct db *d;

	if (db_open(&d, &o, &e) == -1) {
		printf("# %s\n", e.text);
		return NULL;
	}
	return d;
}

static int
run(struct db *d, const char *sql, enum db_intent intent, const char *table,
	struct err *e)
{
	struct db_statement s = { .sql = sql, .n = strlen(sql),
		.intent = intent, .table = table };

	return db_run(d, &s, e);
}

/* Run one statement in a transaction of its own, watched. */
static int
change(struct db *d, const char *sql, enum db_intent intent,
	const char *table, struct db_changes *c, struct err *e)
{
	if (db_begin(d, 1, e) == 0 && db_watch_start(d, NULL, NULL, e) == 0 &&
		run(d, sql, intent, table, e) == 0 &&
		db_watch_stop(d, c, e) == 0 && db_commit(d, e) == 0)
		return 0;
	db_watch_cancel(d);
	db_rollback(d);
	return -1;
}

/* What a rehearsal needs: the schema in lines, values kept aside, a trace. */
static void
traced(struct db *d)
{
	struct strs lines = { 0 }, all = { 0 }, samples = { 0 };
	struct trace_statement t = { 0 };
	struct db_changes c = { 0 };
	struct db_keep k;
	struct err e;
	int64_t n = 0, lossy = -1;

	OK(db_schema(d, &lines, &e) == 0 && lines.n > 0, "the schema in lines");
	strs_free(&lines);
	OK(db_trace_size(d, &n, &e) == 0 && n > 0, "the size");
	OK(db_trace_written(d, &n, &e) == 0 && n >= 0, "what was written");
	OK(db_keep(d, "p", &all, 10, &k, &e) == 0 && k.aside != NULL &&
		k.rows == 3, "values are kept aside");
	OK(db_trace_migration(d, &e) == 0 && db_begin(d, 1, &e) == 0 &&
		db_watch_start(d, NULL, NULL, &e) == 0 && db_trace_before(d, 0, &e)
		== 0 && run(d, "UPDATE p SET name = 'zz' WHERE id = 1",
		DB_INTENT_UPDATE, "p", &e) == 0 && db_trace_after(d, &t, &e)
		== 0 && db_watch_stop(d, &c, &e) == 0 && db_commit(d, &e) ==
		0, "a traced statement");
	OK(t.updated == 1 && t.inserted == 0 && t.deleted == 0,
		"its rows are told: %lld %lld %lld", (long long)t.updated,
		(long long)t.inserted, (long long)t.deleted);
	OK(db_keep_compare(d, &k, 1, "p", "name", &lossy, &samples, &e) == 0 &&
		lossy == 1 && samples.n == 1, "a value that changed is found");
	db_trace_cancel(d);
	db_keep_free(d, &k);
	OK(db_schema(d, &lines, &e) == 0, "nothing is left in the schema");
	db_changes_free(&c);
	strs_free(&lines);
	strs_free(&samples);
	shape_release(&trace_statement_shape, &t);
}

static const struct db_change *
of(const struct db_changes *c, const char *table)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->v[i].table, table) == 0)
			return &c->v[i];
	return NULL;
}

static int64_t
rows_of(struct db *d, const char *table)
{
	struct db_census c;
	struct err e;
	int64_t rows = -1;

	if (db_census(d, table, 0, &c, &e) == 0 && c.there)
		rows = c.rows;
	db_census_free(&c);
	return rows;
}

static void
queries(struct db *d)
{
	struct db_rows *r;
	struct err e;

	OK(db_exec(d, db_sql(d, "ledger"), &e) == 0 &&
		db_exec(d, db_sql(d, "ledger"), &e) == 0,
		"mig's tables are made, twice is once");
	OK(db_has_table(d, "mig_ledger", &e) == 1 &&
		db_has_table(d, "nothing", &e) == 0, "tables are found");
	OK(db_execf(d, &e, "INSERT INTO mig_event (at, event, version, by, "
		"detail) VALUES (?1, ?2, ?3, ?4, ?5)", "sssss", "t", "apply",
		NULL, "me", "it's \"a\"; ?1") == 0, "texts and nulls go in");
	OK(db_query(&r, d, &e, "SELECT version, detail, id FROM mig_event "
		"WHERE event = ?1", "s", "apply") == 0 &&
		db_next(r, &e) == 1, "and are found");
	OK(db_text(r, 0) == NULL && strcmp(db_text(r, 1),
		"it's \"a\"; ?1") == 0 && db_int(r, 2) > 0 &&
		db_next(r, &e) == 0, "as they were");
	db_rows_free(r);
	OK(db_query(&r, d, &e, "SELECT nothing FROM mig_event", "") == -1,
		"a bad query is an error");
}

static void
transactions(struct db *d)
{
	char before[65], now[65];
	struct wire_position a, b;
	struct err e;

	OK(db_fingerprint(d, before, &e) == 0 && strlen(before) == 64,
		"a fingerprint");
	OK(db_begin(d, 1, &e) == 0 && run(d, "CREATE TABLE p (id int PRIMARY "
		"KEY, name text)", DB_INTENT_DEFINE, "p", &e) == 0,
		"a table is made");
	db_rollback(d);
	OK(db_fingerprint(d, now, &e) == 0 && strcmp(before, now) == 0,
		"and is gone after a rollback");
	OK(db_begin(d, 1, &e) == 0 && run(d, "CREATE TABLE p (id int PRIMARY "
		"KEY, name text)", DB_INTENT_DEFINE, "p", &e) == 0 &&
		run(d, "CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES "
		"p (id) ON DELETE CASCADE, q int REFERENCES p (id) ON DELETE "
		"SET NULL)", DB_INTENT_DEFINE, "c", &e) == 0 &&
		db_commit(d, &e) == 0, "and stays after a commit");
	OK(db_fingerprint(d, now, &e) == 0 && strcmp(before, now) != 0,
		"which the fingerprint tells");
	OK(db_position(d, &a, &e) == 0 && db_position(d, &b, &e) == 0 &&
		wire_position_same(&a, &b), "a position stands still");
	shape_release(&wire_position_shape, &b);
	OK(db_begin(d, 1, &e) == 0 && run(d, "INSERT INTO p VALUES (1, 'a'), "
		"(2, 'b'), (3, NULL)", DB_INTENT_CHANGE, "p", &e) == 0 &&
		db_commit(d, &e) == 0 && db_position(d, &b, &e) == 0 &&
		!wire_position_same(&a, &b), "and moves with a write");
	shape_release(&wire_position_shape, &a);
	shape_release(&wire_position_shape, &b);
	OK(db_begin(d, 1, &e) == 0 && run(d, "SELECT nothing",
		DB_INTENT_OTHER, NULL, &e) == -1 && e.code == ERR_FAILED &&
		strcmp(e.reason, "statement") == 0, "a bad statement: %s",
		e.text);
	db_rollback(d);
	OK(rows_of(d, "p") == 3 && rows_of(d, "nothing") == -1, "a census");
}

static void
changes(struct db *d)
{
	struct db_changes c = { 0 };
	const struct db_change *x;
	struct err e;

	OK(change(d, "INSERT INTO c VALUES (1, 1, 2), (2, 1, NULL), (3, 2, 2)",
		DB_INTENT_CHANGE, "c", &c, &e) == 0 && c.n == 1 &&
		(x = of(&c, "c")) != NULL && x->inserted == 3 &&
		x->before == 0 && x->after == 3, "rows inserted");
	db_changes_free(&c);
	OK(change(d, "UPDATE p SET name = 'z' WHERE id < 3", DB_INTENT_UPDATE,
		"p", &c, &e) == 0 && (x = of(&c, "p")) != NULL &&
		x->updated == 2 && x->deleted == 0, "rows updated");
	db_changes_free(&c);
	OK(change(d, "DELETE FROM p WHERE id = 2", DB_INTENT_CHANGE, "p", &c,
		&e) == 0 && (x = of(&c, "p")) != NULL && x->deleted == 1 &&
		x->cascaded == 0, "a row deleted");
	x = of(&c, "c");
	OK(x != NULL && x->deleted == 1 && x->cascaded == 1 &&
		x->before == 3 && x->after == 2, "one that went with it");
	OK(x != NULL && x->nulled_n == 1 &&
		strcmp(x->nulled[0].column, "q") == 0 &&
		x->nulled[0].taken >= 1, "a value that went with it");
	db_changes_free(&c);
	OK(change(d, "INSERT INTO p VALUES (9, 'n')", DB_INTENT_CHANGE, "p",
		&c, &e) == 0 && c.n == 1 && of(&c, "p")->inserted == 1,
		"what is counted begins anew each time");
	db_changes_free(&c);
	OK(change(d, db_can(d, DB_CAP_SERVER) ?
		"DELETE FROM mig.mig_event" : "DELETE FROM mig_event",
		DB_INTENT_CHANGE, "mig_event", &c, &e) == -1 &&
		strcmp(e.reason, "forbidden") == 0, "the ledger is mig's own");
}

static void
others(struct db *d)
{
	struct wire_database w;
	struct shape_list tables;
	struct lock *a, *b;
	struct db *second = open_as(DB_WRITE), *reader = open_as(DB_READ);
	struct err e;
	char who[256], *name;

	OK(db_identity(d, &w, &e) == 0 && strcmp(w.engine,
		db_can(d, DB_CAP_SERVER) ? "postgresql" : "sqlite") == 0 &&
		*w.path != '\0', "an identity");
	shape_release(&wire_database_shape, &w);
	OK(db_tables(d, &tables, &e) == 0 && tables.n == 5, "five tables");
	db_tables_free(&tables);
	OK(db_lock(d, &a, 0, "contract", &e) == 0, "a lock");
	OK(second != NULL && db_lock(second, &b, 0, "second", &e) == -1 &&
		e.code == ERR_LOCKED, "nobody else has it: %s", e.text);
	OK(second != NULL && db_locked_by(second, who, sizeof(who)) == 1 &&
		*who != '\0', "who has it: %s", who);
	lock_free(a);
	OK(reader != NULL && db_exec(reader, "DELETE FROM p", &e) == -1 &&
		rows_of(d, "p") == 3, "a reader cannot write");
	name = db_canonical(d, "nothing at all");
	OK(strcmp(name, "nothing at all") == 0, "an unknown name stays");
	free(name);
	db_close(second);
	db_close(reader);
}

/* As many columns as either engine takes: more than a SELECT has places for. */
static void
wide(struct db *d)
{
	enum { COLUMNS = 1600 };
	struct buf sql = { 0 };
	struct db_census c;
	struct err e;
	int i, content;

	buf_text(&sql, "CREATE TABLE wide (c0 integer");
	for (i = 1; i < COLUMNS; i++)
		buf_printf(&sql, ", c%d integer", i);
	buf_char(&sql, ')');
	OK(db_exec(d, sql.data, &e) == 0 && db_exec(d, "INSERT INTO wide (c0, "
		"c63, c64, c1599) VALUES (1, NULL, 3, 4), (2, 5, NULL, 4)", &e)
		== 0, "a wide table");
	for (content = 0; content < 3; content++) {
		memset(&c, 0, sizeof(c));
		OK(db_census(d, "wide", content, &c, &e) == 0 && c.n == COLUMNS
			&& c.rows == 2 && c.values[0] == 2 && c.values[1] == 0
			&& c.values[63] == 1 && c.values[64] == 1 &&
			c.values[1599] == 2, "its values are counted");
		OK(!content || (c.digests[0] != 0 && c.digests[0] !=
			c.digests[1599] && c.digests[1] == 0 && c.digests[63]
			!= c.digests[64]), "and digested");
		OK(content < 2 || c.row_digest != 0, "and whole rows");
		db_census_free(&c);
	}
	OK(db_exec(d, "DROP TABLE wide", &e) == 0, "gone");
	buf_free(&sql);
}

int
main(void)
{
	char folder[] = "/tmp/mig-contract-XXXXXX", *path = NULL;
	struct db *d;

	url = getenv("MIG_CONTRACT_URL");
	if (url == NULL && mkdtemp(folder) != NULL) {
		FILE *f;

		path = mem_printf("%s/a.db", folder);
		f = fopen(path, "w");
		if (f != NULL)
			fclose(f);
		url = path;
	}
	d = open_as(DB_WRITE);
	OK(d != NULL, "open");
	if (d != NULL) {
		queries(d);
		transactions(d);
		traced(d);
		changes(d);
		others(d);
		wide(d);
	}
	db_close(d);
	if (path != NULL) {
		char *command = mem_printf("%s.mig-lock", path);

		unlink(command);
		unlink(path);
		rmdir(folder);
		free(command);
	}
	free(path);
	return tap_done();
}
