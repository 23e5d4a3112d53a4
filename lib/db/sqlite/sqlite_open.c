/* sqlite_open: opening and closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"
#include "os/holders.h"

/* A statement that runs long is ended when the user asks. */
static int
on_progress(void *arg)
{
	(void)arg;
	return stop_asked() != 0;
}

void
sqlite_open_interruptible(struct sqlite *s, int yes)
{
	sqlite3_progress_handler(s->h, yes ? 20000 : 0,
		yes ? on_progress : NULL, NULL);
}

/*
 * An offline restore that did not end has left the file without its WAL.
 */
static int
look_for_marker(const char *path, struct err *e)
{
	char *marker = mem_printf("%s" DB_RESTORING, path);
	int there = file_exists(marker);

	free(marker);
	if (!there)
		return 0;
	err_set(e, ERR_REFUSED, "interrupted-restore",
		"an offline restore of '%s' was interrupted", path);
	return err_next(e, "finish it: mig-rollback --restore --offline with "
			   "the same options");
}

/* What SQLite itself would say only in riddles. */
static int
look(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == -1 && errno == ENOENT) {
		err_set(e, ERR_ENV, "not-found", "no database at '%s'", path);
		return err_next(e, "check DATABASE_URL and the working "
				   "folder; to begin an empty one: touch '%s'",
			path);
	}
	if (stat(path, &st) == -1)
		return err_sys(e, "look at the database '%s'", path);
	if (S_ISDIR(st.st_mode)) {
		err_set(e, ERR_USAGE, "not-a-database",
			"'%s' is a folder, not a database", path);
		return err_next(e, "name the database file");
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_USAGE, "not-a-database",
			"'%s' is not a regular file", path);
		return err_next(e, "name the database file");
	}
	if (access(path, R_OK) == -1)
		return err_sys(e, "read the database '%s'", path);
	return 0;
}

static int64_t
size_beside(const char *path, const char *suffix)
{
	char *p = mem_printf("%s%s", path, suffix);
	struct stat st;
	int64_t n = stat(p, &st) == 0 ? st.st_size : -1;

	free(p);
	return n;
}

char *
sqlite_open_uri(const char *path, const char *parameters)
{
	char *escaped = mem_alloc(strlen(path) * 3 + 1), *p = escaped, *out;

	while (path[0] == '/' && path[1] == '/') /* else a host would follow */
		path++;
	for (; *path != '\0'; path++) {
		if (*path == '?' || *path == '#' || *path == '%') {
			memcpy(p, *path == '?' ? "%3f" :
				*path == '#' ? "%23" : "%25", 3);
			p += 3;
		} else {
			*p++ = *path;
		}
	}
	out = mem_printf("file:%s?%s", escaped, parameters);
	free(escaped);
	return out;
}

static int
open_handle(struct sqlite *s, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, code;
	char *name;

	switch (s->mode) {
	case DB_MEMORY:
		name = mem_dup("file::memory:?cache=private");
		flags |= SQLITE_OPEN_CREATE;
		break;
	case DB_SCRATCH:
		name = sqlite_open_uri(s->path, "immutable=1&mode=ro");
		flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
		break;
	default:
		name = sqlite_open_uri(s->path, "mode=rw");
		/* Reading wants the right to recover, if it can be had. */
		if (s->mode == DB_READ && access(s->path, W_OK) == -1) {
			free(name);
			name = sqlite_open_uri(s->path, "mode=ro");
			flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
		}
	}
	code = sqlite3_open_v2(name, &s->h, flags, NULL);
	free(name);
	if (code != SQLITE_OK)
		return sqlite_error_code(code,
			s->h == NULL ? "out of memory" : sqlite3_errmsg(s->h),
			s->shown, e, "open");
	return 0;
}

/*
 * SQLite waits for others: longer each time, but not beyond what was asked for,
 * and not when a signal asks us to end.
 */
static int
wait_for_others(void *arg, int times)
{
	static const int pauses[] = { 1, 2, 5, 10, 20, 25, 50 };
	struct sqlite *s = arg;
	int last = (int)(sizeof(pauses) / sizeof(*pauses)) - 1;
	int64_t now = clock_ms();

	if (times == 0)
		s->waits_from = now;
	if (stop_asked() || now - s->waits_from >= s->base.busy_ms)
		return 0;
	clock_pause_ms(pauses[times < last ? times : last]);
	return 1;
}

