/* set: the migrations of a folder, in the order of their format. */
#ifndef MIGRATION_SET_H
#define MIGRATION_SET_H

#include <stddef.h>

#include "base/strs.h"
#include "migration/migration.h"

struct err;
struct format;

/* A version that a migration stands for (mig-gen --squash). */
struct set_replaced {
	const char *version;
	const struct migration *by;
};

/* A migration that comes after a version which no file has. */
struct set_orphan {
	const struct migration *m;
	const char *parent;
};

struct set {
	const struct format *format;
	char *folder;
	struct migration *v; /* each behind those that it comes after */
	int graph; /* some say what they come after (graph.h) */
	struct migration **by_version; /* for set_find() */
	size_t n;
	struct set_replaced *replaced; /* by version */
	size_t replaced_n;
	struct set_orphan *orphans; /* graph_judge() */
	size_t orphan_n;
	struct strs ignored; /* .sql files that are not migrations */
};

struct values;

/*
 * Read a folder by a format; NULL: mig's own.  engine: of the database, "sqlite" or
 * "postgresql", where a format has files for each; NULL: not known.  values: for
 * placeholders; may be NULL.  A missing folder is ERR_USAGE
 * "no-folder", never an empty set; two files of one version are ERR_USAGE
 * "duplicate", half a pair "migration"; graph_order() tells more.  Gives out's
 * contents: set_free().
 */
int set_read(struct set *out, const char *folder, const struct format *format,
	const char *engine, const struct values *values, struct err *e);
void set_free(struct set *s);

/* The migration of that version, by the format's rule, or NULL.  Borrowed. */
const struct migration *set_find(const struct set *s, const char *version);

/*
 * The same for a version that a person names: not a repeatable one, which has no
 * place in the order.  NULL: ERR_USAGE "version".
 */
const struct migration *set_named(const struct set *s, const char *version,
	struct err *e);

/* The migration that stands for that version, or NULL.  Borrowed. */
const struct migration *set_replaced(const struct set *s,
	const char *version);

/* The last that has a version of its own, or NULL.  Borrowed. */
const struct migration *set_head(const struct set *s);

/* The one with the highest version of all such, or NULL.  Borrowed. */
const struct migration *set_newest(const struct set *s);

/*
 * 1: the file of m has that checksum of the format's own tool; 2: but for its
 * line ends; 0: it has another one; -1: it cannot be read.
 */
int set_same_sum(const struct set *s, const struct migration *m,
	const char *sum, struct err *e);

#endif
