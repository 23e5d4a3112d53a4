/* sqlite_bring: one table, or one column, from a copy; see db/db_bring.h. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/sqlite/sqlite.h"

#define OTHER "mig_kept_copy" /* the copy, attached */

struct columns {
	struct buf list; /* "a", "b" */
	struct buf back; /* the same, but what the database makes itself */
	struct buf exact; /* of these, letter by letter: "a" COLLATE BINARY AS "a" */
	struct buf alike; /* "a" COLLATE BINARY, "b" COLLATE BINARY */
	struct buf define; /* "a" INTEGER, "b" TEXT, PRIMARY KEY ("a") */
	struct buf same; /* l."a" = r."a" */
	int keys, wanted;
	char *type; /* of the one that is wanted */
};

/* Whether the live table has it, or there is no live table. */
static int
column_is_here(struct db *d, const char *table, const char *column)
{
	struct db_rows *r;
	struct err ignored;
	int here = 1;

	if (db_query(&r, d, &ignored, "SELECT count(*), sum(name = ?2 COLLATE "
		"NOCASE AND hidden = 0) FROM pragma_table_xinfo(?1, 'main')",
		"ss", table, column) == -1)
		return 1;
	if (db_next(r, &ignored) == 1)
		here = db_int(r, 0) == 0 || db_int(r, 1) > 0;
	db_rows_free(r);
	return here;
}

static int
look(struct db *d, const struct db_bring *b, struct columns *c, struct err *e)
{
	struct buf keys = { 0 };
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, "SELECT name, type, pk, hidden FROM "
		"pragma_table_xinfo(?1, '" OTHER "') WHERE hidden <> 1 ORDER "
		"BY cid", "s", b->table) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		char *q = sqlite_sql_quote(db_text(r, 0));
		const char *type = db_text(r, 1);
		int key = db_int(r, 2) > 0, want = b->column == NULL ||
			strs_same(b->column, db_text(r, 0));

		if (want || key) {
			const char *comma = c->list.len == 0 ? "" : ", ";

			buf_printf(&c->list, "%s%s", comma, q);
			buf_printf(&c->define, "%s%s %s", comma, q, type);
			comma = c->back.len == 0 ? "" : ", ";
			if (db_int(r, 3) == 0 && column_is_here(d, b->table,
				db_text(r, 0))) {
				buf_printf(&c->back, "%s%s", comma, q);
				buf_printf(&c->exact, "%s%s COLLATE BINARY AS "
					"%s", comma, q, q);
				buf_printf(&c->alike, "%s%s COLLATE BINARY",
					comma, q);
			}
		}
		if (want && b->column != NULL)
			c->type = mem_dup(type);
		if (key)
			buf_printf(&keys, "%s%s", c->keys == 0 ? "" : ", ", q);
		if (key)
			buf_printf(&c->same, "%sl.%s = r.%s", c->keys == 0 ?
				"" : " AND ", q, q);
		c->keys += key;
		c->wanted += want;
		free(q);
	}
	db_rows_free(r);
	if (c->keys > 0)
		buf_printf(&c->define, ", PRIMARY KEY (%s)", keys.data);
	buf_free(&keys);
	return more == -1 ? -1 : c->wanted == 0 ? db_bring_absent(b, e) :
		b->column != NULL && c->keys == 0 ? db_bring_keyless(b, e) : 0;
}

/* What puts it back, as far as that can be said without knowing why. */
static char *
merge(struct db *d, const struct db_bring *b, const struct columns *c,
	const char *into, struct err *e)
{
	char *t = sqlite_sql_quote(b->table), *q, *out;
	int there = sqlite_catalog_has_table(d, b->table, e), column = 0;
	struct db_rows *r;

	if (b->column == NULL) {
		out = c->back.len == 0 ? mem_printf("SELECT * FROM %s", into) :
			!there ? mem_printf("ALTER TABLE %s RENAME TO %s", into,
			t) : c->keys == 0 ? mem_printf("INSERT INTO %s (%s) "
			"SELECT %s FROM (SELECT %s, row_number() OVER (PARTITION "
			"BY %s) FROM %s EXCEPT SELECT %s, row_number() OVER "
			"(PARTITION BY %s) FROM %s)", t, c->back.data,
			c->back.data, c->exact.data, c->alike.data, into,
			c->exact.data, c->alike.data, t) :
			mem_printf("INSERT INTO %s (%s) SELECT %s FROM "
			"%s AS r WHERE NOT EXISTS (SELECT 1 FROM %s AS l WHERE "
			"%s)", t, c->back.data, c->back.data, into, t,
			c->same.data);
		free(t);
		return out;
	}
	if (db_query(&r, d, e, "SELECT 1 FROM pragma_table_xinfo(?1, 'main') "
		"WHERE name = ?2 COLLATE NOCASE", "ss", b->table, b->column) ==
		0) {
		column = db_next(r, e) == 1;
		db_rows_free(r);
	}
	q = sqlite_sql_quote(b->column);
	out = mem_printf("%s%s%s%s%s%s%sUPDATE %s AS l SET %s = r.%s FROM %s "
		"AS r WHERE %s", column ? "" : "ALTER TABLE ", column ? "" : t,
		column ? "" : " ADD COLUMN ", column ? "" : q, column ? "" :
		" ", column ? "" : c->type, column ? "" : "; ", t, q, q, into,
		c->same.data);
	free(t);
	free(q);
	return out;
}

static int
copy(struct db *d, const struct db_bring *b, const struct columns *c,
	struct db_brought *out, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	char *name = b->column == NULL ? mem_printf("%s_%s", b->table,
		b->stamp) : mem_printf("%s_%s_%s", b->table, b->column,
		b->stamp);
	char *q, *make, *fill, *count, *from = sqlite_sql_quote(b->table);
	int result = -1;

	out->into = q = sqlite_sql_quote(name);
	make = mem_printf("CREATE TABLE main.%s (%s)", q, c->define.data);
	fill = mem_printf("INSERT INTO main.%s SELECT %s FROM " OTHER ".%s", q,
		c->list.data, from);
	count = mem_printf("SELECT count(*) FROM main.%s", q);
	if (db_begin(d, 1, e) == 0) {
		if (db_exec(d, make, e) == 0 && db_exec(d, fill, e) == 0 &&
			sqlite_sql_int_of(s, count, &out->rows, e) == 0)
			result = db_commit(d, e);
		if (result == -1)
			db_rollback(d);
	}
	if (result == 0)
		out->sql = merge(d, b, c, q, e);
	free(name);
	free(make);
	free(fill);
	free(count);
	free(from);
	return result;
}

int
sqlite_bring_table(struct db *d, const struct db_bring *b,
	struct db_brought *out, struct err *e)
{
	struct columns c = { 0 };
	struct err ignored;
	char *uri = sqlite_open_uri(db_name(b->from), "mode=ro");
	int result = db_execf(d, e, "ATTACH ?1 AS " OTHER, "s", uri);

	free(uri);
	if (result == -1)
		return -1;
	result = look(d, b, &c, e);
	if (result == 0)
		result = copy(d, b, &c, out, e);
	db_exec(d, "DETACH " OTHER, &ignored);
	buf_free(&c.list);
	buf_free(&c.back);
	buf_free(&c.exact);
	buf_free(&c.alike);
	buf_free(&c.define);
	buf_free(&c.same);
	free(c.type);
	return result;
}
