/* pg_copy: large tables, and connections to read them with. */
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"

#define LARGE "16777216" /* bytes: smaller tables are left to pg_dump */
#define MAYBE "8388608" /* bytes at the last VACUUM: worth being measured */
#define TABLES_MAX "256" /* pg_dump is told each by name, and looks it up */

struct pg_copy {
	struct pg *p; /* whose snapshot it is */
	struct pg **connections;
	int n, jobs;
	struct pg_copy_table *tables;
	size_t tables_n;
};

/*
 * Tables whose rows pg_dump would read by a plain COPY of the table itself:
 * not those of extensions, which have their own conditions, and not the
 * partitions whose rows may be loaded through their root.  To measure a table
 * takes a lock on it, so it is not done where the catalog says that it is small.
 */
static const char tables_sql[] =
	"SELECT c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', "
	"n.nspname, c.relname), (SELECT pg_catalog.string_agg("
	"pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM "
	"pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 "
	"AND NOT a.attisdropped AND a.attgenerated = '') AS columns, "
	"pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting("
	"'block_size')::pg_catalog.int8, pg_catalog.pg_table_size(c.oid) AS "
	"size FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
	"n.oid = c.relnamespace JOIN pg_catalog.pg_am m ON m.oid = c.relam "
	"WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND "
	"m.amname = 'heap' AND n.nspname !~ '^pg_' AND n.nspname <> "
	"'information_schema' AND CASE WHEN c.reltuples < 0 OR c.relpages = 0 "
	"OR (c.relpages::pg_catalog.int8 + coalesce((SELECT o.relpages FROM "
	"pg_catalog.pg_class o WHERE o.oid = c.reltoastrelid), 0)) * "
	"pg_catalog.current_setting('block_size')::"
	"pg_catalog.int8 >= " MAYBE " THEN pg_catalog.pg_table_size(c.oid) >= "
	LARGE " ELSE false END AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE "
	"x.deptype = 'e' AND x.classid = "
	"'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid) AND "
	"NOT (c.relispartition AND EXISTS (SELECT 1 FROM "
	"pg_catalog.pg_partition_ancestors(c.oid) AS y JOIN "
	"pg_catalog.pg_partitioned_table k ON k.partrelid = y.relid WHERE "
	"k.partstrat = 'h')) ORDER BY size DESC, c.oid LIMIT " TABLES_MAX;

