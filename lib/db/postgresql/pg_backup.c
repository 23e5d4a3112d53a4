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
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_tables.h"
#include "db/postgresql/pg_url.h"
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

/*
 * Export a snapshot.  The place in the WAL is read before it, so that a gap is
 * stated too large, never too small.
 */
static int
hold(struct pg *p, char **name, struct db_snapshot *s, struct err *e)
{
	if (pg_written_position(&p->base, &s->position, e) == -1 ||
		pg_source_hold(p, e) == -1 ||
		pg_sql_value(p, name, e,
		"SELECT pg_catalog.pg_export_snapshot()", NULL) == -1)
		return -1;
	free(s->position.snapshot);
	return pg_sql_value(p, &s->position.snapshot, e,
		"SELECT pg_catalog.pg_current_snapshot()", NULL);
}

/*
 * pg_dump has its locks by now, so no table changes any more: is everything
 * still as the snapshot has it?  Surely so if no transaction that writes has
 * ended since; one that still runs has none of the locks that pg_dump has.  On a
 * standby a snapshot does not tell which of them run.  1, 0 or -1.
 */
static int
still_true(struct pg *p, const struct db_snapshot *s, struct err *e)
{
	char *now = NULL, after[65];
	int result;

	if (pg_sql_value(p->observer, &now, e,
		"SELECT pg_catalog.pg_current_snapshot()", NULL) == -1)
		return -1;
	result = now != NULL && s->position.snapshot != NULL && !p->standby &&
		strcmp(now, s->position.snapshot) == 0;
	free(now);
	if (result == 1)
		return 1;
	result = pg_source_unmoved(p, e);
	if (result == 1)
		result = pg_catalog_fingerprint(&p->observer->base, after,
			e) == -1 ? -1 : strcmp(s->fingerprint, after) == 0;
	return result;
}

/*
 * What the text of a row hangs on and no lock of a table holds, as "KEY VALUE":
 * the values of enums, the attributes of composite types, the names of schemas.
 */
static const char words_sql[] =
	"SELECT * FROM (SELECT 'value ' || oid, enumlabel::text FROM "
	"pg_catalog.pg_enum UNION ALL SELECT 'type ' || c.oid, pg_catalog.string_agg("
	"pg_catalog.concat_ws(' ', a.attname, a.atttypid, a.attisdropped), ', ' "
	"ORDER BY a.attnum) FROM pg_catalog.pg_class c JOIN "
	"pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE "
	"c.relkind = 'c' GROUP BY c.oid UNION ALL SELECT 'schema ' || oid, "
	"nspname::text FROM pg_catalog.pg_namespace) AS x(word, value) ORDER BY "
	"word COLLATE \"C\"";

/* Takes neither. */
static const char *
changed_word(const PGresult *then, const PGresult *now)
{
	int i, k = 0, order = 1;

	for (i = 0; i < PQntuples(then); i++) {
		while (k < PQntuples(now) && (order = strcmp(PQgetvalue(now, k,
			0), PQgetvalue(then, i, 0))) < 0)
			k++;
		if (k < PQntuples(now) && order == 0 && strcmp(PQgetvalue(now,
			k, 1), PQgetvalue(then, i, 1)) != 0)
			return PQgetvalue(then, i, 1);
	}
	return NULL;
}

/*
 * Rows are written with the words of the moment, not of the snapshot: what was
 * renamed meanwhile stands in the dump under two names.  What came or went
 * altogether is in no row of it.
 */
