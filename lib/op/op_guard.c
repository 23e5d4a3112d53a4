/*
 * op_guard: another tool's command behind a verified backup: lock, backup, gates, a
 * rehearsal where it is asked for, the command, what has changed, and the way back.
 * The other tool's own lock is left to it: the command could not have it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "guard/loss.h"
#include "migration/ledger.h"
#include "op/op_db.h"
#include "op/op_guard_part.h"
#include "op/op_hook.h"
#include "op/op_restore.h"
#include "os/call.h"
#include "os/lock.h"

#define LOCK_WAIT_S 30 /* after a lost session */

/* --- the command --------------------------------------------------------- */

/*
 * A file may be another one now, under the same name; a server may have ended our
 * session.  The lock of a file stays ours meanwhile.
 */
static int
reopen(struct guarded *g, struct err *e)
{
	struct op_state *s = &g->a->s;
	struct db_options d = op_db(g->a->o, DB_WRITE);
	struct db *fresh;
	struct err ignored;

	if (!db_can(s->db, DB_CAP_SERVER)) {
		/* The last one to close would write a WAL into the file. */
		int result = db_open(&fresh, &d, e);

		/* What cannot be opened is not to be restored into. */
		db_close(s->db);
		s->db = result == 0 ? fresh : NULL;
		return result;
	}
	if (db_exec(s->db, "SELECT 1", &ignored) == 0)
		return 0;
	lock_free(s->lock);
	s->lock = NULL;
	db_close(s->db);
	s->db = NULL;
	return db_open(&s->db, &d, e) == -1 || db_lock(s->db, &s->lock,
		LOCK_WAIT_S, g->a->o->program, e) == -1 ? -1 : 0;
}

static int
look(struct guarded *g, struct err *e)
{
	struct part_command *c = g->out;
	char *now;
	int same;

	c->left = "changed"; /* until the contrary is known */
	if (reopen(g, e) == -1 || db_written(g->a->s.db, &now, e) == -1)
		return -1;
	same = strcmp(now, g->written) == 0;
	free(now);
	if (same) {
		c->after = mem_dup(c->before);
		c->left = "unchanged";
		return 0;
	}
	if (op_census_take(&g->after, g->a->s.db, 0, e) == -1)
		return -1;
	c->after = mem_dup(g->after.fingerprint);
	op_census_compare(&c->effects, &c->losses, &g->before, &g->after,
		g->a->out->rehearsal);
	return 0;
}

/* Did the rehearsal change something, and this did not? */
static int
went_elsewhere(const struct guarded *g)
{
	const struct part_rehearsal *r = g->a->out->rehearsal;
	const struct part_rehearsed *m = r == NULL ? NULL :
		r->migrations.items;

	return m != NULL && strcmp(g->out->left, "unchanged") == 0 &&
		(m->effects.n > 0 || m->fingerprint == NULL || strcmp(
		m->fingerprint, r->fingerprint) != 0);
}

/* It ended well; is it what was said, and what was rehearsed? */
static int
judge(struct guarded *g, struct err *e)
{
	struct apply *a = g->a;

	if (loss_judge(&g->out->losses, &g->allow, db_rules(a->s.db)) > 0)
		return loss_refuse_as(&g->out->losses, "the command has lost",
			"--allow-loss", e);
	if (went_elsewhere(g)) {
		err_set(e, ERR_FAILED, "rehearsal", "the command has "
			"changed the copy, and nothing here: it went to "
			"another database");
		return err_next(e, "look there, and see where it takes its url "
			"from");
	}
	if (g->journal.rehearsed == NULL || strcmp(g->journal.rehearsed,
		g->out->after) == 0)
		return 0;
	err_set(e, ERR_FAILED, "rehearsal", "the schema behind the "
		"command is not the one that the rehearsal proved");
	return err_next(e, "see what is different");
}

/* Its name may be a secret, as in "PASSWORD=... command". */
static int
not_run(const struct guarded *g, const struct err *why, struct err *e)
{
	const char *reason = strrchr(why->text, ':');
	const char *const first[] = { *g->a->p->command, NULL };
	char *shown = op_guard_words(first);

	err_set(e, ERR_ENV, "program", "'%s' cannot be run%s", strcmp(shown,
		"...") == 0 ? shown : *first, reason == NULL ? "" : reason);
	free(shown);
	return err_next(e, "%s", why->next);
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
	result = call_program(a->p->command, &environment, db_lock_descriptor(
		a->s.db, a->s.lock), &status, &why);
	strs_free(&environment);
	g->out->duration_ms = clock_ms() - start;
	if (result == -1 && strcmp(why.reason, "program") == 0) {
		op_guard_end(g, "failed");
		return not_run(g, &why, e);
	}
	/* What follows is what must be done; a second signal ends it. */
	stop_forget();
	if (result == 0)
		g->out->status = status;
	if (result == 0 && status != 0)
		result = err_set(&why, ERR_FAILED, "command", status > 128 ?
			"'%s' was ended by signal %d" :
			"'%s' ended with status %d", g->out->command,
			status > 128 ? status - 128 : status);
	if (look(g, &second) == -1) {
		if (result == 0)
			why = second;
		return op_guard_fail(g, &why, e);
	}
	if (result == 0)
		result = judge(g, &why);
	if (result == -1)
		return op_guard_fail(g, &why, e);
	op_guard_end(g, "done");
	return 0;
}

