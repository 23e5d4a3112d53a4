/*
 * pg_trace: what a statement does beyond its rows.  Locks on relations last until
 * the end of a transaction, so those of a statement are read after it; of one that
 * runs in no transaction a second connection reads them while it runs.  Work on a
 * whole relation shows in its file, and in what the server says at DEBUG1.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_watch.h"

#define POLL_MS 20 /* at most; a short statement is looked at sooner */
#define RANK \
	"pg_catalog.max(CASE l.mode WHEN 'AccessShareLock' THEN 1 WHEN " \
	"'RowShareLock' THEN 2 WHEN 'RowExclusiveLock' THEN 3 WHEN " \
	"'ShareUpdateExclusiveLock' THEN 4 WHEN 'ShareLock' THEN 5 WHEN " \
	"'ShareRowExclusiveLock' THEN 6 WHEN 'ExclusiveLock' THEN 7 ELSE 8 END)"
#define ON_RELATIONS \
	"l.locktype = 'relation' AND l.granted AND l.relation >= 16384 AND " \
	"l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = " \
	"pg_catalog.current_database())"

static const char *const modes[] = { "", "AccessShare", "RowShare",
	"RowExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive",
	"Exclusive", "AccessExclusive" };

/* A relation that was there before the migration, or is met in it. */
struct relation {
	unsigned long oid;
	char *name, *plain; /* with its schema, and without */
	char kind;
	int old; /* was there before */
	unsigned long file; /* filenode */
	int rank; /* of the strongest lock that is held */
	int64_t count[4]; /* inserted, updated, deleted, read */
	int64_t first_us, last_us; /* that its lock was seen, by the poller */
	int seen; /* rank that the poller saw */
};

struct pg_trace {
	struct relation *v; /* by oid */
	size_t n;
	struct strs said; /* notices of the statement */
	int on, outside;
	int fresh; /* no statement of the migration has run yet */
	int64_t log; /* position in the write-ahead log */
	struct pg *poller;
	pthread_t thread;
	int polling;
	atomic_int stop;
	int pause_ms; /* between two looks, the poller's */
	struct err failed; /* of the poller */
};

