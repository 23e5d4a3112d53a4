/* op_apply: the pending migrations, behind a verified backup. */
#ifndef OP_OP_APPLY_H
#define OP_OP_APPLY_H

#include <stdint.h>

#include "base/strs.h"
#include "guard/sanity.h" /* SANITY_ALLOW_... */
#include "op/op.h"

struct doc;
struct doc_apply;
struct err;

struct op_apply_options {
	const char *to;
	long steps;
	int dry_run;
	int no_backup;
	int64_t max_age_s;
	struct strs allow; /* losses */
	unsigned allow_problems; /* SANITY_ALLOW_... */
	int resume;
	int rehearse; /* first on the restored backup */
	int no_rehearse; /* although the policy asks for it: loud */
	const char *scratch; /* where: a folder, or a server's url; NULL */
	int64_t sample; /* of it: rows per table that are compared; 0: all */
	const char *const *command; /* another tool's, instead; NULL: none */
	const char *url_env; /* the variable from which it takes its url */
	int restore_on_failure;
	int repair; /* mend the records, run nothing */
	struct strs repair_applied; /* failed ones that count as applied */
	struct doc *document; /* read from the pipe; NULL: none.  Taken. */
};

/*
 * Run.  out, zeroed, is filled on failure too, as far as it came: the caller
 * shows it when out->applied or the plan says something.
 */
int op_apply(struct doc_apply *out, const struct op *o,
	struct op_apply_options *p, struct err *e);

#endif
