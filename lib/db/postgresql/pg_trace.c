/*
 * pg_trace: what a statement does beyond its rows.  Locks on relations last until
 * the end of a transaction, so those of a statement are read after it; of one that
 * runs in no transaction a second connection reads them while it runs.  Work on a
 * whole relation shows in its file, and in what the server says at DEBUG1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_trace_part.h"
#include "db/postgresql/pg_watch.h"

static int
by_oid(const void *a, const void *b)
{
	const struct pg_relation *x = a, *y = b;

	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

struct pg_relation *
pg_trace_find(struct pg_trace *t, unsigned long oid)
{
	struct pg_relation key = { .oid = oid };

	return t->n == 0 ? NULL :
		bsearch(&key, t->v, t->n, sizeof(*t->v), by_oid);
}

static void
forget(struct pg_trace *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].plain);
	}
	free(t->v);
	t->v = NULL;
	t->n = 0;
}

unsigned long
pg_trace_number(const PGresult *r, int row, int column)
{
	return strtoul(PQgetvalue(r, row, column), NULL, 10);
}

/* All relations of the user's, with where their rows are. */
static int
look(struct pg *p, struct err *e)
{
	struct pg_trace *t = p->trace;
	PGresult *r = pg_watch_ask(p, "SELECT c.oid, " PG_NAME("n", "c")
		", c.relname, c.relkind, coalesce(pg_catalog."
		"pg_relation_filenode(c.oid), 0) FROM pg_catalog.pg_class c "
		"JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
		"WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'i', "
		"'I', 'f') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('mig', "
		"'information_schema') ORDER BY c.oid", NULL, e);
	int i, n = r == NULL ? 0 : PQntuples(r);

	if (r == NULL)
		return -1;
	forget(t);
	t->v = mem_array((size_t)n + 1, sizeof(*t->v));
	for (i = 0; i < n; i++) {
		struct pg_relation *x = &t->v[t->n++];

		x->oid = pg_trace_number(r, i, 0);
		x->name = mem_dup(PQgetvalue(r, i, 1));
		x->plain = mem_dup(PQgetvalue(r, i, 2));
		x->kind = *PQgetvalue(r, i, 3);
		x->file = pg_trace_number(r, i, 4);
		x->old = 1;
	}
	PQclear(r);
	return 0;
}

int
pg_trace_migration(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);

	if (p->trace == NULL) {
		p->trace = mem_alloc(sizeof(*p->trace));
		if (pg_open_beside(&p->trace->poller, p, NULL, e) == -1 ||
			pg_open_for_thread(p->trace->poller, NULL, e) == -1)
			return err_wrap(e, "a second connection");
	}
	p->trace->fresh = 1;
	return look(p, e);
}

/* --- around a statement -------------------------------------------------- */

/*
 * Counters of a session go on until it has told them, which is not at the end of
 * every transaction: those of known relations are read before, and before the first
 * statement of a migration those of all.  Row 0 is the log.
 */
