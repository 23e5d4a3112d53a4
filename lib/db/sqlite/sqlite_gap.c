/*
 * sqlite_gap: what differs between the live database and a restored copy, in
 * rows per table.  Rows are matched by rowid, or by primary key where there
 * is none; that reads both sides once and sorts nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"

#define OTHER "mig_backup" /* the copy's schema name */

struct shape_of_table {
	struct strs columns; /* stored */
	struct strs keys; /* of the primary key, in order */
	struct strs computed; /* and hidden ones */
	int there, virtual, without_rowid;
};

static int
read_table(struct db *d, const char *schema, const char *table,
	struct shape_of_table *t, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT type, wr FROM pragma_table_list WHERE schema = ?1 "
		    "AND name = ?2", "ss", schema, table) == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1) {
		t->there = 1;
		t->virtual = strcmp(db_text(r, 0), "virtual") == 0;
		t->without_rowid = db_int(r, 1) != 0;
	}
	db_rows_free(r);
	if (more == -1)
		return -1;
	if (db_query(&r, d, e,
		    "SELECT name, pk, hidden FROM pragma_table_xinfo(?1, ?2) "
		    "ORDER BY pk, cid", "ss", table, schema) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		strs_add(db_int(r, 2) != 0 ? &t->computed : &t->columns,
			db_text(r, 0));
		if (db_int(r, 1) > 0)
			strs_add(&t->keys, db_text(r, 0));
	}
	db_rows_free(r);
	return more;
}

static void
free_table(struct shape_of_table *t)
{
	strs_free(&t->columns);
	strs_free(&t->keys);
	strs_free(&t->computed);
	memset(t, 0, sizeof(*t));
}

/* A name for the rowid that no column hides, or NULL. */
static const char *
rowid_name(const struct shape_of_table *a, const struct shape_of_table *b)
{
	static const char *const names[] = { "rowid", "_rowid_", "oid" };
	size_t i;

	for (i = 0; i < 3; i++)
		if (!strs_has(&a->columns, names[i]) &&
			!strs_has(&b->columns, names[i]) &&
			!strs_has(&a->computed, names[i]) &&
			!strs_has(&b->computed, names[i]))
			return names[i];
	return NULL;
}

/* "a.k = b.k AND ...": NULL when the sides have no key in common. */
static char *
match(const struct shape_of_table *now, const struct shape_of_table *then)
{
	struct buf b = { 0 };
	size_t i;

	if (!now->without_rowid && !then->without_rowid) {
		const char *rowid = rowid_name(now, then);

		return rowid == NULL ? NULL :
			mem_printf("a.%s = b.%s", rowid, rowid);
	}
	if (now->keys.n == 0 || now->keys.n != then->keys.n)
		return NULL;
	for (i = 0; i < now->keys.n; i++) {
		char *q = sqlite_sql_quote(now->keys.v[i]);

		if (!strs_has(&then->keys, now->keys.v[i])) {
			free(q);
			buf_free(&b);
			return NULL;
		}
		/* By the index, and then to the byte. */
		buf_printf(&b, "%sa.%s IS b.%s AND a.%s COLLATE BINARY IS b.%s",
			i == 0 ? "" : " AND ", q, q, q, q);
		free(q);
	}
	return buf_detach(&b);
}

/* "a.x IS NOT b.x OR ...": a column only now there counts when not null. */
static char *
differ(const struct shape_of_table *now, const struct shape_of_table *then)
{
	struct buf b = { 0 };
	size_t i;

	buf_text(&b, "0");
	for (i = 0; i < now->columns.n; i++) {
		char *q = sqlite_sql_quote(now->columns.v[i]);

		if (strs_has(&then->columns, now->columns.v[i]))
			buf_printf(&b, " OR a.%s COLLATE BINARY IS NOT b.%s", q,
				q);
		else
			buf_printf(&b, " OR a.%s IS NOT NULL", q);
		free(q);
	}
	return buf_detach(&b);
}

static int
count_matched(struct sqlite *s, struct db_gap *g,
	const struct shape_of_table *now, const struct shape_of_table *then,
	struct err *e)
{
	char *on = match(now, then), *diff, *q, *sql;
	int64_t both;
	int result;

