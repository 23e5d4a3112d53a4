/*
 * sqlite_restore: the contents of a scratch file into the live database, by
 * the online backup API: one transaction, so a crash leaves the old or the
 * new, and connections that are open see the change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/sqlite/sqlite.h"

#define STEP_PAGES 256

/* Take the write lock, waiting as long as we may for readers and writers. */
static int
lock_out(struct sqlite *s, sqlite3_backup *b, struct err *e)
{
	int64_t end = clock_ms() + s->base.busy_ms;
	int code;

	while ((code = sqlite3_backup_step(b, 0)) == SQLITE_BUSY ||
		code == SQLITE_LOCKED) {
		if (clock_ms() >= end)
			break;
		if (stop_check(e) == -1)
			return -1;
		sqlite3_sleep(20);
	}
	if (code == SQLITE_READONLY) {
		err_set(e, ERR_ENV, "page-size",
			"database '%s' is in WAL mode and has another page "
			"size than the backup", s->shown);
		return err_next(e, "stop the application and use --offline");
	}
	/* A source without pages would be committed by this very step. */
	if (code == SQLITE_DONE)
		return err_bug(e, "the copy has no pages");
	if (code != SQLITE_OK)
		return sqlite_error_code(code, sqlite3_errstr(code), s->shown,
			e, "lock it for the restore");
	return 0;
}

static int
copy(struct sqlite *s, sqlite3_backup *b, struct err *e)
{
	int64_t end = clock_ms() + s->base.busy_ms;
	int64_t page;
	int code;

	if (sqlite_sql_int_of(s, "PRAGMA page_size", &page, e) == -1)
		return -1;
	for (;;) {
		code = sqlite3_backup_step(b, STEP_PAGES);
		report_progress(s->base.report, "restore",
			(sqlite3_backup_pagecount(b) -
				sqlite3_backup_remaining(b)) * page,
			sqlite3_backup_pagecount(b) * page);
		if (code == SQLITE_OK) {
			end = clock_ms() + s->base.busy_ms;
			if (stop_check(e) == -1)
				return -1;
		} else if ((code == SQLITE_BUSY || code == SQLITE_LOCKED) &&
			clock_ms() < end) {
			sqlite3_sleep(20);
		} else {
			break;
		}
	}
	if (code != SQLITE_DONE)
		return sqlite_error_code(code, sqlite3_errstr(code), s->shown,
			e, "write the restored pages");
	return 0;
}

int
sqlite_restore_into(struct db *d, const struct db_rebuilt *rebuilt,
	const struct db_restore *r, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct db_options o = { .url = rebuilt->path, .mode = DB_SCRATCH };
	struct db *from = NULL;
	sqlite3_backup *b = NULL;
	int64_t pages;
	int result = -1, code;

	if (db_open(&from, &o, e) == -1)
		return -1;
	/* Mapped: one copy of each page less.  See lib/DESIGN.md, 19. */
	if (sqlite_sql_exec(from, "PRAGMA mmap_size = 2147418112", e) == -1)
		goto out;
	if (sqlite_sql_int_of(sqlite_of(from), "PRAGMA page_count", &pages,
		    e) == -1)
		goto out;
	if (pages == 0) {
		err_bug(e, "the copy has no pages");
		goto out;
	}
	b = sqlite3_backup_init(s->h, "main", sqlite_of(from)->h, "main");
	if (b == NULL) {
		sqlite_error(s, e, "begin the restore");
		goto out;
	}
	if (lock_out(s, b, e) == 0 && r->ready(r->arg, e) == 0)
		result = copy(s, b, e);
	report_progress(d->report, "restore", 0, 0);
	code = sqlite3_backup_finish(b);
	if (result == 0 && code != SQLITE_OK)
		result = sqlite_error_code(code, sqlite3_errstr(code),
			s->shown, e, "commit the restore");
	/* Move the WAL into the file; readers may keep it from being cut. */
	if (result == 0)
		sqlite3_wal_checkpoint_v2(s->h, "main",
			SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
out:
	db_close(from);
	return result;
}