static int
check_words(struct pg *p, struct err *e)
{
	PGresult *then = pg_sql_one(p, words_sql, 0, NULL, e), *now = NULL;
	const char *word;
	int result = -1;

	if (then != NULL && PQresultStatus(then) != PGRES_TUPLES_OK)
		pg_error(p, then, e, "look at its types");
	else if (then != NULL)
		now = pg_sql_one(p->observer, words_sql, 0, NULL, e);
	if (now != NULL && PQresultStatus(now) != PGRES_TUPLES_OK)
		pg_error(p->observer, now, e, "look at its types");
	else if (now != NULL)
		result = 0;
	word = result == 0 ? changed_word(then, now) : NULL;
	if (word != NULL) {
		err_set(e, ERR_ENV, "busy", "%s: '%s' was renamed or altered "
			"while rows were read: a value of an enum, a composite "
			"type or a schema", p->shown, word);
		result = err_next(e, "run it again when nobody changes types "
			"or schemas");
	}
	PQclear(then);
	PQclear(now);
	return result;
}

/*
 * A snapshot, and everybody who reads on it with his locks: 1; 0: it is to be
 * begun anew; -1.  pg_dump is the first to lock, and may wait for it; we are to
 * count the rows when it has let go, so we lock, too.
 */
static int
try_once(struct pg *p, struct pg_source *source, char **name,
	struct db_snapshot *s, struct err *e)
{
	int good;

	if (pg_watch_observer(p, e) == -1 || hold(p, name, s, e) == -1 ||
		pg_copy_begin(&source->copy, p, *name, source->b->jobs, e) ==
		-1 || pg_source_start(p, NULL, *name, source, e) == -1 ||
		/* While pg_dump reads the catalog, too. */
		pg_catalog_fingerprint(&p->base, s->fingerprint, e) == -1)
		return -1;
	good = pg_source_await(source, e);
	if (good == 1)
		good = pg_copy_lock(source->copy, e);
	if (good == 1 && source->b->check)
		good = pg_tables_lock_all(p, e);
	return good == 1 ? still_true(p, s, e) : good;
}

/*
 * What was truncated, written anew or altered between the snapshot and the
 * locks would be read wrong without a word: then we begin anew.  Nobody waits
 * for us meanwhile.
 */
static int
begin_dump(struct pg *p, struct pg_source *source, struct db_snapshot *s,
	struct err *e)
{
	int64_t end = clock_ms() + BUSY_TIMES * p->base.busy_ms;
	char *name = NULL;
	int good;

