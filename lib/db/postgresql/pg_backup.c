/*
 * pg_backup: one consistent snapshot as the stream of pg_dump.
 *
 * A snapshot that is older than the locks on the tables shows one that
 * somebody truncates or rewrites in between as empty, without an error
 * (PostgreSQL documentation, mvcc-caveats).  To lock first would close that,
 * but whoever then waits for us makes pg_dump wait behind him, for ever.  So
 * the snapshot comes first, pg_dump takes its locks, and then is looked
 * whether every table is still where the snapshot has it.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_watch.h"
#include "os/child.h"

#define PAUSE_MS 20 /* between two beginnings */
#define BUSY_TIMES 6 /* the busy timeout: to begin anew, all in all */

/* A table was dropped while it was looked at: worth another try. */
static int
is_gone(const struct err *e)
{
	return strstr(e->text, "does not exist") != NULL ||
		strstr(e->text, "cache lookup failed") != NULL ||
		strstr(e->text, "could not open relation") != NULL ||
		strstr(e->text, "was concurrently dropped") != NULL;
}

/* Where the rows of every table are: changes with TRUNCATE and rewrites. */
static int
places(struct pg *p, char **out, struct err *e)
{
	return pg_sql_value(p, out, e, "SELECT pg_catalog.md5("
		"pg_catalog.string_agg(pg_catalog.concat_ws(' ', oid, "
		"relfilenode), ',' ORDER BY oid)) FROM pg_catalog.pg_class "
		"WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND oid "
		">= 16384", NULL);
}

static int
hold(struct pg *p, char **snapshot, struct err *e)
{
	*snapshot = NULL;
	if (pg_sql_exec(&p->base, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ "
		"ONLY; SET LOCAL statement_timeout = 0; SET LOCAL "
		"idle_in_transaction_session_timeout = 0", e) == -1)
		return -1;
	return pg_sql_value(p, snapshot, e,
		"SELECT pg_catalog.pg_export_snapshot()", NULL);
}

/*
 * pg_dump has its locks by now, so nothing changes any more: is everything
 * still as the snapshot has it?  1, 0 or -1.
 */
static int
still_true(struct pg *p, char fingerprint[65], struct err *e)
{
	char *then = NULL, *now = NULL, after[65];
	int result = -1;

	if (places(p, &then, e) == 0 &&
		places(p->observer, &now, e) == 0) {
		result = (then == NULL && now == NULL) || (then != NULL &&
			now != NULL && strcmp(then, now) == 0);
		if (result == 1 && (pg_catalog_fingerprint(&p->base,
			fingerprint, e) == -1 ||
			pg_catalog_fingerprint(&p->observer->base, after,
				e) == -1))
			result = -1;
		else if (result == 1)
			result = strcmp(fingerprint, after) == 0;
	}
	free(then);
	free(now);
	return result;
}

/*
 * A snapshot, and everybody who reads on it with his locks: 1; 0: it is to be
 * begun anew; -1.  pg_dump is the first to lock, and may wait for it; we are to
 * count the rows when it has let go, so we lock, too.
 */
static int
try_once(struct pg *p, struct pg_source *s, char **snapshot,
	char fingerprint[65], struct err *e)
{
	int good;

	if (pg_watch_observer(p, e) == -1 || hold(p, snapshot, e) == -1 ||
		pg_copy_begin(&s->copy, p, *snapshot, s->b->jobs, e) == -1)
		return -1;
	good = pg_source_start(p, NULL, *snapshot, s, e);
	if (good == 1)
		good = pg_copy_lock(s->copy, e);
	if (good == 1 && s->b->check)
		good = pg_tables_lock_all(p, e);
	return good == 1 ? still_true(p, fingerprint, e) : good;
}

/*
 * What was truncated, written anew or altered between the snapshot and the
 * locks would be read wrong without a word: then we begin anew.  Nobody waits
 * for us meanwhile.
 */
