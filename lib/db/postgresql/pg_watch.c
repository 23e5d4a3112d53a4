/*
 * pg_watch: which rows a migration changes.  Every relation that a transaction
 * writes to stays locked by it until its end, so pg_locks names exactly the
 * touched ones; the session's own statistics count their rows.  What a statement
 * did, and to which tables it does not name, is looked at after each
 * (pg_watch_look.c).  A second connection, the observer, sees the catalog as it was
 * before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

#define BRIEF_MS 1000 /* for which others may be kept waiting at least */

struct pg_touched *
pg_watch_find(struct pg_watch *w, const char *oid)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->v[i].oid, oid) == 0)
			return &w->v[i];
	w->v = mem_grow(w->v, w->n + 1, sizeof(*w->v));
	memset(&w->v[w->n], 0, sizeof(*w->v));
	w->v[w->n].oid = mem_dup(oid);
	return &w->v[w->n++];
}

char *
pg_watch_array(const struct strs *l)
{
	struct strs names = { 0 };
	char *out;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (pg_catalog_is_name(l->v[i]))
			strs_add(&names, l->v[i]);
	out = pg_sql_array(&names);
	strs_free(&names);
	return out;
}

PGresult *
pg_watch_ask(struct pg *p, const char *sql, const char *value, struct err *e)
{
	PGresult *r = pg_sql_own(p, sql, value != NULL, &value, e);

	if (r != NULL && PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look at what was changed");
		PQclear(r);
		r = NULL;
	}
	return r;
}

int64_t
pg_watch_number(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

int
pg_watch_observer(struct pg *p, struct err *e)
{
	if (p->observer != NULL)
		return 0;
	return pg_open_beside(&p->observer, p, NULL, e) == -1 ?
		err_wrap(e, "a second connection") : 0;
}

/* mig's own tables are written to by each migration: asked for once. */
static int
know_own(struct pg *p, struct err *e)
{
	PGresult *r;
	int i;

	if (p->own_known)
		return 0;
	r = pg_watch_ask(p, "SELECT c.oid FROM pg_catalog.pg_class c JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"n.nspname = 'mig' AND c.relname IN ('mig_identity', "
		"'mig_ledger', 'mig_event')", NULL, e);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		strs_add_once(&p->touched, PQgetvalue(r, i, 0));
	p->own_known = PQntuples(r) == 3;
	PQclear(r);
	return 0;
}

/*
 * The statistics of a transaction still hold what earlier ones of this session
 * have not reported: those tables, and mig's own, have a base.
 */
int
pg_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e)
{
	struct pg *p = pg_of(d);
	struct pg_watch *w = mem_alloc(sizeof(*w));
	PGresult *r;
	char *oids;
	size_t k;
	int i, c;

	pg_watch_cancel(d);
	p->watch = w;
	if (p->uncounted) {
		err_set(e, ERR_REFUSED, "loss", "%s: track_counts is off, at "
			"least for this role: what a migration deletes could "
			"not be counted", p->shown);
		return err_next(e, "switch it on (ALTER DATABASE or ROLE ... "
			"RESET track_counts)");
	}
	if (know_own(p, e) == -1)
		return -1;
	oids = pg_watch_array(&p->touched);
	r = pg_watch_ask(p, "SELECT x, " PG_WATCH_COUNTS("x") " FROM "
		"pg_catalog.unnest($1::pg_catalog.oid[]) AS y(x)", oids, e);
	free(oids);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++) {
		struct pg_touched *t = pg_watch_find(w, PQgetvalue(r, i, 0));

		for (c = 0; c < 3; c++)
			t->base[c] = t->last[c] = pg_watch_number(r, i, c + 1);
	}
	PQclear(r);
	for (k = 0; found != NULL && k < found->n; k++)
		if (pg_watch_note_found(p, found->v[k], e) == -1)
			return -1;
	for (k = 0; expected != NULL && k < expected->n; k++) {
		const char *dot = strrchr(expected->v[k], '.');
		char *head = dot == NULL ? NULL : mem_dup_n(expected->v[k],
			(size_t)(dot - expected->v[k]));
		int bad = pg_watch_note(p, expected->v[k], e) == -1 ||
			(head != NULL && pg_watch_note(p, head, e) == -1);

		free(head);
		if (bad)
			return -1;
	}
	return 0;
}

/*
 * A copy has nobody else.  The lock that the statement takes: with a weaker one first,
 * whoever has read the table and then writes to it would be in a deadlock.
 */
int
pg_watch_hold(struct db *d, const char *table, struct err *e)
{
	struct pg *p = pg_of(d);
	const char *values[] = { table };
	PGresult *r;
	int result = 0;

	if (p->watch == NULL || p->staged || !pg_catalog_is_name(table))
		return 0;
	r = pg_sql_own(p, "SELECT pg_catalog.format('LOCK TABLE %s IN ACCESS "
		"EXCLUSIVE MODE', oid::pg_catalog.regclass) FROM "
		"pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND "
		"relkind IN ('r', 'p')", 1, values, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(p, r, e, "look at a table");
	else if (PQntuples(r) == 1)
		result = pg_sql_long(p, PQgetvalue(r, 0, 0), e);
	PQclear(r);
	return result;
}

/* The setting goes with the savepoint, and the lock from before it stays. */
int
pg_watch_brief(struct db *d, int on, struct err *e)
{
	struct pg *p = pg_of(d);
	char sql[160];

	if (p->watch == NULL || p->staged)
		return 0;
	if (on)
		snprintf(sql, sizeof(sql), "SAVEPOINT mig_brief; SET LOCAL "
			"statement_timeout = %lld", (long long)(p->base.busy_ms >
			BRIEF_MS ? p->base.busy_ms : BRIEF_MS));
	else
		snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT mig_brief; "
			"RELEASE SAVEPOINT mig_brief");
	return pg_sql_exec(d, sql, e);
}

int
pg_watch_drop(struct db *d, const char *table, struct err *e)
{
	struct pg *p = pg_of(d);

	return p->watch == NULL ? 0 : pg_watch_note(p, table, e);
}

void
pg_watch_rename(struct db *d, const char *from, const char *to)
{
	(void)d; /* the server's number of it stays */
	(void)from;
	(void)to;
}

void
pg_watch_create(struct db *d, const char *table)
{
	(void)d;
	(void)table;
}

void
pg_watch_cancel(struct db *d)
{
	struct pg *p = pg_of(d);
	struct pg_watch *w = p->watch;
	size_t i, k;

	if (w == NULL)
		return;
	for (i = 0; i < w->n; i++) {
		for (k = 0; k < w->v[i].nulled_n; k++)
			free(w->v[i].nulled[k].column);
		free(w->v[i].nulled);
		free(w->v[i].oid);
		free(w->v[i].name);
		free(w->v[i].was);
		free(w->v[i].filenode);
	}
	free(w->v);
	for (i = 0; i < w->counted_n; i++)
		free(w->counted[i].key);
	free(w->counted);
	strs_free(&w->now);
	strs_free(&w->columns);
	free(w);
	p->watch = NULL;
}
