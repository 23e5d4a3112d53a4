/*
 * sanity: the gate before anything else: does what the files, the ledger and
 * the database say fit together, and may these scripts run at all?
 */
#ifndef GUARD_SANITY_H
#define GUARD_SANITY_H

struct db;
#include "db/lex.h"

struct err;
struct ledger;
struct migration_part;
struct plan;
struct script;

#define SANITY_ALLOW_MISSING 1u
#define SANITY_ALLOW_ORDER 2u
#define SANITY_RESUME 4u /* an interrupted migration is to be resumed */

/* ERR_REFUSED with the reason of the first problem that is not allowed. */
int sanity_plan(const struct plan *p, unsigned allow, struct err *e);

/*
 * ERR_REFUSED "foreign-history": the database has the history table of
 * another tool and no ledger of ours; never take that as "all pending".
 */
int sanity_history(struct db *d, const struct ledger *l, struct err *e);

/*
 * ERR_REFUSED "forbidden": a statement that would leave the transaction, or,
 * in a file marked transaction:false, one that should be inside one.
 */
int sanity_script(const struct migration_part *p, const struct script *s,
	enum lex_rules rules, struct err *e);

#endif