static PGresult *
counters(struct pg *p, struct err *e)
{
	struct pg_trace *t = p->trace;
	struct strs known = { 0 };
	PGresult *r;
	char *oids, text[24];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->fresh || t->v[i].rank > 0 || t->v[i].count[0] + t->v[i].count[1] +
			t->v[i].count[2] + t->v[i].count[3] != 0) {
			snprintf(text, sizeof(text), "%lu", t->v[i].oid);
			strs_add(&known, text);
		}
	oids = pg_watch_array(&known);
	strs_free(&known);
	r = pg_watch_ask(p, "SELECT 0, 0, 0, pg_catalog.trunc("
		"pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog."
		"pg_lsn), 0, 0, 0, NULL, NULL, NULL UNION ALL SELECT x.oid, "
		"coalesce(x.rank, 0), coalesce(pg_catalog."
		"pg_relation_filenode(x.oid), 0), "
		"pg_catalog.pg_stat_get_xact_tuples_inserted(x.oid), "
		"pg_catalog.pg_stat_get_xact_tuples_updated(x.oid), "
		"pg_catalog.pg_stat_get_xact_tuples_deleted(x.oid), "
		"pg_catalog.pg_stat_get_xact_tuples_fetched(x.oid) + CASE WHEN "
		"c.relkind IN ('i', 'I') THEN 0 ELSE "
		"pg_catalog.pg_stat_get_xact_tuples_returned(x.oid) END, "
		PG_NAME("n", "c") ", c.relname, c.relkind FROM (SELECT y.oid, "
		"pg_catalog.max(y.rank) AS rank FROM (SELECT l.relation AS "
		"oid, " PG_TRACE_RANK " AS rank FROM pg_catalog.pg_locks l WHERE l.pid "
		"= pg_catalog.pg_backend_pid() AND " PG_TRACE_RELATIONS " GROUP BY 1 "
		"UNION ALL SELECT k, 0 FROM pg_catalog.unnest("
		"$1::pg_catalog.oid[]) AS z(k)) AS y GROUP BY 1) AS x JOIN "
		"pg_catalog.pg_class c ON c.oid = x.oid JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"c.relkind IN ('r', 'p', 'm', 'i', 'I', 'f') AND n.nspname !~ "
		"'^pg_' AND n.nspname <> 'mig'", oids, e);
	free(oids);
	return r;
}

/* One that was made in this migration: its rows count, its locks do not. */
static struct pg_relation *
met(struct pg_trace *t, const PGresult *r, int i)
{
	struct pg_relation *x;
	unsigned long oid = pg_trace_number(r, i, 0);

	t->v = mem_grow(t->v, t->n + 1, sizeof(*t->v));
	x = &t->v[t->n++];
	memset(x, 0, sizeof(*x));
	x->oid = oid;
	x->name = mem_dup(PQgetvalue(r, i, 7));
	x->plain = mem_dup(PQgetvalue(r, i, 8));
	x->kind = *PQgetvalue(r, i, 9);
	x->file = pg_trace_number(r, i, 2);
	qsort(t->v, t->n, sizeof(*t->v), by_oid);
	return pg_trace_find(t, oid);
}

int
pg_trace_before(struct db *d, int outside, struct err *e)
{
	struct pg *p = pg_of(d);
	struct pg_trace *t = p->trace;
	PGresult *r;
	size_t k;
	int i, c;

	/* The script may have set it, as files of pg_dump do. */
	if (pg_sql_exec(d, "SET client_min_messages = debug1", e) == -1)
		return -1;
	r = counters(p, e);
	if (r == NULL)
		return -1;
	for (k = 0; k < t->n; k++) {
		t->v[k].rank = t->v[k].seen = 0;
		memset(t->v[k].count, 0, sizeof(t->v[k].count));
	}
	t->log = strtoll(PQgetvalue(r, 0, 3), NULL, 10);
	for (i = 1; i < PQntuples(r); i++) {
		struct pg_relation *x = pg_trace_find(t, pg_trace_number(r, i, 0));

		if (x == NULL)
			continue;
		x->rank = (int)pg_trace_number(r, i, 1);
		for (c = 0; c < 4; c++)
			x->count[c] = strtoll(PQgetvalue(r, i, c + 3), NULL,
				10);
	}
	PQclear(r);
	t->fresh = 0;
	strs_free(&t->said);
	t->outside = outside;
	t->on = 1;
	return outside ? pg_trace_poll(p, e) : 0;
}

/* A relation that has another file than before. */
static void
other_file(struct pg_relation *x, unsigned long file, int truncates,
	struct trace_statement *out)
{
	if (!x->old || file == 0 || x->file == 0 || file == x->file)
		return;
	x->file = file;
	if (strchr("rm", x->kind) != NULL)
		trace_add_work(out, x->name, truncates ? "emptied" :
			"rewritten", NULL);
	else if (x->kind == 'i' && !truncates)
		trace_add_work(out, x->name, "built", "index made anew");
}

