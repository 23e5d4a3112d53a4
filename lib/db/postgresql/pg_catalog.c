/* pg_catalog: what the server's catalog says of the database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "db/postgresql/pg_trace.h"

extern const char postgresql_fingerprint_sql[]; /* from fingerprint.sql */

int
pg_catalog_identity(struct db *d, struct wire_database *out, struct err *e)
{
	struct pg *p = pg_of(d);
	char *system = NULL;
	int there;

	memset(out, 0, sizeof(*out));
	if (pg_sql_value(p, &system, e, "SELECT system_identifier FROM "
		"pg_catalog.pg_control_system()", NULL) == -1)
		return -1;
	out->engine = "postgresql";
	out->name = mem_dup(p->name);
	out->path = mem_printf("postgresql:%s/%s", system, p->name);
	free(system);
	there = pg_catalog_has_table(d, "mig_identity", e);
	if (there == -1 || (there == 1 && pg_sql_value(p, &out->id, e,
		"SELECT id FROM mig.mig_identity", NULL) == -1)) {
		shape_release(&wire_database_shape, out);
		return -1;
	}
	return 0;
}

/*
 * The snapshot moves with every transaction of the cluster, also with our own
 * restore beside; these counters are of this database and its users' tables.
 * A session reports to them at the latest when it ends.
 */
int
pg_catalog_written(struct pg *p, char **out, struct err *e)
{
	char fingerprint[65], *counters;

	*out = NULL;
	if (pg_catalog_fingerprint(&p->base, fingerprint, e) == -1 ||
		pg_sql_value(p, &counters, e, "SELECT pg_catalog.concat_ws(' ',"
		"(SELECT pg_catalog.concat_ws(',', pg_catalog.sum(n_tup_ins), "
		"pg_catalog.sum(n_tup_upd), pg_catalog.sum(n_tup_del), "
		"pg_catalog.count(*)) FROM pg_catalog.pg_stat_all_tables WHERE "
		"schemaname !~ '^pg_(catalog|toast)' OR relname IN "
		"('pg_largeobject', 'pg_largeobject_metadata')), (SELECT "
		"pg_catalog.sum(relfilenode::bigint) FROM pg_catalog.pg_class "
		"WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384 AND "
		"relpersistence <> 't'), (SELECT pg_catalog.sum("
		"pg_catalog.hashtext(schemaname || '.' || sequencename || "
		"coalesce(last_value, 0))::bigint) FROM "
		"pg_catalog.pg_sequences))", NULL) == -1)
		return -1;
	*out = mem_printf("%s %s", fingerprint, counters);
	free(counters);
	return 0;
}

#define XMINS(catalog) \
	"SELECT pg_catalog.sum(xmin::text::bigint) AS x FROM pg_catalog.pg_" \
	catalog

/*
 * Counts of rows, and of every change of a catalog.  A session that has ended tells its
 * counts a little later, before version 15; one that goes on may tell them much later:
 * while there are others, any write on the server counts.
 */
int
pg_catalog_changed(struct db *d, char **out, struct err *e)
{
	struct pg *p = pg_of(d);

	static const char more[] = "SELECT pg_catalog.concat_ws(' ', (SELECT "
		"pg_catalog.sum(x) FROM (" XMINS("class") " UNION ALL "
		XMINS("attribute") " UNION ALL " XMINS("namespace")
		" UNION ALL " XMINS("proc") " UNION ALL " XMINS("type")
		" UNION ALL " XMINS("constraint") " UNION ALL "
		XMINS("description") " UNION ALL " XMINS("default_acl")
		" UNION ALL " XMINS("foreign_server") " UNION ALL "
		XMINS("foreign_data_wrapper") " UNION ALL " XMINS("cast")
		" UNION ALL " XMINS("collation") " UNION ALL " XMINS("trigger")
		" UNION ALL " XMINS("policy") " UNION ALL " XMINS("rewrite")
		" UNION ALL " XMINS("index") " UNION ALL " XMINS("extension")
		" UNION ALL " XMINS("db_role_setting") " UNION ALL "
		XMINS("database") " UNION ALL " XMINS("largeobject_metadata")
		") AS y), CASE WHEN pg_catalog.current_setting('track_counts') "
		"= 'off' OR EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity "
		"WHERE datname = pg_catalog.current_database() AND pid <> "
		"pg_catalog.pg_backend_pid() AND backend_type = 'client "
		"backend') THEN pg_catalog.pg_current_snapshot()::text END)";
	char *counters, *catalogs;

	if (p->version < 150000)
		clock_pause_ms(1100);
	if (pg_sql_exec(d, "SELECT pg_catalog.pg_stat_clear_snapshot()", e) ==
		-1 || pg_catalog_written(p, &counters, e) == -1)
		return -1;
	if (pg_sql_value(p, &catalogs, e, more, NULL) == -1) {
		free(counters);
		return -1;
	}
	*out = mem_printf("%s %s", counters, catalogs == NULL ? "" : catalogs);
	free(counters);
	free(catalogs);
	return 0;
}

