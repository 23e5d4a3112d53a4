/* op_rehearse_look: the tables that a file names, before it and behind it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"
#include "guard/loss.h"
#include "op/op_rehearse_part.h"

#define KEEP_MAX 1000000 /* rows whose values are kept, if nothing is said */

static void
forget_list(struct seen_list *l)
{
	strs_free(&l->names);
	free(l->v);
	l->v = NULL;
}

/* The rows of a query of the engine's: a name, and perhaps a number. */
static int
read_list(struct rehearse *x, const char *name, int numbers,
	struct seen_list *out, struct err *e)
{
	struct db *d = x->a.s.db;
	struct db_rows *r;
	int more;

	forget_list(out);
	if (db_query(&r, d, e, db_sql(d, name), "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		strs_add(&out->names, db_text(r, 0));
		out->v = mem_grow(out->v, out->names.n, sizeof(*out->v));
		out->v[out->names.n - 1] = numbers ? db_int(r, 1) : 0;
	}
	db_rows_free(r);
	return more;
}

static int
read_sequences(struct rehearse *x, struct seen_list *out, struct err *e)
{
	struct seen_list there = { { 0 }, NULL };
	int result = read_list(x, "sequences-there", 0, &there, e);

	if (result == 0 && there.names.n > 0)
		result = read_list(x, "sequences", 1, out, e);
	else if (result == 0)
		forget_list(out);
	forget_list(&there);
	return result;
}

/* --- before -------------------------------------------------------------- */

static struct seen_table *
find_table(struct rehearse *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->tables_n; i++)
		if (strs_same(x->tables[i].asked, name) ||
			strs_same(x->tables[i].before.name, name) ||
			strs_same(x->tables[i].now, name))
			return &x->tables[i];
	return NULL;
}

static int
add_table(struct rehearse *x, const char *name, int named, struct err *e)
{
	struct db_census c;
	struct seen_table *t;

	if (name == NULL || *name == '\0' || find_table(x, name) != NULL)
		return 0;
	if (db_census(x->a.s.db, name, 1, &c, e) == -1)
		return -1;
	if (!c.there || find_table(x, c.name == NULL ? name : c.name) != NULL) {
		db_census_free(&c);
		return 0;
	}
	x->tables = mem_grow(x->tables, x->tables_n + 1, sizeof(*x->tables));
	t = &x->tables[x->tables_n++];
	memset(t, 0, sizeof(*t));
	t->asked = mem_dup(c.name == NULL ? name : c.name);
	t->named = named;
	t->before = c;
	return 0;
}

static int
add_named(struct rehearse *x, struct err *e)
{
	size_t i, k;

	for (i = 0; i < x->script.n; i++) {
		const struct script_statement *s = &x->script.v[i];

		if (add_table(x, s->table, 1, e) == -1)
			return -1;
		for (k = 0; k < s->more.n; k++)
			if (add_table(x, s->more.v[k], 1, e) == -1)
				return -1;
	}
	if (op_rehearse_expect(x, &x->m->up, &x->expected, e) == -1)
		return -1;
	for (i = 0; i < x->expected.n; i++)
		if (add_table(x, x->expected.v[i], 0, e) == -1)
			return -1;
	return 0;
}

static int
keep(struct rehearse *x, struct seen_table *t, const struct strs *columns,
	struct err *e)
{
	int64_t limit = x->r->sample > 0 ? x->r->sample : KEEP_MAX;

	return t == NULL || t->keep.table != NULL ? 0 : db_keep(x->a.s.db,
		t->asked, columns, limit, &t->keep, e);
}

/* The schema stays; only SET SCHEMA names another one. */
static void
rename_table(struct seen_table *t, const char *to)
{
	const char *from = t->now == NULL ? t->asked : t->now;
	const char *dot = strchr(to, '.') != NULL ? NULL : strrchr(from, '.');
	int n = dot == NULL ? 0 : (int)(dot + 1 - from);
	char *now = mem_printf("%.*s%s", n, from, to);

	free(t->now);
	t->now = now;
}

/* Names that change, tables that are made anew, values that are converted. */
static int
follow(struct rehearse *x, struct err *e)
{
	const struct strs every = { 0 };
	struct strs rebuilds = { 0 };
	size_t i;
	int result = 0;

	if (db_can(x->a.s.db, DB_CAP_REBUILD))
		script_rebuilds(&x->script, &rebuilds);
	for (i = 0; i < x->script.n && result == 0; i++) {
		const struct script_statement *s = &x->script.v[i];
		struct seen_table *t = s->table == NULL ? NULL :
			find_table(x, s->table);

		if (t == NULL)
			continue;
		if (s->kind == SCRIPT_RENAME_TABLE && s->to != NULL) {
			rename_table(t, s->to);
		} else if (s->kind == SCRIPT_DROP_TABLE &&
			strs_has(&rebuilds, s->table)) {
			t->rebuilt = 1;
			result = keep(x, t, &every, e);
		} else if (s->compare && s->columns.n > 0) {
			result = keep(x, t, &s->columns, e);
		}
	}
	strs_free(&rebuilds);
	return result;
}

