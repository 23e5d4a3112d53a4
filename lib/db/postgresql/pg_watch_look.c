/*
 * pg_watch_look: what one statement of a migration has done, and to which tables that
 * it does not name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

/* The locks of this transaction that writing takes. */
#define OURS \
	"l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND " \
	"l.mode IN ('RowExclusiveLock', 'ExclusiveLock', " \
	"'AccessExclusiveLock') AND l.relation >= 16384 AND l.database = " \
	"(SELECT oid FROM pg_catalog.pg_database WHERE datname = " \
	"pg_catalog.current_database())"

static void
add_name(struct strs *l, const char *name)
{
	if (pg_catalog_is_name(name))
		strs_add(l, name);
}

/* Their numbers, with their children, which a statement reaches, too. */
static PGresult *
ask_tree(struct pg *p, const struct strs *names, struct err *e)
{
	char *array = pg_watch_array(names);
	PGresult *r = pg_watch_ask(p, "WITH RECURSIVE tree(oid) AS (SELECT "
		"pg_catalog.to_regclass(x)::pg_catalog.oid FROM "
		"pg_catalog.unnest($1::text[]) AS x UNION SELECT i.inhrelid "
		"FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = "
		"tree.oid) SELECT oid FROM tree WHERE oid IS NOT NULL", array,
		e);

	free(array);
	return r;
}

/*
 * Tables that the statements inside a WITH change, which the server does not count
 * apart.  Where neither keys nor triggers nor rules can take more along, all that goes
 * from them is what these say; else they count as not named.
 */
static int
name_inner(struct pg *p, const struct strs *inner, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct strs names = { 0 }, all = { 0 };
	char *array, *alone;
	PGresult *r;
	size_t k;
	int i, result;

	for (k = 0; k < inner->n; k++)
		add_name(&names, inner->v[k]);
	r = ask_tree(p, &names, e);
	strs_free(&names);
	if (r == NULL)
		return -1;
	for (k = 0; k < w->now.n; k++)
		strs_add(&all, w->now.v[k]);
	for (i = 0; i < PQntuples(r); i++)
		strs_add_once(&all, PQgetvalue(r, i, 0));
	PQclear(r);
	array = pg_watch_array(&all);
	result = pg_sql_value(p, &alone, e, "SELECT 'alone' WHERE NOT EXISTS "
		"(SELECT FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' "
		"AND (k.conrelid = ANY ($1::pg_catalog.oid[]) OR k.confrelid = "
		"ANY ($1::pg_catalog.oid[])) AND (k.confdeltype IN ('c', 'n', "
		"'d') OR k.confupdtype IN ('c', 'n', 'd'))) AND NOT EXISTS "
		"(SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY "
		"($1::pg_catalog.oid[]) AND NOT t.tgisinternal AND t.tgenabled "
		"<> 'D') AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c "
		"WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relhasrules)",
		array);
	free(array);
	w->alone = result == 0 && alone != NULL;
	if (w->alone) {
		strs_free(&w->now);
		w->now = all;
	} else {
		strs_free(&all);
	}
	free(alone);
	return result;
}

/* The tables that it names, by their numbers, while they are there. */
int
pg_watch_named(struct pg *p, const struct db_statement *s, struct err *e)
{
	struct pg_watch *w = p->watch;
	struct strs names = { 0 };
	PGresult *r;
	size_t k;
	int i;

	if (w == NULL)
		return 0;
	strs_free(&w->now);
	w->alone = 0;
	/* What only makes something has nothing to lose. */
	if (s->intent == DB_INTENT_DEFINE)
		return 0;
	if (s->table != NULL)
		add_name(&names, s->table);
	for (k = 0; s->more != NULL && k < s->more->n; k++)
		add_name(&names, s->more->v[k]);
	if (names.n == 0)
		return s->inner == NULL || s->inner->n == 0 ? 0 :
			name_inner(p, s->inner, e);
	r = ask_tree(p, &names, e);
	strs_free(&names);
	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++) {
		strs_add(&w->now, PQgetvalue(r, i, 0));
		for (k = 0; s->columns != NULL && s->intent ==
			DB_INTENT_DROP_COLUMN && k < s->columns->n; k++) {
			char *text = mem_printf("%s.%s", PQgetvalue(r, i, 0),
				s->columns->v[k]);

			strs_add(&w->columns, text);
			free(text);
		}
	}
	PQclear(r);
	return s->inner == NULL || s->inner->n == 0 ? 0 :
		name_inner(p, s->inner, e);
}

static void
add_nulled(struct pg_touched *t, const char *column, int64_t n)
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
look_for_nulls(struct pg *p, struct pg_touched *t, int64_t n, struct err *e)
{
	PGresult *r = pg_watch_ask(p, "SELECT a.attname FROM "
		"pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON "
		"a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) WHERE "
		"k.conrelid = $1::pg_catalog.oid AND k.contype = 'f' AND "
		"(k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd'))",
		t->oid, e);
	int i;

	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		add_nulled(t, PQgetvalue(r, i, 0), n);
	PQclear(r);
	return 0;
}

