/*
 * op_rehearse_plan: the plan on the copy, by mig-apply's own code, with somebody who
 * looks on before and after each statement and each migration.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
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
	if (x->now == NULL) {
		x->now = shape_list_add(&x->out->migrations,
			&part_rehearsed_shape);
		x->statements_before = x->statements;
	}
	x->statements = x->statements_before; /* it may begin again */
	shape_release(&part_rehearsed_shape, x->now);
	x->now->migration = mem_dup(m->version);
	x->now->name = mem_dup(m->name);
	x->now->checksum = mem_dup(m->checksum);
	x->now->down = "none";
	x->now->down_us = x->now->size_after = -1;
	if (script_of_part(&m->up, db_rules(x->a.s.db), &x->script, e) == -1 ||
		op_rehearse_before(x, e) == -1)
		return -1;
	loss_allow(&x->allow, x->a.s.db, &m->up.allow_loss);
	loss_allow(&x->allow, x->a.s.db, &x->r->p->allow);
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
		strs_add_once(&x->out->notes, "Only the first statements are "
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
	/* Those that only the comparison has found, too. */
	loss_judge(&x->now->losses, &x->allow, db_rules(x->a.s.db));
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

int
op_rehearse_plan(struct rehearse *x, struct err *e)
{
	const struct run_trace trace = { x, &x->expected, on_begin, on_before, on_after,
		NULL, on_end };
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
