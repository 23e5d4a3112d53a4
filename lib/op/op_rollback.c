/* op_rollback: back by down scripts, behind a backup of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/receipt.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/driver.h"
#include "doc/doc_rollback.h"
#include "guard/loss.h"
#include "guard/sanity.h"
#include "migration/script.h"
#include "migration/text.h"
#include "op/op_rollback_part.h"
#include "op/run.h"
#include "op/secure.h"

static int
forecast(struct back *b, struct err *e)
{
	struct part_planned *plan = b->out->plan.items;
	struct err first;
	size_t i;
	int refused = 0;

	for (i = 0; i < b->n; i++) {
		struct migration_part *part = &b->v[i].down;
		struct strs rebuilds = { 0 }, allow = { 0 };
		struct script s;
		size_t k, left;
		int bad;

		if (script_of_part(part, db_rules(b->s.db), &s, e) == -1)
			return err_wrap(e, "down of migration %s",
				b->v[i].version);
		plan[i].statements = (int64_t)s.n;
		if (db_can(b->s.db, DB_CAP_REBUILD))
			script_rebuilds(&s, &rebuilds);
		for (k = 0; k < part->rebuilds.n && db_can(b->s.db,
			DB_CAP_REBUILD); k++)
			strs_add_once(&rebuilds, part->rebuilds.v[k]);
		bad = sanity_script(part, &s, db_rules(b->s.db), e) == -1 ||
			loss_forecast(&plan[i].losses, b->s.db, &s, &rebuilds,
				e) == -1;
		strs_free(&rebuilds);
		script_free(&s);
		if (bad) {
			text_hide(part, e);
			return -1;
		}
		loss_allow(&allow, b->s.db, &part->allow_loss);
		left = loss_judge(&plan[i].losses, &allow, db_rules(b->s.db));
		strs_free(&allow);
		if (left > 0 && !b->p->accept_loss && !refused) {
			loss_refuse(&plan[i].losses, "--accept-loss for",
				&first);
			text_hide(part, &first);
			err_wrap(&first, "the down of migration %s (%s)",
				b->v[i].version, b->v[i].name);
			err_next(&first, "if that is meant, use --accept-loss; "
				"what it loses stays in the backup taken "
				"before");
			refused = 1;
		}
	}
	if (refused)
		*e = first;
	return refused ? -1 : 0;
}

static int
confirm(struct back *b, struct err *e)
{
	char text[256];

	if (b->o->confirm == NULL)
		return 0;
	snprintf(text, sizeof(text), "Roll back %zu migration%s of '%s'?",
		b->n, b->n == 1 ? "" : "s", db_name(b->s.db));
	return b->o->confirm(b->o->arg, text, e);
}

static int
take_backup(struct back *b, struct err *e)
{
	struct secure s = { .max_age_s = 3600, .fresh = 1, .safety = 1 };
	struct receipt r;

	b->out->safety = mem_alloc(sizeof(*b->out->safety));
	if (secure_backup(b->out->safety, &r, b->o, b->s.db, &s, e) == -1) {
		free(b->out->safety);
		b->out->safety = NULL;
		return -1;
	}
	shape_release(&receipt_shape, &r);
	return 0;
}

/* What is the newest when the first n of them are undone; NULL: nothing. */
static const char *
version_left(const struct back *b, size_t n)
{
	size_t i, k = 0;

	for (i = b->row_n; i > 0; i--) {
		if (k == n || b->of[k] != i - 1)
			return b->rows[i - 1]->version;
		k++;
	}
	return NULL;
}

static int
undo_all(struct back *b, struct err *e)
{
	const struct strs none = { 0 };
	char *me = ledger_me();
	struct run r = { .db = b->s.db, .history = &b->s.history, .tool = b->o->tool, .by = me,
		.report = b->o->report,
		.allow = &none, .allow_all = b->p->accept_loss,
		.option = "--accept-loss for", .down = 1,
		.ledger = b->s.ledger.there, .backup = b->out->safety->id };
	struct err second;
	size_t i;
	int result = 0;

	for (i = 0; i < b->n && result == 0; i++) {
		struct part_done *done = shape_list_add(&b->out->done,
			&part_done_shape);

		r.last = i + 1 == b->n;
		r.before = version_left(b, i + 1);
		r.recorded = b->rows[b->of[i]]->version;
		result = stop_check(e);
		if (result == 0)
			result = run_migration(done, &b->v[i], &r, e);
		r.ledger |= result == 0;
		if (result == 0)
			continue;
		b->out->done.n--;
		shape_release(&part_done_shape, done);
		if (e->code == ERR_REFUSED && b->out->done.n > 0)
			e->code = ERR_FAILED;
		if (e->code == ERR_FAILED &&
			run_note_failure(b->s.db, &b->v[i], &r, e, &second) ==
				-1)
			report_say(b->o->report, REPORT_WARN,
				"the failure could not be written to the "
				"ledger: %s", second.text);
	}
	free(me);
	return result;
}

/* What is applied now, after some were undone. */
static void
set_current(struct back *b)
{
	free(b->out->current);
	b->out->current = mem_dup(version_left(b, b->out->done.n));
}

static int
work(struct back *b, struct err *e)
{
	int result;

	/* The ledger has the texts: the folder may be gone. */
	if (op_state_open(&b->s, b->o, b->p->dry_run ? DB_READ : DB_WRITE, 0,
		&b->out->database, e) == -1)
		return -1;
	result = op_rollback_choose(b, e);
	set_current(b);
	if (result == -1)
		return -1;
	if (b->n == 0) {
		b->out->result = "nothing";
		return 0;
	}
	if (forecast(b, e) == -1)
		return -1;
	if (b->p->dry_run) {
		b->out->result = "planned";
		return 0;
	}
	if (confirm(b, e) == -1 || take_backup(b, e) == -1)
		return -1;
	result = undo_all(b, e);
	set_current(b);
	if (result == 0)
		b->out->result = "done";
	return result;
}

int
op_rollback(struct doc_rollback *out, const struct op *o,
	const struct op_rollback_options *p, struct err *e)
{
	struct back b = { .out = out, .o = o, .p = p };
	int64_t start = clock_ms();
	size_t i;
	int result;

	out->tool = mem_dup(o->tool);
	out->mode = "down";
	out->result = "failed";
	result = work(&b, e);
	out->duration_ms = clock_ms() - start;
	for (i = 0; i < b.n; i++)
		migration_free(&b.v[i]);
	free(b.v);
	free(b.of);
	free(b.rows);
	op_state_close(&b.s);
	return result;
}
