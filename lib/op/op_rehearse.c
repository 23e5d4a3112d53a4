/* op_rehearse: the plan run on the restored backup. */
#include "op/op_rehearse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backup/verify.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc_apply.h"
#include "guard/loss.h"
#include "guard/sanity.h"
#include "migration/script.h"
#include "op/op_rehearse_part.h"

#define TEXT_MAX 240 /* of a statement, in the document */
#define STATEMENTS_MAX 5000 /* of a plan, in the document */
#define FINGERPRINTS_MAX 500 /* statements of a plan, for one after each */

static int
on_begin(void *arg, const struct migration *m, struct err *e)
{
	struct rehearse *x = arg;

	op_rehearse_forget(x);
	x->m = m;
	if (x->now == NULL)
		x->now = shape_list_add(&x->out->migrations,
			&part_rehearsed_shape);
	shape_release(&part_rehearsed_shape, x->now);
	x->now->migration = mem_dup(m->version);
	x->now->name = mem_dup(m->name);
	x->now->checksum = mem_dup(m->checksum);
	x->now->down = "none";
	x->now->down_us = x->now->size_after = -1;
	if (script_of_part(&m->up, db_rules(x->a.s.db), &x->script, e) == -1 ||
		op_rehearse_before(x, e) == -1)
		return -1;
	x->own_us = 0;
	x->begin_us = clock_us();
	return 0;
}

static int
on_before(void *arg, int outside, struct err *e)
{
	struct rehearse *x = arg;
	int64_t start = clock_us();

	if (db_trace_before(x->a.s.db, outside, e) == -1)
		return -1;
	x->statement_us = clock_us();
	x->own_us += x->statement_us - start;
	return 0;
}

/* One that only changes rows leaves the schema as it is. */
static int
may_define(const char *sql)
{
	static const char *const words[] = { "insert", "update", "delete",
		"select", "copy", "with", "replace", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strncasecmp(sql, *w, strlen(*w)) == 0)
			return 0;
	return 1;
}

/* The beginning, on one line. */
static char *
short_text(const char *sql, size_t n)
{
	char *text = mem_dup_n(sql, n > TEXT_MAX ? TEXT_MAX : n), *from, *to;

	for (from = to = text; *from != '\0'; from++)
		if (strchr(" \t\r\n", *from) == NULL)
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return text;
}

/* The server may say again what it was told. */
static void
forget_words(struct trace_statement *s)
{
	struct trace_work *w = s->works.items;
	size_t i;

	for (i = 0; i < s->works.n; i++) {
		free(w[i].why);
		w[i].why = NULL;
	}
	free(s->text);
	s->text = mem_dup("(not shown: the migration has secrets)");
}

static int
on_after(void *arg, const char *sql, size_t n, int line, struct err *e)
{
	struct rehearse *x = arg;
	int64_t end = clock_us();
	struct trace_statement *s;
	char fingerprint[65];

	if (x->statements == STATEMENTS_MAX)
		strs_add(&x->out->notes, "Only the first statements are "
			"listed: there are too many.");
	if (x->statements++ >= STATEMENTS_MAX) {
		db_trace_cancel(x->a.s.db);
		return 0;
	}
	s = shape_list_add(&x->now->statements, &trace_statement_shape);
	s->line = line;
	s->text = short_text(sql, n);
	s->begin_us = x->statement_us - x->begin_us - x->own_us;
	s->duration_us = end - x->statement_us;
	if (db_trace_after(x->a.s.db, s, e) == -1)
		return -1;
	if (op_rehearse_is_secret(x))
		forget_words(s);
	if (x->statements <= FINGERPRINTS_MAX && may_define(sql)) {
		if (db_fingerprint(x->a.s.db, fingerprint, e) == -1)
			return -1;
		s->fingerprint = mem_dup(fingerprint);
	}
	x->own_us += clock_us() - end;
	return 0;
}

static int
on_judge(void *arg, const struct part_done *done, struct err *e)
{
	(void)arg;
	(void)done;
	(void)e;
	return 0;
}

/* Locks that lasted to the end of the transaction. */
static void
close_locks(struct part_rehearsed *now)
{
	struct trace_statement *s = now->statements.items;
	size_t i, k;

	for (i = 0; i < now->statements.n; i++) {
		struct trace_lock *l = s[i].locks.items;

		for (k = 0; k < s[i].locks.n; k++)
			if (l[k].held_us == -1)
				l[k].held_us = now->duration_us -
					s[i].begin_us;
	}
}

/* Those that only the comparison has found, too. */
static void
mark_allowed(struct rehearse *x, const struct migration *m)
{
	struct strs allow = { 0 };

	loss_allow(&allow, x->a.s.db, &m->up.allow_loss);
	loss_allow(&allow, x->a.s.db, &x->r->p->allow);
	loss_judge(&x->now->losses, &allow);
	strs_free(&allow);
}

