/*
 * sqlite_watch: every row that a migration changes, by table.
 *
 * The preupdate hook is called for each row, also for those that a foreign
 * key or a trigger takes along; its depth tells the two apart: 0 is the
 * statement's own work.  It also switches off the shortcut by which a DELETE
 * without WHERE drops pages without looking at rows.  A DROP TABLE without
 * keys pointing at it is the one thing it does not see: the runner tells.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"

struct watched {
	char *table;
	int64_t inserted, updated, deleted, cascaded;
	int64_t before; /* when dropped: rows at the start; else -1 */
	int dropped, created;
	int64_t (*nulled)[2]; /* per column: values nulled; see note_nulled() */
	int nulled_n;
};

/* A column that is not stored, of a table WITHOUT ROWID. */
struct gap {
	char *table;
	int cid;
};

struct sqlite_watch {
	struct sqlite *db;
	struct gap *gaps; /* by table and cid */
	size_t gap_n;
	int looked; /* for them */
	struct watched *v;
	size_t n;
	size_t last; /* the row hook mostly stays in one table */
};

static struct watched *
entry(struct sqlite_watch *w, const char *table)
{
	size_t i;

	if (w->last < w->n && strcmp(w->v[w->last].table, table) == 0)
		return &w->v[w->last];
	for (i = 0; i < w->n; i++)
		if (strs_same(w->v[i].table, table)) {
			w->last = i;
			return &w->v[i];
		}
	w->v = mem_grow(w->v, w->n + 1, sizeof(*w->v));
	memset(&w->v[w->n], 0, sizeof(*w->v));
	w->v[w->n].table = mem_dup(table);
	w->v[w->n].before = -1;
	w->last = w->n;
	return &w->v[w->n++];
}

/*
 * Columns that an update empties without an UPDATE that names them: [0] by a
 * foreign key or a trigger, [1] by an upsert.
 */
static void
note_nulled(const struct sqlite_watch *w, sqlite3 *h, struct watched *t,
	int which)
{
	int i, k, n = sqlite3_preupdate_count(h);
	size_t g = 0;

	while (g < w->gap_n && !strs_same(w->gaps[g].table, t->table))
		g++;
	/*
	 * Those that are stored, in that order.  Without a rowid the old values
	 * go by the number of the column, and the new ones do not.
	 */
	for (i = 0, k = 0; k < n; i++, k++) {
		sqlite3_value *old, *new;

		while (g < w->gap_n && w->gaps[g].cid == i &&
			strs_same(w->gaps[g].table, t->table)) {
			g++;
			i++;
		}
		if (sqlite3_preupdate_old(h, i, &old) != SQLITE_OK ||
			sqlite3_preupdate_new(h, k, &new) != SQLITE_OK ||
			sqlite3_value_type(old) == SQLITE_NULL ||
			sqlite3_value_type(new) != SQLITE_NULL)
			continue;
		if (i >= t->nulled_n) {
			t->nulled = mem_grow(t->nulled, (size_t)i + 1,
				sizeof(*t->nulled));
			memset(t->nulled + t->nulled_n, 0, (size_t)(i + 1 -
				t->nulled_n) * sizeof(*t->nulled));
			t->nulled_n = i + 1;
		}
		t->nulled[i][which]++;
	}
}

static void
on_row(void *arg, sqlite3 *h, int op, const char *schema, const char *table,
	sqlite3_int64 old_key, sqlite3_int64 new_key)
{
	struct sqlite_watch *w = arg;
	struct watched *t;

	(void)old_key;
	(void)new_key;
	if (strcmp(schema, "main") != 0)
		return;
	t = entry(w, table);
	switch (op) {
	case SQLITE_INSERT:
		t->inserted++;
		break;
	case SQLITE_UPDATE:
		t->updated++;
		if (sqlite3_preupdate_depth(h) > 0)
			note_nulled(w, h, t, 0);
		else if (w->db->running != NULL &&
			w->db->running->intent == DB_INTENT_CHANGE)
			note_nulled(w, h, t, 1);
		break;
	case SQLITE_DELETE:
		t->deleted++;
		t->cascaded += sqlite3_preupdate_depth(h) > 0;
		break;
	}
}

int
sqlite_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e)
{
	struct sqlite *s = sqlite_of(d);

	(void)expected; /* every row is seen as it goes */
	(void)found;
	if (s->watch != NULL)
		return err_bug(e, "watched twice");
	s->watch = mem_alloc(sizeof(*s->watch));
	s->watch->db = s;
	sqlite3_preupdate_hook(s->h, on_row, s->watch);
	return 0;
}

