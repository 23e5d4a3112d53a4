/* op_scratch: migrations tried on an empty database that is thrown away. */
#ifndef OP_OP_SCRATCH_H
#define OP_OP_SCRATCH_H

struct db;
struct err;
struct migration;
struct op;

/* A new empty database of the kind that o names.  Gives: db_close(). */
int op_scratch_open(struct db **out, const struct op *o, struct err *e);

/*
 * The roles of the server that the migrations are for, on the scratch one, if they can
 * be had: migrations name them.
 */
int op_scratch_roles(struct db *d, const struct op *o, struct err *e);

/* Run m there, whatever it loses. */
int op_scratch_run(struct db *d, const struct op *o, const struct migration *m,
	int down, struct err *e);

#endif
