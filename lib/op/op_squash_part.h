/* op_squash_part: what the rooms of a squash share. */
#ifndef OP_OP_SQUASH_PART_H
#define OP_OP_SQUASH_PART_H

struct db;
struct err;
struct strs;

/* The statements that make the database again.  Gives *out. */
int op_squash_dump(struct db *d, char **out, struct err *e);

/* The beginnings of lines that are not the same in two dumps, each once. */
void op_squash_differing(const char *a, const char *b, struct strs *out);

#endif
