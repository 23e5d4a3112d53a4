/* op_status: where a database stands.  Writes nothing. */
#ifndef OP_OP_STATUS_H
#define OP_OP_STATUS_H

#include <stdint.h>

#include "op/op.h"

struct doc_status;
struct err;

struct op_status_options {
	int history, backups, graph, repairs;
	int check; /* the answer is an exit status: nothing is left away */
	int64_t max_age_s;
};

int op_status(struct doc_status *out, const struct op *o,
	const struct op_status_options *p, struct err *e);

#endif
