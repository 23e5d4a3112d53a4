/* pg_watch_end: what a migration has done, all in all. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

/*
 * Bytes of a table whose rows are counted while the migration holds its locks: a
 * moment.  How many it has is only told; how many changed is known of any.
 */
#define COUNTED_MAX ((int64_t)256 << 20)

static struct db_change *
add_change(struct db_changes *out, const char *table)
{
	struct db_change *c;

	out->v = mem_grow(out->v, out->n + 1, sizeof(*out->v));
	c = &out->v[out->n++];
	memset(c, 0, sizeof(*c));
	c->table = mem_dup(table);
	return c;
}

static struct db_change *
change_of(struct db_changes *out, const char *table)
{
	size_t i;

	for (i = 0; i < out->n; i++)
		if (strcmp(out->v[i].table, table) == 0)
			return &out->v[i];
	return add_change(out, table);
}

/* Rows that changed in a table that is there, or was and is not. */
static int
one(struct pg *p, struct pg_touched *t, struct db_changes *out, struct err *e)
{
	int64_t n[3], rows = -1;
	struct db_change *c;
	int k, large;

	if (!t->seen || (!t->old && !t->there) || t->lost)
		return 0;
	if (!t->there) {
		c = add_change(out, t->name);
		c->before = pg_watch_counted(p->watch, t->oid, NULL);
		c->after = -1;
		return 0;
	}
	for (k = 0; k < 3; k++)
		n[k] = t->last[k] - t->base[k];
	if (n[0] + n[1] + n[2] == 0)
		return 0;
	/* On a copy nobody waits for the locks of the migration. */
	large = !p->staged && t->size > COUNTED_MAX;
	if (!large && pg_watch_count(p, t->name, &rows, e) == -1)
		return -1;
	c = add_change(out, t->name);
	c->uncounted = large;
	c->after = large ? -1 : rows;
	c->before = large || !t->old ? -1 : rows - n[0] + n[2];
	c->inserted = n[0];
	c->updated = n[1];
	c->deleted = n[2];
	c->cascaded = t->cascaded;
	c->by_name = 1;
	c->nulled = t->nulled;
	c->nulled_n = t->nulled_n;
	t->nulled = NULL;
	t->nulled_n = 0;
	return 0;
}

/* A column that is dropped now, and that no statement names; as it was called. */
struct lost_column {
	char *oid, *table, *column;
};

struct lost_columns {
	struct lost_column *v;
	size_t n;
};

static void
lost_columns_free(struct lost_columns *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].oid);
		free(l->v[i].table);
		free(l->v[i].column);
	}
	free(l->v);
}

/* Letter by letter: a table may have the columns a and "A". */
static int
is_named(const struct strs *columns, const char *key)
{
	size_t i;

	for (i = 0; i < columns->n; i++)
		if (strcmp(columns->v[i], key) == 0)
			return 1;
	return 0;
}

/* Of one table: the numbers of those that are dropped, by their names before. */
static int
lost_of(struct pg *p, const char *oid, struct lost_columns *out, struct err *e)
{
	const char *values[2] = { oid, NULL };
	PGresult *was;
	char *numbers;
	int k;

	if (pg_sql_value(p, &numbers, e, "SELECT pg_catalog.string_agg("
		"attnum::text, ',') FROM pg_catalog.pg_attribute WHERE "
		"attrelid = $1::pg_catalog.oid AND attnum > 0 AND "
		"attisdropped", oid) == -1)
		return -1;
	if (numbers == NULL)
		return 0;
	values[1] = numbers;
	was = pg_sql_own(p->observer, "SELECT a.attname, " PG_NAME("n", "c")
		" FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c "
		"ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON "
		"n.oid = c.relnamespace WHERE a.attrelid = "
		"$1::pg_catalog.oid AND NOT a.attisdropped AND a.attnum = ANY "
		"(pg_catalog.string_to_array($2, ',')::int2[])", 2, values, e);
	free(numbers);
	if (was == NULL || PQresultStatus(was) != PGRES_TUPLES_OK) {
		if (was != NULL)
			pg_error(p->observer, was, e, "look at what was there");
		PQclear(was);
		return -1;
	}
	for (k = 0; k < PQntuples(was); k++) {
		const char *column = PQgetvalue(was, k, 0);
		char *key = pg_watch_key(oid, column);
		struct lost_column *x;

		if (!is_named(&p->watch->columns, key)) {
			out->v = mem_grow(out->v, out->n + 1, sizeof(*out->v));
			x = &out->v[out->n++];
			x->oid = mem_dup(oid);
			x->table = mem_dup(PQgetvalue(was, k, 1));
			x->column = mem_dup(column);
		}
		free(key);
	}
	PQclear(was);
	return 0;
}

static int
find_lost_columns(struct pg *p, struct lost_columns *out, struct err *e)
{
	const struct pg_watch *w = p->watch;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->v[i].seen && w->v[i].old && w->v[i].there &&
			lost_of(p, w->v[i].oid, out, e) == -1)
			return -1;
	return 0;
}

