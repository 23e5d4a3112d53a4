/*
 * pg_problems: what a person should look at, and who stands in the way.  A
 * migration that waits for a lock makes everybody else wait behind it, so it
 * is better not begun while a dump or a forgotten transaction holds one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg.h"
#include "db/postgresql/pg_swap.h"
#include "db/postgresql/pg_watch.h"

#define OLD_S "60" /* seconds after which a transaction is old */
#define ENDING_TRIES 5
#define ENDING_MS 100

#define WHO \
	"pg_catalog.format('process %s of the server (%s, role %s%s), %s since " \
	"%s', a.pid, coalesce(nullif(a.application_name, ''), '?'), " \
	"coalesce(a.usename, '?'), coalesce(', from ' || " \
	"pg_catalog.host(a.client_addr), ''), a.state, pg_catalog.to_char(" \
	"a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))"

#define NEXT_END \
	"pg_catalog.format('wait for it, or end it: SELECT " \
	"pg_terminate_backend(%s)', a.pid)"

/* reason, text, next */
static const char problems[] =
	"SELECT 'invalid-index', pg_catalog.format('the index %s of %s is "
	"invalid: a CREATE INDEX CONCURRENTLY has failed', "
	"i.indexrelid::pg_catalog.regclass, i.indrelid::pg_catalog.regclass), "
	"pg_catalog.format('DROP INDEX CONCURRENTLY %s', "
	"i.indexrelid::pg_catalog.regclass) FROM pg_catalog.pg_index i JOIN "
	"pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid "
	"AND c.relkind = 'i' AND NOT EXISTS (SELECT 1 FROM "
	"pg_catalog.pg_stat_progress_create_index x WHERE x.index_relid = "
	"i.indexrelid) "
	"UNION ALL SELECT 'blocked', pg_catalog.format('a transaction is open "
	"for more than " OLD_S " s: %s', " WHO "), " NEXT_END " FROM "
	"pg_catalog.pg_stat_activity a WHERE a.datname = "
	"pg_catalog.current_database() AND a.pid <> "
	"pg_catalog.pg_backend_pid() AND a.xact_start < pg_catalog.now() - "
	"interval '" OLD_S " s' AND a.backend_type = 'client backend' "
	"ORDER BY 1, 2";

/* Rows from before such a constraint may break it. */
static const char notes[] =
	"SELECT pg_catalog.string_agg(pg_catalog.format('%s of %s', "
	"pg_catalog.quote_ident(k.conname), k.conrelid::pg_catalog.regclass), "
	"', ' ORDER BY k.conname) FROM pg_catalog.pg_constraint k WHERE NOT "
	"k.convalidated AND k.conrelid <> 0";

/* The copy that a restore was filling, or had filled, when it was killed. */
static int
unfinished(struct pg *p, db_problem *found, void *arg, struct err *e)
{
	char *prefix = pg_swap_prefix(p->name, 1), *text, who[256];
	const char *values[2] = { p->name, prefix };
	PGresult *r = pg_sql_one(p, PG_SWAP_FRESH, 2, values, e);
	int result = 0;

	free(prefix);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		result = pg_error(p, r, e, "look for unfinished restores");
	} else if (PQntuples(r) > 0 && !pg_lock_by(&p->base, who, sizeof(who))) {
		text = mem_printf("a restore was killed: its database '%s' is on "
			"the server", PQgetvalue(r, 0, 0));
		found(arg, "interrupted-restore", text, strcmp(PQgetvalue(r, 0,
			1), PG_SWAP_READY) == 0 ? "mig-rollback --restore "
			"--undo drops it, or --resume goes on" :
			"mig-rollback --restore --undo drops it; restoring again "
			"does, too");
		free(text);
	}
	PQclear(r);
	return result;
}

int
pg_problems_each(struct db *d, db_problem *found, void *arg, struct err *e)
{
	struct pg *p = pg_of(d);
	PGresult *r = pg_sql_one(p, problems, 0, NULL, e);
	char *names, *text;
	int i;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look for problems");
		PQclear(r);
		return -1;
	}
	for (i = 0; i < PQntuples(r); i++)
		found(arg, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			PQgetvalue(r, i, 2));
	PQclear(r);
	if (unfinished(p, found, arg, e) == -1 ||
		pg_sql_value(p, &names, e, notes, NULL) == -1)
		return -1;
	if (names == NULL)
		return 0;
	text = mem_printf("constraints that were never validated: %s", names);
	found(arg, "not-validated", text,
		"ALTER TABLE ... VALIDATE CONSTRAINT ... for each");
	free(text);
	free(names);
	return 0;
}

/* 1: nobody is in the way; 0: e says who; -1. */
static int
is_free(struct pg *p, const char *value, struct err *e)
{
	int result = 1;
	PGresult *r;

	r = pg_sql_one(p, "SELECT " WHO ", " NEXT_END ", "
		"l.relation::pg_catalog.regclass FROM pg_catalog.pg_locks l "
		"JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE "
		"l.locktype = 'relation' AND l.granted AND l.pid <> "
		"pg_catalog.pg_backend_pid() AND l.relation IN (SELECT "
		"pg_catalog.to_regclass(x) FROM pg_catalog.unnest($1::text[]) "
		"AS x) AND (a.xact_start < pg_catalog.now() - interval '" OLD_S
		" s' OR a.application_name = 'pg_dump' OR (a.application_name "
		"LIKE 'mig%' AND a.state LIKE 'idle in%')) ORDER BY "
		"a.xact_start LIMIT 1", 1, &value, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		result = pg_error(p, r, e, "look who holds locks");
	} else if (PQntuples(r) > 0) {
		err_set(e, ERR_REFUSED, "blocked", "%s is held by %s",
			PQgetvalue(r, 0, 2), PQgetvalue(r, 0, 0));
		err_next(e, "%s", PQgetvalue(r, 0, 1));
		result = 0;
	}
	PQclear(r);
	return result;
}

/*
 * A dump that has just ended is gone from the server a moment later: whoever is
 * in the way is looked for a few times.
 */
int
pg_problems_blocked(struct db *d, const struct strs *tables, struct err *e)
{
	char *array = pg_watch_array(tables);
	int tries, clear = tables->n == 0;

	for (tries = 0; tries < ENDING_TRIES && clear == 0; tries++) {
		if (tries > 0)
			clock_pause_ms(ENDING_MS);
		clear = is_free(pg_of(d), array, e);
	}
	free(array);
	return clear == 1 ? 0 : -1;
}

int
pg_problems_locker(struct pg *p, char **out, struct err *e)
{
	return pg_sql_value(p, out, e, "SELECT pg_catalog.format('%s is locked "
		"by %s', l.relation::pg_catalog.regclass, " WHO ") FROM "
		"pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON "
		"a.pid = l.pid WHERE l.locktype = 'relation' AND l.mode = "
		"'AccessExclusiveLock' AND l.granted AND l.database = (SELECT "
		"oid FROM pg_catalog.pg_database WHERE datname = "
		"pg_catalog.current_database()) AND l.relation >= 16384 ORDER "
		"BY a.xact_start LIMIT 1", NULL);
}
