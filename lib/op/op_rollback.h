/* op_rollback: back by down scripts, behind a backup of its own. */
#ifndef OP_OP_ROLLBACK_H
#define OP_OP_ROLLBACK_H

#include "op/op.h"

struct doc_rollback;
struct err;

struct op_rollback_options {
	const char *to; /* roll back all above it; "0": all */
	long steps;
	int dry_run;
	int accept_loss;
};

int op_rollback(struct doc_rollback *out, const struct op *o,
	const struct op_rollback_options *p, struct err *e);

#endif
