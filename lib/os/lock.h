/*
 * lock: one runner at a time, by flock(2) on a file that is never deleted (a
 * deleted lock file lets two runners each hold "the" lock).  The kernel drops
 * the lock when its holder dies, so no lock is ever stale.
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include <stdint.h>

struct err;
struct lock; /* opaque: a held lock */

/*
 * Take the lock file path, made with the mode and owner of the file `like`.
 * Waits up to wait_s seconds (0: not at all).  who is written into the file,
 * for the message that the next runner prints.  Gives *out: lock_free().
 * ERR_LOCKED names the holder.
 */
int lock_take(struct lock **out, const char *path, const char *like,
	int64_t wait_s, const char *who, struct err *e);

/* Whether somebody holds path now; holder gets what they wrote, or "". */
int lock_is_held(const char *path, char *holder, unsigned long room);

/* The descriptor that holds it, or -1: whoever inherits it holds it, too. */
int lock_descriptor(const struct lock *l);

void lock_free(struct lock *l);

#endif
