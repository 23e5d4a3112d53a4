/* pg_tables: the tables whose rows a dump holds. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_tables.h"

/*
 * The table that a dump loads c's rows through: c itself, or the root above
 * when rows are spread by the hash of an enum, which changes in another
 * database (pg_dump's forcePartitionRootLoad()).
 */
#define LOADED_AS \
	"CASE WHEN c.relispartition AND EXISTS (SELECT 1 FROM " \
	"pg_catalog.pg_partition_ancestors(c.oid) AS y JOIN " \
	"pg_catalog.pg_partitioned_table k ON k.partrelid = y.relid AND " \
	"k.partstrat = 'h' JOIN pg_catalog.pg_opclass o ON o.oid = ANY (" \
	"k.partclass::oid[]) AND o.opcname = 'enum_ops' JOIN pg_catalog.pg_am " \
	"m ON m.oid = o.opcmethod AND m.amname = 'hash') THEN " \
	"pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid ELSE c.oid END"

/* The tables whose rows a dump holds. */
#define WITH_ROWS \
	"FROM (SELECT " PG_NAME("m", "l") " AS name, c.*, n.nspname FROM " \
	"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = " \
	"c.relnamespace JOIN pg_catalog.pg_class l ON l.oid = " LOADED_AS " " \
	"JOIN pg_catalog.pg_namespace m ON m.oid = l.relnamespace) AS c WHERE c.relkind = 'r' AND " \
	"c.relpersistence <> 't' AND c.nspname !~ '^pg_' AND " \
	"c.nspname <> 'information_schema' AND NOT EXISTS (" \
	"SELECT 1 FROM pg_catalog.pg_depend x WHERE x.deptype = 'e' AND " \
	"x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND " \
	"x.objid = c.oid)"

static int
count_one(struct pg *p, struct shape_list *out, const char *raw,
	const char *sql, struct err *e)
{
	char *name = pg_dump_utf8(mem_dup(raw));
	struct wire_table *t;
	PGresult *r;

	/* Asked once: not worth being prepared. */
	r = pg_sql_one(p, sql, 0, NULL, e);
	if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK) {
		if (r != NULL)
			pg_error(p, r, e, "count");
		err_wrap(e, "count the rows of %s", name);
		PQclear(r);
		free(name);
		return -1;
	}
	t = out->items;
	if (out->n == 0 || strcmp(t[out->n - 1].name, name) != 0) {
		t = shape_list_add(out, &wire_table_shape);
		t->name = mem_dup(name);
		t->bytes = -1;
	} else {
		t += out->n - 1; /* another part of it */
	}
	t->rows += strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	free(name);
	return 0;
}

static int
count_all(struct pg *p, struct shape_list *out, struct err *e)
{
	PGresult *r = pg_sql_one(p, "SELECT c.name, "
		"pg_catalog.format('SELECT pg_catalog.count(*) FROM ONLY "
		"%I.%I', c.nspname, c.relname) " WITH_ROWS
		" ORDER BY c.name COLLATE \"C\"", 0, NULL, e);
	int i, result = 0;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(p, r, e, "list its tables");
	for (i = 0; result == 0 && i < PQntuples(r); i++)
		result = count_one(p, out, PQgetvalue(r, i, 0),
			PQgetvalue(r, i, 1), e);
	PQclear(r);
	if (result == 0)
		result = count_one(p, out, "pg_catalog.pg_largeobject",
			"SELECT pg_catalog.count(*) FROM "
			"pg_catalog.pg_largeobject_metadata", e);
	/* As in an archive: only when there are some. */
	if (result == 0) {
		struct wire_table *t = out->items;

		t += out->n - 1;
		if (t->rows == 0) {
			shape_release(&wire_table_shape, t);
			out->n--;
		}
	}
	return result;
}

/* Rows that a policy hides would be missing without a word: an error. */
int
pg_tables_count(struct db *d, struct shape_list *out, struct err *e)
{
	struct pg *p = pg_of(d);
	struct err ignored;
	int result, usual = PQclientEncoding(p->c);

	if (pg_sql_exec(d, "SET row_security = off", e) == -1)
		return -1;
	/* Names as a dump has them, in the encoding of the database. */
	if (PQsetClientEncoding(p->c, PQparameterStatus(p->c,
		"server_encoding")) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	result = count_all(p, out, e);
	if (PQtransactionStatus(p->c) != PQTRANS_INERROR &&
		PQsetClientEncoding(p->c, pg_encoding_to_char(usual)) == -1 &&
		result == 0)
		result = pg_error(p, NULL, e, "set the encoding");
	if (pg_sql_exec(d, "RESET row_security", &ignored) == -1 &&
		result == 0) {
		*e = ignored;
		result = -1;
	}
	if (result == -1)
		db_tables_free(out);
	return result;
}

int
pg_tables_lock(struct pg *p, const char *names, struct err *e)
{
	char *sql = mem_printf("LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT",
		names);
	PGresult *r = PQexec(p->c, sql);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	int result = 1;

	free(sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		pg_error(p, r, e, "lock the tables");
		/* Locked by somebody, or dropped since. */
		result = state != NULL && (strcmp(state, "55P03") == 0 ||
			strcmp(state, "42P01") == 0 ||
			strcmp(state, "3F000") == 0) ? 0 : -1;
	}
	PQclear(r);
	return result;
}

/* All of them for SQL; NULL: there are none.  Gives. */
static int
list_all(struct pg *p, char **names, struct err *e)
{
	return pg_sql_value(p, names, e, "SELECT pg_catalog.string_agg("
		"pg_catalog.format('%I.%I', c.nspname, c.relname), ', ONLY ') "
		WITH_ROWS, NULL);
}

int
pg_tables_empty(struct pg *p, struct err *e)
{
	char *names, *sql;
	int result = 0;

	if (pg_sql_exec(&p->base, "SET statement_timeout = 0; "
		"SET lock_timeout = 0", e) == -1 ||
		list_all(p, &names, e) == -1)
		return -1;
	if (names != NULL) {
		sql = mem_printf("TRUNCATE ONLY %s", names);
		result = pg_sql_long(p, sql, e);
		free(sql);
	}
	free(names);
	return result;
}

int
pg_tables_lock_all(struct pg *p, struct err *e)
{
	char *names;
	int result;

	if (list_all(p, &names, e) == -1)
		return -1;
	result = names == NULL ? 1 : pg_tables_lock(p, names, e);
	free(names);
	return result;
}