/* Not at the start: most migrations change no row, and there may be a thousand. */
int
sqlite_watch_look(struct sqlite *s, struct err *e)
{
	struct sqlite_watch *w = s->watch;
	struct db_rows *r;
	int more;

	if (w == NULL || w->looked)
		return 0;
	w->looked = 1;
	if (db_query(&r, &s->base, e, "SELECT l.name, x.cid FROM "
		"pragma_table_list AS l JOIN pragma_table_xinfo(l.name, 'main') "
		"AS x WHERE l.schema = 'main' AND l.wr AND x.hidden = 2 ORDER BY "
		"l.name, x.cid", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		w->gaps = mem_grow(w->gaps, w->gap_n + 1, sizeof(*w->gaps));
		w->gaps[w->gap_n].table = mem_dup(db_text(r, 0));
		w->gaps[w->gap_n++].cid = (int)db_int(r, 1);
	}
	db_rows_free(r);
	return more;
}

int
sqlite_watch_drop(struct db *d, const char *table, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct watched *t = entry(s->watch, table);
	int64_t rows;
	int there = sqlite_catalog_has_table(d, table, e);

	if (there != 1)
		return there;
	if (t->dropped || t->created)
		return 0; /* what it held at the start is known */
	if (sqlite_catalog_count(s, table, &rows, e) == -1)
		return -1;
	t->before = rows + t->deleted - t->inserted;
	t->dropped = 1;
	return 0;
}

void
sqlite_watch_create(struct db *d, const char *table)
{
	struct watched *t = entry(sqlite_of(d)->watch, table);

	if (!t->dropped)
		t->created = 1;
}

void
sqlite_watch_rename(struct db *d, const char *from, const char *to)
{
	struct sqlite_watch *w = sqlite_of(d)->watch;
	struct watched *t = entry(w, to), *f = entry(w, from);

	t = entry(w, to); /* the list may have moved */
	if (!t->dropped && t->inserted + t->updated + t->deleted == 0) {
		/* A plain rename: the rows go along under the new name. */
		free(t->table);
		free(t->nulled);
		*t = *f;
		t->table = mem_dup(to);
		f->nulled = NULL;
		f->nulled_n = 0;
	} else {
		t->inserted += f->inserted;
		t->updated += f->updated;
		t->deleted += f->deleted;
		t->cascaded += f->cascaded;
	}
	f->inserted = f->updated = f->deleted = f->cascaded = 0;
	f->created = f->dropped = 0;
}

static void
free_watch(struct sqlite_watch *w)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		free(w->v[i].table);
		free(w->v[i].nulled);
	}
	for (i = 0; i < w->gap_n; i++)
		free(w->gaps[i].table);
	free(w->gaps);
	free(w->v);
	free(w);
}

void
sqlite_watch_cancel(struct db *d)
{
	struct sqlite *s = sqlite_of(d);

	if (s->watch == NULL)
		return;
	sqlite3_preupdate_hook(s->h, NULL, NULL);
	free_watch(s->watch);
	s->watch = NULL;
}

void
sqlite_watch_totals(const struct sqlite *s, int64_t out[3])
{
	size_t i, n = s->watch == NULL ? 0 : s->watch->n;

	memset(out, 0, 3 * sizeof(*out));
	for (i = 0; i < n; i++) {
		const struct watched *t = &s->watch->v[i];

		if (db_is_ours(t->table))
			continue;
		out[0] += t->inserted;
		out[1] += t->updated;
		out[2] += t->deleted;
	}
}

/* Names for the nulled columns. */
static int
name_nulled(struct db *d, const struct watched *t, struct db_change *c,
	struct err *e)
{
	struct db_rows *r;
	int i = 0, more;

	if (t->nulled_n == 0)
		return 0;
	if (db_query(&r, d, e,
		    "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE "
		    "hidden <> 2 OR (SELECT wr FROM pragma_table_list WHERE "
		    "schema = 'main' AND name = ?1) ORDER BY cid", "s",
		    t->table) == -1)
		return -1;
	for (; (more = db_next(r, e)) == 1 && i < t->nulled_n; i++) {
		if (t->nulled[i][0] + t->nulled[i][1] == 0)
			continue;
		c->nulled = mem_grow(c->nulled, c->nulled_n + 1,
			sizeof(*c->nulled));
		c->nulled[c->nulled_n].column = mem_dup(db_text(r, 0));
		c->nulled[c->nulled_n].taken = t->nulled[i][0];
		c->nulled[c->nulled_n++].upserted = t->nulled[i][1];
	}
	db_rows_free(r);
	return more == -1 ? -1 : 0;
}

static int
conclude(struct db *d, const struct watched *t, struct db_changes *out,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct db_change *c;
	int there;

	if (t->inserted + t->updated + t->deleted == 0 && !t->dropped)
		return 0; /* no row of it changed */
	there = sqlite_catalog_has_table(d, t->table, e);
	if (there == -1)
		return -1;
	if (!there && !t->dropped)
		return 0; /* came and went */
	out->v = mem_grow(out->v, out->n + 1, sizeof(*out->v));
	c = &out->v[out->n++];
	memset(c, 0, sizeof(*c));
	c->table = mem_dup(t->table);
	c->inserted = t->inserted;
	c->updated = t->updated;
	c->deleted = t->deleted;
	c->cascaded = t->cascaded;
	c->before = c->after = -1;
	if (there && (sqlite_catalog_is_internal(s, t->table, &c->internal,
			      e) == -1 ||
			     sqlite_catalog_count(s, t->table, &c->after, e) ==
				     -1))
		return -1;
	if (t->dropped) {
		c->before = t->before;
		c->deleted = c->before + c->inserted -
			(c->after == -1 ? 0 : c->after);
	} else if (!t->created) {
		c->before = c->after - c->inserted + c->deleted;
	}
	return name_nulled(d, t, c, e);
}

int
sqlite_watch_stop(struct db *d, struct db_changes *out, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct sqlite_watch *w = s->watch;
	size_t i;
	int result = 0;

	if (w == NULL)
		return err_bug(e, "nobody watches");
	sqlite3_preupdate_hook(s->h, NULL, NULL);
	s->watch = NULL;
	for (i = 0; i < w->n && result == 0; i++)
		result = conclude(d, &w->v[i], out, e);
	free_watch(w);
	if (result == -1)
		db_changes_free(out);
	return result;
}
