/* op_backup: one backup, taken and read back. */
#ifndef OP_OP_BACKUP_H
#define OP_OP_BACKUP_H

#include "op/op.h"

struct doc_backup;
struct err;

struct op_backup_options {
	const char *to; /* a path; NULL: a name in the backups folder */
	int fd; /* a stream; -1: none */
	int no_check;
	int spool;
};

int op_backup(struct doc_backup *out, const struct op *o,
	const struct op_backup_options *p, struct err *e);

#endif