/* As the file writes it, and as the database does. */
static int
is_name_of(const char *written, const char *table)
{
	return written != NULL && strs_same(strncmp(written, "public.", 7) == 0 ?
		written + 7 : written, table);
}

static int
is_named(struct rehearse *x, const char *table)
{
	const struct seen_table *t = find_table(x, table);
	size_t i;

	for (i = 0; i < x->script.n; i++)
		if (is_name_of(x->script.v[i].table, table) ||
			is_name_of(x->script.v[i].to, table) ||
			strs_has(&x->script.v[i].more, table))
			return 1;
	return (t != NULL && t->named) || strs_has(&x->parts, table);
}

/* Partitions and children of what the file names: a statement reaches them. */
static int
add_parts(struct rehearse *x, struct err *e)
{
	struct db *d = x->a.s.db;
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, db_sql(d, "parts"), "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		if (is_named(x, db_text(r, 1)))
			strs_add_once(&x->parts, db_text(r, 0));
	db_rows_free(r);
	return more;
}

int
op_rehearse_before(struct rehearse *x, struct err *e)
{
	struct db *d = x->a.s.db;

	return db_trace_size(d, &x->now->size_before, e) == -1 ||
		db_trace_written(d, &x->written, e) == -1 ||
		read_sequences(x, &x->sequences, e) == -1 ||
		read_list(x, "unvalidated", 0, &x->left, e) == -1 ||
		add_named(x, e) == -1 || follow(x, e) == -1 ||
		add_parts(x, e) == -1 ||
		/* The last, so that what mig keeps aside was there before. */
		db_trace_migration(d, e) == -1 ? -1 : 0;
}

void
op_rehearse_forget(struct rehearse *x)
{
	size_t i;

	for (i = 0; i < x->tables_n; i++) {
		free(x->tables[i].asked);
		free(x->tables[i].now);
		db_census_free(&x->tables[i].before);
		db_keep_free(x->a.s.db, &x->tables[i].keep);
	}
	free(x->tables);
	x->tables = NULL;
	x->tables_n = 0;
	forget_list(&x->sequences);
	forget_list(&x->left);
	strs_free(&x->parts);
	strs_free(&x->expected);
	script_free(&x->script);
	memset(&x->script, 0, sizeof(x->script));
}

/* --- behind it ----------------------------------------------------------- */

static size_t
column_of(const struct db_census *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strs_same(c->columns[i], name))
			break;
	return i;
}

/* A new column with the very values of one that is gone. */
static size_t
renamed_to(const struct db_census *before, size_t i,
	const struct db_census *after)
{
	size_t k;

	for (k = 0; k < after->n; k++)
		if (column_of(before, after->columns[k]) == before->n &&
			after->values[k] == before->values[i] &&
			after->digests[k] == before->digests[i])
			return k;
	return after->n;
}

static struct part_column *
add_column(struct part_effect *f, const char *name, const char *change,
	int64_t before, int64_t after)
{
	struct part_column *c = shape_list_add(&f->columns,
		&part_column_shape);

	c->column = mem_dup(name);
	c->change = change;
	c->before = before;
	c->after = after;
	c->lossy = -1;
	return c;
}

static int
has_loss(const struct part_rehearsed *now, const char *name)
{
	const struct part_loss *l = now->losses.items;
	size_t i;

	for (i = 0; i < now->losses.n; i++)
		if (strs_same(l[i].name, name))
			return 1;
	return 0;
}

/* A loss that only the comparison has found. */
static void
add_loss(struct rehearse *x, const char *table, const char *column,
	const char *action, int64_t amount)
{
	char *name = mem_printf("%s.%s", table, column);
	struct part_loss *l;

	if (amount <= 0 || has_loss(x->now, name) || has_loss(x->now, table)) {
		free(name);
		return;
	}
	l = shape_list_add(&x->now->losses, &part_loss_shape);
	l->name = name;
	l->action = mem_dup(action);
	l->amount = amount;
	l->unit = "values";
}

/* A rebuild's loss says how many values there are; here it is known exactly. */
static void
correct_loss(struct rehearse *x, const char *table, const char *column,
	int64_t lossy)
{
	char *name = mem_printf("%s.%s", table, column);
	struct part_loss *l = x->now->losses.items;
	size_t i;

	for (i = 0; i < x->now->losses.n; i++)
		if (strs_same(l[i].name, name) && strs_same(l[i].action,
			LOSS_CHANGED))
			l[i].amount = lossy;
	free(name);
}

