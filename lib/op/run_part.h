/* run_part: what the files of a migration's run share. */
#ifndef OP_RUN_PART_H
#define OP_RUN_PART_H

#include "db/driver.h"
#include "migration/script.h"
#include "op/run.h"

/* A rebuilt table, as it was just before its DROP. */
struct rebuilt {
	char *table;
	struct db_census before;
};

struct running {
	const struct run *r;
	const struct migration *m;
	const struct migration_part *part;
	struct script script;
	struct strs rebuilds, allow;
	struct strs found; /* goes without a name: db_watch_start() counts it */
	int again; /* it was rolled back to be counted, and may go */
	struct rebuilt *rebuilt;
	size_t rebuilt_n;
	int64_t dangling; /* before; only for a rebuild */
	struct db_census *unchanged; /* one for each expectation; or NULL */
	struct part_done *done;
	const char *failure; /* why, for the ledger */
};

/* run.c: mig's own tables, and the other tool's, are there. */
int run_ensure(struct running *x, struct err *e);

/* The row and the event of the migration; event NULL: none. */
int run_record(struct running *x, const char *state, int64_t statements,
	int64_t start, const char *event, struct err *e);

/* What was told to the other tool is committed, or is not. */
void run_settle(struct running *x, int committed);

/* run_outside.c: in no transaction, the ledger keeping the place. */
int run_outside(struct running *x, struct err *e);

/* run_statements.c: the place, put in front of e's text; return -1. */
int run_at_statement(const struct running *x,
	const struct script_statement *s, struct err *e);
int run_at_migration(const struct running *x, struct err *e);

/* How many of its losses so far nobody allows. */
size_t run_unallowed(const struct running *x);

/* One statement, with what its words say that it is; how: DB_RUN_... */
int run_one(struct running *x, const struct script_statement *s, int how,
	struct err *e);

/*
 * In no transaction: what the first n of its statements have set for the
 * session, once more, for mig's own records between them begin anew.
 */
int run_settings(struct running *x, int64_t n, struct err *e);

/* All of them, in the transaction that is open. */
int run_statements(struct running *x, struct err *e);

/*
 * run_expect.c: before the first statement, behind the last: ERR_FAILED
 * "expectation".
 */
int run_expect_before(struct running *x, struct err *e);
int run_expect_after(struct running *x, struct err *e);
void run_expect_forget(struct running *x);

/* run_judge.c: what really happened, before it is committed. */
int run_judge(struct running *x, struct err *e);

#endif