int
pg_catalog_mark(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);

	free(p->mark);
	return pg_catalog_written(p, &p->mark, e);
}

int
pg_catalog_position(struct db *d, struct wire_position *out, struct err *e)
{
	struct pg *p = pg_of(d);
	PGresult *r = pg_sql_one(p, "SELECT pg_catalog.pg_current_snapshot(), "
		"CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
		"pg_catalog.pg_last_wal_replay_lsn() ELSE "
		"pg_catalog.pg_current_wal_lsn() END", 0, NULL, e);

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
		pg_error(p, r, e, "ask where it stands");
		PQclear(r);
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->journal = "server";
	out->change_counter = out->pages = out->page_bytes = -1;
	out->wal_frames = out->changed_ns = -1;
	out->snapshot = mem_dup(PQgetvalue(r, 0, 0));
	if (!PQgetisnull(r, 0, 1))
		out->wal_location = mem_dup(PQgetvalue(r, 0, 1));
	PQclear(r);
	return 0;
}

/* What a database or a role may have set, and the catalog's words depend on. */
#define PINNED \
	"SET LOCAL search_path = ''; SET LOCAL DateStyle = ISO; " \
	"SET LOCAL IntervalStyle = postgres; SET LOCAL TimeZone = 'UTC'; " \
	"SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 3; " \
	"SET LOCAL quote_all_identifiers = off; SET LOCAL row_security = off"

/*
 * Rows of a query with every setting pinned; works inside a transaction and
 * outside, and leaves the settings as they were.
 */
static PGresult *
pinned(struct pg *p, const char *sql, struct err *e)
{
	int idle = PQtransactionStatus(p->c) == PQTRANS_IDLE;
	/* The text of a view takes locks on its tables. */
	char *text = mem_printf("%s; SET LOCAL lock_timeout = %lld; " PINNED
		";\n%s;\n%s",
		idle ? "BEGIN READ ONLY" : "SAVEPOINT mig_look",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1), sql,
		idle ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT mig_look; "
				    "RELEASE SAVEPOINT mig_look");
	PGresult *r, *wanted = NULL;
	int failed = !PQsendQuery(p->c, text);

	free(text);
	if (failed) {
		pg_error(p, NULL, e, "send a query");
		return NULL;
	}
	while ((r = PQgetResult(p->c)) != NULL) {
		if (PQresultStatus(r) == PGRES_TUPLES_OK && wanted == NULL) {
			wanted = r;
			continue;
		}
		if (PQresultStatus(r) != PGRES_COMMAND_OK && !failed)
			failed = pg_error(p, r, e, "read the catalog");
		PQclear(r);
	}
	if (failed && idle)
		pg_sql_rollback(&p->base);
	if (!failed && wanted != NULL)
		return wanted;
	if (!failed)
		err_bug(e, "the catalog gave no rows");
	PQclear(wanted);
	return NULL;
}