	if (on == NULL) {
		g->added = g->changed = g->removed = -1;
		return 0;
	}
	diff = differ(now, then);
	q = sqlite_sql_quote(g->table);
	sql = mem_printf("SELECT count(*) FROM main.%s a CROSS JOIN " OTHER
		".%s b ON %s", q, q, on);
	result = sqlite_sql_int_of(s, sql, &both, e);
	free(sql);
	if (result == 0) {
		g->added = g->rows_now - both;
		g->removed = g->rows_then - both;
		sql = mem_printf("SELECT count(*) FROM main.%s a CROSS JOIN "
			OTHER ".%s b ON %s WHERE %s", q, q, on, diff);
		result = sqlite_sql_int_of(s, sql, &g->changed, e);
		free(sql);
	}
	free(q);
	free(diff);
	free(on);
	return result;
}

static int
count_rows(struct sqlite *s, const char *schema, const char *table,
	int64_t *out, struct err *e)
{
	char *q = sqlite_sql_quote(table);
	char *sql = mem_printf("SELECT count(*) FROM %s.%s", schema, q);
	int result = sqlite_sql_int_of(s, sql, out, e);

	free(sql);
	free(q);
	return result;
}

static int
compare(struct sqlite *s, const char *table, struct db_gap *g, struct err *e)
{
	struct shape_of_table now = { 0 }, then = { 0 };
	int result = -1;

	memset(g, 0, sizeof(*g));
	g->table = mem_dup(table);
	g->rows_then = g->rows_now = -1;
	if (read_table(&s->base, "main", table, &now, e) == -1 ||
		read_table(&s->base, OTHER, table, &then, e) == -1)
		goto out;
	if (now.virtual || then.virtual) {
		result = 0; /* its rows are in its shadow tables */
		goto out;
	}
	if ((now.there && count_rows(s, "main", table, &g->rows_now, e) ==
			-1) ||
		(then.there &&
			count_rows(s, OTHER, table, &g->rows_then, e) == -1))
		goto out;
	if (now.there && then.there)
		result = count_matched(s, g, &now, &then, e);
	else
		result = 0;
	if (now.there && !then.there)
		g->added = g->rows_now;
	if (!now.there && then.there)
		g->removed = g->rows_then;
out:
	free_table(&now);
	free_table(&then);
	return result;
}

static int
table_names(struct db *d, struct strs *out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT name FROM main.sqlite_schema WHERE type = 'table' "
		    "UNION SELECT name FROM " OTHER
		    ".sqlite_schema WHERE type = 'table' ORDER BY 1", "") ==
		-1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		if (sqlite3_strnicmp(db_text(r, 0), "sqlite_", 7) != 0 &&
			!db_is_ours(db_text(r, 0)))
			strs_add(out, db_text(r, 0));
	db_rows_free(r);
	return more;
}

int
sqlite_gap_count(struct db *d, const struct db_rebuilt *from,
	struct db_gap **out, size_t *n, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct strs names = { 0 };
	struct db_gap *v = NULL;
	char *uri = sqlite_open_uri(from->path, "immutable=1");
	size_t i, k = 0;
	int result = -1;

	if (db_execf(d, e, "ATTACH ?1 AS " OTHER, "s", uri) == -1) {
		/* SQLite compares no text of two encodings; say so plainly. */
		if (strstr(e->text, "encoding") != NULL)
			err_set(e, ERR_ENV, "encoding",
				"'%s' and the backup have different text "
				"encodings", s->shown);
		goto out;
	}
	if (db_exec(d, "BEGIN", e) == -1 || table_names(d, &names, e) == -1)
		goto detach;
	v = mem_array(names.n + 1, sizeof(*v));
	for (i = 0; i < names.n; i++) {
		if (compare(s, names.v[i], &v[k++], e) == -1)
			goto detach;
		if (v[k - 1].added == 0 && v[k - 1].changed == 0 &&
			v[k - 1].removed == 0) {
			free(v[--k].table); /* nothing differs */
			v[k].table = NULL;
		}
	}
	result = 0;
detach:
	sqlite_sql_rollback(d);
	sqlite3_exec(s->h, "DETACH " OTHER, NULL, NULL, NULL);
	if (result == 0) {
		*out = v;
		*n = k;
	} else {
		db_gap_free(v, k);
	}
out:
	strs_free(&names);
	free(uri);
	return result;
}
