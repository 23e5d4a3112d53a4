/* pg_load_part: what the files of pg_load share. */
#ifndef DB_POSTGRESQL_PG_LOAD_PART_H
#define DB_POSTGRESQL_PG_LOAD_PART_H

#include <pthread.h>

#include "base/err.h"
#include "db/postgresql/pg_load.h"
#include "db/postgresql/pg_stream.h"

/* Rows of one table, whole lines. */
struct pg_load_chunk {
	const struct pg_entry *of;
	struct buf rows;
	size_t sought; /* bytes in which no row ends */
	struct pg_load_chunk *next;
};

struct pg_load_sender {
	struct pg_load *load;
	struct pg *p;
	const struct pg_entry *of; /* of the COPY under way; NULL: none */
	int64_t sent; /* rows in it */
	pthread_t thread;
};

struct pg_load {
	struct pg *m;
	const char *name;
	int fd, jobs;
	unsigned char *piece;
	int64_t at, total; /* bytes of the file */
	struct strs *left; /* numbers of entries; see pg_load.h */
	struct pg_load_sender *senders;
	struct pg_load_chunk *chunks;
	int n; /* senders; there are twice as many chunks and one */
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t changed;
	struct pg_load_chunk *empty, *ready, **ready_end;
	int ended, failed, broken; /* by rows that the server does not take */
	struct err err;
};

/*
 * pg_load_send.c: the thread of one sender (arg): sends chunks that are ready
 * until there are no more.  Returns NULL; a failure is in the load.
 */
void *pg_load_send(void *arg);

/* A chunk that is empty again. */
void pg_load_give_back(struct pg_load *l, struct pg_load_chunk *c);

#endif