/* What became of the values of a column that is still there. */
static int
compare_values(struct rehearse *x, const struct seen_table *t,
	struct part_effect *f, size_t i, const struct db_census *after,
	size_t k, struct err *e)
{
	const struct db_census *before = &t->before;
	struct strs samples = { 0 };
	struct part_column *c;
	size_t kept;
	int64_t lossy = -1;

	for (kept = 0; kept < t->keep.columns.n; kept++)
		if (strs_same(t->keep.columns.v[kept], before->columns[i]))
			break;
	if (kept < t->keep.columns.n && db_keep_compare(x->a.s.db, &t->keep,
		kept, after->name == NULL ? f->table : after->name,
		after->columns[k], &lossy, &samples, e) == -1)
		return -1;
	/* Of rows that come or go the counts tell enough. */
	if (lossy <= 0 && (before->rows != after->rows || (before->values[i] ==
		after->values[k] && before->digests[i] == after->digests[k])))
		return 0;
	c = add_column(f, after->columns[k], lossy >= 0 && !t->rebuilt ?
		"converted" : "changed", before->values[i], after->values[k]);
	c->lossy = lossy;
	c->samples = samples;
	if (before->rows > t->keep.rows && t->keep.aside != NULL)
		f->sampled = t->keep.rows;
	else if (lossy > 0)
		correct_loss(x, f->table, c->column, lossy);
	/* An UPDATE that names the column is meant to change it. */
	if (!strs_same(c->change, "converted"))
		return 0;
	add_loss(x, f->table, c->column, f->sampled == -1 ?
		"not kept by the new type" :
		"not kept by the new type, in the rows compared", lossy);
	return 0;
}

static int
compare_columns(struct rehearse *x, const struct seen_table *t,
	struct part_effect *f, const struct db_census *after, struct err *e)
{
	const struct db_census *before = &t->before;
	struct part_column *c;
	size_t i, k;
	int *taken = mem_array(after->n + 1, sizeof(*taken)), result = 0;

	for (i = 0; i < before->n && result == 0; i++) {
		k = column_of(after, before->columns[i]);
		if (k < after->n) {
			result = compare_values(x, t, f, i, after, k, e);
			continue;
		}
		k = renamed_to(before, i, after);
		if (k < after->n && !taken[k] && before->values[i] > 0) {
			taken[k] = 1;
			c = add_column(f, after->columns[k], "renamed",
				before->values[i], after->values[k]);
			c->was = mem_dup(before->columns[i]);
			continue;
		}
		add_column(f, before->columns[i], "dropped", before->values[i],
			-1);
		add_loss(x, f->table, before->columns[i], "dropped",
			before->values[i]);
	}
	for (k = 0; k < after->n && result == 0; k++)
		if (column_of(before, after->columns[k]) == before->n &&
			!taken[k])
			add_column(f, after->columns[k], "added", -1,
				after->values[k]);
	free(taken);
	return result;
}

static struct part_effect *
effect_of(struct rehearse *x, const char *table)
{
	struct part_effect *f = x->now->effects.items;
	size_t i;

	for (i = 0; i < x->now->effects.n; i++)
		if (strs_same(f[i].table, table))
			return &f[i];
	f = shape_list_add(&x->now->effects, &part_effect_shape);
	f->table = mem_dup(table);
	f->before = f->after = f->sampled = -1;
	return f;
}

static int
judge_table(struct rehearse *x, const struct seen_table *t, struct err *e)
{
	const char *now = t->now != NULL && !t->rebuilt ? t->now : t->asked;
	struct part_effect *f;
	struct db_census after;
	size_t n = x->now->effects.n;
	int result = 0;

	if (db_census(x->a.s.db, now, 1, &after, e) == -1)
		return -1;
	f = effect_of(x, after.name == NULL ? now : after.name);
	f->named = t->named;
	if (f->before == -1)
		f->before = t->before.rows;
	f->after = after.there ? after.rows : -1;
	if (after.there)
		result = compare_columns(x, t, f, &after, e);
	/* Nothing has come of it: it is no news. */
	if (result == 0 && x->now->effects.n > n && f->columns.n == 0 &&
		f->before == f->after) {
		shape_release(&part_effect_shape, f);
		x->now->effects.n--;
	}
	db_census_free(&after);
	return result;
}