/* What it was before the transaction, when it is met for the first time. */
static int
meet(struct pg *p, struct pg_touched *t, int made, struct err *e)
{
	PGresult *r;

	t->seen = 1;
	if (made)
		return 0;
	if (pg_watch_observer(p, e) == -1)
		return -1;
	r = pg_watch_ask(p->observer, "SELECT " PG_NAME("n", "c")
		", c.relfilenode FROM pg_catalog.pg_class c JOIN "
		"pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
		"c.relkind IN ('r', 'p') AND c.oid = $1::pg_catalog.oid",
		t->oid, e);
	if (r == NULL)
		return -1;
	if (PQntuples(r) == 1) {
		t->old = 1;
		t->name = mem_dup(PQgetvalue(r, 0, 0));
		t->was = mem_dup(t->name);
		t->filenode = mem_dup(PQgetvalue(r, 0, 1));
	}
	PQclear(r);
	return 0;
}

static void
replace(char **text, const char *with)
{
	if (*text != NULL && strcmp(*text, with) == 0)
		return;
	free(*text);
	*text = mem_dup(with);
}

/* What the statement has done to one table. */
static int
look(struct pg *p, const struct db_statement *s, const PGresult *r, int i,
	struct err *e)
{
	struct pg_watch *w = p->watch;
	struct pg_touched *t = pg_watch_find(w, PQgetvalue(r, i, 0));
	const char *name = PQgetisnull(r, i, 1) ? NULL : PQgetvalue(r, i, 1);
	int own = strs_has(&w->now, t->oid), c;
	int may = own && (s->intent == DB_INTENT_OTHER ||
		s->intent == DB_INTENT_DROP_TABLE ||
		s->intent == DB_INTENT_DROP_COLUMN ||
		s->intent == DB_INTENT_TRUNCATE);
	int made = s->intent == DB_INTENT_DEFINE && s->table != NULL &&
		name != NULL && strcmp(name, s->table) == 0;
	int64_t more[3];

	if (!t->seen && meet(p, t, made, e) == -1)
		return -1;
	if (!t->old && name == NULL)
		return 0; /* made and dropped, or no table */
	/* Dropped, emptied or written anew by what does not name it. */
	if (t->old && !may && (name == NULL ?
		t->there || t->filenode != NULL :
		*PQgetvalue(r, i, 2) != '0' && t->filenode != NULL &&
		strcmp(t->filenode, PQgetvalue(r, i, 2)) != 0))
		t->lost = 1;
	/* What was written anew in this transaction is emptied in its place. */
	if (t->old && !may && t->size > 0 && name != NULL && !PQgetisnull(r, i,
		6) && pg_watch_number(r, i, 6) == 0)
		t->lost = 1;
	t->size = name == NULL ? 0 : pg_watch_number(r, i, 6);
	t->there = name != NULL;
	if (name == NULL) {
		free(t->filenode);
		t->filenode = NULL; /* gone: said once */
		return 0;
	}
	replace(&t->filenode, PQgetvalue(r, i, 2));
	if (!t->old || strcmp(t->name, name) != 0)
		replace(&t->name, name);
	for (c = 0; c < 3; c++) {
		more[c] = pg_watch_number(r, i, c + 3) - t->last[c];
		t->last[c] += more[c];
	}
	if (more[0] + more[1] + more[2] != 0)
		strs_add_once(&p->touched, t->oid);
	t->gone = own ? more[2] : 0;
	if (own) {
		w->came += more[0];
		w->went += more[2];
		return 0;
	}
	if (more[2] > 0)
		t->cascaded += more[2];
	return more[1] > 0 && s->table != NULL ?
		look_for_nulls(p, t, more[1], e) : 0;
}

/*
 * More rows of the table that it names have gone than the statement speaks of: by
 * a key to itself, a trigger of its own, or a part of it before the main one.
 */
static void
taken_along(struct pg_watch *w)
{
	int64_t extra = strcmp(w->tag, "DELETE") == 0 ? w->went - w->tuples :
		strcmp(w->tag, "INSERT") == 0 ? w->went :
		strcmp(w->tag, "UPDATE") == 0 ? w->went - w->came : 0;
	struct pg_touched *most = NULL;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->v[i].gone > 0 && (most == NULL || w->v[i].gone >
			most->gone))
			most = &w->v[i];
	if (most != NULL && extra > 0 && !w->alone)
		most->cascaded += extra < most->gone ? extra : most->gone;
	for (i = 0; i < w->n; i++)
		w->v[i].gone = 0;
}

int
pg_watch_after(struct pg *p, const struct db_statement *s, struct err *e)
{
	PGresult *r;
	int i, result = 0;

	if (p->watch == NULL)
		return 0;
	p->watch->came = p->watch->went = 0;
	/* Our own lock, too: a row without a relation. */
	r = pg_watch_ask(p, "SELECT x.relation, " PG_NAME("n", "c")
		", c.relfilenode, " PG_WATCH_COUNTS("x.relation") ", CASE WHEN c.relkind "
		"= 'r' THEN pg_catalog.pg_relation_size(c.oid) END FROM (SELECT "
		"DISTINCT l.relation FROM pg_catalog.pg_locks l WHERE (" OURS
		") OR (" PG_LOCK_HELD("l") ")) x LEFT JOIN pg_catalog.pg_class "
		"c ON c.oid = x.relation LEFT JOIN pg_catalog.pg_namespace n "
		"ON n.oid = c.relnamespace WHERE c.oid IS NULL OR (c.relkind "
		"IN ('r', 'p') AND n.nspname !~ '^pg_')", NULL, e);
	for (i = 0; r != NULL && i < PQntuples(r) && result == 0; i++)
		if (PQgetisnull(r, i, 0))
			p->held = 1;
		else
			result = look(p, s, r, i, e);
	PQclear(r);
	if (r != NULL)
		taken_along(p->watch);
	return r == NULL ? -1 : result;
}
