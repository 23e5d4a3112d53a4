/*
 * pg_watch: which rows a migration changes.  Every relation that a transaction
 * writes to stays locked by it until its end, so pg_locks names exactly the
 * touched ones; the session's own statistics count their rows.  A second
 * connection, the observer, sees the catalog as it was before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg.h"

/* One relation that we have written to. */
struct touched {
	char *oid;
	int64_t base[3]; /* inserted, updated, deleted: before the watch */
	int64_t last[3]; /* after the last statement */
	int64_t cascaded; /* deleted by a statement about another table */
	struct db_nulled *nulled;
	size_t nulled_n;
};

/* A table whose rows were counted, for it may lose them all. */
struct counted {
	char *name;
	int64_t rows;
};

struct pg_watch {
	struct touched *v;
	size_t n;
	struct counted *counted;
	size_t counted_n;
	struct strs named; /* tables that a statement names */
	struct strs created;
};

#define OURS \
	"l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND " \
	"l.mode IN ('RowExclusiveLock', 'ExclusiveLock', " \
	"'AccessExclusiveLock') AND l.database = (SELECT oid FROM " \
	"pg_catalog.pg_database WHERE datname = " \
	"pg_catalog.current_database())"
#define COUNTS(oid) \
	"pg_catalog.pg_stat_get_xact_tuples_inserted(" oid "), " \
	"pg_catalog.pg_stat_get_xact_tuples_updated(" oid "), " \
	"pg_catalog.pg_stat_get_xact_tuples_deleted(" oid ")"

static struct touched *
find(struct pg_watch *w, const char *oid)
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
	struct buf b = { 0 };
	const char *p;
	size_t i;

	buf_char(&b, '{');
	for (i = 0; i < l->n; i++) {
		if (!pg_catalog_is_name(l->v[i]))
			continue;
		buf_text(&b, b.len == 1 ? "\"" : ",\"");
		for (p = l->v[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_char(&b, '\\');
			buf_char(&b, *p);
		}
		buf_char(&b, '"');
	}
	buf_char(&b, '}');
	return buf_detach(&b);
}

static PGresult *
ask(struct pg *p, const char *sql, const char *value, struct err *e)
{
	PGresult *r = pg_sql_own(p, sql, value != NULL, &value, e);

	if (r != NULL && PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look at what was changed");
		PQclear(r);
		r = NULL;
	}
	return r;
}

static int64_t
number(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static int
count_rows(struct pg *p, const char *table, int64_t *rows, struct err *e)
{
	struct db_census c;

	*rows = -1;
	memset(&c, 0, sizeof(c));
	if (pg_catalog_census(&p->base, table, 0, &c, e) == -1)
		return -1;
	if (c.there)
		*rows = c.rows;
	db_census_free(&c);
	return 0;
}

/* Count a table before it may lose its rows. */
static int
note_count(struct pg *p, const char *table, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct counted *c;
	char *name;
	int64_t rows;
	size_t i;

	if (count_rows(p, table, &rows, e) == -1)
		return -1;
	if (rows == -1)
		return 0;
	name = pg_catalog_canonical(&p->base, table);
	for (i = 0; i < w->counted_n; i++)
		if (strcmp(w->counted[i].name, name) == 0) {
			free(name);
			return 0;
		}
	w->counted = mem_grow(w->counted, w->counted_n + 1,
		sizeof(*w->counted));
	c = &w->counted[w->counted_n++];
	c->name = name;
	c->rows = rows;
	return 0;
}

/*
 * The statistics of a transaction still hold what earlier ones of this session
 * have not reported: those tables, and mig's own, have a base.
 */
int
pg_watch_start(struct db *d, const struct strs *expected, struct err *e)
{
	struct pg *p = pg_of(d);
	struct pg_watch *w = mem_alloc(sizeof(*w));
	PGresult *r;
	char *oids;
	size_t k;
	int i, c;

	pg_watch_cancel(d);
	p->watch = w;
	oids = pg_watch_array(&p->touched);
	r = ask(p, "SELECT x, " COUNTS("x") " FROM (SELECT "
		"pg_catalog.unnest($1::pg_catalog.oid[]) UNION SELECT c.oid "
		"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
		"n.oid = c.relnamespace WHERE n.nspname = 'mig' AND c.relname "
		"IN ('mig_identity', 'mig_ledger', 'mig_event')) AS y(x)",
		oids, e);
	free(oids);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++) {
		struct touched *t = find(w, PQgetvalue(r, i, 0));

		for (c = 0; c < 3; c++)
			t->base[c] = t->last[c] = number(r, i, c + 1);
	}
	PQclear(r);
	for (k = 0; expected != NULL && k < expected->n; k++)
		if (note_count(p, expected->v[k], e) == -1)
			return -1;
	return 0;
}

