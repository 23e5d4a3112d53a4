/* pg_source: pg_dump as a source of bytes, read as they pass. */
#ifndef DB_POSTGRESQL_PG_SOURCE_H
#define DB_POSTGRESQL_PG_SOURCE_H

#include <sys/types.h>

#include "db/postgresql/pg.h"
#include "db/postgresql/pg_dump.h"

struct child;
struct pg_copy;

/* The caller fills b, report, what, estimate, like, schema_only, fd, copy. */
struct pg_source {
	struct child *child;
	unsigned char *piece;
	ssize_t ahead; /* bytes in piece that were read already; -1 */
	const struct db_backup *b; /* NULL: only count */
	const struct report *report;
	const char *what;
	int64_t at, estimate;
	const struct pg_dump_result *like;
	int schema_only, fd; /* into a file */
	struct pg_copy *copy; /* reads the large tables; NULL: pg_dump does */
	int64_t rows_end; /* byte after the last entry of rows; 0: none */
	int64_t other_data; /* byte of the first of other data; 0: none */
	int holding; /* what is read goes into held, until it is woven */
	struct buf held;
};

/* Begin a transaction for it, which waits for no lock for long. */
int pg_source_hold(struct pg *p, struct err *e);

/*
 * Whether each table is still where p's snapshot has it, seen from the
 * observer, which is open: 1, 0 or -1.  Once pg_dump has its locks.
 */
int pg_source_unmoved(struct pg *p, struct err *e);

/* Start pg_dump on a snapshot; NULL: its own.  name NULL: our database. */
int pg_source_start(struct pg *p, const char *name, const char *snapshot,
	struct pg_source *s, struct err *e);

/*
 * Wait for its first bytes, by which it has its locks.  1: it has; 0: it waited
 * too long for one, behind somebody who waits for us, and gave up: our own locks
 * are to be released; -1.
 */
int pg_source_await(struct pg_source *s, struct err *e);

/* Read what pg_source_start() has begun, to its end. */
int pg_source_read(struct pg_source *s, struct pg_dump_result *out,
	struct err *e);

/* The next bytes of the dump: to where they go, and counted. */
int pg_source_put(struct pg_source *s, const void *p, size_t n,
	struct err *e);

/* End pg_dump, if it runs, and begin anew. */
void pg_source_clear(struct pg_source *s);

/* ERR_ENV "busy", and who holds what; returns -1. */
int pg_source_busy(struct pg *p, struct err *e);

/*
 * Read p's database as a backup does, and only count.  like: a dump that the
 * result is to be compared with; NULL: none.
 */
int pg_source_scan(struct pg *p, const char *what, int jobs,
	const struct pg_dump_result *like, struct pg_dump_result *out,
	struct err *e);
/* Its dump, without rows, into a file. */
int pg_source_schema(struct pg *p, const char *path, struct err *e);

/* pg_weave.c: rows of large tables put into the stream; arg: a pg_source. */
void pg_weave_item(void *arg, const struct pg_item *x);
int pg_weave_data(void *arg, struct pg_stream *d, struct err *e);

/* pg_preflight.c: whether a dump of p's database can be had.  Or an error. */
int pg_preflight(struct pg *p, struct err *e);

/*
 * pg_program.c: the client program of that name which can serve p's server.
 * Gives.
 */
int pg_program_find(const struct pg *p, const char *name, char **path,
	struct err *e);
/* What one of them has said before it failed, as a reason and what to do; -1. */
int pg_program_said(struct err *e);

#endif
