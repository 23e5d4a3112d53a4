/*
 * migration: one versioned change, read from its file or pair of files.
 * mig-migration(5) describes names, markers and directives.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include <stddef.h>

#include "base/strs.h"

struct err;

#define MIGRATION_MAX ((size_t)64 << 20) /* bytes of one file */

/* One direction of a migration. */
struct migration_part {
	char *text; /* NULL: there is none */
	char *file; /* where it stands; NULL: in the ledger */
	int line; /* of the text's first line in the file */
	int outside; /* transaction:false */
	struct strs allow_loss; /* -- mig: allow-loss NAME */
	struct strs rebuilds; /* -- mig: rebuild TABLE */
};

struct migration {
	char *version; /* digits */
	char *name;
	char *checksum; /* of up's text, line ends made equal */
	struct migration_part up, down;
};

/*
 * "20260131_add_users.up.sql" to its parts: 1 if it is a migration's name, 0
 * if not.  side: 'u', 'd' of a pair, or 'b' for one file with both.  Gives
 * *version and *name.
 */
int migration_parse_name(const char *file, char **version, char **name,
	char *side);

/* Read one file into m, whose version and name are set. */
int migration_read(struct migration *m, const char *path, char side,
	struct err *e);

/* Read directives and markers of a part whose text is set (ledger texts). */
int migration_prepare(struct migration_part *p, struct err *e);

/* SHA-256 of the text with line ends as LF and no byte order mark. */
void migration_checksum(const char *text, char out[65]);

void migration_free(struct migration *m);

#endif
