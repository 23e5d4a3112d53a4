/* pg_bring: one table, or one column, from a copy; see db/db_bring.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_watch.h"

#define NAME_MAX_BYTES 63

struct columns {
	struct buf list; /* "a", "b" */
	struct buf back; /* the same, but what the server makes itself */
	struct buf define; /* "a" bigint, "b" text, PRIMARY KEY ("a") */
	struct buf same; /* l."a" = r."a" */
	int keys, wanted;
	char *type; /* of the one that is wanted */
	char *schema, *plain; /* of the table, as they are */
};

static char *
quoted(const char *name)
{
	struct buf b = { 0 };

	lex_quote(&b, name, strlen(name));
	return buf_detach(&b);
}

/* A type that the live database has not any more comes as its text. */
static char *
type_here(struct pg *live, const char *type)
{
	struct err ignored;
	char *found = NULL;

	if (pg_sql_value(live, &found, &ignored, "SELECT pg_catalog."
		"to_regtype(pg_catalog.regexp_replace($1, '\\(.*\\)', ''))",
		type) == -1 || found == NULL)
		return mem_dup("text");
	free(found);
	return mem_dup(type);
}

static void
add(struct columns *c, struct pg *live, const struct db_bring *b,
	const PGresult *r, int i, struct buf *keys, const struct strs *here)
{
	char *q = quoted(PQgetvalue(r, i, 0));
	int key = *PQgetvalue(r, i, 2) == 't', want = b->column == NULL ||
		strs_same(b->column, PQgetvalue(r, i, 0));

	if (want || key) {
		const char *comma = c->list.len == 0 ? "" : ", ";
		char *type = type_here(live, PQgetvalue(r, i, 1));

		buf_printf(&c->list, "%s%s", comma, q);
		buf_printf(&c->define, "%s%s %s", comma, q, type);
		if (*PQgetvalue(r, i, 5) == '\0' && (here->n == 0 || strs_has(
			here, PQgetvalue(r, i, 0))))
			buf_printf(&c->back, "%s%s", c->back.len == 0 ? "" :
				", ", q);
		if (want && b->column != NULL)
			c->type = mem_dup(type);
		free(type);
	}
	if (key) {
		buf_printf(keys, "%s%s", c->keys == 0 ? "" : ", ", q);
		buf_printf(&c->same, "%sl.%s = r.%s", c->keys == 0 ? "" :
			" AND ", q, q);
	}
	c->keys += key;
	c->wanted += want;
	free(q);
}

/* Those of the live table that can be written; none: there is no such table. */
static int
columns_here(struct pg *live, const char *schema, const char *plain,
	struct strs *out, struct err *e)
{
	const char *values[] = { schema, plain };
	PGresult *r = pg_sql_one(live, "SELECT a.attname FROM "
		"pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON "
		"c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
		"c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND "
		"a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''",
		2, values, e);
	int i;

	if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK) {
		if (r != NULL)
			pg_error(live, r, e, "look at the live table");
		PQclear(r);
		return -1;
	}
	for (i = 0; i < PQntuples(r); i++)
		strs_add(out, PQgetvalue(r, i, 0));
	PQclear(r);
	return 0;
}

static int
look(struct pg *live, const struct db_bring *b, struct columns *c,
	struct err *e)
{
	struct buf keys = { 0 };
	struct strs here = { 0 };
	PGresult *r;
	int i, n;

	if (!pg_catalog_is_name(b->table))
		return db_bring_absent(b, e);
	r = pg_watch_ask(pg_of(b->from), "SELECT a.attname, pg_catalog."
		"format_type(a.atttypid, a.atttypmod), EXISTS (SELECT 1 FROM "
		"pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND "
		"i.indisprimary AND a.attnum = ANY (i.indkey)), n.nspname, "
		"c.relname, a.attgenerated FROM pg_catalog.pg_attribute a JOIN pg_catalog."
		"pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace "
		"n ON n.oid = c.relnamespace WHERE a.attrelid = "
		"pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT "
		"a.attisdropped AND c.relkind IN ('r', 'p', 'm') ORDER BY "
		"a.attnum", b->table, e);
	if (r == NULL)
		return -1;
	n = PQntuples(r);
	if (n > 0 && columns_here(live, PQgetvalue(r, 0, 3), PQgetvalue(r, 0,
		4), &here, e) == -1) {
		PQclear(r);
		return -1;
	}
	for (i = 0; i < n; i++)
		add(c, live, b, r, i, &keys, &here);
	strs_free(&here);
	if (n > 0) {
		c->schema = mem_dup(PQgetvalue(r, 0, 3));
		c->plain = mem_dup(PQgetvalue(r, 0, 4));
	}
	PQclear(r);
	if (c->keys > 0)
		buf_printf(&c->define, ", PRIMARY KEY (%s)", keys.data);
	buf_free(&keys);
	return c->wanted == 0 ? db_bring_absent(b, e) : b->column != NULL &&
		c->keys == 0 ? db_bring_keyless(b, e) : 0;
}

/* In the schema of the table, if that is still there. */
static char *
new_name(struct pg *live, const struct db_bring *b, const struct columns *c)
{
	char *base = b->column == NULL ? mem_dup(c->plain) :
		mem_printf("%s_%s", c->plain, b->column);
	size_t room = NAME_MAX_BYTES - strlen(b->stamp) - 1, n = strlen(base);
	char *schema = NULL, *name, *q, *out, *s;
	struct err ignored;

	n = n > room ? room : n;
	/* Not within a character. */
	while (n > 0 && ((unsigned char)base[n] & 0xc0) == 0x80)
		n--;
	base[n] = '\0';
	name = mem_printf("%s_%s", base, b->stamp);
	if (pg_sql_value(live, &schema, &ignored, "SELECT nspname FROM "
		"pg_catalog.pg_namespace WHERE nspname = $1", c->schema) == -1)
		schema = NULL;
	s = quoted(schema == NULL ? "public" : schema);
	q = quoted(name);
	out = mem_printf("%s.%s", s, q);
	free(base);
	free(name);
	free(schema);
	free(s);
	free(q);
	return out;
}

