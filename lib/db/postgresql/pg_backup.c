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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_watch.h"
#include "os/child.h"
#include "os/file.h"

#define BUSY_TIMES 6 /* the busy timeout: to begin anew, all in all */
#define DUMP_TRIES 10
#define PIECE ((size_t)256 << 10)

/* --- the client programs -------------------------------------------------- */

/* "pg_dump (PostgreSQL) 15.18 (Debian ...)": 15; 0: it cannot be run. */
static int
major_of(const char *path)
{
	const char *const argv[] = { path, "--version", NULL };
	struct child *c;
	struct err ignored;
	char text[256];
	size_t n = 0;
	ssize_t got;
	const char *p;

	if (child_start(&c, argv, NULL, &ignored) == -1)
		return 0;
	while (n < sizeof(text) - 1 && (got = child_read(c, text + n,
		sizeof(text) - 1 - n, &ignored)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	if (child_end(c, &ignored) == -1)
		return 0;
	p = strstr(text, ") ");
	return p == NULL ? 0 : (int)strtol(p + 2, NULL, 10);
}

/*
 * The server's own major version if it is there, else a newer one: an older
 * pg_dump refuses to work.  Debian keeps them apart under /usr/lib/postgresql;
 * elsewhere PATH has one.
 */
int
pg_backup_program(const struct pg *p, const char *name, char **path,
	struct err *e)
{
	int server = p->version / 10000, found = 0, have;

	for (have = server; have < server + 10; have++) {
		*path = mem_printf("/usr/lib/postgresql/%d/bin/%s", have,
			name);
		if (access(*path, X_OK) == 0)
			return 0;
		free(*path);
		if (have == server && (found = major_of(name)) == server)
			break;
	}
	*path = NULL;
	if (found >= server) {
		*path = mem_dup(name);
		return 0;
	}
	err_set(e, ERR_ENV, "program", found == 0 ?
		"'%s' is not here; the server has version %d" :
		"'%s' is not here in version %d or later", name, server);
	return err_next(e, "install the PostgreSQL client of version %d: "
			   "postgresql-client-%d", server, server);
}

/* --- the stream ----------------------------------------------------------- */

struct stream {
	struct child *child;
	unsigned char *piece;
	ssize_t ahead; /* bytes in piece that were read already; -1 */
	const struct db_backup *b; /* NULL: only count */
	const struct report *report;
	const char *what;
	int64_t at, estimate;
	const struct pg_dump_result *like;
	int schema_only, fd; /* into a file */
};

static ssize_t
take_piece(struct stream *s, struct err *e)
{
	ssize_t n = s->ahead;

	s->ahead = -1;
	return n > 0 ? n : child_read(s->child, s->piece, PIECE, e);
}

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct stream *s = arg;
	ssize_t n = take_piece(s, e);

	if (n <= 0)
		return n;
	if (s->b != NULL && s->b->put(s->b->arg, s->at, s->piece, (size_t)n,
		e) == -1)
		return -1;
	s->at += n;
	if (s->estimate > 0)
		report_progress(s->report, s->what,
			s->at < s->estimate ? s->at : s->estimate,
			s->estimate);
	*p = s->piece;
	return n;
}

static ssize_t
file_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct stream *s = arg;
	ssize_t n = take_piece(s, e);

	*p = s->piece;
	if (n > 0 && file_write(s->fd, s->piece, (size_t)n, e) == -1)
		return -1;
	return n;
}

static int
spawn(struct pg *p, const char *name, const char *snapshot, struct stream *s,
	struct err *e)
{
	const char *argv[12] = { NULL, "--format=custom", "--compress=0",
		"--create", "--no-password" };
	struct strs environment = { 0 };
	char *program, *option = NULL, *role = NULL, *wait;
	int result, n = 5;

