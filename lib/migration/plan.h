/*
 * plan: what the files and the ledger say together: what is pending, in which
 * order, and what does not fit.  It only states; the gates refuse.
 */
#ifndef MIGRATION_PLAN_H
#define MIGRATION_PLAN_H

#include <stddef.h>

struct err;
struct ledger;
struct migration;
struct set;

enum plan_problem_kind {
	PLAN_CHECKSUM, /* an applied file's text has changed */
	PLAN_MISSING, /* an applied file is gone */
	PLAN_ORDER, /* pending, but older than the newest applied */
	PLAN_FAILED, /* failed and left changes */
	PLAN_RUNNING, /* began outside a transaction and did not end */
	PLAN_CODE, /* pending, in a language that mig cannot run */
	PLAN_UNTOLD, /* applied by mig, and the host's table was never told */
	PLAN_UNDONE, /* the host's table lost it since: it is right */
	PLAN_LINES, /* an applied file has other line ends than the host knows */
	PLAN_LATE, /* counts as applied, and may never have run */
	PLAN_HOST, /* failed, as only the host knows: mig does not resume it */
	PLAN_HEADS, /* several that nothing comes after */
	PLAN_PARTIAL /* of those that a squashed one replaces, some are applied */
};

struct plan_problem {
	enum plan_problem_kind kind;
	char *version;
	char *text, *next;
};

struct plan {
	const struct migration **pending; /* Borrowed from the set */
	size_t n;
	struct plan_problem *problems;
	size_t problem_n;
	/*
	 * The version that the database is at: the last in order that is
	 * applied; NULL: none.  Borrowed from the set or the ledger.
	 */
	const char *current;
};

/* Which of the pending ones are wanted. */
struct plan_limit {
	const char *to; /* this version and what it stands on; NULL: all */
	long steps; /* at most so many; 0: no limit */
};

/*
 * Compare.  Keeps s.  ERR_USAGE "version" when limit->to is no migration.
 * Gives out's contents: plan_free().
 */
int plan_make(struct plan *out, const struct set *s, const struct ledger *l,
	const struct plan_limit *limit, struct err *e);
void plan_free(struct plan *p);

/* The stable word of a kind: "checksum"... */
const char *plan_reason(enum plan_problem_kind kind);

/* Whether it is only to be said: nothing stands in the way. */
int plan_is_note(enum plan_problem_kind kind);

#endif
