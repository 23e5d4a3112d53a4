/*
 * repair: what would make the files, mig's ledger and another tool's table agree
 * again, for the problems of a plan that can be mended so.  Only records are
 * changed, never what the migrations have made.
 */
#ifndef MIGRATION_REPAIR_H
#define MIGRATION_REPAIR_H

#include <stddef.h>

struct err;
struct history;
struct ledger;
struct ledger_entry;
struct migration;
struct plan;
struct set;
struct strs;

enum repair_kind {
	REPAIR_RESTAMP, /* the file as it is now is the one that was applied */
	REPAIR_FORGET, /* take the record out: it is pending again */
	REPAIR_RECORD, /* what it does is there: it counts as applied */
	REPAIR_TELL /* write what mig has applied into the tool's table */
};

struct repair_step {
	enum repair_kind kind;
	char *version;
	char *text; /* for people */
};

struct repair {
	struct repair_step *v;
	size_t n;
	int asks; /* a table of one row failed: where the database is, must be said */
};

/*
 * The steps.  done: versions of failed or interrupted migrations whose work a
 * person has finished by hand; the others of that kind are to be forgotten.  Of
 * a table of one row: the version that the database is at, or "0".
 * ERR_USAGE "version": one of them has not failed.  Gives out's contents.
 */
int repair_make(struct repair *out, const struct plan *p, const struct set *s,
	const struct ledger *l, const struct strs *done, struct err *e);
void repair_free(struct repair *r);

/* The stable word of a kind: "restamp"... */
const char *repair_word(enum repair_kind kind);

/*
 * Do one, in a transaction of the caller, in which mig's tables and the tool's
 * are.  who: as for ledger_put(), but for the state.
 */
int repair_step(const struct repair_step *x, struct history *h,
	const struct set *s, const struct ledger *l,
	const struct ledger_entry *who, struct err *e);

#endif
