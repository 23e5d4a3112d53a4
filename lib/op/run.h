/*
 * run: one migration, up or down, entirely and recorded, or not at all.  The
 * one place where somebody's SQL runs against the live database.
 */
#ifndef OP_RUN_H
#define OP_RUN_H

#include <stdint.h>

#include "base/strs.h"
#include "migration/migration.h"

struct db;
struct err;
struct history;
struct part_done;
struct report;

/*
 * Somebody who looks on, on a copy.  Each returns 0, or -1 with e to end the
 * migration as if it had failed.
 */
struct run_trace {
	void *arg;
	/* Tables to count before it, that may go without a name; or NULL. */
	const struct strs *expected;
	int (*begin)(void *arg, const struct migration *m, struct err *e);
	int (*before)(void *arg, int outside, struct err *e);
	int (*after)(void *arg, const char *sql, size_t n, int line,
		struct err *e);
	/* Before the commit, in the transaction; or NULL. */
	int (*judge)(void *arg, const struct part_done *done, struct err *e);
	/* All is done and recorded. */
	int (*end)(void *arg, const struct migration *m,
		struct part_done *done, struct err *e);
};

struct run {
	struct db *db;
	struct history *history; /* of the other tool; NULL: none is told */
	const struct report *report;
	const char *tool, *by;
	const char *backup; /* id; may be NULL */
	const struct strs *allow; /* losses that are allowed */
	int allow_all; /* every loss is accepted */
	const char *option; /* how a person allows one: "--allow-loss" */
	int down;
	int64_t skip; /* statements done by an earlier run, outside ones */
	const char *note; /* for the ledger's event; may be NULL */
	int ledger; /* mig's tables are there */
	int again; /* the ledger may have a row of it */
	const char *before; /* down: the version that is applied then */
	/* How mig's ledger writes its version, 7 or 007; NULL: as the file does. */
	const char *recorded;
	int last; /* of its run: note the schema's fingerprint */
	int empty; /* a database without rows: nothing is expected of it */
	const char *rehearsed; /* the fingerprint to come; NULL: not known */
	const struct run_trace *trace; /* NULL: nobody looks on */
};

/*
 * Run m.  done, zeroed, gets what happened.  ERR_FAILED: its SQL failed and
 * it was rolled back; ERR_REFUSED: a gate stopped it and it was rolled back;
 * ERR_LEFT: it runs outside a transaction and failed after some statements;
 * ERR_ENV: the database could not be written.
 */
int run_migration(struct part_done *done, const struct migration *m,
	const struct run *r, struct err *e);

/* The ledger's event for a migration that failed and was rolled back. */
int run_note_failure(struct db *db, const struct migration *m,
	const struct run *r, const struct err *why, struct err *e);

#endif
