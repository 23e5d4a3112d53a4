/* op_squash_part: what the rooms of a squash share. */
#ifndef OP_OP_SQUASH_PART_H
#define OP_OP_SQUASH_PART_H

#include "base/buf.h"
#include "base/strs.h"
#include "migration/set.h"

struct db;
struct doc_generation;
struct err;
struct op;

struct squash {
	struct doc_generation *out;
	const struct op *o;
	struct buf title; /* of the file */
	struct set set;
	const struct migration *last;
	char *marks; /* those that become one */
	char *text; /* of the file */
	struct strs roles; /* of the server that they are for */
	size_t replaced, squashed; /* versions that it stands for; lines of that word */
	char *name, *folder; /* of the file; where the old ones go */
};

/*
 * What is tried on a scratch database is no failure of a migration, but ERR_REFUSED
 * "squash".  -1.
 */
int op_squash_not_possible(struct err *e, const char *what);

/* What makes the database, with the directives behind it: q->text. */
void op_squash_write_text(struct squash *q, const char *sql);

/*
 * The file as mig will read it: a line of a row's text may look like a marker or
 * a directive.  Gives set's contents: set_free().
 */
int op_squash_read_back(struct squash *q, struct set *set, struct err *e);

/*
 * The new one is written beside the old ones, in the folder for them, and takes
 * its place at the end: a run that dies between leaves all files in the two.
 */
int op_squash_exchange(struct squash *q, struct err *e);

/* The statements that make the database again.  Gives *out. */
int op_squash_dump(struct db *d, char **out, struct err *e);

/* The beginnings of lines that are not the same in two dumps, each once. */
void op_squash_differing(const char *a, const char *b, struct strs *out);

#endif
