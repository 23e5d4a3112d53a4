/* file: files made durable; the reading and writing half. */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strs.h"

int
file_write(int fd, const void *p, size_t n, struct err *e)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = write(fd, s, n);

		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return err_sys(e, "write");
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

int
file_write_at(int fd, const void *p, size_t n, int64_t offset, struct err *e)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = pwrite(fd, s, n, (off_t)offset);

		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return err_sys(e, "write");
		s += k;
		offset += k;
		n -= (size_t)k;
	}
	return 0;
}

ssize_t
file_read(int fd, void *p, size_t n, struct err *e)
{
	char *s = p;
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(fd, s + got, n - got);

		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return err_sys(e, "read");
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

int
file_slurp(const char *path, size_t max, struct buf *b, struct err *e)
{
	char chunk[16384];
	ssize_t n;
	size_t had = b->len;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;

	if (fd == -1)
		return err_sys(e, "open '%s'", path);
	if (fstat(fd, &st) == -1) {
		err_sys(e, "look at '%s'", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_USAGE, "not-a-file", "'%s' is not a file", path);
		goto out;
	}
	do {
		n = file_read(fd, chunk, sizeof(chunk), e);
		if (n == -1) {
			err_wrap(e, "'%s'", path);
			goto out;
		}
		if (b->len - had + (size_t)n > max) {
			err_set(e, ERR_USAGE, "too-large",
				"'%s' is larger than %zu bytes", path, max);
			goto out;
		}
		buf_add(b, chunk, (size_t)n);
	} while (n == (ssize_t)sizeof(chunk)); /* less is the end */
	result = 0;
out:
	close(fd);
	return result;
}

int
file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int
file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
fill_times(const struct stat *st, struct file_times *out)
{
	out->bytes = st->st_size;
	out->modified_s = st->st_mtim.tv_sec;
	out->modified_ns = st->st_mtim.tv_nsec;
	out->changed_s = st->st_ctim.tv_sec;
	out->changed_ns = st->st_ctim.tv_nsec;
	return 0;
}

int
file_times(const char *path, struct file_times *out, struct err *e)
{
	struct stat st;

	return stat(path, &st) == -1 ? err_sys(e, "look at '%s'", path) :
				       fill_times(&st, out);
}

int
file_times_of(int fd, struct file_times *out, struct err *e)
{
	struct stat st;

	return fstat(fd, &st) == -1 ? err_sys(e, "look at an open file") :
				      fill_times(&st, out);
}

int
file_same(const struct file_times *a, const struct file_times *b)
{
	return a->bytes == b->bytes && a->modified_s == b->modified_s &&
		a->modified_ns == b->modified_ns &&
		a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

int
file_free_space(const char *path, int64_t *bytes, struct err *e)
{
	struct statvfs v;

	if (statvfs(path, &v) == -1)
		return err_sys(e, "ask for free space at '%s'", path);
	*bytes = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	return 0;
}

int
file_need_space(const char *dir, int64_t need, const char *what,
	struct err *e)
{
	char a[32], b[32];
	int64_t have = 0;

	if (file_free_space(dir, &have, e) == -1)
		return -1;
	if (have >= need)
		return 0;
	err_set(e, ERR_ENV, "no-space",
		"%s needs up to %s in '%s', where %s are free", what,
		num_bytes(need, a, sizeof(a)), dir,
		num_bytes(have, b, sizeof(b)));
	return err_next(e, "free some space or name another folder");
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
file_list(const char *dir, struct strs *names, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return err_sys(e, "open the folder '%s'", dir);
	while (errno = 0, (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			strs_add(names, entry->d_name);
	if (errno != 0) {
		err_sys(e, "read the folder '%s'", dir);
		closedir(d);
		return -1;
	}
	closedir(d);
	if (names->n > 0)
		qsort(names->v, names->n, sizeof(*names->v), by_bytes);
	return 0;
}

int
file_make_dir(const char *path, mode_t mode, int *made, struct err *e)
{
	*made = 0;
	if (mkdir(path, mode) == 0) {
		*made = 1;
		return file_sync_dir_of(path, e);
	}
	if (errno == EEXIST && file_is_dir(path))
		return 0;
	return err_sys(e, "make the folder '%s'", path);
}

int
file_sweep_one(int fd, const char *path)
{
	struct stat ours, there;

	/* While we have the lock, nobody else removes what stands there. */
	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 &&
		lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
		ours.st_ino == there.st_ino && unlink(path) == 0;
}

void
file_sweep(const char *folder, const char *prefix, const char *suffix)
{
	struct strs names = { 0 };
	struct err ignored;
	size_t i;

	if (file_list(folder, &names, &ignored) == 0) {
		for (i = 0; i < names.n; i++) {
			char *path;
			int fd;

			if (!strs_starts(names.v[i], prefix) ||
				!strs_ends(names.v[i], suffix))
				continue;
			path = file_join(folder, names.v[i]);
			fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
			if (fd != -1) {
				file_sweep_one(fd, path);
				close(fd);
			}
			free(path);
		}
	}
	strs_free(&names);
}

int
file_keep(int fd, const char *path, struct err *e)
{
	struct stat st;

	/* Whoever has it locked now is about to remove it. */
	while (flock(fd, LOCK_EX) == -1)
		if (errno != EINTR)
			return err_sys(e, "lock '%s'", path);
	if (fstat(fd, &st) == -1)
		return err_sys(e, "look at '%s'", path);
	return st.st_nlink > 0;
}

char *
file_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_dup(".");
	return slash == path ? mem_dup("/") :
			       mem_dup_n(path, (size_t)(slash - path));
}

const char *
file_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
file_join(const char *dir, const char *name)
{
	if (strcmp(dir, ".") == 0)
		return mem_dup(name);
	return mem_printf("%s%s%s", dir, strs_ends(dir, "/") ? "" : "/", name);
}

char *
file_real(const char *path, struct err *e)
{
	char whole[PATH_MAX], *dir, *out = NULL;

	if (realpath(path, whole) != NULL)
		return mem_dup(whole);
	if (errno != ENOENT) {
		err_sys(e, "resolve '%s'", path);
		return NULL;
	}
	dir = file_dir(path);
	if (realpath(dir, whole) == NULL)
		err_sys(e, "resolve '%s'", dir);
	else
		out = file_join(whole, file_base(path));
	free(dir);
	return out;
}

int
file_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), result = 0;

	if (fd == -1 || fsync(fd) == -1)
		result = err_sys(e, "sync '%s'", path);
	if (fd != -1)
		close(fd);
	return result;
}

int
file_sync_dir_of(const char *path, struct err *e)
{
	char *dir = file_dir(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	if (fd == -1 || fsync(fd) == -1)
		result = err_sys(e, "sync the folder '%s'", dir);
	if (fd != -1)
		close(fd);
	free(dir);
	return result;
}

int
file_replace(const char *path, const void *p, size_t n, mode_t mode,
	struct err *e)
{
	char *partial = mem_printf("%s.partial-%ld", path, (long)getpid());
	int fd, result = -1;

	fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd == -1) {
		err_sys(e, "create '%s'", partial);
		goto out;
	}
	if (file_write(fd, p, n, e) == -1)
		err_wrap(e, "'%s'", partial);
	else if (fsync(fd) == -1)
		err_sys(e, "sync '%s'", partial);
	else if (rename(partial, path) == -1)
		err_sys(e, "rename '%s' to '%s'", partial, path);
	else
		result = file_sync_dir_of(path, e);
	if (close(fd) == -1 && result == 0)
		result = err_sys(e, "close '%s'", path);
	if (result == -1)
		unlink(partial);
out:
	free(partial);
	return result;
}

void
file_flush_soon(int fd, int64_t offset, int64_t n)
{
	/* A pipe has nothing to flush: only a hint. */
	(void)sync_file_range(fd, offset, n, SYNC_FILE_RANGE_WRITE);
}
