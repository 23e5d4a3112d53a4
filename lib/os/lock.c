/* lock: one runner at a time. */
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "os/file.h"

#define LOOK_MS 300 /* longer than anybody looks whether a lock is held */

struct lock {
	int fd;
};

static void
read_holder(int fd, char *out, size_t room)
{
	ssize_t n = pread(fd, out, room - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/*
 * A lock file that root makes for somebody else's database must be open to
 * that somebody too.
 */
static int
open_like(const char *path, const char *like, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd != -1)
		return fd;
	if (errno != ENOENT) {
		err_sys(e, "open the lock file '%s'", path);
		return -1;
	}
	if (stat(like, &st) == -1) {
		err_sys(e, "look at '%s'", like);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		err_sys(e, "create the lock file '%s'", path);
		return -1;
	}
	if (fchmod(fd, st.st_mode & 0666) == -1 ||
		(geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) == -1)) {
		err_sys(e, "set the mode and owner of '%s'", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int
wait_for(int fd, int64_t wait_s, struct err *e)
{
	const struct timespec pause = { 0, 50 * 1000 * 1000 };
	int64_t begin = clock_ms(), end = begin + wait_s * 1000;
	char text[8];

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys(e, "lock");
		/* Who only looks whether it is held has written nothing. */
		read_holder(fd, text, sizeof(text));
		if (clock_ms() >= (*text == '\0' && wait_s == 0 ? begin + LOOK_MS :
			end))
			return err_set(e, ERR_LOCKED, "locked", " ");
		if (stop_check(e) == -1)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* A command that it ran has the lock, too, and may outlive it. */
static int
is_gone(const char *holder)
{
	const char *at = strstr(holder, "pid ");
	long pid = at == NULL ? 0 : strtol(at + 4, NULL, 10);

	return pid > 0 && kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

int
lock_take(struct lock **out, const char *path, const char *like,
	int64_t wait_s, const char *who, struct err *e)
{
	char text[256], now[CLOCK_TEXT];
	int fd = open_like(path, like, e);

	*out = NULL;
	if (fd == -1)
		return -1;
	if (wait_for(fd, wait_s, e) == -1) {
		if (e->code == ERR_LOCKED) {
			read_holder(fd, text, sizeof(text));
			err_set(e, ERR_LOCKED, "locked",
				"another runner holds the lock '%s'%s%s%s", path,
				text[0] == '\0' ? "" : ": ", text,
				is_gone(text) ? "; if that process is gone, "
						"what it started still runs" : "");
			err_next(e, "wait for it to end, or use --wait%s",
				is_gone(text) ? "; fuser(1) names who has the "
						"file open" : "");
		}
		close(fd);
		return -1;
	}
	clock_text(clock_now(), now);
	snprintf(text, sizeof(text), "%s, pid %ld, since %s\n", who,
		(long)getpid(), now);
	if (ftruncate(fd, 0) == -1 ||
		file_write_at(fd, text, strlen(text), 0, e) == -1) {
		err_sys(e, "write the lock file '%s'", path);
		close(fd);
		return -1;
	}
	*out = mem_alloc(sizeof(**out));
	(*out)->fd = fd;
	return 0;
}

int
lock_is_held(const char *path, char *holder, unsigned long room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), held = 0;

	holder[0] = '\0';
	if (fd == -1)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK) {
		held = 1;
		read_holder(fd, holder, room);
	}
	close(fd);
	return held;
}

int
lock_descriptor(const struct lock *l)
{
	return l == NULL ? -1 : l->fd;
}

void
lock_free(struct lock *l)
{
	if (l == NULL)
		return;
	/* What stands in it is only a hint.  Who has inherited it has it no more. */
	(void)!ftruncate(l->fd, 0);
	flock(l->fd, LOCK_UN);
	close(l->fd);
	free(l);
}
