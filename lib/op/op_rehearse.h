/*
 * op_rehearse: the plan run on the restored backup, up and down, before anybody
 * touches the real database: the restore drill and the rehearsal are one act.
 */
#ifndef OP_OP_REHEARSE_H
#define OP_OP_REHEARSE_H

#include <stdint.h>

#include "op/op_apply.h"

struct db;
struct db_rebuilt;
struct part_rehearsal;
struct verify_result;

struct op_rehearse {
	const struct op *o;
	const struct op_apply_options *p; /* which migrations, what may go */
	const char *scratch; /* a folder, or the url of a server; may be NULL */
	struct db *like; /* the live database; NULL: not at hand */
	int64_t sample; /* rows per table whose values are compared; 0: all */
};

/*
 * Run the plan on a copy of what was rebuilt, which is used up.  out, zeroed, is
 * filled whatever comes of it: out->error says why it did not pass.  -1 only when
 * it could not be made at all (no server here, no space).
 */
int op_rehearse_copy(struct part_rehearsal *out, const struct op_rehearse *r,
	const char *engine, const struct db_rebuilt *from,
	const char *fingerprint, struct err *e);

/* The same with an archive, which is read and rebuilt first. */
int op_rehearse_archive(struct part_rehearsal *out,
	const struct op_rehearse *r, const char *archive, struct err *e);

/* The error of one that did not pass, as a gate says it.  Returns -1. */
int op_rehearse_refuse(const struct part_rehearsal *out, struct err *e);

#endif
