/*
 * sqlite_trace: what a statement does beyond its rows: what it steps over, and
 * the tables that it rewrites or builds an index on.  A lock is not told: a
 * writer has the whole database, from its BEGIN to its COMMIT.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

struct sqlite_trace {
	struct strs tables; /* that were there before the migration */
	struct trace_statement now; /* works of the statement that runs */
	int64_t read, before[3];
	int on;
};

int
sqlite_trace_migration(struct db *d, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct db_rows *r;
	int more;

	if (s->trace == NULL)
		s->trace = mem_alloc(sizeof(*s->trace));
	strs_free(&s->trace->tables);
	if (db_query(&r, d, e, "SELECT name FROM sqlite_schema WHERE type = "
		"'table'", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		strs_add(&s->trace->tables, db_text(r, 0));
	db_rows_free(r);
	return more;
}

int
sqlite_trace_before(struct db *d, int outside, struct err *e)
{
	struct sqlite *s = sqlite_of(d);

	(void)outside;
	(void)e;
	s->trace->on = 1;
	s->trace->read = 0;
	sqlite_watch_totals(s, s->trace->before);
	return 0;
}

int
sqlite_trace_after(struct db *d, struct trace_statement *out, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct sqlite_trace *t = s->trace;
	int64_t now[3];

	(void)e;
	sqlite_watch_totals(s, now);
	out->read = t->read;
	out->inserted = now[0] - t->before[0];
	out->updated = now[1] - t->before[1];
	out->deleted = now[2] - t->before[2];
	out->wal_bytes = -1; /* pages are written when it commits */
	out->works = t->now.works;
	memset(&t->now, 0, sizeof(t->now));
	t->on = 0;
	return 0;
}

void
sqlite_trace_cancel(struct db *d)
{
	struct sqlite *s = sqlite_of(d);

	if (s->trace == NULL)
		return;
	s->trace->on = 0;
	shape_release(&trace_statement_shape, &s->trace->now);
}

void
sqlite_trace_free(struct sqlite *s)
{
	if (s->trace == NULL)
		return;
	sqlite_trace_cancel(&s->base);
	strs_free(&s->trace->tables);
	free(s->trace);
}

void
sqlite_trace_note(struct sqlite *s, int action, const char *a, const char *b)
{
	struct sqlite_trace *t = s->trace;

	if (t == NULL || !t->on)
		return;
	if (action == SQLITE_CREATE_INDEX && strs_has(&t->tables, b))
		trace_add_work(&t->now, b, "built", a);
	else if (action == SQLITE_REINDEX && t->now.works.n == 0)
		trace_add_work(&t->now, a, "built", "REINDEX");
	else if (action == SQLITE_ALTER_TABLE && s->running->intent ==
		DB_INTENT_DROP_COLUMN && strs_has(&t->tables, b))
		trace_add_work(&t->now, b, "rewritten", "DROP COLUMN");
}

void
sqlite_trace_read(struct sqlite *s, int64_t rows)
{
	if (s->trace != NULL && s->trace->on)
		s->trace->read += rows;
}

/* Pages, whether they went to a WAL or into the file. */
int
sqlite_trace_written(struct db *d, int64_t *bytes, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	int64_t page;
	int now = 0, highest;

	if (sqlite_sql_int_of(s, "PRAGMA page_size", &page, e) == -1)
		return -1;
	sqlite3_db_status(s->h, SQLITE_DBSTATUS_CACHE_WRITE, &now, &highest, 0);
	*bytes = now * page;
	return 0;
}

int
sqlite_trace_stage(struct db **out, const struct db_stage *how, struct err *e)
{
	struct db_options o = { .url = how->from.path, .busy_ms = 5000,
		.mode = DB_SCRATCH_SHARED, .report = how->report };

	if (sqlite_open_db(out, &o, e) == -1)
		return -1;
	/*
	 * It is read twice as a whole, and nobody misses it after a crash.  A WAL is for
	 * those who read meanwhile: without them its pages are written twice for nothing.
	 */
	if (db_exec(*out, "PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; "
		"PRAGMA mmap_size = 2147483648", e) == 0 && (!how->alone ||
		db_exec(*out, "PRAGMA journal_mode = TRUNCATE", e) == 0))
		return 0;
	db_close(*out);
	*out = NULL;
	return -1;
}

char *
sqlite_trace_url(const struct db *d)
{
	const char *path = ((const struct sqlite *)d)->path;
	struct err ignored;
	/* Whoever is given it may be in another folder. */
	char *real = file_real(path, &ignored), *url = mem_printf("sqlite:%s",
		real == NULL ? path : real);

	free(real);
	return url;
}
