/* run_statements: the statements of a migration, one by one. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "doc/part.h"
#include "guard/loss.h"
#include "migration/text.h"
#include "op/run_part.h"

int
run_at_statement(const struct running *x, const struct script_statement *s,
	struct err *e)
{
	int line = s->line;
	const char *file = text_place(x->part, &line);

	text_hide(x->part, e);
	/* Whoever rehearses is not about to run it again. */
	if (x->r->trace == NULL && strcmp(e->reason, "statement") == 0) {
		if (x->r->down)
			err_next(e, "mend the down script and run mig-rollback "
				"again, or go back with mig-rollback --restore");
		else
			err_next(e, "%s and run mig-apply again", e->next);
	}
	return err_wrap(e, "migration %s (%s), '%s' line %d", x->m->version,
		x->m->name, file, line);
}

int
run_at_migration(const struct running *x, struct err *e)
{
	text_hide(x->part, e);
	return err_wrap(e, "migration %s (%s)", x->m->version, x->m->name);
}

/* What somebody commits behind the count would go without having been counted. */
static int
hold(struct running *x, const struct script_statement *s, struct err *e)
{
	size_t i;

	if (s->table == NULL)
		return 0;
	if (db_watch_hold(x->r->db, s->table, e) == -1)
		return -1;
	for (i = 0; i < s->more.n; i++)
		if (db_watch_hold(x->r->db, s->more.v[i], e) == -1)
			return -1;
	return 0;
}

static int
count(struct running *x, const struct script_statement *s, struct err *e)
{
	struct shape_list *losses = &x->done->losses;

	if (loss_of_statement(losses, x->r->db, s, &x->rebuilds, e) == -1)
		return -1;
	if (run_unallowed(x) > 0 && !x->r->allow_all)
		return loss_refuse(losses, x->r->option, e);
	return 0;
}

/*
 * A column goes because it has no values: while that is made sure of, nobody gives it
 * one, and so it must not take long.  For what is allowed to go nobody has to wait.
 */
static int
count_column(struct running *x, const struct script_statement *s, struct err *e)
{
	struct shape_list *losses = &x->done->losses;
	size_t n = losses->n;

	if (count(x, s, e) == -1)
		return -1;
	if (x->r->allow_all || losses->n - n == s->columns.n)
		return 0;
	shape_list_cut(losses, &part_loss_shape, n);
	if (hold(x, s, e) == -1)
		return -1;
	if (db_watch_brief(x->r->db, 1, e) == 0 && count(x, s, e) == 0 &&
		db_watch_brief(x->r->db, 0, e) == 0)
		return 0;
	if (strcmp(e->reason, "timeout") == 0)
		err_next(e, "to count what goes takes too long while others wait: "
			"allow its loss, which it need not be then: %s '%s.%s'",
			x->r->option, s->table, s->columns.v[0]);
	return -1;
}

/* What must be known before the statement runs. */
static int
before_statement(struct running *x, const struct script_statement *s,
	struct err *e)
{
	struct rebuilt *b;
	size_t i;

	if ((s->kind == SCRIPT_DROP_TABLE || s->kind == SCRIPT_TRUNCATE ||
		s->retyped.n > 0) && hold(x, s, e) == -1)
		return -1;
	if ((s->kind == SCRIPT_DROP_COLUMN ? count_column(x, s, e) :
		count(x, s, e)) == -1)
		return -1;
	if (s->kind != SCRIPT_DROP_TABLE)
		return 0;
	if (strs_has(&x->rebuilds, s->table)) {
		x->rebuilt = mem_grow(x->rebuilt, x->rebuilt_n + 1,
			sizeof(*x->rebuilt));
		b = &x->rebuilt[x->rebuilt_n];
		if (db_census(x->r->db, s->table, 1, &b->before, e) == -1)
			return -1;
		b->table = mem_dup(s->table);
		x->rebuilt_n++;
	}
	for (i = 0; i < s->more.n; i++)
		if (db_watch_drop(x->r->db, s->more.v[i], e) == -1)
			return -1;
	return db_watch_drop(x->r->db, s->table, e);
}

static void
after_statement(struct running *x, const struct script_statement *s)
{
	if (s->kind == SCRIPT_RENAME_TABLE)
		db_watch_rename(x->r->db, s->table, s->to);
	else if (s->kind == SCRIPT_CREATE_TABLE)
		db_watch_create(x->r->db, s->table);
}

