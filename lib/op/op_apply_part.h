/* op_apply_part: what the files of mig-apply share. */
#ifndef OP_OP_APPLY_PART_H
#define OP_OP_APPLY_PART_H

#include <stddef.h>

#include "migration/plan.h"
#include "op/op_apply.h"
#include "op/op_state.h"
#include "op/run.h"

struct receipt;

struct apply {
	struct doc_apply *out;
	const struct op *o;
	struct op_apply_options *p;
	struct op_state s;
	struct plan plan;
	struct strs tables; /* that the plan is about */
};

/* "Apply 2 migrations to 'app'?": a person's yes, where one is asked. */
int op_apply_confirm(struct apply *a, const char *verb, size_t n,
	const char *what, const char *to, struct err *e);

/* What the document says that the database is at. */
void op_apply_current(struct apply *a, const char *version);

/* The verified backup, and what was written since. */
int op_apply_backup(struct apply *a, struct err *e);

/*
 * The rehearsal that the receipt r of that archive holds, if it is of this plan, or
 * a new one.  0 when it has passed; ERR_REFUSED "rehearsal".
 */
int op_apply_rehearse(struct apply *a, struct receipt *r, struct err *e);

/*
 * A new one, of the plan or of the command, into the document; and into the receipt r,
 * with what op_apply_rehearse() returns.
 */
int op_apply_rehearse_now(struct apply *a, struct err *e);
int op_apply_rehearse_keep(struct apply *a, struct receipt *r, struct err *e);

/* What the rehearsal proved of a migration: a fingerprint, or NULL. */
const char *op_apply_rehearsed(const struct apply *a,
	const struct migration *m);

/*
 * op_apply_run.c: backup and plan, between the hooks.  A failure is told to the
 * hook for it.
 */
int op_apply_run(struct apply *a, struct err *e);

/* The plan, migration by migration; trace NULL: nobody looks on. */
int op_apply_all(struct apply *a, const struct run_trace *trace,
	struct err *e);

/* What the scripts say that they would lose; -1 when that is not allowed. */
int op_apply_forecast(struct apply *a, struct err *e);

/* The hook gets the error as the document has it; its own is only said. */
void op_apply_tell_failure(struct apply *a, const struct err *e);

/* ERR_USAGE or ERR_REFUSED unless the document, if there is one, is a proof. */
int op_apply_document(const struct apply *a, struct err *e);

/* ERR_USAGE: what is for migrations and what is for a command, at once. */
int op_guard_check(const struct op_apply_options *p, struct err *e);

/* op_guard.c: another tool's command, instead of a plan. */
int op_guard(struct apply *a, struct err *e);

/* Its rehearsal, if one is asked for: as op_apply_rehearse(). */
int op_guard_rehearse(struct apply *a, struct receipt *r, struct err *e);

/* op_guard_words.c: what is shown of a command: no word that may be a secret.  Gives. */
char *op_guard_words(const char *const *argv);

/* The url of a copy in the form that like has, for another program.  Gives. */
char *op_guard_url(const char *copy, const char *like);

/* op_repair.c: the records, instead of the pending migrations. */
int op_repair(struct apply *a, struct err *e);

#endif
