/* op_gen_write: a new migration into its folder, as the folder's format has it. */
#ifndef OP_OP_GEN_WRITE_H
#define OP_OP_GEN_WRITE_H

#include <stddef.h>

struct buf;
struct doc_generation;
struct err;
struct format;
struct op;
struct set;

/*
 * Whose migrations the folder holds: named, or as a database that can be asked knows,
 * or by the files.  Static.
 */
int op_gen_format(const struct op *o, const struct format **out, struct err *e);

/*
 * Write up and down as the migration after all of set.  suffix comes behind the
 * title in its name.  out gets the version and the files.  On failure none of
 * its files is left.  ERR_USAGE "format" when mig writes none of that format.
 */
int op_gen_write(struct doc_generation *out, const struct set *set,
	const char *title, const char *suffix, const struct buf *up,
	const struct buf *down, int outside, struct err *e);

/* "add users table" to "add_users_table".  ERR_USAGE: nothing is left of it. */
int op_gen_write_slug(const char *title, struct buf *out, struct err *e);

/* One file, which whoever may read the folder may read.  ERR_REFUSED "exists". */
int op_gen_write_file(const char *path, const char *text, size_t n,
	struct err *e);

#endif
