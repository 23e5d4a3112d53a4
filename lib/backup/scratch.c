/* scratch: a throw-away database file. */
#include "backup/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

#define TRIES 100 /* against sweeps that come between */
#define PREFIX ".mig-scratch-"

struct scratch {
	char *path;
	int fd;
	int kept;
};

static char *
choose_folder(const char *folder, const char *beside)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (folder != NULL)
		return mem_dup(folder);
	if (beside != NULL) {
		dir = file_dir(beside);
		if (access(dir, W_OK) == 0)
			return dir;
		free(dir);
	}
	return mem_dup(tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);
}

int
scratch_open(struct scratch **out, const char *keep, const char *folder,
	const char *beside, int64_t bytes, struct err *e)
{
	struct scratch *s = mem_alloc(sizeof(*s));
	char *dir = keep != NULL ? file_dir(keep) :
				   choose_folder(folder, beside);

	int tries, kept = 0;

	*out = NULL;
	s->fd = -1;
	if (file_need_space(dir, bytes, "the rebuilt database", e) == -1)
		goto fail;
	if (keep == NULL)
		file_sweep(dir, PREFIX, "");
	for (tries = 0; tries < TRIES && kept == 0; tries++) {
		free(s->path);
		if (s->fd != -1)
			close(s->fd);
		s->path = keep != NULL ? mem_dup(keep) :
			mem_printf("%s/" PREFIX "XXXXXX", dir);
		s->fd = keep != NULL ? open(keep, O_RDWR | O_CREAT | O_EXCL |
			O_CLOEXEC, 0600) : mkostemp(s->path, O_CLOEXEC);
		if (s->fd == -1) {
			err_sys(e, "create '%s'", s->path);
			goto fail;
		}
		kept = file_keep(s->fd, s->path, e);
	}
	if (kept != 1) {
		if (kept == 0)
			err_set(e, ERR_ENV, "io", "'%s' is removed by somebody "
				"as soon as it is made", s->path);
		goto fail;
	}
	free(dir);
	*out = s;
	return 0;
fail:
	free(dir);
	scratch_free(s);
	return -1;
}

int
scratch_fd(const struct scratch *s)
{
	return s->fd;
}

const char *
scratch_path(const struct scratch *s)
{
	return s->path;
}

void
scratch_keep(struct scratch *s)
{
	s->kept = 1;
}

/* With what SQLite may have left beside it. */
static void
remove_all(const char *path)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm", "",
		NULL };
	const char *const *s;

	for (s = suffixes; *s != NULL; s++) {
		char *name = mem_printf("%s%s", path, *s);

		unlink(name);
		free(name);
	}
}

void
scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	if (!s->kept && s->fd != -1)
		remove_all(s->path);
	if (s->fd != -1)
		close(s->fd);
	free(s->path);
	free(s);
}
