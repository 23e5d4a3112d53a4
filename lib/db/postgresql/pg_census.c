/* pg_census: the rows and values of a table, counted. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_watch.h"

/* A view whose rows an UPDATE changes in its table. */
#define IS_UPDATED \
	"pg_catalog.pg_relation_is_updatable(c.oid, false) & 4 = 4"

/*
 * The values of a composite type, wherever a table has a column of it, or of an array
 * of it, as rows.  Gives.
 */
static char *
rows_of_type(struct pg *p, const char *type, struct err *e)
{
	char *all = NULL, *rows;

	if (pg_sql_value(p, &all, e, "SELECT pg_catalog.string_agg("
		"pg_catalog.format(CASE WHEN a.atttypid = t.oid THEN "
		"'SELECT (s.%1$I).* FROM ONLY %2$s AS s' ELSE 'SELECT u.* FROM "
		"ONLY %2$s AS s, LATERAL pg_catalog.unnest(s.%1$I) AS u' END, "
		"a.attname, c.oid::pg_catalog.regclass), ' UNION ALL ') FROM "
		"pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON "
		"a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT "
		"a.attisdropped JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
		"AND c.relkind = 'r' WHERE t.typrelid = "
		"$1::pg_catalog.regclass", type) == -1)
		return NULL;
	rows = all == NULL ? mem_printf("(SELECT (NULL::%s).* WHERE false)",
		type) : mem_printf("(%s)", all);
	free(all);
	return rows;
}

/* What is read of each column, whose names go to out. */
static void
put_counts(struct buf *b, const PGresult *r, int content,
	struct db_census *out)
{
	int i;

	/* Arrays: a SELECT has fewer places than a table may have columns. */
	buf_text(b, "SELECT pg_catalog.count(*), ARRAY[");
	for (i = 0; content >= 0 && i < PQntuples(r) && !PQgetisnull(r, i, 0); i++) {
		out->columns = mem_grow(out->columns, out->n + 1,
			sizeof(*out->columns));
		out->columns[out->n++] = mem_dup(PQgetvalue(r, i, 0));
		buf_printf(b, "%spg_catalog.count(%s)", i == 0 ? "" : ", ",
			PQgetvalue(r, i, 1));
	}
	buf_text(b, "]::bigint[]");
	/* Sums, for an XOR forgets what is there twice. */
	for (i = 0; content > 0 && i < (int)out->n; i++)
		buf_printf(b, "%scoalesce(pg_catalog.sum(pg_catalog."
			"hashtextextended(%s::pg_catalog.text, 0)) %% "
			"9223372036854775807, 0)", i == 0 ? ", ARRAY[" : ", ",
			PQgetvalue(r, i, 1));
	if (content > 0)
		buf_text(b, out->n > 0 ? "]" : ", NULL");
	if (content > 1)
		buf_text(b, ", coalesce(pg_catalog.sum(pg_catalog."
			"hashtextextended(mig_row::pg_catalog.text, 0)) % "
			"9223372036854775807, 0)");
}

/* Names of the columns, and a query that counts their values. */
static char *
census_query(struct pg *p, const char *table, int content,
	struct db_census *out, struct err *e)
{
	/* What a foreign table holds is not reached from a copy. */
	const char *values[] = { table, p->staged ? "copy" : "live" };
	struct buf b = { 0 };
	char *rows = NULL;
	PGresult *r = pg_sql_one(p, "SELECT a.attname, pg_catalog.quote_ident("
		"a.attname), c.oid::pg_catalog.regclass, " PG_NAME("n", "c")
		", pg_catalog.row_security_active(c.oid), c.relkind FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
		"ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_attribute a "
		"ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
		"WHERE c.oid = pg_catalog.to_regclass($1) AND (c.relkind IN "
		"('r', 'p', 'm', 'f', 'c') OR (c.relkind = 'v' AND " IS_UPDATED
		")) AND ($2 <> 'copy' OR c.relkind <> 'f') "
		"ORDER BY a.attnum", 2, values, e);
	int n;

