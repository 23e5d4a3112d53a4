/* op_rehearse_part: what the files of a rehearsal share. */
#ifndef OP_OP_REHEARSE_PART_H
#define OP_OP_REHEARSE_PART_H

#include "db/db_keep.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"
#include "migration/script.h"
#include "op/op_apply_part.h"
#include "op/op_rehearse.h"

/* A table that a file names, as it was before. */
struct seen_table {
	char *asked; /* as the file writes it */
	char *now; /* its name after a RENAME; NULL: the same */
	int rebuilt; /* made anew under its own name */
	int named; /* by the file */
	int counted; /* only counted: larger than the sample */
	struct db_census before;
	struct db_keep keep; /* values that may become others */
};

/* A list of "NAME, number" or of texts, of which two are compared. */
struct seen_list {
	struct strs names;
	int64_t *v;
};

struct rehearse {
	struct part_rehearsal *out;
	const struct op_rehearse *r;
	struct apply a; /* on the copy */
	struct part_rehearsed *now; /* the migration that runs */
	const struct migration *m;
	struct script script;
	struct seen_table *tables;
	size_t tables_n;
	struct seen_list sequences, left;
	struct strs attached; /* op_rehearse_attached() before it */
	struct strs expected; /* that may go without a name */
	struct strs allow; /* losses, by the names from before it */
	struct strs parts; /* tables that belong to one that the file names */
	struct strs schema; /* before it, to compare the way back */
	int64_t begin_us, own_us; /* own: what looking on has cost */
	int64_t statement_us; /* when the statement began */
	int64_t written;
	size_t statements; /* of all migrations */
	size_t statements_before; /* of those before this one */
};

/* Whether the migration was filled with secrets: then its words are not shown. */
static inline int
op_rehearse_is_secret(const struct rehearse *x)
{
	return x->m->up.secrets.n + x->m->down.secrets.n > 0;
}

/* Whether two names are of one thing, by the engine's rules. */
static inline int
op_rehearse_is_name(const struct rehearse *x, const char *a, const char *b)
{
	return lex_same_name(db_rules(x->a.s.db), a, b);
}

/* op_rehearse_plan.c: what is pending, on the copy, and what is said of it. */
int op_rehearse_plan(struct rehearse *x, struct err *e);

/* op_rehearse_look.c: before a migration, after it, and forgetting. */
int op_rehearse_before(struct rehearse *x, struct err *e);
int op_rehearse_after(struct rehearse *x, const struct part_done *done,
	struct err *e);
void op_rehearse_forget(struct rehearse *x);

/* op_rehearse_columns.c: its columns, before and after, into f. */
int op_rehearse_columns(struct rehearse *x, const struct seen_table *t,
	struct part_effect *f, const struct db_census *after, struct err *e);

/*
 * op_rehearse_gone.c: indexes, triggers and views that are there; and those that are
 * gone though no statement drops them, as a rebuild or a CASCADE takes them.
 */
int op_rehearse_attached(struct rehearse *x, struct strs *out, struct err *e);
int op_rehearse_gone(struct rehearse *x, struct err *e);

/* op_rehearse_expect.c: what a text may take unnamed.  Appends each once. */
int op_rehearse_expect(struct rehearse *x, const struct migration_part *part,
	struct strs *out, struct err *e);

/* What the migration leaves undone: it has failed, too, and stays half done. */
int op_rehearse_left(struct rehearse *x, struct err *e);

/* Whether the tables are as they were before: 1, or 0 with words in what. */
int op_rehearse_same(struct rehearse *x, char *what, size_t room,
	struct err *e);

/* Two schemas: 1 when they are the same, or 0 with what differs.  Sorts both. */
int op_rehearse_schema(struct strs *was, struct strs *is, char *what,
	size_t room);

/* op_rehearse_down.c: the way back, tried and undone. */
int op_rehearse_down(struct rehearse *x, struct err *e);

/* op_guard_rehearse.c: a command, instead of a plan. */
int op_rehearse_command(struct part_rehearsal *out,
	const struct op_rehearse *r, struct db *copy, struct err *e);

#endif
