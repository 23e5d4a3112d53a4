/* op_only: single tables and columns from a backup, beside the live ones. */
#ifndef OP_OP_ONLY_H
#define OP_OP_ONLY_H

struct err;
struct restore;

/* r->p->only says which; lib/op/op_restore.h. */
int op_only(struct restore *r, struct err *e);

#endif