static int
on_end(void *arg, const struct migration *m, struct part_done *done,
	struct err *e)
{
	struct rehearse *x = arg;
	int64_t written;
	char fingerprint[65];

	x->now->duration_us = clock_us() - x->begin_us - x->own_us;
	if (x->now->duration_us < 0)
		x->now->duration_us = 0;
	close_locks(x->now);
	x->now->losses = done->losses;
	memset(&done->losses, 0, sizeof(done->losses));
	if (db_trace_written(x->a.s.db, &written, e) == -1 ||
		db_fingerprint(x->a.s.db, fingerprint, e) == -1)
		return -1;
	x->now->wal_bytes = written > x->written ? written - x->written : 0;
	x->now->fingerprint = mem_dup(fingerprint);
	if (op_rehearse_after(x, done, e) == -1 ||
		db_trace_size(x->a.s.db, &x->now->size_after, e) == -1)
		return -1;
	mark_allowed(x, m);
	if (m->down.text != NULL && op_rehearse_down(x, e) == -1)
		return -1;
	if (strcmp(x->now->down, "broken") == 0)
		report_say(x->r->o->report, REPORT_WARN, "the way back of "
			"migration %s (%s) is broken: %s", m->version, m->name,
			x->now->down_text);
	x->now = NULL;
	return 0;
}

/* What may not be lost, of all migrations at once. */
static int
judge_losses(struct rehearse *x, struct err *e)
{
	const struct part_rehearsed *m = x->out->migrations.items;
	size_t i, k;
	int result = 0;

	for (i = 0; i < x->out->migrations.n && result == 0; i++) {
		const struct part_loss *l = m[i].losses.items;

		for (k = 0; k < m[i].losses.n && result == 0; k++)
			if (!l[k].allowed) {
				result = loss_refuse(&m[i].losses,
					"--allow-loss", e);
				err_wrap(e, "migration %s (%s)",
					m[i].migration, m[i].name);
			}
	}
	return result;
}

/*
 * The tables in which is written what is applied would otherwise come with the first
 * migration, and its way back would leave them.
 */
static int
make_tables(struct apply *a, struct err *e)
{
	struct db *d = a->s.db;

	if (a->plan.n == 0)
		return 0;
	if (db_begin(d, 1, e) == -1)
		return -1;
	if (ledger_ensure(d, NULL, e) == -1 || history_ensure(&a->s.history,
		e) == -1 || db_commit(d, e) == -1) {
		db_rollback(d);
		history_settle(&a->s.history, 0);
		return -1;
	}
	history_settle(&a->s.history, 1);
	a->s.ledger.there = 1;
	return 0;
}

static int
run_plan(struct rehearse *x, struct err *e)
{
	const struct run_trace trace = { x, &x->expected, on_begin, on_before, on_after,
		on_judge, on_end };
	const struct plan_limit limit = { x->r->p->to, x->r->p->steps };
	unsigned allow = x->r->p->allow_problems | (x->r->p->resume ?
		SANITY_RESUME : 0);
	struct apply *a = &x->a;
	char fingerprint[65];

	if (db_fingerprint(a->s.db, fingerprint, e) == -1)
		return -1;
	x->out->fingerprint = mem_dup(fingerprint);
	if (plan_make(&a->plan, &a->s.set, &a->s.ledger, &limit, e) == -1 ||
		sanity_history(a->s.db, &a->s.ledger, e) == -1 ||
		sanity_plan(&a->plan, allow, e) == -1)
		return -1;
	if (make_tables(a, e) == -1)
		return -1;
	return op_apply_all(a, &trace, e) == -1 ? -1 : judge_losses(x, e);
}

static void
note(struct part_rehearsal *out, const char *text)
{
	strs_add(&out->notes, text);
}

/* What no copy can tell, said every time. */
static void
note_limits(const struct rehearse *x)
{
	note(x->out, "Nobody else uses the copy: how long a lock is waited for, "
		"and who waits behind it, only the real run tells.");
	note(x->out, "Times are of this machine, with what the restore has "
		"left in its cache.");
	if (db_can(x->a.s.db, DB_CAP_SERVER))
		note(x->out, "A function that reaches another database by "
			"itself, as dblink, reaches it from the copy, too.");
	if (db_can(x->a.s.db, DB_CAP_SERVER))
		note(x->out, "Replicas, subscriptions, archiving and jobs of "
			"the server are not on the copy; bytes of WAL are "
			"without full-page images.");
}

static void
conclude(struct part_rehearsal *out, const struct op *o, const struct err *why)
{
	out->result = why->code == ERR_REFUSED ? "refused" : "failed";
	out->error = mem_alloc(sizeof(*out->error));
	doc_error_fill(out->error, o->tool, o->program, why);
}