	if (pg_backup_program(p, "pg_dump", &program, e) == -1)
		return -1;
	pg_open_environment(p, name, &environment);
	strs_add(&environment, "PGCLIENTENCODING=");
	environment.v = mem_grow(environment.v, environment.n + 1,
		sizeof(*environment.v));
	environment.v[environment.n] = NULL;
	argv[0] = program;
	argv[n++] = wait = mem_printf("--lock-wait-timeout=%lld",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1000));
	if (snapshot != NULL)
		argv[n++] = option = mem_printf("--snapshot=%s", snapshot);
	if (s->schema_only)
		argv[n++] = "--schema-only";
	if (p->role != NULL)
		argv[n++] = role = mem_printf("--role=%s", p->role);
	result = child_start(&s->child, argv,
		(const char *const *)environment.v, e);
	free(wait);
	free(option);
	free(role);
	free(program);
	strs_free(&environment);
	return result;
}

/*
 * Start pg_dump and wait for its first bytes, by which it has its locks.  1: it
 * has; 0: it waited too long for one, behind somebody who waits for us, and
 * gave up: our own locks are to be released; -1.
 */
static int
start_dump(struct pg *p, const char *name, const char *snapshot,
	struct stream *s, struct err *e)
{
	s->piece = mem_alloc(PIECE);
	s->ahead = -1;
	if (spawn(p, name, snapshot, s, e) == -1)
		return -1;
	s->ahead = child_read(s->child, s->piece, PIECE, e);
	if (s->ahead > 0)
		return 1;
	if (s->ahead == -1)
		child_free(s->child);
	else if (child_end(s->child, e) == 0)
		err_set(e, ERR_ENV, "program", "pg_dump gave nothing");
	s->child = NULL;
	free(s->piece);
	s->piece = NULL;
	return strstr(e->text, "lock timeout") != NULL ||
		strstr(e->text, "could not obtain lock") != NULL ? 0 : -1;
}

/* Read what start_dump() has begun, to its end. */
static int
read_dump(struct stream *s, struct pg_dump_result *out, struct err *e)
{
	struct pg_dump_source source = { s,
		s->schema_only ? file_piece : next_piece, s->like };
	struct err why;
	int result = pg_dump_read(out, &source, e);

	/* What pg_dump says explains a stream that is cut off. */
	if (result == 0 || e->code == ERR_DAMAGE) {
		if (child_end(s->child, &why) == -1) {
			*e = why;
			if (result == 0)
				pg_dump_result_free(out);
			result = -1;
		}
	} else {
		child_free(s->child);
	}
	s->child = NULL;
	report_progress(s->report, s->what, 0, 0);
	free(s->piece);
	s->piece = NULL;
	return result;
}

/* A table was dropped while it was looked at: worth another try. */
static int
is_gone(const struct err *e)
{
	return strstr(e->text, "does not exist") != NULL ||
		strstr(e->text, "cache lookup failed") != NULL ||
		strstr(e->text, "could not open relation") != NULL ||
		strstr(e->text, "was concurrently dropped") != NULL;
}

static int
too_busy(struct pg *p, struct err *e)
{
	err_set(e, ERR_ENV, "busy", "%s: its tables are truncated, rewritten or "
		"locked all the time", p->shown);
	return err_next(e, "run it when nobody does that, or give it longer "
			   "with --busy-timeout TIME");
}

static int
run_dump(struct pg *p, const char *name, struct stream *s,
	struct pg_dump_result *out, struct err *e)
{
	int tries, begun = 0;

	memset(out, 0, sizeof(*out));
	for (tries = 0; tries < DUMP_TRIES && begun == 0; tries++)
		begun = start_dump(p, name, NULL, s, e);
	if (begun == 1)
		return read_dump(s, out, e);
	return begun == 0 ? too_busy(p, e) : -1;
}

int
pg_backup_scan(struct pg *p, const char *name, const char *what,
	const struct pg_dump_result *like, struct pg_dump_result *out,
	struct err *e)
{
	struct stream s = { .report = p->base.report, .what = what,
		.like = like };
	char *size;

	if (pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size($1"
		"::pg_catalog.name)", name == NULL ? p->name : name) == -1)
		return -1;
	s.estimate = size == NULL ? 0 : strtoll(size, NULL, 10);
	free(size);
	return run_dump(p, name, &s, out, e);
}