static int
by_oid(const void *a, const void *b)
{
	const struct relation *x = a, *y = b;

	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

static struct relation *
find(struct pg_trace *t, unsigned long oid)
{
	struct relation key = { .oid = oid };

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

static unsigned long
number(const PGresult *r, int row, int column)
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
		struct relation *x = &t->v[t->n++];

		x->oid = number(r, i, 0);
		x->name = mem_dup(PQgetvalue(r, i, 1));
		x->plain = mem_dup(PQgetvalue(r, i, 2));
		x->kind = *PQgetvalue(r, i, 3);
		x->file = number(r, i, 4);
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

/* --- the poller ---------------------------------------------------------- */

static void
note_seen(struct pg_trace *t, const PGresult *r)
{
	int64_t now = clock_us();
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		struct relation *x = find(t, number(r, i, 0));
		int rank = (int)number(r, i, 1);

		if (x == NULL)
			continue;
		if (rank > x->seen) {
			x->seen = rank;
			x->first_us = now;
		}
		if (rank == x->seen)
			x->last_us = now;
	}
}

static void *
poll_locks(void *arg)
{
	struct pg *p = arg;
	struct pg_trace *t = p->trace;
	char pid[24];
	const char *values[] = { pid };

	snprintf(pid, sizeof(pid), "%d", p->backend);
	while (!atomic_load(&t->stop)) {
		PGresult *r = PQexecParams(t->poller->c, "SELECT l.relation, "
			RANK " FROM pg_catalog.pg_locks l WHERE l.pid = $1 AND "
			ON_RELATIONS " GROUP BY 1", 1, NULL, values, NULL, NULL,
			0);

		if (PQresultStatus(r) != PGRES_TUPLES_OK) {
			err_set(&t->failed, ERR_ENV, "database", "look at the "
				"locks: %s", PQerrorMessage(t->poller->c));
			PQclear(r);
			return NULL;
		}
		note_seen(t, r);
		PQclear(r);
		clock_pause_ms(t->pause_ms);
		t->pause_ms = t->pause_ms * 2 < POLL_MS ? t->pause_ms * 2 :
			POLL_MS;
	}
	return NULL;
}

static void
end_poller(struct pg_trace *t)
{
	if (!t->polling)
		return;
	atomic_store(&t->stop, 1);
	pthread_join(t->thread, NULL);
	t->polling = 0;
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
		"oid, " RANK " AS rank FROM pg_catalog.pg_locks l WHERE l.pid "
		"= pg_catalog.pg_backend_pid() AND " ON_RELATIONS " GROUP BY 1 "
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
static struct relation *
met(struct pg_trace *t, const PGresult *r, int i)
{
	struct relation *x;
	unsigned long oid = number(r, i, 0);

	t->v = mem_grow(t->v, t->n + 1, sizeof(*t->v));
	x = &t->v[t->n++];
	memset(x, 0, sizeof(*x));
	x->oid = oid;
	x->name = mem_dup(PQgetvalue(r, i, 7));
	x->plain = mem_dup(PQgetvalue(r, i, 8));
	x->kind = *PQgetvalue(r, i, 9);
	x->file = number(r, i, 2);
	qsort(t->v, t->n, sizeof(*t->v), by_oid);
	return find(t, oid);
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
		struct relation *x = find(t, number(r, i, 0));

		if (x == NULL)
			continue;
		x->rank = (int)number(r, i, 1);
		for (c = 0; c < 4; c++)
			x->count[c] = strtoll(PQgetvalue(r, i, c + 3), NULL,
				10);
	}
	PQclear(r);
	t->fresh = 0;
	strs_free(&t->said);
	t->outside = outside;
	t->on = 1;
	if (!outside)
		return 0;
	atomic_store(&t->stop, 0);
	t->pause_ms = 1;
	memset(&t->failed, 0, sizeof(t->failed));
	if (pthread_create(&t->thread, NULL, poll_locks, p) != 0)
		return err_sys(e, "start a thread");
	t->polling = 1;
	return 0;
}

/* The word in the first, or the second, pair of quotes.  Gives; or NULL. */
static char *
quoted(const char *text, int which)
{
	const char *a = strchr(text, '"'), *b;

	for (;; which--) {
		b = a == NULL ? NULL : strchr(a + 1, '"');
		if (b == NULL)
			return NULL;
		if (which == 0)
			return mem_dup_n(a + 1, (size_t)(b - a - 1));
		a = strchr(b + 1, '"');
	}
}

static const struct relation *
old_named(const struct pg_trace *t, const char *plain)
{
	size_t i;

	for (i = 0; i < t->n && plain != NULL; i++)
		if (t->v[i].old && strcmp(t->v[i].plain, plain) == 0)
			return &t->v[i];
	return NULL;
}

/* What the server said: a copy speaks English, for it is ours. */
static void
read_notice(const struct pg_trace *t, const char *said,
	struct trace_statement *out)
{
	static const struct {
		const char *begins, *action;
		int which;
	} known[] = {
		{ "rewriting table ", "rewritten", 0 },
		{ "verifying table ", "scanned", 0 },
		{ "building index ", "built", 0 },
		{ "existing constraints on column ", "proved", 0 },
		{ "partition constraint for table ", "proved", 0 },
		{ "updated partition constraint for default partition ",
			"proved", 0 },
	};
	const struct relation *x;
	char *name, *dot;
	size_t i;

	if (strncmp(said, "validating foreign key constraint ", 34) == 0) {
		name = quoted(said, 0);
		trace_add_work(out, name == NULL ? "?" : name, "scanned", said);
		free(name);
		return;
	}
	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strncmp(said, known[i].begins, strlen(known[i].begins)) !=
			0)
			continue;
		name = quoted(said, known[i].which);
		dot = name == NULL ? NULL : strchr(name, '.');
		if (dot != NULL && i == 3)
			*dot = '\0'; /* "table.column" */
		x = old_named(t, name);
		if (x == NULL && i == 2) { /* a new one, of an old table */
			free(name);
			name = quoted(said, 1);
			x = old_named(t, name);
		}
		if (x != NULL)
			trace_add_work(out, x->name, known[i].action, said);
		free(name);
	}
}

/* A relation that has another file than before. */
static void
other_file(struct relation *x, unsigned long file, int truncates,
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
add_counts(struct relation *x, const PGresult *r, int i,
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

static void
polled(struct pg_trace *t, struct trace_statement *out)
{
	struct trace_lock *l;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!t->v[i].old || t->v[i].seen == 0)
			continue;
		trace_add_lock(out, t->v[i].name, modes[t->v[i].seen]);
		l = out->locks.items;
		l[out->locks.n - 1].held_us = t->v[i].last_us -
			t->v[i].first_us + t->pause_ms * 1000;
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
		struct relation *x = find(p->trace, number(r, i, 0));

		if (x != NULL)
			other_file(x, number(r, i, 1), truncates, out);
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
	end_poller(t);
	if (t->failed.code != ERR_NONE) {
		*e = t->failed;
		return -1;
	}
	for (k = 0; k < t->said.n; k++)
		read_notice(t, t->said.v[k], out);
	r = counters(p, e);
	if (r == NULL)
		return -1;
	out->wal_bytes = strtoll(PQgetvalue(r, 0, 3), NULL, 10) - t->log;
	for (i = 1; i < PQntuples(r); i++) {
		struct relation *x = find(t, number(r, i, 0));
		int rank = (int)number(r, i, 1);

		if (x == NULL)
			x = met(t, r, i);
		add_counts(x, r, i, out);
		other_file(x, number(r, i, 2), truncates, out);
		if (x->old && rank > x->rank && !t->outside)
			trace_add_lock(out, x->name, modes[rank]);
		x->rank = rank > x->rank ? rank : x->rank;
	}
	PQclear(r);
	polled(t, out);
	return t->outside ? look_again(p, truncates, out, e) : 0;
}

void
pg_trace_cancel(struct db *d)
{
	struct pg_trace *t = pg_of(d)->trace;

	if (t == NULL)
		return;
	end_poller(t);
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