/* What cannot be told while the transaction is there. */
static void
find_undone(const struct pg_watch *w, const struct lost_columns *columns,
	struct db_changes *out)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->v[i].lost && pg_watch_counted(w, w->v[i].oid, NULL) ==
			-1)
			strs_add(&out->undone, w->v[i].oid);
	for (i = 0; i < columns->n; i++) {
		const struct lost_column *x = &columns->v[i];
		char *key = pg_watch_key(x->oid, x->column);

		if (pg_watch_counted(w, x->oid, x->column) == -1)
			strs_add(&out->undone, key);
		free(key);
	}
}

/* Behind a rollback: the names are those from before. */
static int
count_column(struct pg *p, const struct lost_column *x, int64_t *values,
	struct err *e)
{
	char *full = pg_catalog_full(x->table);
	struct db_census census;
	size_t k;
	int result;

	memset(&census, 0, sizeof(census));
	result = pg_census(&p->base, full, 0, &census, e);
	for (k = 0; k < census.n && result == 0; k++)
		if (strcmp(census.columns[k], x->column) == 0)
			*values = census.values[k];
	db_census_free(&census);
	free(full);
	return result;
}

/*
 * What went without a name is counted: beforehand if it was expected; else only when
 * the transaction is gone.
 */
static int
count_lost(struct pg *p, const struct lost_columns *columns,
	struct db_changes *out, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct db_change *c;
	size_t i;
	int result = 0;

	find_undone(w, columns, out);
	if (out->undone.n > 0) {
		pg_transaction_rollback(&p->base);
		p->spoilt = 1;
	}
	for (i = 0; i < w->n && result == 0; i++) {
		const struct pg_touched *t = &w->v[i];
		int64_t rows;

		if (!t->lost)
			continue;
		rows = pg_watch_counted(w, t->oid, NULL);
		if (rows == -1)
			result = pg_watch_count(p, t->was, &rows, e);
		/* Its own: another table may have its name, and changes, by now. */
		c = add_change(out, t->was);
		c->before = rows;
		c->after = t->there ? 0 : -1;
		c->deleted = c->cascaded = rows;
	}
	for (i = 0; i < columns->n && result == 0; i++) {
		const struct lost_column *x = &columns->v[i];
		int64_t values = pg_watch_counted(w, x->oid, x->column);

		if (values == -1)
			result = count_column(p, x, &values, e);
		c = change_of(out, x->table);
		c->nulled = mem_grow(c->nulled, c->nulled_n + 1,
			sizeof(*c->nulled));
		c->nulled[c->nulled_n].column = mem_dup(x->column);
		c->nulled[c->nulled_n].upserted = 0;
		c->nulled[c->nulled_n++].taken = values;
	}
	return result;
}

/* A migration must leave the ledger to mig. */
static int
check_own(const struct db_changes *c, struct err *e)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strs_starts(c->v[i].table, "mig.")) {
			err_set(e, ERR_REFUSED, "forbidden",
				"a migration may not write to mig's own table "
				"'%s'", c->v[i].table);
			return err_next(e, "take it out of the file");
		}
	return 0;
}

/* Constraints and their triggers that wait for the commit. */
static int
at_commit(struct pg *p, struct err *e)
{
	const struct db_statement nothing = { .intent = DB_INTENT_OTHER };

	strs_free(&p->watch->now);
	*p->watch->tag = '\0';
	if (pg_sql_exec(&p->base, "SET CONSTRAINTS ALL IMMEDIATE", e) == -1) {
		if (e->code == ERR_ENV && strcmp(e->reason, "database") == 0)
			e->code = ERR_FAILED;
		return -1;
	}
	return pg_watch_after(p, &nothing, e);
}

static int
all(struct pg *p, struct db_changes *out, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct lost_columns columns = { 0 };
	size_t i, lost = 0;
	int result = 0;

	/* What is deferred happens now, before it is looked at. */
	if (p->reset_role && at_commit(p, e) == -1)
		return -1;
	/*
	 * A role that the migration took must not write mig's ledger; and what
	 * it did to the limit must not let us wait with its locks.
	 */
	if (p->reset_role && (pg_sql_exec(&p->base, "SET SESSION AUTHORIZATION "
		"DEFAULT; RESET ROLE; RESET ALL", e) == -1 ||
		pg_open_settle(p, e) == -1 || pg_transaction_limit(p, e) == -1))
		return -1;
	p->reset_role = 0;
	for (i = 0; i < w->n && result == 0; i++) {
		lost += (size_t)w->v[i].lost;
		result = one(p, &w->v[i], out, e);
	}
	if (result == 0)
		result = find_lost_columns(p, &columns, e);
	if (result == 0)
		result = check_own(out, e);
	if (result == 0 && lost + columns.n > 0)
		result = count_lost(p, &columns, out, e);
	lost_columns_free(&columns);
	return result;
}

int
pg_watch_stop(struct db *d, struct db_changes *out, struct err *e)
{
	struct pg *p = pg_of(d);
	int result = p->watch == NULL ? 0 : all(p, out, e);

	pg_watch_cancel(d);
	if (result == -1)
		db_changes_free(out);
	return result;
}
