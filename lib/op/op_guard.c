/*
 * op_guard: another tool's command behind a verified backup: lock, backup, gates, a
 * rehearsal where it is asked for, the command, what has changed, and the way back.
 * The other tool's own lock is left to it: the command could not have it.
 */
#include <stdlib.h>
#include <string.h>

#include "backup/journal.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_apply.h"
#include "doc/doc_rollback.h"
#include "guard/loss.h"
#include "migration/ledger.h"
#include "op/op_apply_part.h"
#include "op/op_census.h"
#include "op/op_db.h"
#include "op/op_hook.h"
#include "op/op_restore.h"
#include "os/call.h"
#include "os/lock.h"

#define RESTORE_WAIT_S 30 /* for what the command has left running */

struct guarded {
	struct apply *a;
	struct part_command *out;
	struct op_census before, after;
	struct journal journal;
	int journaled;
};

/* --- the journal --------------------------------------------------------- */

static int
begin_journal(struct guarded *g, struct err *e)
{
	const struct part_rehearsal *r = g->a->out->rehearsal;
	const struct part_rehearsed *m = r == NULL ? NULL :
		r->migrations.items;
	struct journal *j = &g->journal;

	if (g->a->out->backup == NULL)
		return 0;
	j->tool = mem_dup(g->a->o->tool);
	j->command = mem_dup(g->out->command);
	j->state = "running";
	j->began = clock_now();
	j->fingerprint = mem_dup(g->before.fingerprint);
	j->rehearsed = m == NULL || !r->comparable ? NULL :
		mem_dup(m->fingerprint);
	j->status = -1;
	if (db_position(g->a->s.db, &j->position, e) == -1 ||
		journal_write(j, g->a->out->backup->path, e) == -1)
		return -1;
	g->journaled = 1;
	return 0;
}

/* The truth is in the document, too: a disk that is full now is only said. */
static void
end_journal(struct guarded *g, const char *state)
{
	struct err e;

	if (!g->journaled)
		return;
	g->journal.state = state;
	g->journal.ended = clock_now();
	g->journal.status = g->out->status;
	g->journal.changed = strcmp(state, "failed") == 0 && strcmp(
		g->out->left, "changed") == 0;
	if (journal_write(&g->journal, g->a->out->backup->path, &e) == -1)
		report_say(g->a->o->report, REPORT_WARN, "%s", e.text);
}

/* --- the way back -------------------------------------------------------- */

/*
 * Our lock goes first, for the restore takes its own.  What others wrote meanwhile
 * goes with what the command did: that was asked for, and is in the gap.
 */
static int
restore(struct guarded *g, struct err *e)
{
	struct doc_rollback done = { 0 };
	struct op_restore_options p = { .accept_loss = 1,
		.archive = g->a->out->backup->path };
	struct op o = *g->a->o;
	size_t i;
	int result;

	lock_free(g->a->s.lock);
	g->a->s.lock = NULL;
	db_close(g->a->s.db);
	g->a->s.db = NULL;
	o.confirm = NULL;
	o.wait_s = RESTORE_WAIT_S;
	result = op_restore(&done, &o, &p, e);
	if (result == 0) {
		g->out->left = "restored";
		for (i = 0; i < done.kept.n; i++)
			strs_add(&g->out->kept, done.kept.v[i]);
		report_say(o.report, REPORT_NOTE, "the backup '%s' is "
			"restored", p.archive);
		end_journal(g, "restored");
	}
	shape_release(&doc_rollback_shape, &done);
	return result;
}

