/* op_gen_postgresql: templates of mig-gen in PostgreSQL's words. */
#ifndef OP_OP_GEN_POSTGRESQL_H
#define OP_OP_GEN_POSTGRESQL_H

#include "base/buf.h"

struct op_gen_options;

/* Each appends to up and down.  An index runs in no transaction. */
void op_gen_postgresql_index(const struct op_gen_options *p, struct buf *up,
	struct buf *down);
void op_gen_postgresql_table(const struct op_gen_options *p, struct buf *up,
	struct buf *down);

/* One column, to up or down (either may be NULL). */
void op_gen_postgresql_column(const struct op_gen_options *p,
	const char *column, const char *name, struct buf *up,
	struct buf *down);

/* Two migrations: the key NOT VALID, then its validation. */
void op_gen_postgresql_key(const struct op_gen_options *p, struct buf *up,
	struct buf *down, struct buf *up2, struct buf *down2);

#endif
