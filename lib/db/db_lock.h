/* db_lock: one runner at a time, for one database; see db/db.h. */
#ifndef DB_DB_LOCK_H
#define DB_DB_LOCK_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct err;
struct lock;

/* Take it.  Gives *out: lock_free(). */
int db_lock(struct db *d, struct lock **out, int64_t wait_s, const char *who,
	struct err *e);

/*
 * On a server: the advisory lock of that number, which another tool takes, until
 * d is closed.  ERR_LOCKED says that who holds it.  Others have no such locks.
 */
int db_lock_other(struct db *d, int64_t id, int64_t wait_s, const char *who,
	struct err *e);
int db_can_lock_other(const struct db *d);

/* Who holds it: 1 and their words in out, or 0. */
int db_locked_by(struct db *d, char *out, size_t room);

/*
 * The descriptor that holds the lock l of d, or -1: a process that inherits it holds
 * the lock, too, as long as it lives.  On a server it is that of the session.
 */
int db_lock_descriptor(const struct db *d, const struct lock *l);

#endif
