/*
 * db_trace: what each statement of a migration does, beyond the rows that
 * db_watch.h counts: its locks, the relations that it rewrites or scans, what it
 * writes.  For a copy that nobody else uses; the time is the caller's to take.
 */
#ifndef DB_DB_TRACE_H
#define DB_DB_TRACE_H

#include <stdint.h>

#include "json/trace.h"

struct db;
struct err;

/*
 * Before a migration, outside of its transaction: from now on everything that is
 * there counts as there before.  The first call makes the session ready, and
 * db_close() ends it.
 */
int db_trace_migration(struct db *d, struct err *e);

/*
 * Around one statement.  outside: it runs in no transaction, and its locks are
 * those that a second connection saw while it ran.  Fills the counts, locks and
 * works of out, zeroed.
 */
int db_trace_before(struct db *d, int outside, struct err *e);
int db_trace_after(struct db *d, struct trace_statement *out, struct err *e);

/* After a statement that failed. */
void db_trace_cancel(struct db *d);

/* Bytes that were written to the log since the database was opened, or more. */
int db_trace_written(struct db *d, int64_t *bytes, struct err *e);

/* Bytes that the database takes. */
int db_trace_size(struct db *d, int64_t *bytes, struct err *e);

#endif
