/* op_db: how a verb opens the database that it was told. */
#ifndef OP_OP_DB_H
#define OP_OP_DB_H

#include "db/driver.h"
#include "op/op.h"

/* Everything that op says of the connection.  Borrows from o. */
struct db_options op_db(const struct op *o, enum db_mode mode);

/*
 * Open it.  Where another runner's transaction lets nobody read, that is waited for as
 * its lock is, which can be taken only then: ERR_LOCKED.  Gives *out.
 */
int op_db_open(struct db **out, const struct op *o, enum db_mode mode,
	struct err *e);

/* The engine that the url is of, or NULL: there is none.  Borrowed. */
const char *op_db_engine(const struct op *o);

/*
 * What to call the database that a url leads to, without connecting and without
 * a secret.  Gives, or NULL.
 */
char *op_db_label(const char *url);

#endif
