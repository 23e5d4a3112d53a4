/*
 * op_rehearse_columns: what became of the values of a table, behind a migration and
 * behind its way back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"
#include "guard/loss.h"
#include "op/op_rehearse_part.h"

/* A new column with the very values of one that is gone. */
static size_t
renamed_to(const struct db_census *before, size_t i,
	const struct db_census *after)
{
	size_t k;

	for (k = 0; k < after->n; k++)
		if (db_census_column(before, after->columns[k]) == before->n &&
			after->values[k] == before->values[i] &&
			after->digests[k] == before->digests[i])
			return k;
	return after->n;
}

static int
has_loss(const struct rehearse *x, const char *name)
{
	const struct part_loss *l = x->now->losses.items;
	size_t i;

	for (i = 0; i < x->now->losses.n; i++)
		if (op_rehearse_is_name(x, l[i].name, name))
			return 1;
	return 0;
}

/* A loss that only the comparison has found. */
static void
add_loss(struct rehearse *x, const char *table, const char *column,
	const char *action, int64_t amount)
{
	char *name = mem_printf("%s.%s", table, column);

	if (amount <= 0 || has_loss(x, name) || has_loss(x, table)) {
		free(name);
		return;
	}
	loss_add(&x->now->losses, name, action, amount, "values", 0);
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
		if (op_rehearse_is_name(x, l[i].name, name) && strs_same(l[i].action,
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
	int unknown;

	for (kept = 0; kept < t->keep.columns.n; kept++)
		if (op_rehearse_is_name(x, t->keep.columns.v[kept],
			before->columns[i]))
			break;
	if (kept < t->keep.columns.n && db_keep_compare(x->a.s.db, &t->keep,
		kept, after->name == NULL ? f->table : after->name,
		after->columns[k], &lossy, &samples, e) == -1)
		return -1;
	/* Without digests nothing is known of what was not kept aside. */
	unknown = t->counted && lossy != -1 && !t->rebuilt;
	/* Of rows that come or go the counts tell enough. */
	if (lossy <= 0 && !unknown && (before->rows != after->rows || (before->values[i] ==
		after->values[k] && before->digests[i] == after->digests[k])))
		return 0;
	c = part_effect_column(f, after->columns[k], lossy >= 0 && !t->rebuilt ?
		"converted" : "changed", before->values[i], after->values[k]);
	c->lossy = lossy;
	if (op_rehearse_is_secret(x))
		strs_free(&samples);
	c->samples = samples;
	if (before->rows > t->keep.rows && t->keep.aside != NULL)
		f->sampled = t->keep.rows;
	else if (lossy > 0)
		correct_loss(x, f->table, c->column, lossy);
	/* An UPDATE that names the column is meant to change it. */
	if (!strs_same(c->change, "converted"))
		return 0;
	if (f->sampled == -1)
		add_loss(x, f->table, c->column, "not kept by the new type",
			lossy);
	else
		/* What was not looked at counts as lost: it may be. */
		add_loss(x, f->table, c->column, "not kept by the new type, or "
			"not compared (--sample)", lossy + before->rows -
			t->keep.rows);
	return 0;
}

int
op_rehearse_columns(struct rehearse *x, const struct seen_table *t,
	struct part_effect *f, const struct db_census *after, struct err *e)
{
	const struct db_census *before = &t->before;
	struct part_column *c;
	size_t i, k;
	int *taken = mem_array(after->n + 1, sizeof(*taken)), result = 0;

	for (i = 0; i < before->n && result == 0; i++) {
		k = db_census_column(after, before->columns[i]);
		if (k < after->n) {
			result = compare_values(x, t, f, i, after, k, e);
			continue;
		}
		k = renamed_to(before, i, after);
		if (k < after->n && !taken[k] && before->values[i] > 0) {
			taken[k] = 1;
			c = part_effect_column(f, after->columns[k], "renamed",
				before->values[i], after->values[k]);
			c->was = mem_dup(before->columns[i]);
			continue;
		}
		part_effect_column(f, before->columns[i], "dropped", before->values[i],
			-1);
		add_loss(x, f->table, before->columns[i], "dropped",
			before->values[i]);
	}
	for (k = 0; k < after->n && result == 0; k++)
		if (db_census_column(before, after->columns[k]) == before->n &&
			!taken[k])
			part_effect_column(f, after->columns[k], "added", -1,
				after->values[k]);
	free(taken);
	return result;
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
		k = db_census_column(is, was->columns[i]);
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
	if (is->row_digest != was->row_digest) {
		snprintf(what, room, "%s: the same values, in other rows",
			table);
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
		if (db_census(x->a.s.db, x->tables[i].asked,
			x->tables[i].counted ? 0 : 2, &is, e) == -1)
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

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The beginning of a line of a schema, as a person may read it. */
static void
shown(char *what, size_t room, const char *how, const char *line)
{
	char *p;

	snprintf(what, room, "the schema is not as before: %s: %.140s%s", how,
		line, strlen(line) > 140 ? "..." : "");
	for (p = what; *p != '\0'; p++)
		if (strchr("\t\r\n", *p) != NULL)
			*p = ' ';
}

int
op_rehearse_schema(struct strs *was, struct strs *is, char *what, size_t room)
{
	size_t i = 0, k = 0;

	if (was->n > 0)
		qsort(was->v, was->n, sizeof(*was->v), by_bytes);
	if (is->n > 0)
		qsort(is->v, is->n, sizeof(*is->v), by_bytes);
	while (i < was->n && k < is->n && strcmp(was->v[i], is->v[k]) == 0) {
		i++;
		k++;
	}
	if (i == was->n && k == is->n)
		return 1;
	if (k == is->n || (i < was->n && strcmp(was->v[i], is->v[k]) < 0))
		shown(what, room, "missing or other", was->v[i]);
	else
		shown(what, room, "new or other", is->v[k]);
	return 0;
}
