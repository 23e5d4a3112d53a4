/* op_census: every table of a database counted, and compared. */
#include "op/op_census.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stop.h"
#include "base/strs.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"
#include "guard/foreign.h"
#include "guard/loss.h"

int
op_census_take(struct op_census *out, struct db *d, int content,
	struct err *e)
{
	struct shape_list tables = { 0 };
	const struct wire_table *t;
	size_t i;
	int result = 0;

	memset(out, 0, sizeof(*out));
	out->content = content;
	if (db_fingerprint(d, out->fingerprint, e) == -1 ||
		db_tables(d, &tables, e) == -1)
		return -1;
	t = tables.items;
	out->names = mem_array(tables.n + 1, sizeof(*out->names));
	out->v = mem_array(tables.n + 1, sizeof(*out->v));
	for (i = 0; i < tables.n && result == 0; i++) {
		if (db_is_ours(t[i].name) || t[i].rows == -1)
			continue;
		result = stop_check(e);
		if (result == 0)
			result = db_census(d, t[i].name, content,
				&out->v[out->n], e);
		if (result == 0 && out->v[out->n].there)
			out->names[out->n++] = mem_dup(t[i].name);
	}
	db_tables_free(&tables);
	return result;
}

void
op_census_free(struct op_census *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->names[i]);
		db_census_free(&c->v[i]);
	}
	free(c->names);
	free(c->v);
	memset(c, 0, sizeof(*c));
}

static const struct db_census *
find(const struct op_census *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->names[i], name) == 0)
			return &c->v[i];
	return NULL;
}

/* Whether a rehearsal has seen that the column only has another name now. */
static int
was_renamed(const struct part_rehearsal *known, const char *table,
	const char *column)
{
	const struct part_rehearsed *m = known == NULL ? NULL :
		known->migrations.items;
	size_t i, k, c;

	for (i = 0; m != NULL && i < known->migrations.n; i++)
		for (k = 0; k < m[i].effects.n; k++) {
			const struct part_effect *f =
				(const struct part_effect *)
				m[i].effects.items + k;
			const struct part_column *p = f->columns.items;

			for (c = 0; c < f->columns.n; c++)
				if (strcmp(f->table, table) == 0 && p[c].was !=
					NULL && strcmp(p[c].was, column) == 0)
					return 1;
		}
	return 0;
}

/* A new column with the very values, where digests were taken. */
static size_t
other_name(const struct db_census *b, size_t i, const struct db_census *a)
{
	size_t k;

	for (k = 0; k < a->n; k++)
		if (db_census_column(b, a->columns[k]) == b->n && b->values[i] > 0 &&
			a->values[k] == b->values[i] && a->digests[k] ==
			b->digests[i] && a->digests[k] != 0)
			return k;
	return a->n;
}

static void
gone_column(struct part_effect *f, struct shape_list *losses,
	const char *table, const struct db_census *b, size_t i,
	const struct db_census *a, const struct part_rehearsal *known)
{
	size_t k = other_name(b, i, a);

	if (k < a->n) {
		part_effect_column(f, a->columns[k], "renamed", b->values[i],
			a->values[k])->was = mem_dup(b->columns[i]);
		return;
	}
	part_effect_column(f, b->columns[i], "dropped", b->values[i], -1);
	if (!was_renamed(known, table, b->columns[i]))
		loss_add(losses, mem_printf("%s.%s", table, b->columns[i]),
			"dropped", b->values[i], "values", 0);
}

