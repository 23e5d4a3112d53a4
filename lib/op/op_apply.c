/* op_apply: the pending migrations, behind a verified backup. */
#include "op/op_apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc.h"
#include "doc/doc_apply.h"
#include "guard/bind.h"
#include "guard/loss.h"
#include "guard/sanity.h"
#include "migration/script.h"
#include "migration/text.h"
#include "op/op_apply_part.h"
#include "op/op_hook.h"
#include "op/op_rehearse.h"
#include "op/secure.h"

static int
open_all(struct apply *a, struct err *e)
{
	const struct plan_limit limit = { a->p->to, a->p->steps };

	if (op_state_open(&a->s, a->o, a->p->dry_run ? DB_READ : DB_WRITE, 1,
		&a->out->database, e) == -1)
		return -1;
	return plan_make(&a->plan, &a->s.set, &a->s.ledger, &limit, e);
}

/* One migration of the plan: its statements, its losses on live data. */
static int
forecast(struct apply *a, const struct migration *m, struct err *e)
{
	struct part_planned *x = shape_list_add(&a->out->plan,
		&part_planned_shape);
	struct strs rebuilds = { 0 }, allow = { 0 };
	struct script script;
	size_t i;
	int result = -1;

	x->migration = mem_dup(m->version);
	x->name = mem_dup(m->name);
	x->source = "file";
	if (script_of_part(&m->up, db_rules(a->s.db), &script, e) == -1)
		return -1;
	x->statements = (int64_t)script.n;
	for (i = 0; i < script.n; i++) {
		size_t k;

		if (script.v[i].table != NULL)
			strs_add_once(&a->tables, script.v[i].table);
		for (k = 0; k < script.v[i].more.n; k++)
			strs_add_once(&a->tables, script.v[i].more.v[k]);
	}
	if (db_can(a->s.db, DB_CAP_REBUILD))
		script_rebuilds(&script, &rebuilds);
	for (i = 0; i < m->up.rebuilds.n && db_can(a->s.db, DB_CAP_REBUILD); i++)
		strs_add_once(&rebuilds, m->up.rebuilds.v[i]);
	loss_allow(&allow, a->s.db, &m->up.allow_loss);
	loss_allow(&allow, a->s.db, &a->p->allow);
	if (sanity_script(&m->up, &script, db_rules(a->s.db), e) == 0 &&
		loss_forecast(&x->losses, a->s.db, &script, &rebuilds, e) == 0) {
		result = 0;
		if (loss_judge(&x->losses, &allow, db_rules(a->s.db)) > 0) {
			result = loss_refuse(&x->losses, "--allow-loss", e);
			err_wrap(e, "migration %s (%s)", m->version, m->name);
		}
	}
	if (result == -1)
		text_hide(&m->up, e);
	strs_free(&rebuilds);
	strs_free(&allow);
	script_free(&script);
	return result;
}

/*
 * Every forecast is made, so that the plan shows all of them; the first
 * refusal is the answer.
 */
int
op_apply_forecast(struct apply *a, struct err *e)
{
	struct err each;
	size_t i;
	int result = 0;

	for (i = 0; i < a->plan.n; i++)
		if (forecast(a, a->plan.pending[i], &each) == -1 &&
			result == 0) {
			*e = each;
			result = -1;
		}
	return result;
}

int
op_apply_confirm(struct apply *a, const char *verb, size_t n, const char *what,
	const char *to, struct err *e)
{
	char text[256];

	if (a->o->confirm == NULL)
		return 0;
	snprintf(text, sizeof(text), "%s %zu %s%s %s '%s'?", verb, n, what,
		n == 1 ? "" : "s", to, db_name(a->s.db));
	return a->o->confirm(a->o->arg, text, e);
}

/* The document from the pipe: a verification that passed, nothing else. */
int
op_apply_document(const struct apply *a, struct err *e)
{
	const struct doc *d = a->p->document;
	const struct doc_verification *v;

	if (d == NULL)
		return 0;
	if (d->shape != &doc_verification_shape) {
		err_set(e, ERR_USAGE, "document",
			"the document is a %s, not a mig.verification",
			d->shape->kind);
		return err_next(e, "pipe it through mig-verify: mig-backup | "
				   "mig-verify | mig-apply -");
	}
	v = d->body;
	if (strcmp(v->result, "passed") != 0) {
		err_set(e, ERR_REFUSED, "not-verified",
			"the verification in the document has failed");
		return err_next(e, "read the error of mig-verify");
	}
	if (v->path == NULL || v->archive == NULL) {
		err_set(e, ERR_REFUSED, "not-verified",
			"the verification is of a stream, which cannot be "
			"looked at again");
		return err_next(e, "verify the archive as a file");
	}
	return v->rehearsal == NULL ? 0 : op_rehearse_refuse(v->rehearsal, e);
}

