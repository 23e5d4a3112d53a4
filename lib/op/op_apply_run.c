/* op_apply_run: the migrations of a plan, with the hooks around them. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "doc/doc_apply.h"
#include "migration/script.h"
#include "op/op_apply_part.h"
#include "op/op_hook.h"
#include "op/op_triage.h"

void
op_apply_current(struct apply *a, const char *version)
{
	free(a->out->current);
	a->out->current = mem_dup(version);
}

/* What was applied stays so: the run ends there. */
static int
hook_each(struct apply *a, enum op_hook hook, const struct migration *m,
	struct err *e)
{
	a->out->result = "planned";
	if (op_hook_run(a->o, hook, a->out, m->version, e) == 0) {
		a->out->result = "failed";
		return 0;
	}
	a->out->result = "failed";
	if (strcmp(e->reason, "hook") == 0)
		e->code = a->out->applied.n > 0 ? ERR_FAILED : ERR_REFUSED;
	return -1;
}

/* As the engine and the format cut it, the values of placeholders aside. */
static int
cut(const struct apply *a, const struct migration *m, char *text,
	struct script *out, struct err *e)
{
	struct migration_part part = m->up;

	part.text = text;
	part.run = part.unfilled = NULL;
	part.placeholders = TEXT_NONE;
	part.pieces = NULL;
	part.piece_n = 0;
	return script_of_part(&part, db_rules(a->s.db), out, e);
}

/*
 * The statements that are done, by their number, must be those that the file
 * begins with: else the wrong ones would be passed over.
 */
static int
check_begun(const struct apply *a, const struct migration *m, int64_t done,
	struct err *e)
{
	struct script was = { 0 }, now = { 0 };
	char *up, *down;
	int64_t i = 0;
	int result = ledger_texts(a->s.db, ledger_find(&a->s.ledger,
		m->version)->version, &up, &down, e);

	if (result == 0 && up != NULL && strcmp(up, m->up.text) != 0) {
		if (cut(a, m, up, &was, e) == -1 || cut(a, m, m->up.text, &now,
			e) == -1)
			result = -1;
		while (i < done && i < (int64_t)was.n && i < (int64_t)now.n &&
			was.v[i].n == now.v[i].n && memcmp(was.v[i].text,
				now.v[i].text, was.v[i].n) == 0)
			i++;
		if (result == 0 && i < done && i < (int64_t)was.n) {
			result = err_set(e, ERR_REFUSED, "failed", "migration "
				"%s: %lld of its statements are done, and the "
				"file has another one, or none, at number %lld",
				m->version, (long long)done, (long long)i + 1);
			err_next(e, "put those that are done back as they "
				"were, at the beginning: mig-status "
				"--repair-plan");
		}
	}
	script_free(&was);
	script_free(&now);
	free(up);
	free(down);
	return result;
}

/* What is known of it from before: where it goes on, and what it was. */
static int
look_back(struct apply *a, struct run *r, const struct migration *m,
	struct err *e)
{
	const struct ledger_row *row = ledger_find(&a->s.ledger, m->version);
	int64_t all;
	int told;

	/* One that is resumed has the backup from before its first try as its way back. */
	r->backup = row != NULL && strcmp(row->state, "applied") != 0 &&
		row->backup != NULL ? row->backup : a->out->backup == NULL ?
		NULL : a->out->backup->id;
	/* One that ran to its end, and runs again, begins anew. */
	r->skip = 0;
	if (row != NULL && strcmp(row->state, "applied") != 0 &&
		op_triage_statements(a->s.db, a->o, row, &r->skip, &all, &told,
			e) == -1)
		return -1;
	if (r->skip > 0 && check_begun(a, m, r->skip, e) == -1)
		return -1;
	if (row != NULL && r->skip > row->statements && a->p->resume)
		report_say(a->o->report, REPORT_NOTE, "migration %s: %lld of "
			"its statements are done, as the schema says",
			m->version, (long long)r->skip);
	r->recorded = row == NULL ? NULL : row->version;
	r->rehearsed = op_apply_rehearsed(a, m);
	r->again = version_is_repeatable(m->version) || row != NULL ||
		ledger_find_stale(&a->s.ledger, m->version) != NULL;
	return 0;
}

static int
apply_one(struct apply *a, struct run *r, const struct migration *m,
	struct err *e)
{
	struct part_done *done;
	const struct migration *before;
	struct err second;

