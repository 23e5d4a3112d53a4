/* op_rollback_part: what the files of a way back by down scripts share. */
#ifndef OP_OP_ROLLBACK_PART_H
#define OP_OP_ROLLBACK_PART_H

#include <stddef.h>

#include "op/op_rollback.h"
#include "op/op_state.h"

struct back {
	struct doc_rollback *out;
	const struct op *o;
	const struct op_rollback_options *p;
	struct op_state s;
	const struct ledger_row **rows; /* without those that have no way back */
	size_t row_n;
	int by_moment; /* in the order in which they were applied */
	struct migration *v; /* to be undone, newest first */
	size_t *of; /* of each, its place in rows */
	size_t n;
};

/*
 * op_rollback_choose.c: the rows in the order in which they stand on each other,
 * and which of them are to be undone, with what.  ERR_REFUSED: one has no way
 * back.
 */
int op_rollback_choose(struct back *b, struct err *e);

#endif
