/*
 * sqlite_backup: one consistent snapshot as a stream of pages.
 *
 * A read transaction is opened on the source before the online backup begins.
 * Without one, sqlite3_backup_step() takes and drops its own at each step and
 * starts again whenever somebody has written in between; with it the copy is
 * of one instant and never restarts.  tests/unit/ pins this, because SQLite's
 * documentation does not promise it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

#define STEP_PAGES 256
#define SETTLE_TRIES 50

/*
 * Open the read transaction such that its position is known: read before and
 * after.  Under a storm of writers the earlier one is kept, which may state a
 * gap that is not there but never hides one.
 */
static int
hold_snapshot(struct db *d, struct wire_position *at, struct err *e)
{
	struct wire_position after;
	int64_t n;
	int tries, same;

	for (tries = 0;; tries++) {
		if (db_position(d, at, e) == -1)
			return -1;
		if (db_exec(d, "BEGIN", e) == -1 ||
			sqlite_sql_int_of(sqlite_of(d),
				"SELECT count(*) FROM sqlite_schema", &n,
				e) == -1 ||
			db_position(d, &after, e) == -1)
			return -1;
		same = wire_position_same(at, &after);
		shape_release(&wire_position_shape, &after);
		if (same || tries == SETTLE_TRIES)
			return 0;
		if (db_exec(d, "COMMIT", e) == -1)
			return -1;
		shape_release(&wire_position_shape, at);
	}
}

static int
describe(struct db *d, struct db_snapshot *s, struct shape_list *tables,
	struct err *e)
{
	struct sqlite *q = sqlite_of(d);
	int64_t pages, bytes;

	if (sqlite_sql_int_of(q, "PRAGMA page_count", &pages, e) == -1 ||
		sqlite_sql_int_of(q, "PRAGMA page_size", &bytes, e) == -1 ||
		db_fingerprint(d, s->fingerprint, e) == -1 ||
		db_tables(d, tables, e) == -1)
		return -1;
	s->raw_bytes = s->estimate = pages * bytes;
	s->blocks_writers = strcmp(s->position.journal, "wal") != 0;
	return 0;
}

/* The source's own header bytes, which the copy's page 1 gets back. */
static int
plan_patch(struct db *d, const struct db_snapshot *s,
	struct sqlite_sink *sink, struct err *e)
{
	int64_t cookie;

	if (sqlite_sql_int_of(sqlite_of(d), "PRAGMA schema_version", &cookie,
		    e) == -1 ||
		sqlite_position_header(sqlite_of(d), sink->patch, e) == -1)
		return -1;
	/* In WAL mode the header on disk may be older than the snapshot. */
	sink->patch_counter = s->blocks_writers;
	sink->patch_cookie = 1;
	sink->patch[40] = (unsigned char)(cookie >> 24);
	sink->patch[41] = (unsigned char)(cookie >> 16);
	sink->patch[42] = (unsigned char)(cookie >> 8);
	sink->patch[43] = (unsigned char)cookie;
	return 0;
}