	if (look_back(a, r, m, e) == -1) {
		if (e->code == ERR_REFUSED && a->out->applied.n > 0)
			e->code = ERR_FAILED;
		return -1;
	}
	done = shape_list_add(&a->out->applied, &part_done_shape);
	if (run_migration(done, m, r, e) == 0) {
		r->ledger = 1;
		before = a->out->current == NULL ? NULL :
			set_find(&a->s.set, a->out->current);
		if ((before == NULL || m > before) &&
			!version_is_repeatable(m->version))
			op_apply_current(a, m->version);
		return 0;
	}
	a->out->applied.n--;
	shape_release(&part_done_shape, done);
	if (e->code == ERR_REFUSED && a->out->applied.n > 0)
		e->code = ERR_FAILED;
	if (e->code == ERR_FAILED &&
		run_note_failure(a->s.db, m, r, e, &second) == -1)
		report_say(a->o->report, REPORT_WARN,
			"the failure could not be written to the ledger: %s",
			second.text);
	return -1;
}

static int
apply_hooked(struct apply *a, struct run *r, const struct migration *m,
	struct err *e)
{
	if (hook_each(a, HOOK_BEFORE_EACH, m, e) == -1 ||
		apply_one(a, r, m, e) == -1)
		return -1;
	return hook_each(a, HOOK_AFTER_EACH, m, e);
}

/* Failed or interrupted, so that --resume goes on with it. */
static int
is_open(const struct apply *a, const struct migration *m)
{
	const struct ledger_row *row = ledger_find(&a->s.ledger, m->version);

	return row != NULL && strcmp(row->state, "applied") != 0;
}

int
op_apply_all(struct apply *a, const struct run_trace *trace, struct err *e)
{
	char *me = ledger_me();
	struct run r = { .db = a->s.db, .history = &a->s.history, .tool = a->o->tool, .by = me,
		.report = a->o->report, .allow = &a->p->allow, .option = "--allow-loss",
		.ledger = a->s.ledger.there,
		.trace = trace, .allow_all = trace != NULL };
	size_t i, left = 0;
	int result = 0;

	/* A repeatable one that is resumed is pending, too, and runs once. */
	for (i = 0; i < a->plan.n; i++)
		left += !(a->p->resume && is_open(a, a->plan.pending[i]));
	if (a->p->no_backup)
		r.note = "--no-backup";
	for (i = 0; i < a->s.ledger.n && result == 0 && a->p->resume; i++) {
		const struct migration *m = set_find(&a->s.set,
			a->s.ledger.v[i].version);

		r.last = left == 0;
		if (strcmp(a->s.ledger.v[i].state, "applied") == 0)
			continue;
		if (m == NULL) {
			err_set(e, ERR_REFUSED, "missing",
				"migration %s is to be resumed, but its file "
				"is gone", a->s.ledger.v[i].version);
			result = err_next(e, "bring the file back");
		} else if (m->up.replaces.n > 0) {
			err_set(e, ERR_REFUSED, "squash", "migration %s is to be "
				"resumed, and its file was squashed",
				m->version);
			result = err_next(e, "resume it with the files from "
				"before the squash");
		} else {
			result = apply_hooked(a, &r, m, e);
		}
	}
	for (i = 0; i < a->plan.n && result == 0; i++) {
		if (a->p->resume && is_open(a, a->plan.pending[i]))
			continue;
		r.last = --left == 0;
		result = stop_check(e);
		if (result == 0)
			result = apply_hooked(a, &r, a->plan.pending[i], e);
	}
	free(me);
	return result;
}

void
op_apply_tell_failure(struct apply *a, const struct err *e)
{
	struct doc_error error = { 0 };
	struct err second;

	doc_error_fill(&error, a->o->tool, a->o->program, e);
	a->out->error = &error;
	if (op_hook_run(a->o, HOOK_FAILURE, a->out, NULL, &second) == -1)
		report_say(a->o->report, REPORT_WARN, "%s", second.text);
	a->out->error = NULL;
	shape_release(&doc_error_shape, &error);
}

int
op_apply_run(struct apply *a, struct err *e)
{
	a->out->result = "planned";
	if (op_hook_run(a->o, HOOK_BEFORE, a->out, NULL, e) == -1) {
		a->out->result = "failed";
		if (strcmp(e->reason, "hook") == 0)
			e->code = ERR_REFUSED;
		op_apply_tell_failure(a, e);
		return -1;
	}
	a->out->result = "failed";
	if (op_apply_backup(a, e) == -1 || db_blocked(a->s.db, &a->tables,
		e) == -1 || op_apply_all(a, NULL, e) == -1) {
		op_apply_tell_failure(a, e);
		return -1;
	}
	a->out->result = "applied";
	/* All is done: the status says only that the hook is not. */
	if (op_hook_run(a->o, HOOK_AFTER, a->out, NULL, e) == 0)
		return 0;
	op_apply_tell_failure(a, e);
	return -1;
}
