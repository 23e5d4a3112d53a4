/* set: the migrations of a folder, in the order of their versions. */
#ifndef MIGRATION_SET_H
#define MIGRATION_SET_H

#include <stddef.h>

#include "base/strs.h"
#include "migration/migration.h"

struct err;

struct set {
	char *folder;
	struct migration *v;
	size_t n;
	struct strs ignored; /* .sql files that are not migrations */
};

/*
 * Read a folder.  A missing folder is ERR_USAGE "no-folder", never an empty
 * set; two files of one version, or half a pair, are ERR_USAGE "migration".
 * Gives out's contents: set_free().
 */
int set_read(struct set *out, const char *folder, struct err *e);
void set_free(struct set *s);

/* The migration of that version (by value: 7 is 007), or NULL.  Borrowed. */
const struct migration *set_find(const struct set *s, const char *version);

#endif