int
pg_backup_schema(struct pg *p, const char *path, struct err *e)
{
	struct stream s = { .report = p->base.report, .what = "schema",
		.schema_only = 1 };
	struct pg_dump_result r = { 0 };
	int result;

	s.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.fd == -1)
		return err_sys(e, "create '%s'", path);
	result = run_dump(p, NULL, &s, &r, e);
	if (close(s.fd) == -1 && result == 0)
		result = err_sys(e, "close '%s'", path);
	pg_dump_result_free(&r);
	return result;
}

/* --- the snapshot --------------------------------------------------------- */

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

	if (pg_watch_observer(p, e) == 0 && places(p, &then, e) == 0 &&
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
 * A snapshot, and pg_dump with its locks on it.  What was truncated, written
 * anew or altered between the two would be read wrong without a word: then we
 * begin anew.  Nobody waits for us meanwhile.
 */
static int
begin_dump(struct pg *p, struct stream *s, char **snapshot,
	char fingerprint[65], struct err *e)
{
	int64_t end = clock_ms() + BUSY_TIMES * p->base.busy_ms;
	int good;

	do {
		if (stop_check(e) == -1 || hold(p, snapshot, e) == -1)
			return -1;
		good = start_dump(p, NULL, *snapshot, s, e);
		if (good == 1) {
			good = still_true(p, fingerprint, e);
			if (good == 1)
				return 0;
			child_free(s->child);
			s->child = NULL;
			free(s->piece);
			s->piece = NULL;
		}
		pg_sql_rollback(&p->base);
		free(*snapshot);
		*snapshot = NULL;
		if (good == -1 && !is_gone(e))
			return -1;
	} while (clock_ms() < end);
	/* What came again and again is the reason. */
	return good == -1 ? -1 : too_busy(p, e);
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

	if (pg_catalog_tables(&p->base, &tables, e) == -1)
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
	char *program, *database = NULL, room[4096];
	struct child *c = NULL;
	struct err e;
	ssize_t n = -1;

	if (pg_backup_program(p, "pg_dumpall", &program, &e) == 0) {
		database = mem_printf("--database=%s", p->name);
		pg_open_environment(p, NULL, &environment);
		environment.v = mem_grow(environment.v, environment.n + 1,
			sizeof(*environment.v));
		environment.v[environment.n] = NULL;
		{
			const char *const argv[] = { program,
				"--globals-only", "--no-role-passwords",
				"--no-password", database, NULL };

			if (child_start(&c, argv, (const char *const *)
				environment.v, &e) == 0)
				while ((n = child_read(c, room, sizeof(room),
					&e)) > 0)
					buf_add(&text, room, (size_t)n);
		}
		if (n == -1)
			child_free(c);
		else
			n = child_end(c, &e);
	}
	if (n == -1)
		report_say(p->base.report, REPORT_WARN, "roles and tablespaces "
			"are not in the backup: %s", e.text);
	strs_free(&environment);
	free(program);
	free(database);
	if (n == -1) {
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
	struct stream stream = { .b = b, .report = d->report,
		.what = "backup" };
	struct pg_dump_result r = { 0 };
	char *snapshot = NULL, *size = NULL, *globals = NULL;
	int result = -1;

	if (b->spool_dir != NULL) {
		err_set(e, ERR_USAGE, "driver", "--spool is for SQLite: a "
			"backup of PostgreSQL blocks no writers");
		return err_next(e, "leave it out");
	}
	if (begin_dump(p, &stream, &snapshot, s.fingerprint, e) == -1)
		return -1;
	if (pg_catalog_position(d, &s.position, e) == -1 ||
		pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size("
			"pg_catalog.current_database())", NULL) == -1 ||
		say_left_out(p, e) == -1)
		goto out;
	s.estimate = stream.estimate = strtoll(size, NULL, 10);
	if (b->begin(b->arg, &s, e) == -1 ||
		read_dump(&stream, &r, e) == -1 ||
		(b->check && check_counts(p, &r, e) == -1))
		goto out;
	globals = read_globals(p);
	result = b->end(b->arg, r.bytes, &r.tables, globals, e);
out:
	child_free(stream.child);
	free(stream.piece);
	pg_sql_rollback(d);
	pg_dump_result_free(&r);
	shape_release(&wire_position_shape, &s.position);
	free(snapshot);
	free(size);
	free(globals);
	return result;
}
