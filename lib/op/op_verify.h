/* op_verify: one archive, proved, with its receipt. */
#ifndef OP_OP_VERIFY_H
#define OP_OP_VERIFY_H

#include "backup/verify.h"
#include "op/op.h"

struct doc_backup;
struct doc_verification;
struct err;
struct op_apply_options;

struct op_verify_options {
	const char *path; /* NULL: the stream fd */
	int fd;
	enum verify_level level;
	const char *scratch; /* folder; may be NULL */
	const struct op_apply_options *rehearse; /* the plan; NULL: none is made */
	int64_t sample; /* of the rehearsal: rows per table; 0: all */
	const struct doc_backup *backup; /* handed in; may be NULL.  Borrowed. */
};

/*
 * Verify.  out, zeroed, is filled when an answer was reached, whether passed
 * (0) or failed (-1 with ERR_DAMAGE); other failures leave it empty.
 */
int op_verify(struct doc_verification *out, const struct op *o,
	const struct op_verify_options *p, struct err *e);

/* The newest archive of the database o->url.  Gives *path. */
int op_verify_latest(const struct op *o, char **path, struct err *e);

#endif
