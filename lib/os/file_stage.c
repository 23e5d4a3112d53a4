/* file_stage: files made durable; the publishing half. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

#define TRIES 100 /* against sweeps that come between */

struct file_stage {
	char *path; /* the final place */
	char *partial;
	int fd;
};

static void
stage_free(struct file_stage *s)
{
	if (s->fd != -1)
		close(s->fd);
	free(s->path);
	free(s->partial);
	free(s);
}

/*
 * Open the partial file for us alone.  One that exists belongs to a living run
 * (its lock is held) or to a dead one (it is removed).
 */
static int
open_partial(struct file_stage *s, struct err *e)
{
	int tries, old, kept, removed;

	for (tries = 0; tries < TRIES; tries++) {
		s->fd = open(s->partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);
		if (s->fd != -1) {
			kept = file_keep(s->fd, s->partial, e);
			if (kept != 0)
				return kept == 1 ? 0 : -1;
			close(s->fd);
			s->fd = -1;
			continue;
		}
		if (errno != EEXIST)
			return err_sys(e, "create '%s'", s->partial);
		old = open(s->partial, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (old == -1 && errno == ENOENT)
			continue;
		if (old == -1)
			return err_sys(e, "open '%s'", s->partial);
		removed = file_sweep_one(old, s->partial);
		close(old);
		if (!removed && file_exists(s->partial))
			break;
	}
	err_set(e, ERR_LOCKED, "busy", "another run is writing '%s'",
		s->partial);
	return err_next(e, "wait for it to end");
}

int
file_stage_open(struct file_stage **out, const char *path, struct err *e)
{
	struct file_stage *s = mem_alloc(sizeof(*s));
	char *dir = file_dir(path), *name;

	*out = NULL;
	s->fd = -1;
	s->path = mem_dup(path);
	name = mem_printf(".%s.partial", file_base(path));
	s->partial = file_join(dir, name);
	free(name);
	free(dir);
	if (file_exists(path)) {
		err_set(e, ERR_REFUSED, "exists", "'%s' exists", path);
		err_next(e, "name another path, or move that file away");
	} else if (open_partial(s, e) == 0) {
		*out = s;
		return 0;
	}
	stage_free(s);
	return -1;
}

int
file_stage_fd(const struct file_stage *s)
{
	return s->fd;
}

const char *
file_stage_partial(const struct file_stage *s)
{
	return s->partial;
}

int
file_stage_sync(struct file_stage *s, struct err *e)
{
	if (fsync(s->fd) == -1)
		return err_sys(e, "sync '%s'", s->partial);
	return 0;
}

/* rename(2) that never replaces, also where the kernel cannot promise it. */
static int
rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) == -1 ? -1 : unlink(from);
}

int
file_stage_commit(struct file_stage *s, struct err *e)
{
	int result = -1;

	if (file_stage_sync(s, e) == -1) {
		file_stage_abort(s);
		return -1;
	}
	if (rename_new(s->partial, s->path) == -1) {
		err_sys(e, "rename '%s' to '%s'", s->partial, s->path);
		file_stage_abort(s);
		return -1;
	}
	if (file_sync_dir_of(s->path, e) == 0)
		result = 0;
	else
		unlink(s->path);
	stage_free(s);
	return result;
}

void
file_stage_abort(struct file_stage *s)
{
	if (s == NULL)
		return;
	unlink(s->partial);
	stage_free(s);
}
