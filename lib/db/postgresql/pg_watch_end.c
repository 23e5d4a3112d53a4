/* pg_watch_end: what a migration has done, all in all. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

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
	int64_t n[3], rows;
	struct db_change *c;
	int k;

	if (!t->seen || (!t->old && !t->there) ||
		strs_has(&p->watch->lost, t->name))
		return 0;
	if (!t->there) {
		c = add_change(out, t->name);
		c->before = pg_watch_counted(p->watch, t->name);
		c->after = -1;
		return 0;
	}
	for (k = 0; k < 3; k++)
		n[k] = t->last[k] - t->base[k];
	if (n[0] + n[1] + n[2] == 0)
		return 0;
	if (pg_watch_count(p, t->name, &rows, e) == -1)
		return -1;
	c = add_change(out, t->name);
	c->after = rows;
	c->before = t->old ? rows - n[0] + n[2] : -1;
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

/* Columns that are dropped now, and that no statement names: "t.c", "c". */
static int
lost_columns(struct pg *p, struct strs *tables, struct strs *columns,
	struct err *e)
{
	struct pg_watch *w = p->watch;
	struct strs oids = { 0 };
	PGresult *r = NULL, *was = NULL;
	size_t i;
	int k, result = 0;

	for (i = 0; i < w->n; i++)
		if (w->v[i].seen && w->v[i].old && w->v[i].there)
			strs_add(&oids, w->v[i].oid);
	for (i = 0; i < oids.n && result == 0; i++) {
		r = pg_watch_ask(p, "SELECT pg_catalog.string_agg(attnum::text,"
			" ',') FROM pg_catalog.pg_attribute WHERE attrelid = "
			"$1::pg_catalog.oid AND attnum > 0 AND attisdropped",
			oids.v[i], e);
		if (r == NULL) {
			result = -1;
			break;
		}
		if (!PQgetisnull(r, 0, 0)) {
			const char *values[2] = { oids.v[i],
				PQgetvalue(r, 0, 0) };

			was = pg_sql_own(p->observer, "SELECT a.attname, "
				PG_NAME("n", "c") " FROM "
				"pg_catalog.pg_attribute a JOIN "
				"pg_catalog.pg_class c ON c.oid = a.attrelid "
				"JOIN pg_catalog.pg_namespace n ON n.oid = "
				"c.relnamespace WHERE a.attrelid = "
				"$1::pg_catalog.oid AND NOT a.attisdropped AND "
				"a.attnum = ANY (pg_catalog.string_to_array("
				"$2, ',')::int2[])", 2, values, e);
			if (was == NULL)
				result = -1;
		}
		for (k = 0; was != NULL && k < PQntuples(was); k++) {
			char *text = mem_printf("%s.%s", oids.v[i],
				PQgetvalue(was, k, 0));

			if (!strs_has(&w->columns, text)) {
				strs_add(tables, PQgetvalue(was, k, 1));
				strs_add(columns, PQgetvalue(was, k, 0));
			}
			free(text);
		}
		PQclear(was);
		PQclear(r);
		was = r = NULL;
	}
	strs_free(&oids);
	return result;
}

/*
 * What went without a name is counted: beforehand if it was expected; else only when
 * the transaction is gone.
 */
static int
count_lost(struct pg *p, const struct strs *tables, const struct strs *columns,
	struct db_changes *out, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct db_change *c;
	size_t i, k;
	int result = 0;

	for (i = 0; i < w->lost.n; i++)
		if (pg_watch_counted(w, w->lost.v[i]) == -1)
			strs_add(&out->undone, w->lost.v[i]);
	for (i = 0; i < tables->n; i++) {
		char *text = mem_printf("%s.%s", tables->v[i], columns->v[i]);

		if (pg_watch_counted(w, text) == -1)
			strs_add(&out->undone, text);
		free(text);
	}
	if (out->undone.n > 0) {
		pg_sql_rollback(&p->base);
		p->spoilt = 1;
	}
	for (i = 0; i < w->lost.n && result == 0; i++) {
		int64_t rows = pg_watch_counted(w, w->lost.v[i]);

		if (rows == -1)
			result = pg_watch_count(p, w->lost.v[i], &rows, e);
		c = change_of(out, w->lost.v[i]);
		c->before = rows;
		c->after = strs_has(&w->gone, w->lost.v[i]) ? -1 : 0;
		c->deleted = c->cascaded = rows;
	}
	for (i = 0; i < tables->n && result == 0; i++) {
		char *text = mem_printf("%s.%s", tables->v[i], columns->v[i]);
		int64_t values = pg_watch_counted(w, text);
		struct db_census census;

		free(text);
		text = pg_catalog_full(tables->v[i]);
		memset(&census, 0, sizeof(census));
		if (values == -1 && (result = pg_census(&p->base,
			text, 0, &census, e)) == 0)
			for (k = 0; k < census.n; k++)
				if (strcmp(census.columns[k],
					columns->v[i]) == 0)
					values = census.values[k];
		db_census_free(&census);
		free(text);
		c = change_of(out, tables->v[i]);
		c->nulled = mem_grow(c->nulled, c->nulled_n + 1,
			sizeof(*c->nulled));
		c->nulled[c->nulled_n].column = mem_dup(columns->v[i]);
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

static int
all(struct pg *p, struct db_changes *out, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct strs tables = { 0 }, columns = { 0 };
	size_t i;
	int result = 0;

	/* A role that the migration took must not write mig's ledger. */
	if (p->reset_role && (pg_sql_exec(&p->base, "SET SESSION AUTHORIZATION "
		"DEFAULT; RESET ROLE; RESET ALL", e) == -1 ||
		pg_open_settle(p, e) == -1))
		return -1;
	p->reset_role = 0;
	for (i = 0; i < w->n && result == 0; i++)
		result = one(p, &w->v[i], out, e);
	if (result == 0)
		result = lost_columns(p, &tables, &columns, e);
	if (result == 0)
		result = check_own(out, e);
	if (result == 0 && w->lost.n + tables.n > 0)
		result = count_lost(p, &tables, &columns, out, e);
	strs_free(&tables);
	strs_free(&columns);
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
