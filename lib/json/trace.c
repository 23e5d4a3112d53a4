/* trace: what one statement did. */
#include "json/trace.h"

#include <string.h>

#include "base/mem.h"

static const char *const actions[] = { "rewritten", "built", "scanned",
	"emptied", "proved", NULL };

static const struct shape_field lock_fields[] = {
	SHAPE_AT(trace_lock, relation, TEXT),
	SHAPE_AT(trace_lock, mode, TEXT),
	SHAPE_MAY(trace_lock, held_us, INT),
	SHAPE_END,
};

const struct shape trace_lock_shape = { NULL, 0, sizeof(struct trace_lock),
	lock_fields };

static const struct shape_field work_fields[] = {
	SHAPE_AT(trace_work, relation, TEXT),
	SHAPE_ONE_OF(trace_work, action, actions),
	SHAPE_MAY(trace_work, why, TEXT),
	SHAPE_END,
};

const struct shape trace_work_shape = { NULL, 0, sizeof(struct trace_work),
	work_fields };

static const struct shape_field statement_fields[] = {
	SHAPE_AT(trace_statement, line, INT),
	SHAPE_AT(trace_statement, text, TEXT),
	SHAPE_AT(trace_statement, begin_us, INT),
	SHAPE_AT(trace_statement, duration_us, INT),
	SHAPE_MAY(trace_statement, read, INT),
	SHAPE_MAY(trace_statement, inserted, INT),
	SHAPE_MAY(trace_statement, updated, INT),
	SHAPE_MAY(trace_statement, deleted, INT),
	SHAPE_MAY(trace_statement, wal_bytes, INT),
	SHAPE_OF(trace_statement, locks, LIST, &trace_lock_shape),
	SHAPE_OF(trace_statement, works, LIST, &trace_work_shape),
	SHAPE_MAY(trace_statement, fingerprint, DIGEST),
	SHAPE_END,
};

const struct shape trace_statement_shape = { NULL, 0,
	sizeof(struct trace_statement), statement_fields };

void
trace_add_lock(struct trace_statement *t, const char *relation,
	const char *mode)
{
	struct trace_lock *l = shape_list_add(&t->locks, &trace_lock_shape);

	l->relation = mem_dup(relation);
	l->mode = mem_dup(mode);
	l->held_us = -1;
}

void
trace_add_work(struct trace_statement *t, const char *relation,
	const char *action, const char *why)
{
	struct trace_work *w = t->works.items;
	size_t i;

	/* The server says the same thing of a table and of its TOAST. */
	for (i = 0; i < t->works.n; i++)
		if (strcmp(w[i].relation, relation) == 0 &&
			strcmp(w[i].action, action) == 0)
			return;
	w = shape_list_add(&t->works, &trace_work_shape);
	w->relation = mem_dup(relation);
	w->action = action;
	w->why = mem_dup(why);
}