static int
run_traced(const struct run *r, const struct script_statement *s,
	const struct db_statement *one, struct err *e)
{
	const struct run_trace *t = r->trace;

	if (t == NULL)
		return db_run(r->db, one, e);
	if (t->before(t->arg, one->how == DB_RUN_OUTSIDE, e) == -1)
		return -1;
	if (db_run(r->db, one, e) == -1) {
		db_trace_cancel(r->db);
		return -1;
	}
	return t->after(t->arg, s->text, s->n, s->line, e);
}

/* One statement, with what its words say that it is. */
int
run_one(struct running *x, const struct script_statement *s, int how,
	struct err *e)
{
	struct strs inner = { 0 };
	struct db_statement one = { .sql = s->text, .n = s->n,
		.intent = DB_INTENT_OTHER, .table = s->table, .more = &s->more,
		.columns = &s->columns, .inner = &inner,
		.data = s->data, .data_n = s->data_n, .how = how };
	size_t i;
	int result;

	for (i = 0; i < s->inner_n; i++)
		strs_add(&inner, s->inner[i].table);
	switch (s->kind) {
	case SCRIPT_DROP_TABLE:
		one.intent = DB_INTENT_DROP_TABLE;
		break;
	case SCRIPT_DROP_COLUMN:
		one.intent = DB_INTENT_DROP_COLUMN;
		break;
	case SCRIPT_UPDATE:
		one.intent = DB_INTENT_UPDATE;
		break;
	case SCRIPT_TRUNCATE:
		one.intent = DB_INTENT_TRUNCATE;
		break;
	case SCRIPT_DELETE:
	case SCRIPT_INSERT:
	case SCRIPT_REPLACE:
		one.intent = DB_INTENT_CHANGE;
		break;
	case SCRIPT_DROP:
	case SCRIPT_CREATE:
	case SCRIPT_CREATE_TABLE:
		one.intent = DB_INTENT_DEFINE;
		break;
	default:
		if (s->inner_n > 0)
			one.intent = DB_INTENT_CHANGE;
		break;
	}
	result = run_traced(x->r, s, &one, e);
	strs_free(&inner);
	return result;
}

int
run_settings(struct running *x, int64_t n, struct err *e)
{
	int64_t i;

	for (i = 0; i < n; i++) {
		const struct script_statement *s = &x->script.v[i];
		const struct db_statement one = { .sql = s->text, .n = s->n,
			.intent = DB_INTENT_OTHER, .more = &s->more,
			.columns = &s->columns, .how = DB_RUN_OUTSIDE };

		if (s->kind == SCRIPT_SET && db_run(x->r->db, &one, e) == -1)
			return -1;
	}
	return 0;
}

/* Whether values may go without a row: not where the rows stay as they are. */
static int
must_compare(struct running *x, const struct script_statement *s, struct err *e)
{
	const struct db_statement one = { .sql = s->text, .n = s->n,
		.intent = DB_INTENT_OTHER, .table = s->table, .more = &s->more,
		.columns = &s->columns };

	if (!s->compare || s->table == NULL)
		return 0;
	return s->retyped.n == 0 || x->r->trace != NULL ? 1 :
		db_rewrites(x->r->db, &one, e);
}

/* One that may lose values and no row is compared, before and after. */
static int
run_compared(struct running *x, const struct script_statement *s,
	struct err *e)
{
	struct db_census before, after;
	int result = must_compare(x, s, e);

	if (result == -1)
		return -1;
	if (result == 0)
		return run_one(x, s, DB_RUN_PLAIN, e);
	if (db_census(x->r->db, s->table, 0, &before, e) == -1)
		return -1;
	result = run_one(x, s, DB_RUN_PLAIN, e);
	if (result == 0 && before.there && !before.fresh) {
		result = db_census(x->r->db, s->table, 0, &after, e);
		if (result == 0) {
			loss_of_values(&x->done->losses, s, &before, &after);
			db_census_free(&after);
		}
	}
	db_census_free(&before);
	return result;
}

int
run_statements(struct running *x, struct err *e)
{
	size_t i;

	for (i = 0; i < x->script.n; i++) {
		const struct script_statement *s = &x->script.v[i];

		if (stop_check(e) == -1 || before_statement(x, s, e) == -1 ||
			run_compared(x, s, e) == -1)
			return run_at_statement(x, s, e);
		after_statement(x, s);
	}
	return 0;
}
