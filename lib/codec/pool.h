/*
 * pool: worker threads for blocks.  One thread fills slots and hands them
 * over; workers do the same work on each, in any order.  The memory is fixed
 * at the start: jobs + 2 slots, and one room per worker.
 *
 *	while ((s = pool_take(p)) != NULL && fill(s))
 *		pool_give(p, s);
 *	pool_finish(p, e);
 */
#ifndef CODEC_POOL_H
#define CODEC_POOL_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct sha256;
struct zst;
struct pool; /* opaque */

/* One block on its way; the slot's owner is whoever holds it. */
struct pool_slot {
	unsigned char *data; /* slot_bytes long */
	size_t len;
	int64_t index; /* free for the caller, as are the next two */
	int64_t offset;
	int64_t extra;
	struct pool_slot *next; /* the pool's own */
};

/* What each worker has to itself. */
struct pool_worker {
	struct zst *zst;
	struct sha256 *sha256;
	unsigned char *room; /* room_bytes long */
};

typedef int pool_work(void *arg, struct pool_worker *w, struct pool_slot *s,
	struct err *e);

/*
 * Start jobs threads.  Keeps arg.  Gives *out: pool_free().  ERR_ENV when
 * threads cannot be had.
 */
int pool_new(struct pool **out, int jobs, int level, size_t slot_bytes,
	size_t room_bytes, pool_work *work, void *arg, struct err *e);

/* A free slot, waiting for one; NULL once a worker has failed. */
struct pool_slot *pool_take(struct pool *p);

/* Hand a filled slot to the workers. */
void pool_give(struct pool *p, struct pool_slot *s);

/* Wait until all is done: 0, or -1 with the first failure of a worker. */
int pool_finish(struct pool *p, struct err *e);

/* Ends the threads; work not begun is dropped.  NULL is allowed. */
void pool_free(struct pool *p);

/* How many processors may be used, at least 1. */
int pool_cores(void);

#endif