/* A sequence that is begun anew has no last value until it is used. */
static int64_t
restarted(struct rehearse *x, const char *name, int64_t otherwise)
{
	char *sql = mem_printf("SELECT last_value - 1 FROM %s", name);
	struct db_rows *r;
	struct err ignored;

	if (db_query(&r, x->a.s.db, &ignored, sql, "") == 0) {
		if (db_next(r, &ignored) == 1)
			otherwise = db_int(r, 0);
		db_rows_free(r);
	}
	free(sql);
	return otherwise;
}

static int
judge_sequences(struct rehearse *x, struct err *e)
{
	struct seen_list now = { { 0 }, NULL };
	size_t i, k;
	int result = read_sequences(x, &now, e);

	for (k = 0; k < x->sequences.names.n && result == 0; k++) {
		const char *name = x->sequences.names.v[k];
		int64_t was = x->sequences.v[k], is;
		char *text;

		for (i = 0; i < now.names.n; i++)
			if (strcmp(now.names.v[i], name) == 0)
				break;
		is = i < now.names.n ? now.v[i] : restarted(x, name, was);
		if (is >= was)
			continue;
		text = mem_printf("%s: %" PRId64 " -> %" PRId64, name, was, is);
		strs_add(&x->now->sequences, text);
		free(text);
	}
	forget_list(&now);
	return result;
}

int
op_rehearse_left(struct rehearse *x, struct err *e)
{
	struct seen_list now = { { 0 }, NULL };
	size_t i;
	int result = read_list(x, "unvalidated", 0, &now, e);

	for (i = 0; i < now.names.n && result == 0; i++)
		if (!strs_has(&x->left.names, now.names.v[i]))
			strs_add(&x->now->left, now.names.v[i]);
	forget_list(&now);
	return result;
}

int
op_rehearse_after(struct rehearse *x, const struct part_done *done,
	struct err *e)
{
	const struct part_delta *d = done->delta.items;
	size_t i;
	int result = add_parts(x, e); /* new ones */

	for (i = 0; i < done->delta.n; i++) {
		struct part_effect *f = effect_of(x, d[i].table);

		f->named = is_named(x, d[i].table);
		f->before = d[i].before;
		f->after = d[i].after;
		f->inserted = d[i].inserted;
		f->updated = d[i].updated;
		f->deleted = d[i].deleted;
		f->cascaded = d[i].cascaded;
	}
	for (i = 0; i < x->tables_n && result == 0; i++)
		result = judge_table(x, &x->tables[i], e);
	/* What was kept aside is no part of the database's size. */
	for (i = 0; i < x->tables_n; i++)
		db_keep_free(x->a.s.db, &x->tables[i].keep);
	if (result == 0)
		result = judge_sequences(x, e);
	return result == 0 ? op_rehearse_left(x, e) : -1;
}

/* --- after the way back -------------------------------------------------- */

static int
differs(const struct db_census *was, const struct db_census *is,
	const char *table, char *what, size_t room)
{
	size_t i, k;

	if (!is->there || is->rows != was->rows) {
		snprintf(what, room, "%s: %" PRId64 " rows, not %" PRId64,
			table, is->there ? is->rows : 0, was->rows);
		return 1;
	}
	for (i = 0; i < was->n; i++) {
		k = column_of(is, was->columns[i]);
		if (k < is->n && is->values[k] == was->values[i] &&
			is->digests[k] == was->digests[i])
			continue;
		if (k < is->n && is->values[k] == was->values[i])
			snprintf(what, room, "%s.%s: other values", table,
				was->columns[i]);
		else
			snprintf(what, room, "%s.%s: %" PRId64 " values, not %"
				PRId64, table, was->columns[i], k < is->n ?
				is->values[k] : 0, was->values[i]);
		return 1;
	}
	return 0;
}

int
op_rehearse_same(struct rehearse *x, char *what, size_t room, struct err *e)
{
	const struct part_effect *f = x->now->effects.items;
	struct db_census is;
	size_t i;
	int other = 0;

	for (i = 0; i < x->tables_n && !other; i++) {
		if (db_census(x->a.s.db, x->tables[i].asked, 1, &is, e) == -1)
			return -1;
		other = differs(&x->tables[i].before, &is, x->tables[i].asked,
			what, room);
		db_census_free(&is);
	}
	for (i = 0; i < x->now->effects.n && !other; i++) {
		if (f[i].named || f[i].before == -1)
			continue;
		if (db_census(x->a.s.db, f[i].table, 0, &is, e) == -1)
			return -1;
		other = (is.there ? is.rows : -1) != f[i].before;
		if (other)
			snprintf(what, room, "%s: %" PRId64 " rows, not %"
				PRId64, f[i].table, is.there ? is.rows : 0,
				f[i].before);
		db_census_free(&is);
	}
	return !other;
}
