/* op_guard_part: what the files of a guarded command share. */
#ifndef OP_OP_GUARD_PART_H
#define OP_OP_GUARD_PART_H

#include "backup/journal.h"
#include "doc/doc_apply.h"
#include "op/op_apply_part.h"
#include "op/op_census.h"

struct guarded {
	struct apply *a;
	struct part_command *out;
	struct op_census before, after;
	struct strs allow; /* losses, by the names from before */
	char *written; /* before */
	struct journal journal;
	char *path; /* of the journal; NULL: there is none */
};

/*
 * op_guard_fail.c: why says how the command, or what it did, is not as it should be.
 * With --restore-on-failure the backup comes back.  -1, with e for the user.
 */
int op_guard_fail(struct guarded *g, const struct err *why, struct err *e);

/*
 * The rehearsal itself has changed the real database: as if the command had been run
 * there, it is written down, and the backup comes back if that was asked for.
 */
void op_guard_escaped(struct apply *a, struct err *e);

/* op_guard_journal.c: before the command, and what came of it. */
int op_guard_begin(struct guarded *g, struct err *e);
void op_guard_end(struct guarded *g, const char *state);

#endif
