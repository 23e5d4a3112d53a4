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

#define KEEP_MAX 1000000 /* rows of a rebuild, if nothing is said */

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
		if (op_rehearse_is_name(x, x->tables[i].asked, name) ||
			op_rehearse_is_name(x, x->tables[i].before.name, name) ||
			op_rehearse_is_name(x, x->tables[i].now, name))
			return &x->tables[i];
	return NULL;
}

static int
add_table(struct rehearse *x, const char *name, int named, struct err *e)
{
	struct db_census c;
	struct seen_table *t;
	/* Whole rows are for the way back. */
	int content = x->m->down.text != NULL ? 2 : 1;

	if (name == NULL || *name == '\0' || find_table(x, name) != NULL)
		return 0;
	if (db_census(x->a.s.db, name, x->r->sample == 0 ?
		content : 0, &c, e) == -1)
		return -1;
	/* Within the sample: its values, too. */
	if (x->r->sample > 0 && c.there && c.rows <= x->r->sample) {
		db_census_free(&c);
		if (db_census(x->a.s.db, name, content, &c, e) == -1)
			return -1;
	}
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
	t->counted = x->r->sample > 0 && c.rows > x->r->sample;
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
	/* All columns of a rebuild are many; those of a new type are few. */
	int64_t limit = x->r->sample > 0 ? x->r->sample : columns->n > 0 ?
		INT64_MAX : KEEP_MAX;

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
		} else if (s->compare && script_compared(s)->n > 0) {
			result = keep(x, t, script_compared(s), e);
		}
	}
	strs_free(&rebuilds);
	return result;
}

/* As the file writes it, and as the database does. */
static int
is_name_of(struct rehearse *x, const char *written, const char *table)
{
	return written != NULL && op_rehearse_is_name(x, strncmp(written, "public.",
		7) == 0 ? written + 7 : written, table);
}

static int
is_named(struct rehearse *x, const char *table)
{
	const struct seen_table *t = find_table(x, table);
	size_t i;

	for (i = 0; i < x->script.n; i++)
		if (is_name_of(x, x->script.v[i].table, table) ||
			is_name_of(x, x->script.v[i].to, table) ||
			lex_has_name(x->script.rules, &x->script.v[i].more,
				table))
			return 1;
	return (t != NULL && t->named) || lex_has_name(x->script.rules, &x->parts, table);
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
			strs_add(&x->parts, db_text(r, 0));
	db_rows_free(r);
	return more;
}

int
op_rehearse_before(struct rehearse *x, struct err *e)
{
	struct db *d = x->a.s.db;

	return db_schema(d, &x->schema, e) == -1 ||
		db_trace_size(d, &x->now->size_before, e) == -1 ||
		db_trace_written(d, &x->written, e) == -1 ||
		read_sequences(x, &x->sequences, e) == -1 ||
		read_list(x, "unvalidated", 0, &x->left, e) == -1 ||
		op_rehearse_attached(x, &x->attached, e) == -1 ||
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
	strs_free(&x->attached);
	strs_free(&x->schema);
	strs_free(&x->parts);
	strs_free(&x->expected);
	strs_free(&x->allow);
	script_free(&x->script);
	memset(&x->script, 0, sizeof(x->script));
}

/* --- behind it ----------------------------------------------------------- */

static struct part_effect *
effect_of(struct rehearse *x, const char *table)
{
	struct part_effect *f = x->now->effects.items;
	size_t i;

	for (i = 0; i < x->now->effects.n; i++)
		if (op_rehearse_is_name(x, f[i].table, table))
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

	if (db_census(x->a.s.db, now, !t->counted, &after, e) == -1)
		return -1;
	f = effect_of(x, after.name == NULL ? now : after.name);
	f->named = t->named;
	if (f->before == -1)
		f->before = t->before.rows;
	f->after = after.there ? after.rows : -1;
	if (after.there)
		result = op_rehearse_columns(x, t, f, &after, e);
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
	if (result == 0)
		result = op_rehearse_left(x, e);
	return result == 0 ? op_rehearse_gone(x, e) : -1;
}
