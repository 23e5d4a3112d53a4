/*
 * op_triage: after a crash or a failure, how far did it come?  The schema as it is
 * is compared with what a rehearsal saw behind each statement.
 */
#ifndef OP_OP_TRIAGE_H
#define OP_OP_TRIAGE_H

#include <stdint.h>

struct db;
struct doc_status;
struct err;
struct ledger;
struct ledger_row;
struct op;

/*
 * The statements of an interrupted migration that are done, as the live schema says:
 * at least what the ledger knows.  A rehearsal of this text is looked for in the
 * receipts of the backups, the newest first.  *told 0: there is none, or it does not tell.
 */
int op_triage_statements(struct db *d, const struct op *o,
	const struct ledger_row *row, int64_t *done, int64_t *all, int *told,
	struct err *e);

/* Fill out->triage, if there is something to be said. */
int op_triage_fill(struct doc_status *out, struct db *d, const struct op *o,
	const struct ledger *l, struct err *e);

/* Whether there is a backup behind which a command ran. */
int op_triage_is_guarded(const struct op *o, int *guarded, struct err *e);

#endif