int
pg_watch_drop(struct db *d, const char *table, struct err *e)
{
	struct pg *p = pg_of(d);

	return p->watch == NULL ? 0 : note_count(p, table, e);
}

void
pg_watch_rename(struct db *d, const char *from, const char *to)
{
	(void)d; /* the server's oid stays */
	(void)from;
	(void)to;
}

void
pg_watch_create(struct db *d, const char *table)
{
	struct pg *p = pg_of(d);

	/* Of another schema by the search_path: the observer tells it then. */
	if (p->watch != NULL)
		strs_add(&p->watch->created, table);
}

int
pg_watch_named(struct pg *p, const struct db_statement *s, struct err *e)
{
	size_t i;

	(void)e;
	if (p->watch == NULL || s->table == NULL)
		return 0;
	strs_add_once(&p->watch->named, s->table);
	for (i = 0; s->more != NULL && i < s->more->n; i++)
		strs_add_once(&p->watch->named, s->more->v[i]);
	return 0;
}

static void
add_nulled(struct touched *t, const char *column, int64_t n)
{
	size_t i;

	for (i = 0; i < t->nulled_n; i++)
		if (strcmp(t->nulled[i].column, column) == 0) {
			t->nulled[i].taken += n;
			return;
		}
	t->nulled = mem_grow(t->nulled, t->nulled_n + 1, sizeof(*t->nulled));
	t->nulled[t->nulled_n].column = mem_dup(column);
	t->nulled[t->nulled_n].taken = n;
	t->nulled[t->nulled_n++].upserted = 0;
}

/* Rows of another table were updated: by ON DELETE SET NULL, if it has that. */
static int
look_for_nulls(struct pg *p, struct touched *t, int64_t n, struct err *e)
{
	PGresult *r = ask(p, "SELECT a.attname FROM pg_catalog.pg_constraint k "
		"JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND "
		"a.attnum = ANY (k.conkey) WHERE k.conrelid = $1::pg_catalog.oid"
		" AND k.contype = 'f' AND (k.confdeltype IN ('n', 'd') OR "
		"k.confupdtype IN ('n', 'd'))", t->oid, e);
	int i;

	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		add_nulled(t, PQgetvalue(r, i, 0), n);
	PQclear(r);
	return 0;
}

/* After a statement about target: what happened elsewhere came along. */
int
pg_watch_after(struct pg *p, const char *target, struct err *e)
{
	struct pg_watch *w = p->watch;
	PGresult *r;
	int i, c, result = 0;

	if (w == NULL)
		return 0;
	r = ask(p, "WITH RECURSIVE tree(oid) AS (SELECT "
		"pg_catalog.to_regclass($1)::pg_catalog.oid UNION SELECT "
		"i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON "
		"i.inhparent = tree.oid) SELECT x.relation, "
		COUNTS("x.relation") ", x.relation IN (SELECT oid FROM tree "
		"WHERE oid IS NOT NULL) FROM (SELECT DISTINCT l.relation FROM "
		"pg_catalog.pg_locks l WHERE " OURS " AND l.mode = "
		"'RowExclusiveLock' AND l.relation >= 16384) x",
		target == NULL || !pg_catalog_is_name(target) ?
			"pg_catalog.mig_nothing" : target, e);
	for (i = 0; r != NULL && i < PQntuples(r) && result == 0; i++) {
		struct touched *t = find(w, PQgetvalue(r, i, 0));
		int own = *PQgetvalue(r, i, 4) == 't';
		int64_t more[3];

		for (c = 0; c < 3; c++) {
			more[c] = number(r, i, c + 1) - t->last[c];
			t->last[c] += more[c];
		}
		if (more[0] + more[1] + more[2] > 0)
			strs_add_once(&p->touched, t->oid);
		if (own || target == NULL)
			continue;
		t->cascaded += more[2];
		if (more[1] > 0)
			result = look_for_nulls(p, t, more[1], e);
	}
	PQclear(r);
	return r == NULL ? -1 : result;
}

