/*
 * op_state: what every verb begins with: the database, its runner's lock, the
 * format of the migrations, the files, and what is applied.
 */
#ifndef OP_OP_STATE_H
#define OP_OP_STATE_H

#include "db/db.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "op/op.h"

struct lock;

struct op_state {
	struct db *db;
	struct lock *lock;
	struct history history;
	struct set set;
	struct ledger ledger;
	int ahead; /* by the caller: the fingerprint may be had while files are read */
	char fingerprint[65]; /* as it was then; empty: not asked for */
};

/*
 * Open; mode DB_WRITE also locks, ours and the other tool's.  identity gets the
 * database's.  folder 0: go on without a folder, and say so.  On failure too:
 * op_state_close().
 */
int op_state_open(struct op_state *s, const struct op *o, enum db_mode mode,
	int folder, struct wire_database *identity, struct err *e);

/* The same on a database that is open already, and stays the caller's. */
int op_state_read(struct op_state *s, struct db *d, const struct op *o,
	int folder, struct wire_database *identity, struct err *e);
void op_state_release(struct op_state *s);
void op_state_close(struct op_state *s);

/* The newest applied version, for a backup.  arg: struct op.  Gives *out. */
int op_state_current(void *arg, struct db *d, char **out, struct err *e);

#endif
