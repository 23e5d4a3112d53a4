/* plan_part: what the rooms of a plan share. */
#ifndef MIGRATION_PLAN_PART_H
#define MIGRATION_PLAN_PART_H

#include "migration/plan.h"

/* One more, without text.  Borrowed from p, until the next. */
struct plan_problem *plan_problem(struct plan *p, enum plan_problem_kind kind,
	const char *version);

/* How many of those that m stands for are applied. */
size_t plan_squashed_count(const struct ledger *l, const struct migration *m);

/* All, none, or the squashed one itself: else the rest was never run. */
void plan_look_at_squashed(struct plan *p, const struct set *s,
	const struct ledger *l);

#endif
