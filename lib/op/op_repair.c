/* op_repair: make the records agree again, behind a verified backup. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_apply.h"
#include "migration/format/format.h"
#include "migration/repair.h"
#include "op/op_apply_part.h"

/*
 * A failure left a schema that nobody has noted, and another tool made its table:
 * what is there now is it.  For a checksum the last note stays, so that a change
 * outside stays visible.
 */
static const char *
fingerprint(struct apply *a, const struct repair *r, char out[65],
	struct err *e)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->v[i].kind != REPAIR_RESTAMP)
			return db_fingerprint(a->s.db, out, e) == -1 ? NULL :
				out;
	return a->s.ledger.fingerprint;
}

/* All of them, or none. */
static int
run(struct apply *a, const struct repair *r, struct err *e)
{
	const struct format *format = a->s.history.format;
	char *me = ledger_me(), now[65];
	const char *id = a->out->backup == NULL ? NULL : a->out->backup->id;
	struct ledger_entry who = { "applied", me, id, a->o->tool,
		format->history == NULL ? NULL : format->shown, 0, 0 };
	struct db *d = a->s.db;
	int result = db_begin(d, 1, e);
	size_t i;

	if (result == -1)
		goto out;
	if (ledger_ensure(d, NULL, e) == -1 ||
		history_ensure(&a->s.history, e) == -1)
		goto back;
	err_clear(e);
	for (i = 0; i < r->n; i++) {
		struct ledger_event note = { 0, "repair", r->v[i].version, me,
			id, NULL, r->v[i].text };

		if (repair_step(&r->v[i], &a->s.history, &a->s.set,
			&a->s.ledger, &who, e) == -1) {
			err_wrap(e, "migration %s", r->v[i].version);
			goto back;
		}
		note.fingerprint = fingerprint(a, r, now, e);
		if (e->code != ERR_NONE || ledger_note(d, &note, e) == -1)
			goto back;
	}
	result = db_commit(d, e);
	history_settle(&a->s.history, result == 0);
	goto out;
back:
	db_rollback(d);
	history_settle(&a->s.history, 0);
	result = -1;
out:
	free(me);
	return result;
}

int
op_repair(struct apply *a, struct err *e)
{
	struct op asked = *a->o;
	struct repair r;
	struct err why;
	size_t i;
	int result = -1;

	if (a->s.history.format->status_only) {
		err_set(e, ERR_REFUSED, "history", "mig reads the history of "
			"%s, and does not write it",
			a->s.history.format->shown);
		return err_next(e, "repair it with that tool");
	}
	if (repair_make(&r, &a->plan, &a->s.set, &a->s.ledger,
		&a->p->repair_applied, e) == -1)
		return -1;
	if (r.asks && a->p->repair_applied.n == 0) {
		repair_free(&r);
		err_set(e, ERR_REFUSED, "failed", "the table of %s says that a "
			"migration failed, and not which way: up, or down from "
			"the one after it", a->s.ledger.host);
		return err_next(e, "look at what is there, and say the version "
			"that the database is at: --repair-applied VERSION, or "
			"0");
	}
	for (i = 0; i < r.n; i++) {
		struct part_repair *x = shape_list_add(&a->out->repairs,
			&part_repair_shape);

		x->migration = mem_dup(r.v[i].version);
		x->action = repair_word(r.v[i].kind);
		x->text = mem_dup(r.v[i].text);
		report_say(a->o->report, REPORT_NOTE, "%s%s",
			a->p->dry_run ? "would " : "", r.v[i].text);
	}
	for (i = 0; i < a->plan.problem_n && r.n == 0; i++)
		report_say(a->o->report, REPORT_WARN, "%s; %s",
			a->plan.problems[i].text, a->plan.problems[i].next);
	if (r.n == 0 || a->p->dry_run) {
		a->out->result = r.n == 0 ? "nothing" : "planned";
		result = 0;
	} else if (op_apply_confirm(a, "Change", r.n, "record", "of", e) ==
		0 && op_apply_backup(a, e) == 0 && run(a, &r, e) == 0) {
		a->out->result = "repaired";
		result = 0;
		free(a->out->current);
		a->out->current = NULL;
		if (op_state_current(&asked, a->s.db, &a->out->current, &why) ==
			-1)
			report_say(a->o->report, REPORT_WARN, "what the database "
				"is at now could not be read: %s", why.text);
	}
	repair_free(&r);
	return result;
}
