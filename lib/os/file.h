/*
 * file: files made durable.  A new file is written under a hidden partial
 * name beside its place, synced, renamed, and the folder is synced: a crash at
 * any instant leaves the whole file or none.  Errors are ERR_ENV unless said.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;
struct strs;
struct file_stage; /* opaque: a file not yet published */

/* What identifies one state of a file; compare with file_same(). */
struct file_times {
	int64_t bytes;
	int64_t modified_s, modified_ns;
	int64_t changed_s, changed_ns; /* the inode's, which nobody can set */
};

/*
 * Begin the file path: makes ".NAME.partial" beside it, mode 0600, locked
 * while we live, so that one left by a dead run is known and replaced.
 * Refuses (ERR_REFUSED, "exists") when path is there.  Gives *out: end it
 * with file_stage_commit() or file_stage_abort().
 */
int file_stage_open(struct file_stage **out, const char *path, struct err *e);

/* Its descriptor, open for reading and writing.  Borrowed. */
int file_stage_fd(const struct file_stage *s);
const char *file_stage_partial(const struct file_stage *s);

/* Sync the contents to disk; the name is still the partial one. */
int file_stage_sync(struct file_stage *s, struct err *e);

/*
 * Publish: sync, rename without replacing, sync the folder.  Takes s; on
 * failure the partial file is removed.
 */
int file_stage_commit(struct file_stage *s, struct err *e);

/* Remove the partial file.  Takes s; NULL is allowed. */
void file_stage_abort(struct file_stage *s);

/* Ask the disk to begin with what was written; waits for nothing. */
void file_flush_soon(int fd, int64_t offset, int64_t n);

/* Write all n bytes. */
int file_write(int fd, const void *p, size_t n, struct err *e);
int file_write_at(int fd, const void *p, size_t n, int64_t offset,
	struct err *e);

/* Read up to n bytes until end of file: the count, or -1. */
ssize_t file_read(int fd, void *p, size_t n, struct err *e);

/* Append a whole file to b; more than max bytes is ERR_USAGE "too-large". */
int file_slurp(const char *path, size_t max, struct buf *b, struct err *e);

/* Replace path with n bytes, durably and at once. */
int file_replace(const char *path, const void *p, size_t n, mode_t mode,
	struct err *e);

/* Sync one file, or the folder that a path is in, to disk. */
int file_sync(const char *path, struct err *e);
int file_sync_dir_of(const char *path, struct err *e);

/* Whether something is at path (a dangling link counts). */
int file_exists(const char *path);
int file_is_dir(const char *path);

/* Size and times of path. */
int file_times(const char *path, struct file_times *out, struct err *e);
int file_times_of(int fd, struct file_times *out, struct err *e);
int file_same(const struct file_times *a, const struct file_times *b);

/* Bytes that an ordinary user may still write on the file system of path. */
int file_free_space(const char *path, int64_t *bytes, struct err *e);

/* ERR_ENV "no-space" with both numbers unless need bytes are free at dir. */
int file_need_space(const char *dir, int64_t need, const char *what,
	struct err *e);

/* The names in a folder, sorted by byte, "." and ".." left out. */
int file_list(const char *dir, struct strs *names, struct err *e);

/* Make a folder unless it is there; *made says which.  umask applies. */
int file_make_dir(const char *path, mode_t mode, int *made, struct err *e);

/*
 * Remove the files in a folder whose names begin and end so and which nobody
 * has locked: what killed runs have left.
 */
void file_sweep(const char *folder, const char *prefix, const char *suffix);

/*
 * Remove a file that fd is open on, if nobody has it locked and it still stands
 * at that path.  1: it is gone; 0: somebody has it, or it is another one.
 */
int file_sweep_one(int fd, const char *path);

/*
 * Lock a file that was just made, against sweeps.  1: it is ours; 0: a sweep came
 * between, and it is gone: make another.
 */
int file_keep(int fd, const char *path, struct err *e);

/* Make a folder NAMEXXXXXX in dir, mode 0700.  Gives *path. */
int file_make_temp_dir(const char *dir, const char *name, char **path,
	struct err *e);

/* Remove a folder and everything in it; follows no links. */
void file_remove_tree(const char *path);

/* The absolute path without links; the last part need not exist.  Gives. */
char *file_real(const char *path, struct err *e);

/* Parts of a path.  file_dir Gives; file_base Borrows from path. */
char *file_dir(const char *path);
const char *file_base(const char *path);
char *file_join(const char *dir, const char *name);

#endif
