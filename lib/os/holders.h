/*
 * holders: who has a file open, from /proc.  An idle application holds no
 * lock on its SQLite database, yet must be stopped before the file is
 * replaced under it.
 */
#ifndef OS_HOLDERS_H
#define OS_HOLDERS_H

struct err;
struct strs;

/*
 * Append "NAME (pid N)" for every other process that has path open.
 * *blind counts the processes that could not be looked into (other users',
 * when we are not root).  ERR_ENV where there is no /proc.
 */
int holders_find(const char *path, struct strs *out, int *blind,
	struct err *e);

/*
 * Whether another process holds a lock of fcntl(2) on the file, by /proc/locks: as it
 * does in a transaction of SQLite.  0 where that cannot be known.
 */
int holders_lock(const char *path);

#endif
