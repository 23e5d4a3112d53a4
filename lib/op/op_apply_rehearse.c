/* op_apply_rehearse: no plan touches the database before it has run on a copy. */
#include <stdlib.h>
#include <string.h>

#include "backup/receipt.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/report.h"
#include "db/db.h"
#include "doc/doc_apply.h"
#include "guard/loss.h"
#include "op/op_apply_part.h"
#include "op/op_rehearse.h"

static void
drop(struct part_rehearsal **x)
{
	if (*x != NULL)
		shape_release(&part_rehearsal_shape, *x);
	free(*x);
	*x = NULL;
}

static const struct part_rehearsed *
find(const struct part_rehearsal *x, const char *version)
{
	const struct part_rehearsed *m = x->migrations.items;
	size_t i;

	for (i = 0; i < x->migrations.n; i++)
		if (strcmp(m[i].migration, version) == 0)
			return &m[i];
	return NULL;
}

/*
 * Whether it is of this plan: the same texts, in this order, from the beginning.
 * It may have gone further.
 */
static int
is_of_plan(const struct part_rehearsal *x, const struct apply *a)
{
	const struct part_rehearsed *m = x->migrations.items;
	size_t i;

	if (x->result == NULL || strcmp(x->result, "passed") != 0 ||
		x->command != NULL || x->migrations.n < a->plan.n ||
		a->p->resume)
		return 0;
	for (i = 0; i < a->plan.n; i++)
		if (strcmp(m[i].migration, a->plan.pending[i]->version) != 0 ||
			strcmp(m[i].checksum, a->plan.pending[i]->checksum) !=
			0)
			return 0;
	return 1;
}

/* It lost things that were allowed then: are they allowed now? */
static int
judge_losses(const struct apply *a, struct err *e)
{
	const struct part_rehearsal *x = a->out->rehearsal;
	size_t i;

	for (i = 0; i < a->plan.n; i++) {
		const struct migration *m = a->plan.pending[i];
		const struct part_rehearsed *was = find(x, m->version);
		struct shape_list losses = was->losses;
		struct strs allow = { 0 };
		size_t left;

		loss_allow(&allow, a->s.db, &m->up.allow_loss);
		loss_allow(&allow, a->s.db, &a->p->allow);
		left = loss_judge(&losses, &allow, db_rules(a->s.db));
		strs_free(&allow);
		if (left > 0) {
			loss_refuse(&losses, "--allow-loss", e);
			return err_wrap(e, "the rehearsal of migration %s (%s)",
				m->version, m->name);
		}
	}
	return 0;
}

int
op_apply_rehearse_now(struct apply *a, struct err *e)
{
	const struct op_rehearse how = { .o = a->o, .p = a->p,
		.scratch = a->p->scratch, .like = a->s.db,
		.sample = a->p->sample };

	a->out->rehearsal = mem_alloc(sizeof(*a->out->rehearsal));
	if (op_rehearse_archive(a->out->rehearsal, &how, a->out->backup->path,
		e) == 0)
		return 0;
	drop(&a->out->rehearsal);
	return -1;
}

int
op_apply_rehearse_keep(struct apply *a, struct receipt *r, struct err *e)
{
	struct err second;

	drop(&r->rehearsal);
	r->rehearsal = a->out->rehearsal;
	if (receipt_write(r, a->out->backup->path, &second) == -1)
		report_say(a->o->report, REPORT_WARN, "the rehearsal could not "
			"be kept: %s", second.text);
	r->rehearsal = NULL;
	return op_rehearse_refuse(a->out->rehearsal, e);
}

int
op_apply_rehearse(struct apply *a, struct receipt *r, struct err *e)
{
	char age[32];

	if (a->p->no_rehearse)
		report_say(a->o->report, REPORT_WARN, "NO REHEARSAL: what the "
			"migrations do is seen on the real database first");
	if (!a->p->rehearse && (r->rehearsal == NULL || a->p->no_rehearse))
		return 0;
	if (r->rehearsal != NULL && is_of_plan(r->rehearsal, a)) {
		a->out->rehearsal = r->rehearsal;
		r->rehearsal = NULL;
		report_say(a->o->report, REPORT_NOTE, "rehearsed %s ago on this "
			"backup", num_time((clock_now() -
			a->out->rehearsal->at) * 1000, age, sizeof(age)));
		return judge_losses(a, e);
	}
	if (!a->p->rehearse) {
		report_say(a->o->report, REPORT_NOTE, "the rehearsal on this "
			"backup was of another plan, or did not pass: the run "
			"is not held to it");
		return 0;
	}
	return op_apply_rehearse_now(a, e) == -1 ? -1 :
		op_apply_rehearse_keep(a, r, e);
}

const char *
op_apply_rehearsed(const struct apply *a, const struct migration *m)
{
	const struct part_rehearsed *was = a->out->rehearsal == NULL ||
		!a->out->rehearsal->comparable ? NULL :
		find(a->out->rehearsal, m->version);

	return was == NULL ? NULL : was->fingerprint;
}
