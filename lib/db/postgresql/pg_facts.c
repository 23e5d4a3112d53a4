/* pg_facts: what belongs to a database and not into it. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "db/postgresql/pg_swap.h"

/*
 * Lists (search_path and its kind) are stored as they are written; every other
 * value is one text.
 */
#define REPLAY_SETTINGS \
	"SELECT pg_catalog.format(CASE WHEN s.setrole = 0 THEN 'ALTER " \
	"DATABASE %1$I SET ' ELSE 'ALTER ROLE %2$I IN DATABASE %1$I SET ' END " \
	"|| '%3$s TO ' || CASE WHEN x.name IN ('search_path', " \
	"'temp_tablespaces', 'session_preload_libraries', " \
	"'local_preload_libraries') AND x.value NOT IN ('', '\"\"') THEN " \
	"'%4$s' WHEN x.value = '\"\"' THEN '''''' ELSE '%4$L' END, $2::text, " \
	"CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) " \
	"END, CASE WHEN x.name LIKE '%.%' THEN (SELECT " \
	"pg_catalog.string_agg(pg_catalog.quote_ident(y), '.') FROM " \
	"pg_catalog.unnest(pg_catalog.string_to_array(x.name, '.')) AS y) " \
	"ELSE pg_catalog.quote_ident(x.name) END, x.value) FROM " \
	"pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON " \
	"d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) AS c, LATERAL " \
	"(SELECT pg_catalog.split_part(c, '=', 1) AS name, " \
	"pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1) AS value) AS x " \
	"WHERE d.datname = $1"

#define REPLAY_GRANTS \
	"SELECT pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', " \
	"$2::text, pg_catalog.pg_get_userbyid(d.datdba)) FROM " \
	"pg_catalog.pg_database d WHERE d.datname = $1 AND d.datacl IS NOT " \
	"NULL UNION ALL SELECT pg_catalog.format('GRANT %s ON DATABASE %I TO " \
	"%s%s', a.privilege_type, $2::text, CASE WHEN a.grantee = 0 THEN " \
	"'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(" \
	"a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' " \
	"ELSE '' END) FROM pg_catalog.pg_database d, " \
	"pg_catalog.aclexplode(d.datacl) AS a WHERE d.datname = $1"

#define REPLAY_REST \
	"SELECT pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT %s', " \
	"$2::text, d.datconnlimit) FROM pg_catalog.pg_database d WHERE " \
	"d.datname = $1 AND d.datconnlimit <> -1"

/* Everything that the catalog says of a database by its number. */
#define FACTS \
	"SELECT pg_catalog.string_agg(x, E'\\n' ORDER BY x COLLATE \"C\") FROM (" \
	"SELECT pg_catalog.format('owner %s, limit %s, encoding %s, locale %s " \
	"%s, %s, tablespace %s', d.datdba, d.datconnlimit, d.encoding, " \
	"d.datcollate, d.datctype, pg_catalog.concat_ws(' ', " \
	"pg_catalog.to_jsonb(d) ->> 'datlocprovider', pg_catalog.to_jsonb(d) " \
	"->> 'daticurules'), d.dattablespace) AS x FROM " \
	"pg_catalog.pg_database d WHERE d.datname = $1 UNION ALL SELECT " \
	"pg_catalog.format('grant %s to %s, %s', a.privilege_type, a.grantee, " \
	"a.is_grantable) FROM pg_catalog.pg_database d, " \
	"pg_catalog.aclexplode(d.datacl) AS a WHERE d.datname = $1 UNION ALL " \
	"SELECT pg_catalog.format('set %s for %s', c, s.setrole) FROM " \
	"pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON " \
	"d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) AS c WHERE " \
	"d.datname = $1) AS f"

static int
replay(struct pg *m, const char *live, const char *fresh, struct err *e)
{
	if (pg_swap_runf(m, e, REPLAY_SETTINGS, live, fresh) == 0 &&
		pg_swap_runf(m, e, REPLAY_GRANTS, live, fresh) == 0 &&
		pg_swap_runf(m, e, REPLAY_REST, live, fresh) == 0)
		return 0;
	return err_wrap(e, "carry over what belongs to the database");
}

int
pg_facts_try(struct pg *m, const char *live, const char *fresh, struct err *e)
{
	int result;

	if (pg_sql_exec(&m->base, "BEGIN", e) == -1)
		return -1;
	result = replay(m, live, fresh, e);
	if (result == -1 && strcmp(e->reason, "permission") == 0)
		err_next(e, "a restore sets for the new database what was set "
			"for the old one: run it as a role that may, a "
			"superuser if need be");
	pg_transaction_rollback(&m->base);
	return result;
}

int
pg_facts_replay(struct pg *m, const char *live, const char *fresh,
	struct err *e)
{
	char *was = NULL, *now = NULL;
	int result = -1;

	if (replay(m, live, fresh, e) == -1)
		return -1;
	if (pg_sql_value(m, &was, e, FACTS, live) == 0 &&
		pg_sql_value(m, &now, e, FACTS, fresh) == 0) {
		result = was != NULL && now != NULL && strcmp(was, now) == 0 ?
			0 : -1;
		if (result == -1) {
			err_set(e, ERR_ENV, "restore", "the settings, "
				"privileges or owner of '%s' could not be "
				"carried over exactly", live);
			err_next(e, "nothing was changed; see ALTER DATABASE "
				"and GRANT ON DATABASE of it, and report it");
		}
	}
	free(was);
	free(now);
	return result;
}
