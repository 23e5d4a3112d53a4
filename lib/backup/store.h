/* store: the archives in the backups folder. */
#ifndef BACKUP_STORE_H
#define BACKUP_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "archive/manifest.h"

struct err;

struct store_item {
	char *path;
	int64_t bytes;
	int64_t modified_s, modified_ns; /* orders those of one second */
	/*
	 * Why its manifest cannot be read: but for created, by the file's name, that is
	 * empty.  ERR_DAMAGE, or what may be mended.  NULL: it was read.
	 */
	struct err *unread;
	struct manifest manifest;
};

struct store {
	struct store_item *v; /* newest first */
	size_t n;
};

/*
 * The archives of one database (by path, or by id where both are known); d
 * NULL: of all.  A folder that is not there is an empty store.  Gives out's
 * contents: store_free().
 */
int store_list(struct store *out, const char *folder,
	const struct wire_database *d, struct err *e);
void store_free(struct store *s);

/* What the file names of a database's archives begin with.  Gives. */
char *store_name(const struct wire_database *d);

/* Whether an archive's database is d: the same id, or the same path. */
int store_is_of(const struct wire_database *a, const struct wire_database *d);

#endif