int
op_apply_backup(struct apply *a, struct err *e)
{
	/* What would be brought back must hold all that is there now. */
	struct secure s = { .max_age_s = a->p->max_age_s,
		.fresh = a->p->restore_on_failure };
	struct receipt r;
	int result;

	if (a->p->no_backup) {
		a->out->no_backup = 1;
		report_say(a->o->report, REPORT_WARN,
			"NO BACKUP, and no rehearsal: --no-backup was given; "
			"what this run destroys is gone");
		return 0;
	}
	if (a->p->document != NULL) {
		const struct doc_verification *v = a->p->document->body;

		s.archive = v->path;
		s.manifest = v->archive->manifest;
		a->out->verification = mem_alloc(sizeof(*v));
		if (shape_copy(&doc_verification_shape, v,
			    a->out->verification, e) == -1)
			return -1;
	}
	a->out->backup = mem_alloc(sizeof(*a->out->backup));
	if (secure_backup(a->out->backup, &r, a->o, a->s.db, &s, e) == -1) {
		free(a->out->backup);
		a->out->backup = NULL;
		return -1;
	}
	a->out->gap = mem_alloc(sizeof(*a->out->gap));
	result = bind_gap(a->out->gap, &r, a->s.db, e);
	/* A repair changes records; what they stand in the way of would not pass. */
	if (result == 0 && !a->p->repair)
		result = a->p->command != NULL ? op_guard_rehearse(a, &r, e) :
			op_apply_rehearse(a, &r, e);
	shape_release(&receipt_shape, &r);
	if (result == 0 && strcmp(a->out->gap->written, "no") != 0)
		report_say(a->o->report, REPORT_NOTE,
			"the database was written to since that backup (%s)",
			a->out->gap->tables.n > 0 ? "row counts differ" :
				"no row count differs");
	return result;
}

/* Whether an outside migration waits to be resumed. */
static int
has_open(const struct apply *a)
{
	size_t i;

	for (i = 0; i < a->s.ledger.n; i++)
		if (strcmp(a->s.ledger.v[i].state, "applied") != 0)
			return 1;
	return 0;
}

static int
nothing(struct apply *a)
{
	size_t i;

	for (i = 0; i < a->plan.problem_n; i++)
		report_say(a->o->report, REPORT_WARN, "%s; %s",
			a->plan.problems[i].text, a->plan.problems[i].next);
	a->out->result = "nothing";
	return 0;
}

/* What stands in nobody's way, and is to be known. */
static void
say_notes(const struct apply *a)
{
	const struct plan_problem *x = a->plan.problems;

	for (; x < a->plan.problems + a->plan.problem_n; x++)
		if (plan_is_note(x->kind))
			report_say(a->o->report, REPORT_WARN, "%s; %s",
				x->text, x->next);
}

static int
work(struct apply *a, struct err *e)
{
	unsigned allow = a->p->allow_problems |
		(a->p->resume ? SANITY_RESUME : 0);
	int open;

	if (op_guard_check(a->p, e) == -1)
		return -1;
	if (a->p->command != NULL)
		return op_guard(a, e);
	if (op_apply_document(a, e) == -1 || open_all(a, e) == -1)
		return -1;
	op_apply_current(a, a->plan.current);
	if (a->p->repair)
		return op_repair(a, e);
	open = has_open(a);
	if (a->plan.n == 0 && !open)
		return nothing(a);
	if (sanity_history(a->s.db, &a->s.ledger, e) == -1 ||
		sanity_plan(&a->plan, allow, e) == -1 ||
		op_apply_forecast(a, e) == -1)
		return -1;
	say_notes(a);
	if (a->p->dry_run) {
		a->out->result = "planned";
		return 0;
	}
	if (op_hook_check(a->o, e) == -1 || db_blocked(a->s.db, &a->tables,
		e) == -1 || op_apply_confirm(a, "Apply", a->plan.n,
		"migration", "to", e) == -1)
		return -1;
	return op_apply_run(a, e);
}

int
op_apply(struct doc_apply *out, const struct op *o,
	struct op_apply_options *p, struct err *e)
{
	struct apply a = { .out = out, .o = o, .p = p };
	int64_t start = clock_ms();
	int result;

	out->tool = mem_dup(o->tool);
	out->result = "failed";
	result = work(&a, e);
	out->duration_ms = clock_ms() - start;
	plan_free(&a.plan);
	strs_free(&a.tables);
	op_state_close(&a.s);
	doc_free(p->document);
	p->document = NULL;
	return result;
}