/* The command, or what it did, is not as it should be: why says how. */
static int
fail(struct guarded *g, const struct err *why, struct err *e)
{
	const struct apply *a = g->a;
	struct err second;

	*e = *why;
	if (strcmp(g->out->left, "unchanged") == 0) {
		end_journal(g, "failed");
		e->code = strcmp(e->reason, "interrupted") == 0 ? ERR_ENV :
			ERR_FAILED;
		err_wrap(e, "nothing was changed that mig can see");
		return err_next(e, "mend the cause and run it again");
	}
	e->code = ERR_LEFT;
	if (a->p->restore_on_failure && a->out->backup != NULL) {
		if (restore(g, &second) == 0) {
			e->code = ERR_FAILED;
			err_wrap(e, "the backup is restored");
			return err_next(e, "mend the cause and run it again");
		}
		err_wrap(e, "and the backup could not be restored (%.300s)",
			second.text);
	}
	end_journal(g, "failed");
	if (a->out->backup == NULL)
		return err_next(e, "look at what it has changed: there is no "
			"backup to go back to");
	return err_next(e, "go back with: mig-rollback --restore '%s'; or mend "
		"the cause and run it again", a->out->backup->path);
}

/* --- the command --------------------------------------------------------- */

static int
look(struct guarded *g, struct err *e)
{
	struct part_command *c = g->out;

	if (op_census_take(&g->after, g->a->s.db, 0, e) == -1)
		return -1;
	c->after = mem_dup(g->after.fingerprint);
	op_census_compare(&c->effects, &c->losses, &g->before, &g->after,
		g->a->out->rehearsal);
	c->left = strcmp(c->before, c->after) == 0 && c->effects.n == 0 ?
		"unchanged" : "changed";
	return 0;
}

/* It ended well; is it what was said, and what was rehearsed? */
static int
judge(struct guarded *g, struct err *e)
{
	struct apply *a = g->a;
	struct strs allow = { 0 };
	size_t left;

	loss_allow(&allow, a->s.db, &a->p->allow);
	left = loss_judge(&g->out->losses, &allow);
	strs_free(&allow);
	if (left > 0) {
		loss_refuse(&g->out->losses, "--allow-loss", e);
		return err_wrap(e, "the command has lost what it may not: it");
	}
	if (g->journal.rehearsed == NULL || strcmp(g->journal.rehearsed,
		g->out->after) == 0)
		return 0;
	return err_set(e, ERR_FAILED, "rehearsal", "the schema behind the "
		"command is not the one that the rehearsal proved");
}

static int
run(struct guarded *g, struct err *e)
{
	struct apply *a = g->a;
	struct strs environment = { 0 };
	struct err why, second;
	int64_t start = clock_ms();
	int status = -1, result;

	strs_add(&environment, "MIG_GUARD=run");
	report_say(a->o->report, REPORT_NOTE, "running %s", g->out->command);
	result = call_program(a->p->command, &environment, -1, &status, &why);
	strs_free(&environment);
	g->out->status = status;
	g->out->duration_ms = clock_ms() - start;
	if (result == -1 && strcmp(why.reason, "program") == 0) {
		end_journal(g, "failed");
		*e = why;
		return -1;
	}
	if (result == 0 && status != 0)
		result = err_set(&why, ERR_FAILED, "command", status > 128 ?
			"'%s' was ended by signal %d" :
			"'%s' ended with status %d", g->out->command,
			status > 128 ? status - 128 : status);
	if (look(g, &second) == -1) {
		g->out->left = "changed"; /* for all that is known */
		if (result == 0)
			why = second;
		return fail(g, &why, e);
	}
	if (result == 0)
		result = judge(g, &why);
	if (result == -1)
		return fail(g, &why, e);
	end_journal(g, "done");
	return 0;
}

/* mig's ledger, where it is, hears of it. */
static void
tell_ledger(struct apply *a, const struct part_command *c)
{
	struct ledger_event note = { 0 };
	struct ledger l = { 0 };
	struct err e;
	char *me;

	if (a->s.db == NULL || ledger_load(&l, a->s.db, VERSION_NUMBER, &e) ==
		-1)
		return;
	me = ledger_me();
	note.event = "guard";
	note.by = me;
	note.detail = c->command;
	note.fingerprint = c->after;
	note.backup = a->out->backup == NULL ? NULL : a->out->backup->id;
	if (l.there && (db_begin(a->s.db, 1, &e) == -1 || ledger_note(a->s.db,
		&note, &e) == -1 || db_commit(a->s.db, &e) == -1)) {
		db_rollback(a->s.db);
		report_say(a->o->report, REPORT_WARN, "the ledger could not "
			"be written: %s", e.text);
	}
	free(me);
	ledger_free(&l);
}

