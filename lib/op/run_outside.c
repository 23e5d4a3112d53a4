/* run_outside: one migration in no transaction, statement by statement. */
#include "op/run_part.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/report.h"
#include "base/stop.h"
#include "doc/part.h"
#include "migration/ledger.h"

/* One step of an outside migration's own record. */
static int
note_step(struct running *x, const char *state, int64_t statements,
	int64_t start, const char *event, struct err *e)
{
	if (db_begin(x->r->db, 1, e) == -1)
		return -1;
	if (ledger_ensure(x->r->db, NULL, e) == -1 || run_ensure(x, e) == -1 ||
		run_record(x, state, statements, start, event, e) == -1 ||
		db_commit(x->r->db, e) == -1) {
		db_rollback(x->r->db);
		run_settle(x, 0);
		return -1;
	}
	run_settle(x, 1);
	return 0;
}

/* The newest backup is of before it, unless it was begun before. */
#define WAY_BACK(x) \
	((x)->r->again ? "by the command that mig-status prints" : \
			 "with mig-rollback --restore")

struct left {
	const struct running *x;
	struct err *e;
};

/* An index that is invalid now is in the way of the next try. */
static void
left_behind(void *arg, const char *reason, const char *text, const char *next)
{
	const struct left *l = arg;

	if (strcmp(reason, "invalid-index") == 0)
		err_next(l->e, "%s: %s; and run mig-apply --resume, or go back %s",
			text, next, WAY_BACK(l->x));
}

static void
left_behind_down(void *arg, const char *reason, const char *text,
	const char *next)
{
	struct err *e = arg;

	if (strcmp(reason, "invalid-index") == 0)
		err_next(e, "%s: %s; and run it again, or go back with "
			    "mig-rollback --restore", text, next);
}

/* IF NOT EXISTS passes by an index that an earlier try has left invalid. */
static void
still_invalid(void *arg, const char *reason, const char *text, const char *next)
{
	const struct running *const *x = arg;

	if (strcmp(reason, "invalid-index") == 0)
		report_say((*x)->r->report, REPORT_WARN, "%s: %s; then make it "
			"again", text, next);
}

static void
warn_of_invalid(const struct running *x)
{
	struct err ignored;

	/* The migration is done; mig-status asks again. */
	if (x->r->trace == NULL)
		db_problems(x->r->db, still_invalid, &x, &ignored);
}

/*
 * A down in no transaction: the ledger, which has the up, keeps no place in it.  So it
 * begins anew after a failure, and all but its last statement must bear that.
 */
static int
outside_down(struct running *x, struct err *e)
{
	const struct script *s = &x->script;
	int64_t start = clock_ms();
	struct err second;
	size_t i;

	for (i = 0; i + 1 < s->n; i++) {
		if (script_may_repeat(&s->v[i], db_rules(x->r->db)))
			continue;
		err_set(e, ERR_REFUSED, "forbidden", "a statement of a down "
			"that runs in no transaction could not be run again "
			"if one behind it fails");
		err_next(e, "write IF EXISTS or IF NOT EXISTS, or go back with "
			"mig-rollback --restore");
		return run_at_statement(x, &s->v[i], e);
	}
	for (i = 0; i < s->n; i++) {
		if (stop_check(e) == 0 && run_one(x, &s->v[i], DB_RUN_OUTSIDE,
			e) == 0)
			continue;
		run_at_statement(x, &s->v[i], e);
		e->code = ERR_LEFT;
		if (x->r->trace != NULL)
			return -1;
		err_next(e, "look at what is there; then run it again, or go "
			"back with mig-rollback --restore");
		db_problems(x->r->db, left_behind_down, e, &second);
		return -1;
	}
	if (note_step(x, "applied", 1, start, "rollback", e) == -1)
		return run_at_migration(x, e);
	warn_of_invalid(x);
	x->done->duration_ms = clock_ms() - start;
	return 0;
}

/* transaction:false: statement by statement, the ledger keeping the place. */
int
run_outside(struct running *x, struct err *e)
{
	const struct run_trace *t = x->r->trace;
	int64_t start = clock_ms(), i = x->r->skip;
	struct err second;
	struct left left = { x, e };

	if (t != NULL && t->begin(t->arg, x->m, e) == -1)
		return -1;
	if (x->r->down)
		return outside_down(x, e);
	if (run_expect_before(x, e) == -1)
		return -1;
	if (note_step(x, "running", i, start, NULL, e) == -1)
		return run_at_migration(x, e);
	for (; i < (int64_t)x->script.n; i++) {
		const struct script_statement *s = &x->script.v[i];

		if (stop_check(e) == -1 || run_settings(x, i, e) == -1 ||
			run_one(x, s, DB_RUN_OUTSIDE, e) == -1)
			goto fail;
		if (i + 1 < (int64_t)x->script.n &&
			note_step(x, "running", i + 1, start, NULL, e) == -1)
			goto fail;
	}
	if (run_expect_after(x, e) == -1)
		goto not_as_said;
	if (note_step(x, "applied", i, start, "apply", e) == -1) {
		if (strcmp(e->reason, "rehearsal") == 0)
			goto not_as_said;
		return run_at_migration(x, e);
	}
	warn_of_invalid(x);
	x->done->duration_ms = clock_ms() - start;
	return 0;
fail:
	run_at_statement(x, &x->script.v[i], e);
not_as_said:
	x->failure = e->text;
	if (note_step(x, "failed", i, start, "fail", &second) == -1)
		err_wrap(e, "and the ledger could not be written");
	e->code = ERR_LEFT;
	if (t != NULL) /* on a copy: nothing is to be mended there */
		return err_next(e, "mend the file");
	if (strstr(e->text, "already exists") == NULL)
		err_next(e, "mend the cause and run mig-apply --resume, or go "
			"back %s", WAY_BACK(x));
	else
		err_next(e, "if a run was killed, the statement may have been "
			"done: look at what is there, drop it, and run mig-apply "
			"--resume");
	db_problems(x->r->db, left_behind, &left, &second);
	return -1;
}
