/* op_gen: write migrations, record a baseline, check a folder. */
#ifndef OP_OP_GEN_H
#define OP_OP_GEN_H

#include "base/strs.h"
#include "op/op.h"

struct doc_generation;
struct err;

struct op_gen_options {
	const char *title; /* "add users table" */
	const char *template; /* blank, add_table, ... */
	const char *table;
	struct strs columns;
	const char *references; /* "parent" or "parent(column)" */
	const char *on_delete;
	int unique;
	int merge; /* after all heads; the title may be NULL */
};

/*
 * The table of "parent" or "parent (column)"; the caller frees it.
 * *column points into it, and is NULL where none is named.
 */
char *op_gen_reference(const char *references, const char **column);

/* Write one migration file.  Makes the folder if it is not there. */
int op_gen(struct doc_generation *out, const struct op *o,
	const struct op_gen_options *p, struct err *e);

/* Record every migration up to version as applied, without running it. */
int op_baseline(struct doc_generation *out, const struct op *o,
	const char *version, struct err *e);

/*
 * Make one migration of version and all that it stands on, proved to make the
 * same database, and move their files away.  title NULL: "baseline".
 * ERR_REFUSED "squash": it cannot be done; no file was touched.
 */
int op_squash(struct doc_generation *out, const struct op *o,
	const char *version, const char *title, struct err *e);

/*
 * Check a folder: every up and down runs on an empty copy and leads back.
 * The findings are in out; the answer is the caller's.
 */
int op_validate(struct doc_generation *out, const struct op *o,
	struct err *e);

#endif