/* mig's ledger, where it is, hears of it. */
static void
tell_ledger(struct apply *a, const struct part_command *c)
{
	struct ledger_event note = { .event = "guard",
		.detail = c->command, .fingerprint = c->after };
	struct ledger l = { 0 };
	struct err e;

	if (a->out->backup != NULL)
		note.backup = a->out->backup->id;
	if (ledger_load(&l, a->s.db, VERSION_NUMBER, &e) == -1 || (l.there &&
		ledger_note_alone(a->s.db, &note, &e) == -1))
		report_say(a->o->report, REPORT_WARN, "the ledger could not "
			"be told of the command: %s", e.text);
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
	loss_allow(&g.allow, a->s.db, &a->p->allow);
	if (op_census_take(&g.before, a->s.db, 0, e) == 0 && db_written(
		a->s.db, &g.written, e) == 0) {
		g.out->before = mem_dup(g.before.fingerprint);
		if (op_guard_begin(&g, e) == 0)
			result = run(&g, e);
	}
	if (result == 0)
		tell_ledger(a, g.out);
	op_census_free(&g.before);
	op_census_free(&g.after);
	strs_free(&g.allow);
	free(g.written);
	free(g.path);
	shape_release(&journal_shape, &g.journal);
	/* A document says what was, or nothing of it. */
	if (g.out->before == NULL) {
		shape_release(&part_command_shape, g.out);
		free(g.out);
		a->out->command = NULL;
	}
	return result;
}

/* Where the command takes its url from, so that it can be given another one. */
static int
check_variable(const char *name, struct err *e)
{
	const char *value;

	if (name == NULL) {
		err_set(e, ERR_USAGE, "usage", "a rehearsal gives the command "
			"the url of the copy: from which variable does it "
			"take its url?");
		return err_next(e, "name it: --url-env NAME");
	}
	value = getenv(name);
	if (value != NULL && *value != '\0')
		return 0;
	err_set(e, ERR_USAGE, "usage", "--url-env: there is no variable '%s': "
		"the command cannot take its url from there", name);
	return err_next(e, "name the one that it reads, and set it");
}

int
op_guard_check(const struct op_apply_options *p, struct err *e)
{
	if (p->sample > 0 && (!p->rehearse || p->command != NULL))
		return err_set(e, ERR_USAGE, "usage", "--sample is for a "
			"rehearsal of migrations: it goes with --rehearse, and "
			"with no command");
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
	return p->rehearse ? check_variable(p->url_env, e) : 0;
}

/* Everything that can be known before the long step. */
static int
prepare(struct apply *a, const char *words, struct err *e)
{
	char *question;
	int result;

	if (op_apply_document(a, e) == -1 || op_db_open(&a->s.db, a->o,
		a->p->dry_run ? DB_READ : DB_WRITE, e) == -1 ||
		db_identity(a->s.db, &a->out->database, e) == -1)
		return -1;
	if (a->p->dry_run) {
		report_say(a->o->report, REPORT_NOTE, "would run '%s' on '%s'",
			words, db_name(a->s.db));
		return op_hook_check(a->o, e);
	}
	if (db_lock(a->s.db, &a->s.lock, a->o->wait_s, a->o->program, e) ==
		-1 || op_hook_check(a->o, e) == -1)
		return -1;
	/* What is promised must be possible, before it is needed. */
	if (a->p->restore_on_failure && db_restore_may(a->s.db, e) == -1)
		return err_wrap(e, "--restore-on-failure");
	if (a->p->restore_on_failure && !db_can(a->s.db, DB_CAP_SERVER))
		op_restore_beside(a->o, db_name(a->s.db));
	if (a->o->confirm == NULL)
		return 0;
	question = mem_printf("Run '%s' on '%s'?", words, db_name(a->s.db));
	result = a->o->confirm(a->o->arg, question, e);
	free(question);
	return result;
}

/* What has been done and judged does not fail for a last look. */
static void
read_current(struct apply *a)
{
	struct op asked = *a->o;
	struct err why;
	char *now;

	if (a->s.db == NULL)
		return;
	if (op_state_current(&asked, a->s.db, &now, &why) == -1) {
		report_say(a->o->report, REPORT_WARN, "what the database is "
			"at now could not be read: %s", why.text);
		return;
	}
	free(a->out->current);
	a->out->current = now;
}

int
op_guard(struct apply *a, struct err *e)
{
	char *words = op_guard_words(a->p->command);
	int result = prepare(a, words, e);

	free(words);
	if (result == -1)
		return -1;
	a->out->result = "planned";
	read_current(a);
	if (a->p->dry_run)
		return 0;
	if (op_hook_run(a->o, HOOK_BEFORE, a->out, NULL, e) == -1) {
		if (strcmp(e->reason, "hook") == 0)
			e->code = ERR_REFUSED;
		result = -1;
	}
	a->out->result = "failed";
	if (result == 0 && op_apply_backup(a, e) == -1) {
		result = -1;
		if (e->code == ERR_LEFT && strcmp(e->reason, "rehearsal") == 0)
			op_guard_escaped(a, e);
	}
	if (result == -1 || guarded_run(a, e) == -1) {
		read_current(a);
		op_apply_tell_failure(a, e);
		return -1;
	}
	a->out->result = "applied";
	read_current(a);
	if (op_hook_run(a->o, HOOK_AFTER, a->out, NULL, e) == 0)
		return 0;
	op_apply_tell_failure(a, e);
	return -1;
}