/* A transaction that lets nobody read may be that of another runner. */
static int
say_who(struct sqlite *s, struct err *e)
{
	char who[256];

	if (!sqlite_offline_locked_by(&s->base, who, sizeof(who)))
		return -1;
	err_set(e, ERR_LOCKED, "locked", "another runner works on '%s': %s",
		s->shown, who);
	return err_next(e, "wait for it to end, or use --wait");
}

/*
 * The connection's own settings, and the first read, which recovers a hot
 * journal.  Closing the last connection moves the WAL into the database: a
 * reader leaves that to the application, unless there is nothing to move.
 */
static int
settle(struct sqlite *s, struct err *e)
{
	int64_t wal = size_beside(s->path, "-wal"), unused;
	int hot = s->mode <= DB_WRITE && size_beside(s->path, "-journal") > 0 &&
		!holders_lock(s->path);

	sqlite3_extended_result_codes(s->h, 1);
	sqlite3_busy_handler(s->h, wait_for_others, s);
	sqlite_open_interruptible(s, 1);
	sqlite3_db_config(s->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (s->mode == DB_READ && wal > 0)
		sqlite3_db_config(s->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
			NULL);
	if (s->mode == DB_SCRATCH_WRITE &&
		sqlite_sql_exec(&s->base, "PRAGMA locking_mode = EXCLUSIVE",
			e) == -1)
		return -1;
	if (sqlite_sql_int_of(s, "SELECT count(*) FROM sqlite_schema", &unused,
		    e) == -1)
		return s->mode <= DB_WRITE && strcmp(e->reason, "busy") == 0 ?
			say_who(s, e) : -1;
	if (hot && size_beside(s->path, "-journal") <= 0)
		report_say(s->base.report, REPORT_NOTE,
			"'%s' had a hot journal of an interrupted "
			"transaction: SQLite has rolled it back", s->shown);
	if (s->mode == DB_READ)
		return sqlite_sql_exec(&s->base, "PRAGMA query_only = ON", e);
	if (s->mode == DB_WRITE && sqlite3_db_readonly(s->h, "main") == 1) {
		err_set(e, ERR_ENV, "permission",
			"the database '%s' is read-only", s->shown);
		return err_next(e,
			"check the owner and mode of the file and its folder");
	}
	return 0;
}

int
sqlite_open_db(struct db **out, const struct db_options *o, struct err *e)
{
	struct sqlite *s = mem_alloc(sizeof(*s));
	char *path = NULL;

	s->base.driver = &sqlite_driver;
	s->base.report = o->report;
	s->base.busy_ms = o->busy_ms;
	s->mode = o->mode;
	if (o->mode == DB_MEMORY) {
		s->path = mem_dup(":memory:");
		s->shown = mem_dup(":memory:");
	} else if (o->mode == DB_SCRATCH || o->mode == DB_SCRATCH_WRITE ||
		o->mode == DB_SCRATCH_SHARED) {
		s->path = mem_dup(o->url);
		s->shown = mem_dup(o->url);
	} else {
		if (sqlite_url_locate(o->url, &path, e) == -1)
			goto fail;
		s->shown = mem_dup(path);
		if (look(path, e) == -1)
			goto fail;
		s->path = file_real(path, e);
		if (s->path == NULL || look_for_marker(s->path, e) == -1)
			goto fail;
		if (!strs_is_utf8(s->path, strlen(s->path))) {
			err_set(e, ERR_USAGE, "config",
				"the database's path is not UTF-8");
			err_next(e, "rename it, or its folder");
			goto fail;
		}
	}
	if (open_handle(s, e) == -1 || settle(s, e) == -1)
		goto fail;
	free(path);
	*out = &s->base;
	return 0;
fail:
	free(path);
	sqlite_open_close(&s->base);
	return -1;
}

void
sqlite_open_close(struct db *d)
{
	struct sqlite *s = sqlite_of(d);

	sqlite_watch_cancel(d);
	sqlite_trace_free(s);
	sqlite3_close_v2(s->h);
	free(s->path);
	free(s->shown);
	free(s);
}