/* Names as they are in the database: pg_dump takes and writes them so. */
static int
find_tables(struct pg_copy *c, struct err *e)
{
	struct pg *p = c->p;
	int usual = PQclientEncoding(p->c), i;
	PGresult *r;

	if (PQsetClientEncoding(p->c, PQparameterStatus(p->c,
		"server_encoding")) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	r = pg_sql_one(p, tables_sql, 0, NULL, e);
	if (r != NULL && PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look for large tables");
		PQclear(r);
		r = NULL;
	}
	if (r == NULL)
		return -1;
	c->tables = mem_array((size_t)PQntuples(r) + 1, sizeof(*c->tables));
	for (i = 0; i < PQntuples(r); i++) {
		struct pg_copy_table *t = &c->tables[c->tables_n];

		if (PQgetisnull(r, i, 4) || PQgetisnull(r, i, 5))
			continue; /* no columns, or dropped by now */
		memset(t, 0, sizeof(*t));
		t->oid = strtoll(PQgetvalue(r, i, 0), NULL, 10);
		t->schema = mem_dup(PQgetvalue(r, i, 1));
		t->name = mem_dup(PQgetvalue(r, i, 2));
		t->from = mem_dup(PQgetvalue(r, i, 3));
		t->columns = mem_dup(PQgetvalue(r, i, 4));
		t->pages = strtoll(PQgetvalue(r, i, 5), NULL, 10);
		t->bytes = strtoll(PQgetvalue(r, i, 6), NULL, 10);
		c->tables_n++;
	}
	PQclear(r);
	if (PQsetClientEncoding(p->c, pg_encoding_to_char(usual)) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	return 0;
}

/*
 * As pg_dump sets its sessions (PostgreSQL's pg_dump.c, setup_connection()),
 * and as pg_url_environment() adds.  The last two lines are for the plan:
 * only a range of pages is to be read, and by this process.
 */
static int
settle(struct pg *p, const char *snapshot, struct err *e)
{
	char *sql = mem_printf(
		"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
		"SET TRANSACTION SNAPSHOT '%s'; SET LOCAL search_path = ''; "
		"SET LOCAL DateStyle = ISO; "
		"SET LOCAL IntervalStyle = postgres; "
		"SET LOCAL extra_float_digits = 3; "
		"SET LOCAL synchronize_seqscans = off; "
		"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
		"SET LOCAL idle_in_transaction_session_timeout = 0; %s"
		"SET LOCAL row_security = off; SET LOCAL TimeZone = 'UTC'; "
		"SET LOCAL bytea_output = hex; "
		"SET LOCAL quote_all_identifiers = off; "
		"SET LOCAL enable_seqscan = off; SET LOCAL enable_tidscan = on; "
		"SET LOCAL jit = off; "
		"SET LOCAL max_parallel_workers_per_gather = 0", snapshot,
		p->version >= 170000 ? "SET LOCAL transaction_timeout = 0; " :
				       "");
	int result = pg_sql_exec(&p->base, sql, e);

	free(sql);
	return result;
}

/* Another connection, or NULL when the server has no room for it. */
static struct pg *
connect_one(struct pg_copy *c, struct err *e)
{
	struct pg *p;

	return pg_open_beside(&p, c->p, NULL, e) == 0 ? p : NULL;
}

/*
 * As many as there are jobs, and room for one more, which pg_dump needs.  What
 * cannot be had is said: then it takes longer.
 */
static int
connect_all(struct pg_copy *c, struct err *e)
{
	struct err why;
	struct pg *p = NULL;
	int i, wanted = c->jobs;

	for (i = 0; i < wanted && (p = connect_one(c, &why)) != NULL; i++)
		c->connections[c->n++] = p;
	p = i == wanted ? connect_one(c, &why) : NULL;
	if (p != NULL) {
		pg_open_close(&p->base);
	} else {
		if (c->n > 0)
			pg_open_close(&c->connections[--c->n]->base);
		report_say(c->p->base.report, REPORT_NOTE, "%d of %d further "
			"connections to read with: %s", c->n, wanted,
			why.text);
	}
	/* Values as they are in the database, as pg_dump has them. */
	for (i = 0; i < c->n; i++)
		if (pg_open_for_thread(c->connections[i], PQparameterStatus(
			c->connections[i]->c, "server_encoding"), e) == -1)
			return -1;
	return 0;
}

int
pg_copy_begin(struct pg_copy **out, struct pg *p, const char *snapshot,
	int jobs, struct err *e)
{
	struct pg_copy *c = *out;
	int i;

	if (c == NULL) {
		c = *out = mem_alloc(sizeof(*c));
		c->p = p;
		c->jobs = jobs < 1 ? 1 : jobs;
		c->connections = mem_array((size_t)c->jobs,
			sizeof(*c->connections));
	}
	if (find_tables(c, e) == -1)
		return -1;
	if (c->tables_n > 0 && c->n == 0 && connect_all(c, e) == -1)
		return -1;
	if (c->tables_n == 0 || c->n == 0) {
		pg_copy_free(c);
		*out = NULL;
		return 0;
	}
	for (i = 0; i < c->n; i++)
		if (settle(c->connections[i], snapshot, e) == -1)
			return -1;
	return 0;
}

int
pg_copy_lock(struct pg_copy *c, struct err *e)
{
	struct buf b = { 0 };
	size_t k;
	int i, got = 1;

	if (c == NULL)
		return 1;
	for (k = 0; k < c->tables_n; k++)
		buf_printf(&b, "%s%s", k > 0 ? ", ONLY " : "",
			c->tables[k].from);
	for (i = 0; i < c->n && got == 1; i++)
		got = pg_tables_lock(c->connections[i], b.data, e);
	buf_free(&b);
	return got;
}

struct pg_copy_table *
pg_copy_tables(struct pg_copy *c, size_t *n)
{
	*n = c == NULL ? 0 : c->tables_n;
	return c == NULL ? NULL : c->tables;
}

const char *
pg_copy_encoding(const struct pg_copy *c)
{
	return pg_encoding_to_char(PQclientEncoding(c->connections[0]->c));
}

struct pg *
pg_copy_connection(struct pg_copy *c, int i)
{
	return i < c->n ? c->connections[i] : NULL;
}

void
pg_copy_release(struct pg_copy *c)
{
	size_t k;
	int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		pg_transaction_rollback(&c->connections[i]->base);
	for (k = 0; k < c->tables_n; k++) {
		free(c->tables[k].schema);
		free(c->tables[k].name);
		free(c->tables[k].from);
		free(c->tables[k].columns);
		free(c->tables[k].owner);
	}
	free(c->tables);
	c->tables = NULL;
	c->tables_n = 0;
}

void
pg_copy_free(struct pg_copy *c)
{
	int i;

	if (c == NULL)
		return;
	/* A COPY that is under way ends with its connection. */
	for (i = 0; i < c->n; i++)
		pg_open_close(&c->connections[i]->base);
	c->n = 0;
	pg_copy_release(c);
	free(c->connections);
	free(c);
}
