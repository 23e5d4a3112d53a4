/*
 * pg_preflight: what would make a dump fail after hours, or read too little,
 * asked before it begins; each with its own message.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_source.h"

/* Relations whose rows or values a dump reads, other than extensions' own. */
#define READ \
	"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = " \
	"c.relnamespace WHERE c.relkind IN ('r', 'p', 'S') AND " \
	"c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> " \
	"'information_schema' AND NOT EXISTS (SELECT 1 FROM " \
	"pg_catalog.pg_depend x WHERE x.deptype = 'e' AND x.classid = " \
	"'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid)"

/* At most five names, and how many there are. */
#define SOME(query) \
	"SELECT pg_catalog.string_agg(name, ', ') || CASE WHEN pg_catalog.max(" \
	"n) > 5 THEN ' and ' || (pg_catalog.max(n) - 5) || ' more' ELSE '' " \
	"END FROM (SELECT " PG_NAME("n", "c") " AS name, pg_catalog.count(*) " \
	"OVER () AS n " query " ORDER BY 1 LIMIT 5) AS y"

static const char not_permitted[] = SOME(READ
	" AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND CASE "
	"WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, "
	"'SELECT') ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END)");

static const char hidden[] = SOME(READ
	" AND c.relkind = 'r' AND pg_catalog.row_security_active(c.oid)");

/* Not what is granted to a role that this one only may become. */
static const char objects[] =
	"SELECT nullif(pg_catalog.count(*), 0) || ' large objects' FROM "
	"pg_catalog.pg_largeobject_metadata m WHERE NOT (SELECT rolsuper FROM "
	"pg_catalog.pg_roles WHERE rolname = current_user) AND NOT "
	"pg_catalog.current_setting('lo_compat_privileges')::pg_catalog.bool "
	"AND NOT EXISTS ("
	"SELECT 1 FROM pg_catalog.aclexplode(coalesce(m.lomacl, "
	"pg_catalog.acldefault('L', m.lomowner))) AS a WHERE a.privilege_type = "
	"'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, "
	"'USAGE')))";

/*
 * A dump locks every table at once; views and sequences it does not.  The
 * server makes room for so many (PostgreSQL manual, max_locks_per_transaction)
 * and for some more: only what is far above it is refused.
 */
static const char locks[] =
	"SELECT CASE WHEN tables > slots * 1.5 THEN pg_catalog.format('a dump locks "
	"%s tables, the server has room for %s locks "
	"(max_locks_per_transaction = %s)', tables, slots, each) END FROM ("
	"SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE "
	"relkind IN ('r', 'p') AND relpersistence <> 't' AND oid >= 16384) AS "
	"tables, each, each * (1 + (SELECT pg_catalog.sum("
	"pg_catalog.current_setting(x)::pg_catalog.int8) FROM "
	"pg_catalog.unnest(ARRAY['max_connections', "
	"'max_prepared_transactions', 'autovacuum_max_workers', "
	"'max_worker_processes', 'max_wal_senders']) AS x)) AS slots FROM (SELECT "
	"pg_catalog.current_setting('max_locks_per_transaction')"
	"::pg_catalog.int8 AS each) AS x) AS y";

static const struct {
	const char *query, *reason, *what, *next;
	enum err_code code;
} checks[] = {
	{ not_permitted, "permission", "the role may not read ",
		"GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), "
		"or USAGE of the schemas and SELECT; or connect as the owner",
		ERR_ENV },
	{ objects, "permission", "the role may not read ", "GRANT SELECT ON "
		"LARGE OBJECT, or connect as their owner or as a superuser",
		ERR_ENV },
	{ hidden, "permission", "row security hides rows from this role in ",
		"back it up as the owner, or as a role with BYPASSRLS",
		ERR_REFUSED },
	{ locks, "server", "", "raise max_locks_per_transaction and start the "
		"server again", ERR_ENV },
};

int
pg_preflight(struct pg *p, struct err *e)
{
	size_t i;
	char *found;

	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		if (pg_sql_value(p, &found, e, checks[i].query, NULL) == -1)
			return -1;
		if (found == NULL)
			continue;
		err_set(e, checks[i].code, checks[i].reason, "%s: %s%s",
			p->shown, checks[i].what, found);
		free(found);
		return err_next(e, "%s", checks[i].next);
	}
	return 0;
}