/* --- the end ------------------------------------------------------------ */

/* A table as it was before, by the observer. */
struct old {
	char *oid, *name, *filenode;
};

struct end {
	struct pg *p;
	struct db_changes *out;
	struct old *old;
	size_t old_n;
	struct strs named; /* oids that statements name */
	struct strs lost; /* names of tables that lost their rows unnamed */
};

static const struct old *
old_of(const struct end *x, const char *oid)
{
	size_t i;

	for (i = 0; i < x->old_n; i++)
		if (strcmp(x->old[i].oid, oid) == 0)
			return &x->old[i];
	return NULL;
}

static int
observe(struct end *x, const struct strs *oids, struct err *e)
{
	struct pg *p = x->p;
	char *array;
	PGresult *r;
	int i;

	if (p->observer == NULL &&
		pg_open_beside(&p->observer, p, NULL, e) == -1)
		return err_wrap(e, "a second connection");
	array = pg_watch_array(oids);
	r = ask(p->observer, "SELECT c.oid, " PG_NAME("n", "c")
		", c.relfilenode FROM pg_catalog.pg_class c JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"c.relkind IN ('r', 'p') AND c.oid = ANY "
		"($1::pg_catalog.oid[])", array, e);
	free(array);
	if (r == NULL)
		return -1;
	x->old = mem_array((size_t)PQntuples(r) + 1, sizeof(*x->old));
	for (i = 0; i < PQntuples(r); i++) {
		struct old *o = &x->old[x->old_n++];

		o->oid = mem_dup(PQgetvalue(r, i, 0));
		o->name = mem_dup(PQgetvalue(r, i, 1));
		o->filenode = mem_dup(PQgetvalue(r, i, 2));
	}
	PQclear(r);
	array = pg_watch_array(&p->watch->named);
	r = ask(p->observer, "SELECT DISTINCT pg_catalog.to_regclass(x)::"
		"pg_catalog.oid FROM pg_catalog.unnest($1::text[]) AS x WHERE "
		"pg_catalog.to_regclass(x) IS NOT NULL", array, e);
	free(array);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		strs_add(&x->named, PQgetvalue(r, i, 0));
	PQclear(r);
	return 0;
}

static int64_t
counted_rows(const struct pg_watch *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->counted_n; i++)
		if (strcmp(w->counted[i].name, name) == 0)
			return w->counted[i].rows;
	return -1;
}

static struct db_change *
add_change(struct end *x, const char *table)
{
	struct db_change *c;

	x->out->v = mem_grow(x->out->v, x->out->n + 1, sizeof(*x->out->v));
	c = &x->out->v[x->out->n++];
	memset(c, 0, sizeof(*c));
	c->table = mem_dup(table);
	return c;
}

/* All rows of a table went without a statement that names it. */
static void
lose_all(struct end *x, const char *name, int64_t rows, int dropped)
{
	struct db_change *c = add_change(x, name);

	c->before = rows;
	c->after = dropped ? -1 : 0;
	c->deleted = c->cascaded = rows;
}

