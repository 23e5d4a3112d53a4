/*
 * op_rehearse_down: does the way back lead back?  Run on the copy right behind the
 * way there, looked at, and rolled back, so that the next migration finds what it
 * expects.  What runs in no transaction is run, and its migration run once more.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"
#include "migration/script.h"
#include "op/op_rehearse_part.h"

#define SEEN "rehearsed" /* no failure: all was seen, and is undone */

struct way_back {
	struct rehearse *x;
	struct strs expected; /* that it may take without a name */
	int64_t begin_us;
	int schema, same; /* the schema, the rows are as before */
	char what[256]; /* what is not the same */
};

static int
on_begin(void *arg, const struct migration *m, struct err *e)
{
	struct way_back *b = arg;

	strs_free(&b->expected);
	if (op_rehearse_expect(b->x, &m->down, &b->expected, e) == -1)
		return -1;
	b->begin_us = clock_us();
	return 0;
}

static int
on_before(void *arg, int outside, struct err *e)
{
	(void)arg;
	(void)outside;
	(void)e;
	return 0;
}

static int
on_after(void *arg, const char *sql, size_t n, int line, struct err *e)
{
	(void)arg;
	(void)sql;
	(void)n;
	(void)line;
	(void)e;
	return 0;
}

static int
look(struct way_back *b, struct err *e)
{
	struct db *d = b->x->a.s.db;
	struct strs now = { 0 };

	b->x->now->down_us = clock_us() - b->begin_us;
	if (db_schema(d, &now, e) == -1)
		return -1;
	b->schema = op_rehearse_schema(&b->x->schema, &now, b->what,
		sizeof(b->what));
	strs_free(&now);
	if (!b->schema)
		return 0;
	b->same = op_rehearse_same(b->x, b->what, sizeof(b->what), e);
	return b->same == -1 ? -1 : 0;
}

static int
on_judge(void *arg, const struct part_done *done, struct err *e)
{
	struct way_back *b = arg;
	struct db *d = b->x->a.s.db;

	(void)done;
	/* What a commit would check is checked now. */
	if (db_can(d, DB_CAP_SERVER) && db_exec(d,
		"SET CONSTRAINTS ALL IMMEDIATE", e) == -1)
		return -1;
	return look(b, e) == -1 ? -1 : err_set(e, ERR_FAILED, SEEN,
		"looked at");
}

static int
on_end(void *arg, const struct migration *m, struct part_done *done,
	struct err *e)
{
	(void)m;
	(void)done;
	return look(arg, e);
}

static void
label(struct way_back *b, const struct part_done *done)
{
	struct part_rehearsed *now = b->x->now;

	if (op_rehearse_is_secret(b->x) && !b->schema) {
		now->down = "broken";
		now->down_text = mem_dup("it runs, but the schema is not as "
			"before; what differs is not shown: the migration has "
			"secrets");
		return;
	}
	if (!b->schema) {
		now->down = "broken";
		now->down_text = mem_printf("it runs, but %s", b->what);
		return;
	}
	now->down = b->same ? "exact" : done->losses.n > 0 ? "lossy" :
		"schema-only";
	if (!b->same)
		now->down_text = mem_dup(b->what);
}

/* Of the plan: nothing stands on it. */
static int
is_last(const struct rehearse *x)
{
	const struct plan *p = &x->a.plan;

	return p->n == 0 || p->pending[p->n - 1] == x->m;
}

/* To where the next one begins. */
static int
run_again(struct rehearse *x, const struct run *like, struct err *e)
{
	struct part_done done = { 0 };
	struct run r = *like;
	struct err why;
	int result;

	r.down = 0;
	r.trace = NULL;
	r.again = 1;
	result = run_migration(&done, x->m, &r, &why);
	shape_release(&part_done_shape, &done);
	if (result == 0)
		return 0;
	err_set(e, ERR_REFUSED, "rehearsal", "the way back of migration %s "
		"(%s), which runs in no transaction, is not one (%.200s): the "
		"copy cannot go on from there (%.300s)", x->m->version,
		x->m->name, x->now->down_text == NULL ? x->now->down :
		x->now->down_text, why.text);
	return err_next(e, "mend its down script, or take it out");
}

int
op_rehearse_down(struct rehearse *x, struct err *e)
{
	const struct strs none = { 0 };
	struct way_back b = { .x = x };
	const struct run_trace trace = { &b, &b.expected, on_begin, on_before, on_after,
		on_judge, on_end };
	const struct run r = { .db = x->a.s.db, .tool = x->r->o->tool,
		.report = NULL, .by = "rehearsal", .allow = &none,
		.allow_all = 1, .option = "--allow-loss", .down = 1,
		.ledger = 1, .trace = &trace };
	struct part_done done = { 0 };
	struct err why;
	int result;

	result = run_migration(&done, x->m, &r, &why);

	if (result == 0 || strcmp(why.reason, SEEN) == 0) {
		label(&b, &done);
	} else {
		x->now->down = "broken";
		x->now->down_text = mem_dup(why.text);
	}
	strs_free(&b.expected);
	shape_release(&part_done_shape, &done);
	/* It was really undone, for no transaction was around it. */
	return result == 0 && !is_last(x) ? run_again(x, &r, e) : 0;
}
