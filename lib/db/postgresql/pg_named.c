/* pg_named: the queries that each engine words for itself, by name. */
#include <string.h>

#include "db/postgresql/pg.h"

extern const char postgresql_ledger_sql[]; /* from ledger.sql */

const char *
pg_named_sql(const char *name)
{
	static const struct {
		const char *name, *sql;
	} more[] = {
		{ "size", "SELECT pg_catalog.pg_database_size("
			"pg_catalog.current_database())" },
		{ "sequences-there", "SELECT 1" },
		{ "sequences", "SELECT CASE WHEN schemaname = 'public' THEN '' "
			"ELSE pg_catalog.quote_ident(schemaname) || '.' END || "
			"pg_catalog.quote_ident(sequencename), last_value FROM "
			"pg_catalog.pg_sequences WHERE last_value IS NOT NULL "
			"AND schemaname <> 'mig' ORDER BY 1" },
		{ "attached", "SELECT x.kind, x.name, x.t FROM (SELECT 'index' "
			"AS kind, c.relname AS name, t.oid::pg_catalog.regclass"
			"::text AS t, c.relnamespace AS n FROM "
			"pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON "
			"c.oid = i.indexrelid JOIN pg_catalog.pg_class t ON "
			"t.oid = i.indrelid WHERE NOT EXISTS (SELECT 1 FROM "
			"pg_catalog.pg_constraint k WHERE k.conindid = c.oid) "
			"AND NOT c.relispartition UNION ALL SELECT 'trigger', "
			"g.tgname, t.oid::pg_catalog.regclass::text, "
			"t.relnamespace FROM pg_catalog.pg_trigger g JOIN "
			"pg_catalog.pg_class t ON t.oid = g.tgrelid WHERE NOT "
			"g.tgisinternal AND g.tgparentid = 0 UNION ALL SELECT "
			"CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized "
			"view' END, relname, '', relnamespace FROM "
			"pg_catalog.pg_class WHERE relkind IN ('v', 'm')) AS x "
			"JOIN pg_catalog.pg_namespace n ON n.oid = x.n WHERE "
			"n.nspname !~ '^pg_' AND n.nspname NOT IN ('mig', "
			"'information_schema') ORDER BY 1, 2" },
		{ "unvalidated", "SELECT 'constraint ' || pg_catalog."
			"quote_ident(k.conname) || ' of ' || CASE WHEN "
			"n.nspname = 'public' THEN '' ELSE pg_catalog."
			"quote_ident(n.nspname) || '.' END || pg_catalog."
			"quote_ident(c.relname) || ' is not validated' FROM "
			"pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c "
			"ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n "
			"ON n.oid = c.relnamespace WHERE NOT k.convalidated "
			"UNION ALL SELECT 'index ' || pg_catalog.quote_ident("
			"c.relname) || ' is invalid' FROM pg_catalog.pg_index "
			"i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
			"WHERE NOT i.indisvalid ORDER BY 1" },
		/* Each table that inherits, and all that it inherits from. */
		{ "parts", "WITH RECURSIVE tree(part, whole) AS (SELECT "
			"inhrelid, inhparent FROM pg_catalog.pg_inherits UNION "
			"SELECT t.part, i.inhparent FROM tree AS t JOIN "
			"pg_catalog.pg_inherits AS i ON i.inhrelid = t.whole) "
			"SELECT " PG_NAME("n", "c") ", " PG_NAME("m", "b")
			" FROM tree AS t JOIN pg_catalog.pg_class AS c ON "
			"c.oid = t.part JOIN pg_catalog.pg_namespace AS n ON "
			"n.oid = c.relnamespace JOIN pg_catalog.pg_class AS b "
			"ON b.oid = t.whole JOIN pg_catalog.pg_namespace AS m "
			"ON m.oid = b.relnamespace WHERE c.relkind IN ('r', 'p', "
			"'f') ORDER BY 1, 2" },
	};
	size_t i;

	if (strcmp(name, "ledger") == 0)
		return postgresql_ledger_sql;
	for (i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (strcmp(more[i].name, name) == 0)
			return more[i].sql;
	return NULL;
}