static int
one(struct end *x, const PGresult *r, int i, struct err *e)
{
	struct pg_watch *w = x->p->watch;
	const char *oid = PQgetvalue(r, i, 0), *name = PQgetvalue(r, i, 1);
	int there = !PQgetisnull(r, i, 1);
	const struct old *old = old_of(x, oid);
	struct touched *t = find(w, oid);
	struct db_change *c;
	int64_t n[3], rows;
	int k;

	if (old == NULL && !there)
		return 0; /* made and dropped, or no table */
	if (!there || (old != NULL && *PQgetvalue(r, i, 2) != '0' &&
		strcmp(old->filenode, PQgetvalue(r, i, 2)) != 0 &&
		!strs_has(&x->named, oid))) {
		rows = counted_rows(w, old->name);
		if (there || !strs_has(&x->named, oid)) {
			if (rows == -1)
				strs_add(&x->lost, old->name);
			else
				lose_all(x, old->name, rows, !there);
		} else {
			c = add_change(x, old->name);
			c->before = rows;
			c->after = -1;
		}
		return 0;
	}
	for (k = 0; k < 3; k++)
		n[k] = number(r, i, k + 3) - t->base[k];
	if (n[0] + n[1] + n[2] == 0)
		return 0;
	strs_add_once(&x->p->touched, oid);
	if (count_rows(x->p, name, &rows, e) == -1)
		return -1;
	c = add_change(x, name);
	c->after = rows;
	c->before = old == NULL ? -1 : rows - n[0] + n[2];
	c->inserted = n[0];
	c->updated = n[1];
	c->deleted = n[2];
	c->cascaded = t->cascaded;
	c->nulled = t->nulled;
	c->nulled_n = t->nulled_n;
	t->nulled = NULL;
	t->nulled_n = 0;
	return 0;
}

/*
 * Tables were emptied or dropped by something that does not name them.  Their
 * rows can be counted only when the transaction is gone; it is to be refused
 * anyway.
 */
static int
count_lost(struct end *x, struct err *e)
{
	size_t i;
	int64_t rows;

	if (x->lost.n == 0)
		return 0;
	pg_sql_rollback(&x->p->base);
	x->p->spoilt = 1;
	for (i = 0; i < x->lost.n; i++) {
		if (count_rows(x->p, x->lost.v[i], &rows, e) == -1)
			return -1;
		lose_all(x, x->lost.v[i], rows, 1);
	}
	return 0;
}

static int
all(struct end *x, struct err *e)
{
	struct pg_watch *w = x->p->watch;
	struct strs oids = { 0 };
	int i, result = 0;
	PGresult *r = ask(x->p, "SELECT x.relation, " PG_NAME("n", "c")
		", c.relfilenode, " COUNTS("x.relation")
		", n.nspname = 'mig' FROM (SELECT DISTINCT l.relation FROM "
		"pg_catalog.pg_locks l WHERE " OURS " AND l.relation >= 16384) "
		"x LEFT JOIN pg_catalog.pg_class c ON c.oid = x.relation LEFT "
		"JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
		"WHERE c.oid IS NULL OR (c.relkind IN ('r', 'p') AND n.nspname "
		"!~ '^pg_')", NULL, e);

	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		if (PQgetisnull(r, i, 1) ||
			!strs_has(&w->created, PQgetvalue(r, i, 1)))
			strs_add(&oids, PQgetvalue(r, i, 0));
	if (oids.n > 0)
		result = observe(x, &oids, e);
	for (i = 0; i < PQntuples(r) && result == 0; i++)
		result = one(x, r, i, e);
	PQclear(r);
	strs_free(&oids);
	return result == 0 ? count_lost(x, e) : -1;
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

int
pg_watch_stop(struct db *d, struct db_changes *out, struct err *e)
{
	struct end x = { .p = pg_of(d), .out = out };
	size_t i;
	int result;

	if (x.p->watch == NULL)
		return 0;
	/* A role that the migration took must not write mig's ledger. */
	if (x.p->reset_role && (pg_sql_exec(d, "SET SESSION AUTHORIZATION "
		"DEFAULT; RESET ROLE; RESET ALL", e) == -1 ||
		pg_open_settle(x.p, e) == -1))
		return -1;
	x.p->reset_role = 0;
	result = all(&x, e);
	if (result == 0)
		result = check_own(out, e);
	for (i = 0; i < x.old_n; i++) {
		free(x.old[i].oid);
		free(x.old[i].name);
		free(x.old[i].filenode);
	}
	free(x.old);
	strs_free(&x.named);
	strs_free(&x.lost);
	pg_watch_cancel(d);
	if (result == -1)
		db_changes_free(out);
	return result;
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
	}
	free(w->v);
	for (i = 0; i < w->counted_n; i++)
		free(w->counted[i].name);
	free(w->counted);
	strs_free(&w->named);
	strs_free(&w->created);
	free(w);
	p->watch = NULL;
}