static int
guarded_run(struct apply *a, struct err *e)
{
	struct guarded g = { .a = a };
	int result = -1;

	a->out->command = g.out = mem_alloc(sizeof(*g.out));
	g.out->command = op_guard_words(a->p->command);
	g.out->status = -1;
	g.out->left = "unchanged";
	if (op_census_take(&g.before, a->s.db, 0, e) == 0) {
		g.out->before = mem_dup(g.before.fingerprint);
		if (begin_journal(&g, e) == 0)
			result = run(&g, e);
	}
	if (result == 0)
		tell_ledger(a, g.out);
	op_census_free(&g.before);
	op_census_free(&g.after);
	shape_release(&journal_shape, &g.journal);
	/* A document says what was, or nothing of it. */
	if (g.out->before == NULL) {
		shape_release(&part_command_shape, g.out);
		free(g.out);
		a->out->command = NULL;
	}
	return result;
}

int
op_guard_check(const struct op_apply_options *p, struct err *e)
{
	if (p->command == NULL) {
		if (p->url_env == NULL && !p->restore_on_failure)
			return 0;
		err_set(e, ERR_USAGE, "usage", "--url-env and "
			"--restore-on-failure are for a command");
		return err_next(e, "name it behind '--': mig-apply -- alembic "
			"upgrade head");
	}
	if (p->to != NULL || p->steps > 0 || p->resume || p->repair)
		return err_set(e, ERR_USAGE, "usage", "--to, --steps, --resume "
			"and --repair are for migrations, not for a command");
	if (p->restore_on_failure && p->no_backup)
		return err_set(e, ERR_USAGE, "usage", "--restore-on-failure "
			"needs a backup, --no-backup wants none");
	return 0;
}

int
op_guard(struct apply *a, struct err *e)
{
	struct db_options d = op_db(a->o, a->p->dry_run ? DB_READ : DB_WRITE);
	char *words = op_guard_words(a->p->command), *what;
	int result;

	what = mem_printf("Run '%s' on", words);
	free(words);
	if (op_apply_document(a, e) == -1 || db_open(&a->s.db, &d, e) == -1 ||
		db_identity(a->s.db, &a->out->database, e) == -1) {
		free(what);
		return -1;
	}
	result = a->p->dry_run ? 0 : db_lock(a->s.db, &a->s.lock, a->o->wait_s,
		a->o->program, e);
	if (result == 0)
		result = op_hook_check(a->o, e);
	if (result == 0 && a->p->dry_run) {
		free(what);
		a->out->result = "planned";
		return 0;
	}
	if (result == 0 && a->o->confirm != NULL) {
		char *question = mem_printf("%s '%s'?", what, db_name(a->s.db));

		result = a->o->confirm(a->o->arg, question, e);
		free(question);
	}
	free(what);
	if (result == -1)
		return -1;
	a->out->result = "planned";
	if (op_hook_run(a->o, HOOK_BEFORE, a->out, NULL, e) == -1) {
		if (strcmp(e->reason, "hook") == 0)
			e->code = ERR_REFUSED;
		result = -1;
	}
	a->out->result = "failed";
	if (result == -1 || op_apply_backup(a, e) == -1 ||
		guarded_run(a, e) == -1) {
		op_apply_tell_failure(a, e);
		return -1;
	}
	a->out->result = "applied";
	if (op_hook_run(a->o, HOOK_AFTER, a->out, NULL, e) == 0)
		return 0;
	op_apply_tell_failure(a, e);
	return -1;
}