/* What says nothing of the migrations: a folder that is not there, a signal. */
static int
is_no_verdict(const struct err *why)
{
	return why->code == ERR_USAGE || why->code == ERR_ENV || why->code ==
		ERR_BUG || why->code == ERR_LOCKED;
}

/* The migrations of the folder, on the copy that is open. */
static int
rehearse(struct part_rehearsal *out, const struct op_rehearse *r,
	struct db *copy, const char *fingerprint, struct err *e)
{
	struct doc_apply scrap = { 0 };
	struct op quiet = *r->o;
	struct op_apply_options p = *r->p;
	struct rehearse x = { .out = out, .r = r };
	struct err why, ignored;
	int result = 0;

	quiet.hooks = NULL;
	quiet.confirm = NULL;
	p.document = NULL;
	x.a.out = &scrap;
	x.a.o = &quiet;
	x.a.p = &p;
	scrap.result = "planned";
	out->result = "passed";
	x.a.s.db = copy;
	if (p.command != NULL ? op_rehearse_command(out, r, copy, &why) == -1 :
		op_state_read(&x.a.s, copy, &quiet, 1, &scrap.database, &why)
		== -1 || run_plan(&x, &why) == -1) {
		result = is_no_verdict(&why) ? -1 : 0;
		conclude(out, r->o, &why);
		/* It failed in the middle. */
		if (x.now != NULL)
			op_rehearse_left(&x, &ignored);
	}
	note_limits(&x);
	out->comparable = fingerprint != NULL && out->fingerprint != NULL &&
		strcmp(fingerprint, out->fingerprint) == 0;
	if (out->fingerprint != NULL && !out->comparable)
		note(out, "The copy's schema does not compare with the live "
			"one's: the real run is not held to it.");
	op_rehearse_forget(&x);
	plan_free(&x.a.plan);
	strs_free(&x.a.tables);
	op_state_release(&x.a.s);
	shape_release(&doc_apply_shape, &scrap);
	if (result == -1)
		*e = why;
	return result;
}

int
op_rehearse_copy(struct part_rehearsal *out, const struct op_rehearse *r,
	const char *engine, const struct db_rebuilt *from,
	const char *fingerprint, struct err *e)
{
	struct db_stage stage = { .engine = engine, .from = *from,
		.server = r->scratch != NULL && db_is_server(r->scratch) ?
			r->scratch : NULL,
		.like = r->like, .report = r->o->report, .notes = &out->notes };
	int64_t start = clock_ms();
	struct db *copy;
	int result;

	out->sample = r->sample > 0 ? r->sample : -1;
	if (db_stage(&copy, &stage, e) == -1)
		return err_wrap(e, "rehearsal");
	out->restore_ms = clock_ms() - start;
	report_say(r->o->report, REPORT_MORE, "rehearsing on the copy");
	result = rehearse(out, r, copy, fingerprint, e);
	db_close(copy);
	out->at = clock_now();
	out->duration_ms = clock_ms() - start;
	return result == -1 ? err_wrap(e, "rehearsal") : 0;
}

struct use {
	struct part_rehearsal *out;
	const struct op_rehearse *r;
};

static int
use(void *arg, const struct db_rebuilt *from, const struct manifest *m,
	struct err *e)
{
	const struct use *u = arg;

	return op_rehearse_copy(u->out, u->r, m->database.engine, from,
		m->fingerprint, e);
}

int
op_rehearse_archive(struct part_rehearsal *out, const struct op_rehearse *r,
	const char *archive, struct err *e)
{
	struct use u = { out, r };
	struct verify_options v = { .path = archive, .level = VERIFY_DEFAULT,
		.scratch = r->scratch, .no_check = 1, .use = use, .arg = &u,
		.jobs = r->o->jobs, .report = r->o->report };
	int64_t start = clock_ms();
	struct verify_result proof;
	int result = verify_run(&proof, &v, e);

	out->restore_ms += proof.duration_ms;
	out->duration_ms = clock_ms() - start;
	verify_result_free(&proof);
	return result;
}

int
op_rehearse_refuse(const struct part_rehearsal *out, struct err *e)
{
	const char *next, *again;

	if (out->error == NULL)
		return 0;
	err_set(e, ERR_REFUSED, "rehearsal", "the rehearsal on the restored "
		"backup did not pass: %s", out->error->text);
	next = out->error->next == NULL ? "mend the file" : out->error->next;
	/* Whoever rehearses is not about to apply. */
	again = strstr(next, " and run mig-apply again");
	return err_next(e, "%.*s%s", again == NULL ? (int)strlen(next) :
		(int)(again - next), next, out->command == NULL ? "; nothing was "
		"applied" : "");
}