static void
compare_table(struct shape_list *effects, struct shape_list *losses,
	const char *name, const struct db_census *b, const struct db_census *a,
	const struct part_rehearsal *known)
{
	struct part_effect *f = shape_list_add(effects, &part_effect_shape);
	int64_t fewer = b->rows > a->rows ? b->rows - a->rows : 0, gone;
	size_t i, k;

	f->table = mem_dup(name);
	f->before = b->rows;
	f->after = a->rows;
	f->sampled = -1;
	loss_add(losses, mem_dup(name), "fewer rows than before", fewer,
		"rows", 0);
	for (i = 0; i < b->n; i++) {
		k = db_census_column(a, b->columns[i]);
		if (k == a->n) {
			gone_column(f, losses, name, b, i, a, known);
			continue;
		}
		gone = b->values[i] - a->values[k] - fewer;
		if (b->rows == a->rows && (b->values[i] != a->values[k] ||
			b->digests[i] != a->digests[k]))
			part_effect_column(f, b->columns[i], "changed", b->values[i],
				a->values[k]);
		loss_add(losses, mem_printf("%s.%s", name, b->columns[i]),
			"set to null", gone, "values", 0);
	}
	for (k = 0; k < a->n; k++)
		if (db_census_column(b, a->columns[k]) == b->n) {
			struct part_column *c = f->columns.items;

			for (i = 0; i < f->columns.n; i++)
				if (strcmp(c[i].column, a->columns[k]) == 0)
					break;
			if (i == f->columns.n)
				part_effect_column(f, a->columns[k], "added", -1,
					a->values[k]);
		}
	if (f->columns.n > 0 || f->before != f->after)
		return;
	shape_release(&part_effect_shape, f);
	effects->n--;
}

/* The same columns and counts under a name that was not there before. */
static const char *
renamed_table(const struct op_census *before, const struct db_census *b,
	const struct op_census *after, int *taken)
{
	size_t i, k;

	for (i = 0; i < after->n; i++) {
		const struct db_census *a = &after->v[i];

		/* Counts alone would let one table stand for another. */
		if (!before->content || !after->content || find(before,
			after->names[i]) != NULL || a->rows != b->rows ||
			a->n != b->n || b->rows == 0)
			continue;
		for (k = 0; k < a->n; k++)
			if (strcmp(a->columns[k], b->columns[k]) != 0 ||
				a->values[k] != b->values[k] || a->digests[k]
				!= b->digests[k])
				break;
		if (k < a->n || taken[i])
			continue;
		taken[i] = 1; /* for one only */
		return after->names[i];
	}
	return NULL;
}

/* A rehearsal that had the digests found no loss in its going. */
static int
is_known(const struct part_rehearsal *known, const char *table)
{
	const struct part_rehearsed *m = known == NULL ? NULL :
		known->migrations.items;
	const struct part_effect *f;
	const struct part_loss *l;
	size_t i;

	if (m == NULL || known->migrations.n != 1)
		return 0;
	l = m->losses.items;
	for (i = 0; i < m->losses.n; i++)
		if (strcmp(l[i].name, table) == 0)
			return 0;
	f = m->effects.items;
	for (i = 0; i < m->effects.n; i++)
		if (strcmp(f[i].table, table) == 0 && f[i].after == -1)
			return 1;
	return 0;
}

static struct part_effect *
whole_table(struct shape_list *effects, const char *name, int64_t before,
	int64_t after)
{
	struct part_effect *f = shape_list_add(effects, &part_effect_shape);

	f->table = mem_dup(name);
	f->before = before;
	f->after = after;
	f->sampled = -1;
	return f;
}

void
op_census_compare(struct shape_list *effects, struct shape_list *losses,
	const struct op_census *before, const struct op_census *after,
	const struct part_rehearsal *known)
{
	int *taken = mem_array(after->n + 1, sizeof(*taken));
	size_t i;

	for (i = 0; i < before->n; i++) {
		const struct db_census *b = &before->v[i];
		const struct db_census *a = find(after, before->names[i]);
		size_t n = losses->n;

		if (a != NULL) {
			compare_table(effects, losses, before->names[i], b, a,
				known);
			/* A tool that takes back a migration says so there. */
			if (foreign_is_books(before->names[i], b))
				shape_list_cut(losses, &part_loss_shape, n);
			continue;
		}
		whole_table(effects, before->names[i], b->rows, -1);
		if (renamed_table(before, b, after, taken) == NULL && !is_known(known,
			before->names[i]))
			loss_add(losses, mem_dup(before->names[i]), "dropped",
				b->rows, "rows", 0);
	}
	for (i = 0; i < after->n; i++)
		if (find(before, after->names[i]) == NULL)
			whole_table(effects, after->names[i], -1,
				after->v[i].rows);
	free(taken);
}
