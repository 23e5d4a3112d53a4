/*
 * op_census: every table of a database counted, column by column, and compared with
 * what became of it: for changes that mig does not make itself.
 */
#ifndef OP_OP_CENSUS_H
#define OP_OP_CENSUS_H

#include "db/db.h"

struct part_rehearsal;

struct op_census {
	char fingerprint[65]; /* of the schema */
	char **names; /* of the tables, mig's own left out */
	struct db_census *v;
	size_t n;
	int content; /* the digests are there */
};

/* content 1: with digests of the values.  Gives out's contents. */
int op_census_take(struct op_census *out, struct db *d, int content,
	struct err *e);
void op_census_free(struct op_census *c);

/*
 * Append what differs: effects (struct part_effect) and losses (struct part_loss).
 * known: a rehearsal that knows which columns only have another name; may be NULL.
 */
void op_census_compare(struct shape_list *effects, struct shape_list *losses,
	const struct op_census *before, const struct op_census *after,
	const struct part_rehearsal *known);

#endif