	for (;;) {
		if (stop_check(e) == -1)
			return -1;
		good = try_once(p, source, &name, s, e);
		if (good == -1 && strcmp(e->reason, "lock-timeout") == 0)
			good = 0;
		free(name);
		name = NULL;
		if (good == 1)
			return 0;
		pg_source_clear(source);
		pg_copy_release(source->copy);
		pg_transaction_rollback(&p->base);
		shape_release(&wire_position_shape, &s->position);
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
	/* pg_dump takes them from a view, which shows others' to superusers. */
	if (pg_sql_value(p, &names, e, "SELECT nullif(pg_catalog.count(*), 0) "
		"FROM pg_catalog.pg_user_mappings WHERE umoptions IS NULL AND "
		"NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = "
		"current_user)", NULL) == -1)
		return -1;
	if (names != NULL)
		report_say(p->base.report, REPORT_WARN, "%s user mappings show "
			"this role no options: if they have any, as a password, "
			"these are not in the backup; a superuser sees them",
			names);
	free(names);
	return 0;
}

/* Each table that the database has is in the stream, with as many rows. */
static int
check_counts(struct pg *p, const struct pg_dump_result *r, struct err *e)
{
	const struct wire_table *have, *want;
	struct shape_list tables = { 0 };
	size_t i;
	int result = 0;

	if (pg_tables_count(&p->base, &tables, e) == -1)
		return -1;
	want = tables.items;
	for (i = 0; i < tables.n && result == 0; i++) {
		have = pg_dump_table(r, want[i].name);
		if (have == NULL)
			result = err_set(e, ERR_REFUSED, "database-damaged",
				"%s: the dump holds no rows of %s", p->shown,
				want[i].name);
		else if (have->rows != want[i].rows)
			result = err_set(e, ERR_REFUSED, "database-damaged",
				"%s: %s has %lld rows, the dump has %lld",
				p->shown, want[i].name,
				(long long)want[i].rows,
				(long long)have->rows);
	}
	db_tables_free(&tables);
	if (result == -1)
		err_next(e, "nothing was kept; report it, with the versions "
			"of server and pg_dump");
	return result;
}

/*
 * Roles and tablespaces, without passwords, read beside the tables.  A database
 * can be restored on its server without them: not having them is said, and no
 * failure.
 */
static struct child *
begin_globals(struct pg *p, struct err *e)
{
	struct strs environment = { 0 };
	char *program, *name = pg_url_dbname(p->name);
	char *database = mem_printf("--database=%s", name);
	char *role = p->role == NULL ? NULL : mem_printf("--role=%s", p->role);
	struct child *c = NULL;

	if (pg_program_find(p, "pg_dumpall", &program, e) == 0) {
		const char *const argv[] = { program, "--globals-only",
			"--no-role-passwords", "--no-password", database, role,
			NULL };

		pg_url_environment(p, NULL, &environment);
		if (child_start(&c, argv, &environment, NULL, e) == -1)
			c = NULL;
		else
			child_report(c, p->base.report);
	}
	strs_free(&environment);
	free(program);
	free(name);
	free(database);
	free(role);
	return c;
}

/*
 * Takes c, which may be NULL.  The first time there may have been no room for
 * one more connection; by now the others have ended.  Gives the SQL, or NULL.
 */
static char *
end_globals(struct pg *p, struct child *c, struct err *e)
{
	struct buf text = { 0 };

	if (c == NULL || child_collect(c, &text, e) == -1) {
		buf_free(&text);
		c = stop_asked() ? NULL : begin_globals(p, e);
		if (c == NULL || child_collect(c, &text, e) == -1) {
			report_say(p->base.report, REPORT_WARN, "roles and "
				"tablespaces are not in the backup: %s",
				e->text);
			buf_free(&text);
			return NULL;
		}
	}
	return buf_detach(&text);
}

static int
copy_all(struct pg *p, struct pg_source *source, struct db_snapshot *s,
	struct err *e)
{
	const struct db_backup *b = source->b;
	struct pg_dump_result r = { 0 };
	struct child *child = NULL;
	char *size = NULL, *globals = NULL;
	struct err ignored;
	int result = -1;

	if (pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size("
			"pg_catalog.current_database())", NULL) == -1 ||
		say_left_out(p, e) == -1)
		goto out;
	s->estimate = source->estimate = strtoll(size, NULL, 10);
	child = begin_globals(p, &ignored);
	if (b->begin(b->arg, s, e) == -1 ||
		pg_source_read(source, &r, e) == -1 ||
		check_words(p, e) == -1 ||
		(b->check && check_counts(p, &r, e) == -1))
		goto out;
	pg_copy_free(source->copy);
	source->copy = NULL;
	globals = end_globals(p, child, &ignored);
	child = NULL;
	result = b->end(b->arg, r.bytes, &r.tables, globals, e);
out:
	child_free(child);
	pg_dump_result_free(&r);
	free(size);
	free(globals);
	return result;
}

int
pg_backup_stream(struct db *d, const struct db_backup *b, struct err *e)
{
	struct pg *p = pg_of(d);
	struct db_snapshot s = { .raw_bytes = -1 };
	struct pg_source source = { .b = b, .report = d->report,
		.what = "backup" };
	int result = -1;

	if (b->spool_dir != NULL) {
		err_set(e, ERR_USAGE, "driver", "--spool is for SQLite: a "
			"backup of PostgreSQL blocks no writers");
		return err_next(e, "leave it out");
	}
	if (pg_preflight(p, e) == 0 && begin_dump(p, &source, &s, e) == 0)
		result = copy_all(p, &source, &s, e);
	pg_source_clear(&source);
	pg_copy_free(source.copy);
	pg_transaction_rollback(d);
	shape_release(&wire_position_shape, &s.position);
	return result;
}
