/* run_judge: the delta of a migration, and whether it may be committed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "doc/part.h"
#include "guard/loss.h"
#include "op/run_part.h"

static void
report_delta(struct part_done *done, const struct db_changes *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct db_change *from = &c->v[i];
		struct part_delta *to;

		if (from->internal || db_is_ours(from->table))
			continue;
		to = shape_list_add(&done->delta, &part_delta_shape);
		to->table = mem_dup(from->table);
		to->before = from->before;
		to->after = from->after;
		to->counted = !from->uncounted;
		to->inserted = from->inserted;
		to->updated = from->updated;
		to->deleted = from->deleted;
		to->cascaded = from->cascaded;
	}
}

static int
judge_rebuilds(struct running *x, struct err *e)
{
	struct db_census after;
	size_t i;

	for (i = 0; i < x->rebuilt_n; i++) {
		if (db_census(x->r->db, x->rebuilt[i].table, 1, &after,
			    e) == -1)
			return -1;
		loss_of_rebuild(&x->done->losses, x->rebuilt[i].table,
			&x->rebuilt[i].before, &after);
		db_census_free(&after);
	}
	return 0;
}

/* Foreign keys were off: they must lead where they led before. */
static int
judge_keys(struct running *x, struct err *e)
{
	char first[256];
	int64_t now;

	if (x->rebuilds.n == 0)
		return 0;
	if (db_dangling(x->r->db, &now, first, sizeof(first), e) == -1)
		return -1;
	if (now <= x->dangling)
		return 0;
	err_set(e, ERR_FAILED, "foreign-keys",
		"the rebuild leaves %" PRId64 " rows whose foreign key leads "
		"nowhere (%" PRId64 " before), the first in %s", now,
		x->dangling, first);
	return err_next(e, "carry every row over that others point to");
}

/* Letter by letter: two tables may differ in nothing but case. */
static int
is_in(const struct strs *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], name) == 0)
			return 1;
	return 0;
}

size_t
run_unallowed(const struct running *x)
{
	return loss_judge(&x->done->losses, &x->allow, db_rules(x->r->db));
}

int
run_judge(struct running *x, struct err *e)
{
	struct shape_list *losses = &x->done->losses;
	struct db_changes changes;
	size_t i, known = x->found.n;
	int result = 0, undone;

	if (db_watch_stop(x->r->db, &changes, e) == -1)
		return -1;
	report_delta(x->done, &changes);
	loss_of_changes(losses, &changes, &x->script);
	undone = changes.undone.n > 0;
	for (i = 0; i < changes.undone.n; i++)
		if (!is_in(&x->found, changes.undone.v[i]))
			strs_add(&x->found, changes.undone.v[i]);
	db_changes_free(&changes);
	if (undone && (x->r->allow_all || run_unallowed(x) == 0)) {
		x->again = x->found.n > known;
		err_set(e, ERR_REFUSED, "loss", "what it drops or empties "
			"without a name cannot be counted beforehand");
		return err_next(e, "name the table in a statement of its own");
	}
	if (judge_rebuilds(x, e) == -1)
		return -1;
	if (run_unallowed(x) > 0 && !x->r->allow_all)
		result = loss_refuse(losses, x->r->option, e);
	return result == -1 ? -1 : judge_keys(x, e);
}
