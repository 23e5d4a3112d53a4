/* pg_catalog: what the server's catalog says of the database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	there = db_has_table(d, "mig_identity", e);
	if (there == -1 || (there == 1 && pg_sql_value(p, &out->id, e,
		"SELECT id FROM mig.mig_identity", NULL) == -1)) {
		shape_release(&wire_database_shape, out);
		return -1;
	}
	return 0;
}

/* What a database or a role may have set, and the catalog's words depend on. */
#define PINNED \
	"SET LOCAL search_path = ''; SET LOCAL DateStyle = ISO; " \
	"SET LOCAL IntervalStyle = postgres; SET LOCAL TimeZone = 'UTC'; " \
	"SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 3; " \
	"SET LOCAL quote_all_identifiers = off; SET LOCAL row_security = off"

/*
 * A query with every setting pinned; works inside a transaction and outside, and
 * leaves the settings as they were.
 */
static int
send_pinned(struct pg *p, const char *sql, int idle, struct err *e)
{
	/* The text of a view takes locks on its tables. */
	char *text = mem_printf("%s; SET LOCAL lock_timeout = %lld; " PINNED
		";\n%s;\n%s",
		idle ? "BEGIN READ ONLY" : "SAVEPOINT mig_look",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1), sql,
		idle ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT mig_look; "
				    "RELEASE SAVEPOINT mig_look");
	int sent = PQsendQuery(p->c, text);

	free(text);
	return sent ? 0 : pg_error(p, NULL, e, "send a query");
}

static PGresult *
take_pinned(struct pg *p, int idle, struct err *e)
{
	PGresult *r, *wanted = NULL;
	int failed = 0;

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
		pg_transaction_rollback(&p->base);
	if (!failed && wanted != NULL)
		return wanted;
	if (!failed)
		err_bug(e, "the catalog gave no rows");
	PQclear(wanted);
	return NULL;
}

/* The lines of the schema, which may have been asked for ahead. */
static PGresult *
schema_lines(struct pg *p, struct err *e)
{
	int ahead = p->ahead,
	    idle = ahead || PQtransactionStatus(p->c) == PQTRANS_IDLE;

	p->ahead = 0;
	return !ahead && send_pinned(p, postgresql_fingerprint_sql, idle, e) ==
		-1 ? NULL : take_pinned(p, idle, e);
}

int
pg_catalog_ahead(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);

	if (p->ahead || PQtransactionStatus(p->c) != PQTRANS_IDLE)
		return 0;
	if (send_pinned(p, postgresql_fingerprint_sql, 1, e) == -1)
		return -1;
	p->ahead = 1;
	return 1;
}

int
pg_catalog_fingerprint(struct db *d, char out[65], struct err *e)
{
	PGresult *r = schema_lines(pg_of(d), e);
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
	PGresult *r = schema_lines(pg_of(d), e);
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

/* In one question: each would be a way to the server and back. */
int
pg_catalog_has_tables(struct db *d, const char *const *names, size_t n,
	int *there, struct err *e)
{
	struct pg *p = pg_of(d);
	struct strs full = { 0 };
	const char *value;
	char *array;
	PGresult *r;
	size_t i;
	int result = 0;

	for (i = 0; i < n; i++) {
		char *name = strs_starts(names[i], "mig_") ?
			mem_printf("mig.%s", names[i]) : mem_dup(names[i]);

		strs_add(&full, name);
		free(name);
	}
	value = array = pg_sql_array(&full);
	strs_free(&full);
	r = pg_sql_own(p, "SELECT c.oid IS NOT NULL FROM pg_catalog.unnest("
		"$1::text[]) WITH ORDINALITY AS x(name, at) LEFT JOIN "
		"pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass("
		"x.name) AND c.relkind IN ('r', 'p') ORDER BY x.at", 1, &value,
		e);
	free(array);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(p, r, e, "look for tables");
	for (i = 0; i < n && result == 0; i++)
		there[i] = *PQgetvalue(r, (int)i, 0) == 't';
	PQclear(r);
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

/* What SQL takes a name for that is not there, or not yet.  Gives. */
static char *
folded(const char *name)
{
	char *out = mem_dup(name), *p;

	for (p = strchr(name, '"') == NULL ? out : NULL; p != NULL && *p != '\0';
		p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

/*
 * TABLE.COLUMN as losses are named: the column as it stands in the catalog, which may
 * have been written in quotes, or without them in another case.  Gives.
 */
static char *
canonical_column(struct pg *p, const char *table, const char *written,
	const char *column)
{
	const char *values[] = { written, column };
	struct err ignored;
	PGresult *r = pg_sql_own(p, "SELECT attname FROM pg_catalog.pg_attribute "
		"WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND "
		"NOT attisdropped AND ($2::text IN (attname, pg_catalog.format("
		"'%I', attname), pg_catalog.format('\"%s\"', attname)) OR "
		"pg_catalog.lower($2::text) = attname) ORDER BY attname = "
		"$2::text DESC LIMIT 1", 2, values, &ignored);
	int known = r != NULL && PQresultStatus(r) == PGRES_TUPLES_OK &&
		PQntuples(r) == 1;
	char *name = known ? mem_dup(PQgetvalue(r, 0, 0)) : folded(column),
	     *out = mem_printf("%s.%s", table, name);

	free(name);
	PQclear(r);
	return out;
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
			out = canonical_column(p, found, head, dot + 1);
		free(head);
		free(found);
	}
	return out != NULL ? out : folded(name);
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
	/* A count that goes on: a page may be mended by now. */
	if (pg_sql_value(p, &n, e, "SELECT pg_catalog.format('the server met %s "
		"pages with a wrong checksum, the last at %s: see its log; "
		"once that is mended, SELECT pg_stat_reset() forgets it, with "
		"the other counters of the database', checksum_failures, "
		"pg_catalog.to_char(checksum_last_failure AT TIME ZONE 'UTC', "
		"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) FROM "
		"pg_catalog.pg_stat_database WHERE datname = "
		"pg_catalog.current_database() AND checksum_failures > 0",
		NULL) == -1)
		return -1;
	snprintf(found, room, "%s", n == NULL ? "ok" : n);
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