int
pg_catalog_fingerprint(struct db *d, char out[65], struct err *e)
{
	struct pg *p = pg_of(d);
	PGresult *r = pinned(p, postgresql_fingerprint_sql, e);
	struct sha256 *h;
	int i;

	if (r == NULL)
		return -1;
	h = sha256_new();
	for (i = 0; i < PQntuples(r); i++)
		sha256_add_text(h, PQgetvalue(r, i, 0));
	sha256_end_text(h, out);
	sha256_free(h);
	PQclear(r);
	return 0;
}

int
pg_catalog_schema(struct db *d, struct strs *out, struct err *e)
{
	PGresult *r = pinned(pg_of(d), postgresql_fingerprint_sql, e);
	int i;

	if (r == NULL)
		return -1;
	for (i = 0; i < PQntuples(r); i++)
		strs_add(out, PQgetvalue(r, i, 0));
	PQclear(r);
	return 0;
}

int
pg_catalog_is_name(const char *name)
{
	int parts;

	for (parts = 1; parts <= 2; parts++) {
		if (*name == '"') {
			const char *start = ++name;

			while (*name != '\0' && (*name != '"' ||
				name[1] == '"'))
				name += *name == '"' ? 2 : 1;
			if (*name != '"' || name == start)
				return 0;
			name++;
		} else {
			size_t n = strcspn(name, ".\"(),; \t\r\n");

			if (n == 0)
				return 0;
			name += n;
		}
		if (*name == '\0')
			return 1;
		if (*name++ != '.')
			return 0;
	}
	return 0;
}

char *
pg_catalog_full(const char *name)
{
	const char *p;
	int quoted = 0;

	for (p = name; *p != '\0'; p++) {
		quoted ^= *p == '"';
		if (*p == '.' && !quoted)
			return mem_dup(name);
	}
	return mem_printf("public.%s", name);
}

int
pg_catalog_has_table(struct db *d, const char *name, struct err *e)
{
	struct pg *p = pg_of(d);
	char *kind, *full = strs_starts(name, "mig_") ?
		mem_printf("mig.%s", name) : mem_dup(name);
	int result = pg_sql_value(p, &kind, e, "SELECT relkind FROM "
		"pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) "
		"AND relkind IN ('r', 'p')", full);

	free(full);
	if (result == 0)
		result = kind != NULL;
	free(kind);
	return result;
}

/* With the schema: a migration may empty the search_path. */
char *
pg_catalog_qualified(struct db *d, const char *name)
{
	struct buf b = { 0 };
	struct err ignored;
	char *out;

	if (pg_sql_value(pg_of(d), &out, &ignored, "SELECT "
		"pg_catalog.format('%I.%I', n.nspname, c.relname) FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
		"n.oid = c.relnamespace WHERE c.oid = "
		"pg_catalog.to_regclass($1)", name) == 0 && out != NULL)
		return out;
	lex_quote(&b, name, strlen(name));
	return buf_detach(&b);
}

char *
pg_catalog_canonical(struct db *d, const char *name)
{
	struct pg *p = pg_of(d);
	struct err ignored;
	const char *dot = strrchr(name, '.');
	char *out = NULL, *head, *found = NULL;
	static const char sql[] = "SELECT " PG_NAME("n", "c") " FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
		"n.oid = c.relnamespace WHERE c.oid = "
		"pg_catalog.to_regclass($1)";

	/* A name that is no table, or not yet, stays as it is. */
	if (PQtransactionStatus(p->c) == PQTRANS_INERROR)
		return mem_dup(name);
	if (pg_catalog_is_name(name) &&
		pg_sql_value(p, &out, &ignored, sql, name) == 0 && out != NULL)
		return out;
	if (dot != NULL) {
		head = mem_dup_n(name, (size_t)(dot - name));
		if (pg_catalog_is_name(head) &&
			pg_sql_value(p, &found, &ignored, sql, head) == 0 &&
			found != NULL)
			out = mem_printf("%s%s", found, dot);
		free(head);
		free(found);
	}
	return out != NULL ? out : mem_dup(name);
}

