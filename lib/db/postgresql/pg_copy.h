/*
 * pg_copy: the rows of large plain tables, read by COPY over several
 * connections on one snapshot, a large table in ranges of its pages.  pg_dump
 * reads one table after the other; everything that is not a plain table is
 * still left to it.
 */
#ifndef DB_POSTGRESQL_PG_COPY_H
#define DB_POSTGRESQL_PG_COPY_H

#include "db/postgresql/pg_stream.h"

#define PG_COPY_END "\\.\n\n\n" /* what pg_dump writes after the last row */

struct pg_copy; /* opaque: the tables, and connections that hold them */

/* Names are bytes in the encoding of the database, as in a dump. */
struct pg_copy_table {
	int64_t oid;
	char *schema, *name;
	char *from; /* schema and name, for SQL */
	char *columns; /* for SQL: all but generated ones */
	int64_t pages; /* of its own rows; new ones may be added behind */
	int64_t bytes; /* all in all */
	/* From pg_dump's own entry of the table, see pg_weave.c. */
	char *owner;
	int64_t id; /* 0: pg_dump has no such table */
	int64_t data_id; /* of our entry of its rows */
	int64_t place; /* byte of the stream where its entry belongs; 0: last */
	int has_data; /* it was not left out after all */
};

/* What was read of a table. */
struct pg_copy_count {
	int64_t rows, bytes;
	struct pg_sum sum;
};

/*
 * Look for large tables, connect, and join p's exported snapshot.  *c stays
 * NULL when there are none, or no further connection can be had, which is
 * said.  Call it again after pg_copy_release() to begin anew.
 */
int pg_copy_begin(struct pg_copy **c, struct pg *p, const char *snapshot,
	int jobs, struct err *e);

/* Once pg_dump has its locks: ours.  1, 0 or -1 as pg_tables_lock(). */
int pg_copy_lock(struct pg_copy *c, struct err *e);

/* The tables, the largest first.  c may be NULL. */
struct pg_copy_table *pg_copy_tables(struct pg_copy *c, size_t *n);

/* The connections, from 0; NULL behind the last.  Borrowed. */
struct pg *pg_copy_connection(struct pg_copy *c, int i);

/* In which rows are read: the database's own. */
const char *pg_copy_encoding(const struct pg_copy *c);

/*
 * pg_copy_rows.c: read all rows of t.  give gets whole rows, piece by piece, from several
 * threads but never from two at once; in no order.
 */
int pg_copy_rows(struct pg_copy *c, const struct pg_copy_table *t,
	int (*give)(void *arg, const void *p, size_t n, struct err *e),
	void *arg, struct pg_copy_count *out, struct err *e);

/* Let go of the locks, the snapshot and the tables. */
void pg_copy_release(struct pg_copy *c);

/* NULL is allowed. */
void pg_copy_free(struct pg_copy *c);

#endif
