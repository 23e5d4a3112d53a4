/* pg_trace_part: what the files of a trace share. */
#ifndef DB_POSTGRESQL_PG_TRACE_PART_H
#define DB_POSTGRESQL_PG_TRACE_PART_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strs.h"
#include "db/postgresql/pg.h"
#include "json/trace.h"

/* Of pg_locks as l: the number of the strongest mode; and locks of the user's own. */
#define PG_TRACE_RANK \
	"pg_catalog.max(CASE l.mode WHEN 'AccessShareLock' THEN 1 WHEN " \
	"'RowShareLock' THEN 2 WHEN 'RowExclusiveLock' THEN 3 WHEN " \
	"'ShareUpdateExclusiveLock' THEN 4 WHEN 'ShareLock' THEN 5 WHEN " \
	"'ShareRowExclusiveLock' THEN 6 WHEN 'ExclusiveLock' THEN 7 ELSE 8 END)"
#define PG_TRACE_RELATIONS \
	"l.locktype = 'relation' AND l.granted AND l.relation >= 16384 AND " \
	"l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = " \
	"pg_catalog.current_database())"


/* A relation that was there before the migration, or is met in it. */
struct pg_relation {
	unsigned long oid;
	char *name, *plain; /* with its schema, and without */
	char kind;
	int old; /* was there before */
	unsigned long file; /* filenode */
	int rank; /* of the strongest lock that is held */
	int64_t count[4]; /* inserted, updated, deleted, read */
	int64_t first_us, last_us; /* that its lock was seen, by the poller */
	int seen; /* rank that the poller saw */
};

struct pg_trace {
	struct pg_relation *v; /* by oid */
	size_t n;
	struct strs said; /* notices of the statement */
	int on, outside;
	int fresh; /* no statement of the migration has run yet */
	int64_t log; /* position in the write-ahead log */
	struct pg *poller;
	pthread_t thread;
	int polling;
	atomic_int stop;
	int pause_ms; /* between two looks, the poller's */
	struct err failed; /* of the poller */
};

struct pg_relation *pg_trace_find(struct pg_trace *t, unsigned long oid);
unsigned long pg_trace_number(const PGresult *r, int row, int column);

/*
 * pg_trace_poll.c: the name of a mode; a thread that looks at the locks of p until
 * the end, and what it saw.  _end: -1 when it could not look.
 */
const char *pg_trace_mode(int rank);
int pg_trace_poll(struct pg *p, struct err *e);
int pg_trace_poll_end(struct pg_trace *t, struct err *e);
void pg_trace_polled(const struct pg_trace *t, struct trace_statement *out);

/* pg_trace_said.c: work on a relation, as the server has said it. */
void pg_trace_said(const struct pg_trace *t, const char *said,
	struct trace_statement *out);

#endif
