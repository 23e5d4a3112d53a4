/* op_scratch: migrations tried on an empty database that is thrown away. */
#ifndef OP_OP_SCRATCH_H
#define OP_OP_SCRATCH_H

struct db;
struct err;
struct migration;
struct op;
struct strs;

/* A new empty database of the kind that o names.  Gives: db_close(). */
int op_scratch_open(struct db **out, const struct op *o, struct err *e);

/*
 * The roles of the server that the migrations are for, as SQL writes them, if they can
 * be had: migrations name them.  Gives out's contents.
 */
int op_scratch_roles(struct strs *out, const struct op *o, struct err *e);

/* Make them on a scratch server. */
int op_scratch_make(struct db *d, const struct strs *roles, struct err *e);

/* Run m there, whatever it loses. */
int op_scratch_run(struct db *d, const struct op *o, const struct migration *m,
	int down, struct err *e);

#endif
