/*
 * sqlite_offline: the database as files: the runner's lock beside it, and the
 * proof that nobody uses it before its file is replaced.
 *
 * The lock bytes of the database file are sqlite.org/src os.h's PENDING_BYTE
 * 0x40000000 and the 511 after it; those of the WAL index are bytes 120 to
 * 128 of the -shm file (sqlite.org/walformat.html 2.3).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"
#include "os/holders.h"
#include "os/lock.h"

const char *const sqlite_offline_companions[] = { "-wal", "-shm", "-journal",
	NULL };

static char *
lock_path(const struct sqlite *s)
{
	return mem_printf("%s.mig-lock", s->path);
}

int
sqlite_offline_lock(struct db *d, struct lock **out, int64_t wait_s,
	const char *who, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	char *path = lock_path(s);
	int result = lock_take(out, path, s->path, wait_s, who, e);

	free(path);
	return result;
}

int
sqlite_offline_locked_by(struct db *d, char *out, size_t room)
{
	char *path = lock_path(sqlite_of(d));
	int held = lock_is_held(path, out, room);

	free(path);
	return held;
}

/* The process that locks the range, 0 for none, -1 on failure. */
static long
locker(const char *path, off_t start, off_t n, struct err *e)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = start, .l_len = n };
	int fd = open(path, O_RDWR | O_CLOEXEC), code;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return err_sys(e, "open '%s'", path);
	code = fcntl(fd, F_GETLK, &l);
	close(fd);
	if (code == -1)
		return err_sys(e, "ask for the locks of '%s'", path);
	return l.l_type == F_UNLCK ? 0 : l.l_pid > 0 ? (long)l.l_pid : 1;
}

static int
in_use(struct err *e, const char *path, const char *who)
{
	err_set(e, ERR_REFUSED, "in-use", "'%s' is in use by %s", path, who);
	return err_next(e, "stop the application, then run it again");
}

int
sqlite_offline_prove(const char *path, struct err *e)
{
	struct strs users = { 0 };
	char *shm = mem_printf("%s-shm", path), text[64];
	int blind = 0, result = -1;
	long pid;

	if (!file_exists(path)) {
		result = 0; /* nothing there that could be used */
		goto out;
	}
	pid = locker(path, 0x40000000, 512, e);
	if (pid == 0)
		pid = locker(shm, 120, 9, e);
	if (pid == -1)
		goto out;
	if (pid > 0) {
		snprintf(text, sizeof(text), "a transaction of process %ld",
			pid);
		in_use(e, path, text);
		goto out;
	}
	if (holders_find(path, &users, &blind, e) == -1)
		goto out;
	if (users.n > 0) {
		in_use(e, path, users.v[0]);
		goto out;
	}
	if (blind > 0) {
		err_set(e, ERR_REFUSED, "in-use",
			"cannot see whether %d processes of other users have "
			"'%s' open", blind, path);
		err_next(e, "run it as root, who sees them all");
		goto out;
	}
	result = 0;
out:
	strs_free(&users);
	free(shm);
	return result;
}