/* Rows as text, from one server to the other. */
static int
pour(struct pg *to, struct pg *from, struct err *e)
{
	char *row = NULL;
	int n, bad = 0;
	PGresult *r;

	while (!bad && (n = PQgetCopyData(from->c, &row, 0)) > 0) {
		bad = PQputCopyData(to->c, row, n) != 1 || stop_asked();
		PQfreemem(row);
	}
	if (!bad && n == -2)
		bad = 1;
	if (PQputCopyEnd(to->c, bad ? "the copy could not be read" : NULL) != 1)
		bad = 1;
	r = pg_sql_collect(to, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		pg_error(to, r, e, "write the rows");
		PQclear(r);
		return -1;
	}
	PQclear(r);
	r = PQgetResult(from->c);
	if (r != NULL && PQresultStatus(r) != PGRES_COMMAND_OK && !bad) {
		pg_error(from, r, e, "read the rows of the copy");
		bad = 2;
	}
	PQclear(r);
	while ((r = PQgetResult(from->c)) != NULL)
		PQclear(r);
	return bad == 0 ? 0 : bad == 2 ? -1 : stop_check(e) == -1 ? -1 :
		pg_error(from, NULL, e, "carry the rows over");
}

static int
start_copy(struct pg *p, const char *sql, ExecStatusType want, struct err *e)
{
	PGresult *r = pg_sql_one(p, sql, 0, NULL, e);
	int result = r == NULL ? -1 : PQresultStatus(r) == want ? 0 :
		pg_error(p, r, e, "begin a COPY");

	PQclear(r);
	return result;
}

static int
carry(struct pg *live, const struct db_bring *b, const struct columns *c,
	struct db_brought *out, struct err *e)
{
	struct pg *from = pg_of(b->from);
	char *s = quoted(c->schema), *t = quoted(c->plain), *n = NULL;
	char *make = mem_printf("CREATE TABLE %s (%s)", out->into,
		c->define.data);
	char *read = mem_printf("COPY (SELECT %s FROM %s.%s) TO STDOUT",
		c->list.data, s, t);
	char *write = mem_printf("COPY %s FROM STDIN", out->into);
	char *count = mem_printf("SELECT pg_catalog.count(*) FROM %s",
		out->into);
	int result = pg_sql_long(live, make, e);

	if (result == 0)
		result = start_copy(from, read, PGRES_COPY_OUT, e);
	if (result == 0)
		result = start_copy(live, write, PGRES_COPY_IN, e);
	if (result == 0)
		result = pour(live, from, e);
	if (result == 0)
		result = pg_sql_value(live, &n, e, count, NULL);
	out->rows = n == NULL ? 0 : strtoll(n, NULL, 10);
	free(s);
	free(t);
	free(n);
	free(make);
	free(read);
	free(write);
	free(count);
	return result;
}

static char *
merge(struct pg *live, const struct db_bring *b, const struct columns *c,
	const char *into)
{
	char *s = quoted(c->schema), *t = quoted(c->plain), *q, *out, *n = NULL;
	char *full = mem_printf("%s.%s", s, t);
	struct err ignored;
	int there;

	there = pg_sql_value(live, &n, &ignored, "SELECT pg_catalog."
		"to_regclass($1)", full) == 0 && n != NULL;
	free(n);
	n = NULL;
	if (b->column == NULL) {
		out = c->back.len == 0 ? mem_printf("SELECT * FROM %s", into) :
			!there ? mem_printf("ALTER TABLE %s RENAME TO %s", into,
			t) : c->keys == 0 ? mem_printf("INSERT INTO %s (%s) "
			"OVERRIDING SYSTEM VALUE SELECT %s FROM %s EXCEPT ALL "
			"SELECT %s FROM %s", full, c->back.data, c->back.data,
			into, c->back.data, full) : mem_printf("INSERT INTO "
			"%s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM "
			"%s AS r WHERE NOT EXISTS (SELECT 1 FROM %s AS l WHERE "
			"%s)", full, c->back.data, c->back.data, into, full,
			c->same.data);
	} else {
		q = quoted(b->column);
		out = mem_printf("ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s "
			"%s; UPDATE %s AS l SET %s = r.%s FROM %s AS r WHERE "
			"%s", full, q, c->type, full, q, q, into,
			c->same.data);
		free(q);
	}
	free(full);
	free(s);
	free(t);
	return out;
}

int
pg_bring_table(struct db *d, const struct db_bring *b, struct db_brought *out,
	struct err *e)
{
	struct columns c = { { 0 }, { 0 }, { 0 }, { 0 }, 0, 0, NULL, NULL,
		NULL };
	struct pg *live = pg_of(d);
	int result = look(live, b, &c, e);

	if (result == 0) {
		out->into = new_name(live, b, &c);
		result = db_begin(d, 1, e);
		if (result == 0)
			result = carry(live, b, &c, out, e);
		if (result == 0)
			result = db_commit(d, e);
		else
			db_rollback(d);
	}
	if (result == 0)
		out->sql = merge(live, b, &c, out->into);
	buf_free(&c.list);
	buf_free(&c.back);
	buf_free(&c.define);
	buf_free(&c.same);
	free(c.type);
	free(c.schema);
	free(c.plain);
	return result;
}