static int
begin_dump(struct pg *p, struct pg_source *s, char **snapshot,
	char fingerprint[65], struct err *e)
{
	int64_t end = clock_ms() + BUSY_TIMES * p->base.busy_ms;
	int good;

	for (;;) {
		if (stop_check(e) == -1)
			return -1;
		good = try_once(p, s, snapshot, fingerprint, e);
		if (good == 1)
			return 0;
		pg_source_clear(s);
		pg_copy_release(s->copy);
		pg_sql_rollback(&p->base);
		free(*snapshot);
		*snapshot = NULL;
		if (good == -1 && !is_gone(e))
			return -1;
		if (clock_ms() >= end)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	/* What came again and again is the reason. */
	return good == -1 ? -1 : pg_source_busy(p, e);
}

/* What a dump cannot hold is said. */
static int
say_left_out(struct pg *p, struct err *e)
{
	char *names;

	if (pg_sql_value(p, &names, e, "SELECT pg_catalog.string_agg("
		PG_NAME("n", "c") ", ', ') FROM pg_catalog.pg_class c JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"c.relkind = 'f'", NULL) == -1)
		return -1;
	if (names != NULL)
		report_say(p->base.report, REPORT_NOTE, "foreign tables are "
			"backed up by definition only: %s", names);
	free(names);
	return 0;
}

/* Each table that the database has is in the stream, with as many rows. */
static int
check_counts(struct pg *p, const struct pg_dump_result *r, struct err *e)
{
	const struct wire_table *have = r->tables.items, *want;
	struct shape_list tables = { 0 };
	size_t i, k = 0;
	int result = 0;

	if (pg_tables_count(&p->base, &tables, e) == -1)
		return -1;
	want = tables.items;
	for (i = 0; i < tables.n && result == 0; i++) {
		for (k = 0; k < r->tables.n; k++)
			if (strcmp(have[k].name, want[i].name) == 0)
				break;
		if (k == r->tables.n)
			result = err_set(e, ERR_REFUSED, "database-damaged",
				"%s: the dump holds no rows of %s", p->shown,
				want[i].name);
		else if (have[k].rows != want[i].rows)
			result = err_set(e, ERR_REFUSED, "database-damaged",
				"%s: %s has %lld rows, the dump has %lld",
				p->shown, want[i].name,
				(long long)want[i].rows,
				(long long)have[k].rows);
	}
	db_tables_free(&tables);
	if (result == -1)
		err_next(e, "nothing was kept; report it, with the versions "
			"of server and pg_dump");
	return result;
}

/*
 * Roles and tablespaces, without passwords.  A database can be restored on its
 * server without them: not having them is said, and no failure.
 */
static char *
read_globals(struct pg *p)
{
	struct strs environment = { 0 };
	struct buf text = { 0 };
	char *program, *database = mem_printf("--database=%s", p->name);
	char *role = p->role == NULL ? NULL : mem_printf("--role=%s", p->role);
	struct err e;
	int result = pg_program_find(p, "pg_dumpall", &program, &e);

	if (result == 0) {
		const char *const argv[] = { program, "--globals-only",
			"--no-role-passwords", "--no-password", database, role,
			NULL };

		pg_open_environment(p, NULL, &environment);
		result = child_run(argv, &environment, NULL, &text, &e);
	}
	if (result == -1)
		report_say(p->base.report, REPORT_WARN, "roles and tablespaces "
			"are not in the backup: %s", e.text);
	strs_free(&environment);
	free(program);
	free(database);
	free(role);
	if (result == -1) {
		buf_free(&text);
		return NULL;
	}
	return buf_detach(&text);
}

int
pg_backup_stream(struct db *d, const struct db_backup *b, struct err *e)
{
	struct pg *p = pg_of(d);
	struct db_snapshot s = { .raw_bytes = -1 };
	struct pg_source stream = { .b = b, .report = d->report,
		.what = "backup" };
	struct pg_dump_result r = { 0 };
	char *snapshot = NULL, *size = NULL, *globals = NULL;
	int result = -1;

	if (b->spool_dir != NULL) {
		err_set(e, ERR_USAGE, "driver", "--spool is for SQLite: a "
			"backup of PostgreSQL blocks no writers");
		return err_next(e, "leave it out");
	}
	if (begin_dump(p, &stream, &snapshot, s.fingerprint, e) == -1) {
		pg_copy_free(stream.copy);
		return -1;
	}
	if (pg_catalog_position(d, &s.position, e) == -1 ||
		pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size("
			"pg_catalog.current_database())", NULL) == -1 ||
		say_left_out(p, e) == -1)
		goto out;
	s.estimate = stream.estimate = strtoll(size, NULL, 10);
	if (b->begin(b->arg, &s, e) == -1 ||
		pg_source_read(&stream, &r, e) == -1 ||
		(b->check && check_counts(p, &r, e) == -1))
		goto out;
	globals = read_globals(p);
	result = b->end(b->arg, r.bytes, &r.tables, globals, e);
out:
	pg_source_clear(&stream);
	pg_copy_free(stream.copy);
	pg_sql_rollback(d);
	pg_dump_result_free(&r);
	shape_release(&wire_position_shape, &s.position);
	free(snapshot);
	free(size);
	free(globals);
	return result;
}