static void
add_counts(struct pg_relation *x, const PGresult *r, int i,
	struct trace_statement *out)
{
	int64_t *to[] = { &out->inserted, &out->updated, &out->deleted,
		&out->read };
	int c;

	for (c = 0; c < 4; c++) {
		int64_t now = strtoll(PQgetvalue(r, i, c + 3), NULL, 10);

		/* Told to the server in between: it begins at 0 again. */
		*to[c] += now >= x->count[c] ? now - x->count[c] : now;
		x->count[c] = now;
	}
}

/* After a statement in no transaction its relations are not locked any more. */
static int
look_again(struct pg *p, int truncates, struct trace_statement *out,
	struct err *e)
{
	PGresult *r = pg_watch_ask(p, "SELECT c.oid, coalesce(pg_catalog."
		"pg_relation_filenode(c.oid), 0) FROM pg_catalog.pg_class c "
		"WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm', 'i')", NULL,
		e);
	int i;

	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++) {
		struct pg_relation *x = pg_trace_find(p->trace, pg_trace_number(r, i, 0));

		if (x != NULL)
			other_file(x, pg_trace_number(r, i, 1), truncates, out);
	}
	PQclear(r);
	return 0;
}

int
pg_trace_after(struct db *d, struct trace_statement *out, struct err *e)
{
	struct pg *p = pg_of(d);
	struct pg_trace *t = p->trace;
	int truncates = out->text != NULL && strncasecmp(out->text, "truncate",
		8) == 0, i;
	PGresult *r;
	size_t k;

	t->on = 0;
	if (pg_trace_poll_end(t, e) == -1)
		return -1;
	for (k = 0; k < t->said.n; k++)
		pg_trace_said(t, t->said.v[k], out);
	r = counters(p, e);
	if (r == NULL)
		return -1;
	out->wal_bytes = strtoll(PQgetvalue(r, 0, 3), NULL, 10) - t->log;
	for (i = 1; i < PQntuples(r); i++) {
		struct pg_relation *x = pg_trace_find(t, pg_trace_number(r, i, 0));
		int rank = (int)pg_trace_number(r, i, 1);

		if (x == NULL)
			x = met(t, r, i);
		add_counts(x, r, i, out);
		other_file(x, pg_trace_number(r, i, 2), truncates, out);
		if (x->old && rank > x->rank && !t->outside)
			trace_add_lock(out, x->name, pg_trace_mode(rank));
		x->rank = rank > x->rank ? rank : x->rank;
	}
	PQclear(r);
	pg_trace_polled(t, out);
	return t->outside ? look_again(p, truncates, out, e) : 0;
}

void
pg_trace_cancel(struct db *d)
{
	struct pg_trace *t = pg_of(d)->trace;
	struct err ignored;

	if (t == NULL)
		return;
	pg_trace_poll_end(t, &ignored);
	t->on = 0;
	strs_free(&t->said);
}

int
pg_trace_written(struct db *d, int64_t *bytes, struct err *e)
{
	char *text;

	if (pg_sql_value(pg_of(d), &text, e, "SELECT pg_catalog.trunc("
		"pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog."
		"pg_lsn)", NULL) == -1)
		return -1;
	*bytes = text == NULL ? 0 : strtoll(text, NULL, 10);
	free(text);
	return 0;
}

int
pg_trace_notice(struct pg *p, const char *text)
{
	const char *colon = strstr(text, ":  ");

	if (p->trace == NULL || strncmp(text, "DEBUG", 5) != 0)
		return 0;
	if (p->trace->on && colon != NULL)
		strs_add_n(&p->trace->said, colon + 3, strcspn(colon + 3,
			"\n"));
	return 1;
}

void
pg_trace_free(struct pg *p)
{
	if (p->trace == NULL)
		return;
	pg_trace_cancel(&p->base);
	forget(p->trace);
	if (p->trace->poller != NULL)
		pg_open_close(&p->trace->poller->base);
	free(p->trace);
}