/* Names of the columns, and a query that counts their values. */
static char *
census_query(struct pg *p, const char *table, int content,
	struct db_census *out, struct err *e)
{
	/* What a foreign table holds is not reached from a copy. */
	const char *values[] = { table, p->staged ? "copy" : "live" };
	struct buf b = { 0 };
	PGresult *r = pg_sql_one(p, "SELECT a.attname, pg_catalog.quote_ident("
		"a.attname), c.oid::pg_catalog.regclass, " PG_NAME("n", "c")
		", pg_catalog.row_security_active(c.oid) FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
		"ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_attribute a "
		"ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
		"WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN "
		"('r', 'p', 'm', 'f') AND ($2 <> 'copy' OR c.relkind <> 'f') "
		"ORDER BY a.attnum", 2, values, e);
	int i, n;

	if (r == NULL)
		return NULL;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look at a table");
		PQclear(r);
		return NULL;
	}
	n = PQntuples(r);
	out->there = n > 0;
	if (n > 0 && *PQgetvalue(r, 0, 4) == 't') {
		err_set(e, ERR_REFUSED, "permission", "row security hides rows "
			"of %s from this role: what is lost cannot be counted",
			PQgetvalue(r, 0, 3));
		err_next(e, "migrate as the owner, or as a role with "
			    "BYPASSRLS");
		PQclear(r);
		return NULL;
	}
	buf_text(&b, "SELECT pg_catalog.count(*)");
	for (i = 0; i < n && !PQgetisnull(r, i, 0); i++) {
		out->columns = mem_grow(out->columns, out->n + 1,
			sizeof(*out->columns));
		out->columns[out->n++] = mem_dup(PQgetvalue(r, i, 0));
		buf_printf(&b, ", pg_catalog.count(%s)", PQgetvalue(r, i, 1));
		if (content)
			/* A sum, for an XOR forgets what is there twice. */
			buf_printf(&b, ", coalesce(pg_catalog.sum(pg_catalog."
				"hashtextextended(%s::pg_catalog.text, 0)) %% "
				"9223372036854775807, 0)", PQgetvalue(r, i, 1));
	}
	if (content)
		buf_text(&b, ", coalesce(pg_catalog.sum(pg_catalog."
			"hashtextextended(mig_row::pg_catalog.text, 0)) % "
			"9223372036854775807, 0)");
	if (n > 0) {
		buf_printf(&b, " FROM %s AS mig_row", PQgetvalue(r, 0, 2));
		out->name = mem_dup(PQgetvalue(r, 0, 3));
	}
	PQclear(r);
	return buf_detach(&b);
}

int
pg_catalog_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e)
{
	struct pg *p = pg_of(d);
	char *sql;
	PGresult *r;
	size_t i;

	if (!pg_catalog_is_name(table))
		return 0;
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
	for (i = 0; i < out->n; i++)
		out->values[i] = strtoll(PQgetvalue(r, 0, content ?
			(int)i * 2 + 1 : (int)i + 1), NULL, 10);
	if (content)
		out->row_digest = strtoll(PQgetvalue(r, 0, (int)out->n * 2 +
			1), NULL, 10);
	for (i = 0; i < out->n && content; i++)
		out->digests[i] = strtoll(PQgetvalue(r, 0, (int)i * 2 + 2),
			NULL, 10);
	PQclear(r);
	return 0;
}

/*
 * A dump reads every row, which is the check; here is only asked whether the
 * server itself has met damage.
 */
int
pg_catalog_check(struct db *d, int deep, char *found, size_t room,
	struct err *e)
{
	struct pg *p = pg_of(d);
	char *n;

	(void)deep;
	if (pg_sql_value(p, &n, e, "SELECT checksum_failures FROM "
		"pg_catalog.pg_stat_database WHERE datname = "
		"pg_catalog.current_database() AND checksum_failures > 0",
		NULL) == -1)
		return -1;
	snprintf(found, room, "%s%s", n == NULL ? "ok" : n,
		n == NULL ? "" : " pages with a wrong checksum");
	free(n);
	return 0;
}

/* The server keeps foreign keys; those NOT VALID are the owner's wish. */
int
pg_catalog_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e)
{
	(void)d;
	(void)e;
	*n = 0;
	if (room > 0)
		*first = '\0';
	return 0;
}
