/*
 * secure: a verified backup of this database, or no.  Found among those that
 * are there, or taken and verified now.
 */
#ifndef OP_SECURE_H
#define OP_SECURE_H

#include <stdint.h>

#include "backup/receipt.h"

struct db;
struct err;
struct op;
struct part_backup;

/* Where the backup may come from. */
struct secure {
	const char *archive; /* exactly this one (a document named it) */
	const char *manifest; /* which must have this digest */
	int64_t max_age_s;
	int fresh; /* 1: never an older one, take it now */
	int safety; /* mark it as taken before a way back */
	int no_check; /* of the source, which may be damaged */
};

/*
 * Fill part (zeroed) and r.  ERR_REFUSED when the named archive does not
 * bind; else as create and verify say.  Gives the contents of both.
 */
int secure_backup(struct part_backup *part, struct receipt *r,
	const struct op *o, struct db *d, const struct secure *s,
	struct err *e);

#endif