	if (r == NULL)
		return NULL;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look at a table");
		PQclear(r);
		return NULL;
	}
	n = PQntuples(r);
	out->there = n > 0;
	out->exact = 1;
	out->view = n > 0 && *PQgetvalue(r, 0, 5) == 'v';
	if (n > 0 && *PQgetvalue(r, 0, 4) == 't') {
		err_set(e, ERR_REFUSED, "permission", "row security hides rows "
			"of %s from this role: what is lost cannot be counted",
			PQgetvalue(r, 0, 3));
		err_next(e, "migrate as the owner, or as a role with "
			    "BYPASSRLS");
		PQclear(r);
		return NULL;
	}
	put_counts(&b, r, content, out);
	if (n > 0) {
		rows = *PQgetvalue(r, 0, 5) == 'c' ? rows_of_type(p, PQgetvalue(r,
			0, 2), e) : mem_dup(PQgetvalue(r, 0, 2));
		if (rows != NULL)
			buf_printf(&b, " FROM %s AS mig_row", rows);
		out->name = mem_dup(PQgetvalue(r, 0, 3));
	}
	PQclear(r);
	if (n > 0 && rows == NULL) {
		buf_free(&b);
		return NULL;
	}
	free(rows);
	return buf_detach(&b);
}

/* "{1,2,3}" */
static void
read_array(const char *text, int64_t *out, size_t n)
{
	char *end;
	size_t i;

	for (i = 0; i < n && *text != '\0'; i++) {
		out[i] = strtoll(text + 1, &end, 10);
		text = end;
	}
}

static int
census(struct pg *p, const char *table, int content, struct db_census *out,
	struct err *e)
{
	char *sql;
	PGresult *r;

	sql = census_query(p, table, content, out, e);
	if (sql == NULL || !out->there) {
		free(sql);
		return sql == NULL ? -1 : 0;
	}
	r = pg_sql_one(p, sql, 0, NULL, e);
	free(sql);
	if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK) {
		if (r != NULL)
			pg_error(p, r, e, "count the rows of a table");
		PQclear(r);
		db_census_free(out);
		return -1;
	}
	out->rows = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	out->values = mem_array(out->n + 1, sizeof(*out->values));
	out->digests = mem_array(out->n + 1, sizeof(*out->digests));
	read_array(PQgetvalue(r, 0, 1), out->values, out->n);
	if (content > 0) {
		read_array(PQgetvalue(r, 0, 2), out->digests, out->n);
		if (content > 1)
			out->row_digest = strtoll(PQgetvalue(r, 0, 3), NULL,
				10);
	}
	PQclear(r);
	return 0;
}

/* Whether only this session, or this transaction, knows it: 1, 0 or -1. */
static int
is_fresh(struct pg *p, const char *table, struct err *e)
{
	char *oid, *known = NULL;
	int result = 0;

	if (pg_sql_value(p, &oid, e, "SELECT CASE WHEN relpersistence <> 't' "
		"THEN oid END FROM pg_catalog.pg_class WHERE oid = "
		"pg_catalog.to_regclass($1)", table) == -1)
		return -1;
	if (oid != NULL && (pg_watch_observer(p, e) == -1 || pg_sql_value(
		p->observer, &known, e, "SELECT 1 FROM pg_catalog.pg_class "
		"WHERE oid = $1::pg_catalog.oid", oid) == -1))
		result = -1;
	else
		result = known == NULL;
	free(oid);
	free(known);
	return result;
}

int
pg_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e)
{
	struct pg *p = pg_of(d);
	int idle = PQtransactionStatus(p->c) == PQTRANS_IDLE, result;

	if (!pg_catalog_is_name(table))
		return 0;
	/* Who has it locked is not waited for without an end. */
	result = idle && (pg_sql_exec(d, "BEGIN READ ONLY", e) == -1 ||
		pg_transaction_limit(p, e) == -1) ? -1 :
		census(p, table, content, out, e);
	if (result == 0 && out->there && !out->view && out->rows > 0 && p->watch !=
		NULL) {
		out->fresh = is_fresh(p, table, e);
		if (out->fresh == -1) {
			db_census_free(out);
			result = -1;
		}
	}
	if (idle)
		pg_transaction_rollback(d);
	return result;
}
