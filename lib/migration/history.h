/*
 * history: what is applied, as the tool whose migrations these are keeps it in a
 * table of its own.  That table is right about what is applied; mig's ledger
 * keeps beside it what it cannot hold.
 */
#ifndef MIGRATION_HISTORY_H
#define MIGRATION_HISTORY_H

#include <stdint.h>

struct db;
struct err;
struct format;
struct format_done;
struct ledger;
struct migration;
struct set;

struct history {
	const struct format *format;
	struct db *db;
	struct db *registry; /* the file of its own that it is in; NULL: db's */
	char *table; /* for SQL; NULL: it is not there */
	int made; /* in a transaction that is not committed yet */
};

/*
 * The format of a folder and a database: named, or NULL to find out: by the
 * table that the database has, else by the folder's files (folder NULL: by the
 * database alone).  d NULL: by the folder alone.  Keeps d.
 * ERR_USAGE "format": two fit, or none is called so.
 */
int history_open(struct history *h, struct db *d, const char *named,
	const char *folder, struct err *e);
void history_close(struct history *h);

/* The format whose table the database has, or NULL (e tells a failure). */
const struct format *history_format(struct db *d, struct err *e);

/*
 * Read the ledger, and what the tool's table says, into one: see ledger.h for
 * what becomes of rows that only one of them has.
 */
int history_load(struct history *h, struct ledger *out, const struct set *s,
	struct err *e);

/* Take the tool's own locks: until d is closed.  ERR_LOCKED: it runs. */
int history_lock(struct history *h, int64_t wait_s, struct err *e);

/*
 * In a transaction of the caller: make the table if it is not there; record;
 * take out; write the checksum of the file as it is now.  Nothing to do for
 * mig's own format.  After the end of the transaction: history_settle().
 */
int history_ensure(struct history *h, struct err *e);
int history_begin(struct history *h, const struct migration *m,
	struct err *e);
int history_put(struct history *h, const struct migration *m,
	int64_t duration_ms, const char *by, struct err *e);
int history_remove(struct history *h, const struct migration *m,
	const char *before, struct err *e);
int history_restamp(struct history *h, const struct migration *m,
	struct err *e);
void history_settle(struct history *h, int committed);

/* --- for the formats ------------------------------------------------------ */

/* SQL with one %s, the table; arguments as db_execf(). */
int history_exec(struct history *h, struct err *e, const char *sql,
	const char *args, ...);

/*
 * Rows of a query with one %s: version, name, the tool's checksum, state
 * (applied or failed); what is null is not known.
 */
int history_rows(struct history *h, struct ledger *out, struct err *e,
	const char *sql);

/*
 * The tool that keeps its history in a file beside a database of SQLite, which no
 * backup of that holds; NULL: none.  Gives *path.  Static.
 */
const char *history_beside(const char *database, char **path);

#endif