static sqlite3 *
open_sink(sqlite3_vfs *vfs)
{
	sqlite3 *h = NULL;

	if (sqlite3_open_v2("sink", &h,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		    vfs->zName) == SQLITE_OK &&
		sqlite3_exec(h, "PRAGMA locking_mode = EXCLUSIVE;"
			"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			"PRAGMA cache_size = 64", NULL, NULL, NULL) ==
			SQLITE_OK)
		return h;
	sqlite3_close(h);
	return NULL;
}

static int
step_all(struct sqlite *s, sqlite3 *to, struct sqlite_sink *sink,
	struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", s->h, "main");
	int code, stopped = 0;
	int64_t page;

	if (sqlite_sql_int_of(s, "PRAGMA page_size", &page, e) == -1) {
		sqlite3_backup_finish(b);
		return -1;
	}
	if (b == NULL)
		return sqlite_error_code(sqlite3_errcode(to),
			sqlite3_errmsg(to), s->shown, e, "begin the backup");
	while ((code = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK) {
		int64_t total = sqlite3_backup_pagecount(b);

		report_progress(s->base.report, "backup",
			(total - sqlite3_backup_remaining(b)) * page,
			total * page);
		if (stop_check(e) == -1) {
			stopped = 1;
			break;
		}
	}
	report_progress(s->base.report, "backup", 0, 0);
	if (sqlite3_backup_finish(b) != SQLITE_OK && code == SQLITE_DONE)
		code = SQLITE_ERROR;
	if (stopped || sink->failed)
		return -1;
	if (code != SQLITE_DONE)
		return sqlite_error_code(code, sqlite3_errstr(code), s->shown,
			e, "read it");
	return 0;
}

/* Copy every page of the snapshot to put. */
static int
copy_pages(struct db *d, const struct db_snapshot *s,
	int (*put)(void *arg, int64_t offset, const void *p, size_t n,
		struct err *e),
	void *arg, struct err *e)
{
	struct sqlite_sink sink = { .put = put, .arg = arg, .e = e };
	sqlite3_vfs *vfs;
	sqlite3 *to;
	int result;

	if (s->raw_bytes == 0)
		return 0; /* an empty file is a database without pages */
	if (plan_patch(d, s, &sink, e) == -1)
		return -1;
	vfs = sqlite_sink_register(&sink);
	to = open_sink(vfs);
	result = to == NULL ? err_bug(e, "the sink does not open") :
			      step_all(sqlite_of(d), to, &sink, e);
	sqlite3_close(to);
	sqlite_sink_unregister(vfs);
	return result;
}

static int
put_in_file(void *arg, int64_t offset, const void *p, size_t n, struct err *e)
{
	return file_write_at(*(int *)arg, p, n, offset, e);
}

static int
open_spool(const char *dir, struct err *e)
{
	char *path = mem_printf("%s/.mig-spool-XXXXXX", dir);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd == -1)
		err_sys(e, "create a spool file in '%s'", dir);
	else
		unlink(path); /* it lives as long as the descriptor */
	free(path);
	return fd;
}

/* Copy to a file at the speed of the disk, let the writers go, then give. */
static int
spool(struct db *d, const struct db_snapshot *s, const struct db_backup *b,
	struct err *e)
{
	size_t room = (size_t)1 << 20;
	char *p = mem_alloc(room);
	int64_t at = 0;
	int fd, result = -1;

	if (file_need_space(b->spool_dir, s->raw_bytes, "the spool copy", e) ==
		-1 || (fd = open_spool(b->spool_dir, e)) == -1) {
		free(p);
		return -1;
	}
	if (copy_pages(d, s, put_in_file, &fd, e) == -1 ||
		db_exec(d, "COMMIT", e) == -1)
		goto out;
	if (ftruncate(fd, (off_t)s->raw_bytes) == -1 ||
		lseek(fd, 0, SEEK_SET) == -1) {
		err_sys(e, "rewind the spool file");
		goto out;
	}
	while (at < s->raw_bytes) {
		ssize_t n = file_read(fd, p, room, e);

		if (n <= 0 || stop_check(e) == -1) {
			if (n == 0)
				err_bug(e, "the spool file is short");
			goto out;
		}
		if (b->put(b->arg, at, p, (size_t)n, e) == -1)
			goto out;
		at += n;
		report_progress(d->report, "compress", at, s->raw_bytes);
	}
	result = 0;
out:
	report_progress(d->report, "compress", 0, 0);
	close(fd);
	free(p);
	return result;
}

int
sqlite_backup_stream(struct db *d, const struct db_backup *b, struct err *e)
{
	struct db_snapshot s = { 0 };
	struct shape_list tables = { 0 };
	struct sqlite *q = sqlite_of(d);
	int result = -1;

	q->tolerant = b->tolerant;
	if (hold_snapshot(d, &s.position, e) == -1 ||
		describe(d, &s, &tables, e) == -1 ||
		b->begin(b->arg, &s, e) == -1)
		goto out;
	if (s.blocks_writers && b->spool_dir == NULL)
		report_say(d->report, REPORT_MORE,
			"'%s' is not in WAL mode: commits wait until the "
			"backup ends (--spool shortens that)", q->shown);
	if (b->spool_dir != NULL)
		result = spool(d, &s, b, e);
	else
		result = copy_pages(d, &s, b->put, b->arg, e);
	if (result == 0)
		result = b->end(b->arg, s.raw_bytes, &tables, NULL, e);
out:
	q->tolerant = 0;
	sqlite_sql_rollback(d); /* a read transaction: nothing to commit */
	shape_release(&wire_position_shape, &s.position);
	db_tables_free(&tables);
	return result;
}
