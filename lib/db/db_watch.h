/* db_watch: what a migration changes, table by table; see db/db.h. */
#ifndef DB_DB_WATCH_H
#define DB_DB_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/strs.h"

struct db;
struct db_statement;
struct err;

/* A column whose values were set to null, not by an UPDATE that names it. */
struct db_nulled {
	char *column;
	int64_t taken; /* by a foreign key or a trigger */
	int64_t upserted; /* by an INSERT's ON CONFLICT DO UPDATE */
};

/* What happened to one table between db_watch_start() and db_watch_stop(). */
struct db_change {
	char *table;
	int64_t before, after; /* rows; -1: the table was not there */
	int uncounted; /* it is too large for that, while others wait */
	int64_t inserted, updated, deleted;
	int64_t cascaded; /* of deleted: not by a statement of the script */
	int by_name; /* what is not cascaded went by statements that name it */
	int internal; /* belongs to a virtual table: nobody names it */
	struct db_nulled *nulled;
	size_t nulled_n;
};

struct db_changes {
	struct db_change *v;
	size_t n;
	/*
	 * Went without a name, and could only be counted by rolling back: to commit, run
	 * it again with these as found.  In the engine's own words.
	 */
	struct strs undone;
};

/*
 * Watch every row that changes; inside a transaction.  expected: tables (or
 * table.column) whose rows may go.  found: what a try before has said is undone,
 * which nobody else may write to from now on.  Either may be NULL.
 */
int db_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e);

/*
 * Before what is to go of a table is counted: nobody else adds any from now on.  A
 * name that is no table is left out.
 */
int db_watch_hold(struct db *d, const char *table, struct err *e);

/*
 * Between on and off nothing takes long, for others wait: ERR_ENV "timeout", which
 * leaves the transaction to be rolled back.
 */
int db_watch_brief(struct db *d, int on, struct err *e);

/*
 * Whether a statement that gives columns of its table another type makes the rows
 * anew, so that values may be lost: it is tried, and taken back, in the transaction.
 * 1: it does, or that cannot be known in a moment.
 */
int db_rewrites(struct db *d, const struct db_statement *s, struct err *e);

/* Tell what rows cannot: before a DROP, after a RENAME, after a CREATE. */
int db_watch_drop(struct db *d, const char *table, struct err *e);
void db_watch_rename(struct db *d, const char *from, const char *to);
void db_watch_create(struct db *d, const char *table);

/* The changes, with the counts of the touched tables.  Gives out's contents. */
int db_watch_stop(struct db *d, struct db_changes *out, struct err *e);
void db_watch_cancel(struct db *d);
void db_changes_free(struct db_changes *c);

#endif
