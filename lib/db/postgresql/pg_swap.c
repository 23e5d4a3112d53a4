/* pg_swap: two databases change their names. */
#include "db/postgresql/pg_swap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"

#define FENCE_S 30 /* to wait for other sessions to end */
#define NAME_MAX_BYTES 63

/* What SQL of one formatted line to run on the maintenance connection. */
static int
runf(struct pg *m, struct err *e, const char *format, const char *a,
	const char *b)
{
	const char *values[2] = { a, b };
	PGresult *r = pg_sql_one(m, format, b == NULL ? 1 : 2, values, e);
	int result = -1, i;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(m, r, e, "prepare a command");
	} else {
		result = 0;
		for (i = 0; i < PQntuples(r) && result == 0; i++)
			result = pg_sql_exec(&m->base, PQgetvalue(r, i, 0), e);
	}
	PQclear(r);
	return result;
}

void
pg_swap_names(struct swap_names *n, const char *live, int64_t when)
{
	char stamp[CLOCK_STAMP];
	int room = NAME_MAX_BYTES - (int)sizeof("_mig_new_") + 1 -
		(int)CLOCK_STAMP + 1;
	char *plain = mem_dup(live), *p;

	/* Names that need no quotes anywhere, also not for pg_restore. */
	for (p = plain; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
			(*p >= 'A' && *p <= 'Z') || *p == '_' || *p == '-'))
			*p = '_';
	clock_stamp(when, stamp);
	n->live = mem_dup(live);
	n->fresh = mem_printf("%.*s_mig_new_%s", room, plain, stamp);
	n->old = mem_printf("%.*s_mig_old_%s", room, plain, stamp);
	free(plain);
}

void
pg_swap_names_free(struct swap_names *n)
{
	free(n->live);
	free(n->fresh);
	free(n->old);
}

int
pg_swap_maintenance(struct pg **out, const struct pg *p, struct err *e)
{
	static const char *const names[] = { "postgres", "template1", NULL };
	const char *const *n;

	for (n = names; *n != NULL; n++)
		if (strcmp(*n, p->name) != 0 &&
			pg_open_beside(out, p, *n, e) == 0)
			return 0;
	err_wrap(e, "a restore works from another database of the server");
	return err_next(e, "let the role connect to the database 'postgres'");
}

int
pg_swap_may(struct pg *p, struct err *e)
{
	static const struct {
		const char *sql, *what, *next;
	} all[] = {
		{ "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE "
			"database = $1 LIMIT 1", "the logical replication slot",
			"it would stay with the old database: drop it, and "
			"make it again after the restore" },
		{ "SELECT s.subname FROM pg_catalog.pg_subscription s JOIN "
			"pg_catalog.pg_database d ON d.oid = s.subdbid WHERE "
			"d.datname = $1 LIMIT 1", "the subscription",
			"it would stay with the old database: drop it, and "
			"make it again after the restore" },
		{ "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE "
			"database = $1 LIMIT 1", "the prepared transaction",
			"commit it or roll it back" },
	};
	size_t i;
	char *name;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (pg_sql_value(p, &name, e, all[i].sql, p->name) == -1)
			return -1;
		if (name == NULL)
			continue;
		err_set(e, ERR_REFUSED, "in-use", "%s has %s '%s'", p->shown,
			all[i].what, name);
		free(name);
		return err_next(e, "%s", all[i].next);
	}
	return 0;
}

int
pg_swap_free_name(struct pg *m, const char *name, struct err *e)
{
	char *found;

	if (pg_sql_value(m, &found, e, "SELECT datname FROM "
		"pg_catalog.pg_database WHERE datname = $1", name) == -1)
		return -1;
	if (found == NULL)
		return 0;
	free(found);
	err_set(e, ERR_REFUSED, "exists", "a database '%s' exists", name);
	return err_next(e, "name another one");
}

/* The new databases of a live one, and where each stands. */
#define FRESH \
	"SELECT datname, pg_catalog.split_part(pg_catalog.substr(c, " \
	"1 + pg_catalog.length('" PG_SWAP_NOTE "')), ' ', 1) FROM (SELECT " \
	"d.datname, pg_catalog.shobj_description(d.oid, 'pg_database') AS c " \
	"FROM pg_catalog.pg_database d WHERE d.datname LIKE " \
	"'%\\_mig\\_new\\_%') AS x WHERE c IN ('" PG_SWAP_NOTE "filling ' || " \
	"$1, '" PG_SWAP_NOTE "ready ' || $1) ORDER BY 1 DESC"

int
pg_swap_sweep(struct pg *m, const char *live, struct err *e)
{
	PGresult *r = pg_sql_one(m, FRESH, 1, &live, e);
	int i, result = 0;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(m, r, e, "look for unfinished restores");
	for (i = 0; result == 0 && i < PQntuples(r); i++) {
		report_say(m->base.report, REPORT_NOTE, "dropping '%s', which "
			"a restore that was killed has left",
			PQgetvalue(r, i, 0));
		result = runf(m, e, "SELECT pg_catalog.format('DROP DATABASE "
			"%I WITH (FORCE)', $1::text)", PQgetvalue(r, i, 0),
			NULL);
	}
	PQclear(r);
	return result;
}

int
pg_swap_mark(struct pg *m, const char *name, const char *step, struct err *e)
{
	return runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"%L', $1::text, '" PG_SWAP_NOTE "' || $2::text)", name, step);
}

int
pg_swap_unmark(struct pg *m, const char *name, struct err *e)
{
	return runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"NULL', $1::text)", name, NULL);
}

/* The comment was ours until now; it becomes the one of the old database. */
static int
carry_comment(struct pg *m, const char *old, const char *live, struct err *e)
{
	return runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"%L', $2::text, pg_catalog.shobj_description(d.oid, "
		"'pg_database')) FROM pg_catalog.pg_database d WHERE "
		"d.datname = $1", old, live);
}

/* --- facts ----------------------------------------------------------------- */

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
	"%s, tablespace %s', d.datdba, d.datconnlimit, d.encoding, " \
	"d.datcollate, d.datctype, d.dattablespace) AS x FROM " \
	"pg_catalog.pg_database d WHERE d.datname = $1 UNION ALL SELECT " \
	"pg_catalog.format('grant %s to %s, %s', a.privilege_type, a.grantee, " \
	"a.is_grantable) FROM pg_catalog.pg_database d, " \
	"pg_catalog.aclexplode(d.datacl) AS a WHERE d.datname = $1 UNION ALL " \
	"SELECT pg_catalog.format('set %s for %s', c, s.setrole) FROM " \
	"pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON " \
	"d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) AS c WHERE " \
	"d.datname = $1) AS f"

int
pg_swap_facts(struct pg *m, const char *live, const char *fresh,
	struct err *e)
{
	char *was = NULL, *now = NULL;
	int result = -1;

	if (runf(m, e, REPLAY_SETTINGS, live, fresh) == -1 ||
		runf(m, e, REPLAY_GRANTS, live, fresh) == -1 ||
		runf(m, e, REPLAY_REST, live, fresh) == -1) {
		err_wrap(e, "carry over what belongs to the database");
		return -1;
	}
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

/* --- the swap -------------------------------------------------------------- */

static int
allow(struct pg *m, const char *name, int yes, struct err *e)
{
	return runf(m, e, yes ? "SELECT pg_catalog.format('ALTER DATABASE %I "
		"ALLOW_CONNECTIONS true', $1::text)" :
		"SELECT pg_catalog.format('ALTER DATABASE %I "
		"ALLOW_CONNECTIONS false', $1::text)", name, NULL);
}

/* End every session but the one of process `except`; wait until they are gone. */
static int
end_sessions(struct pg *m, const char *name, int except, struct err *e)
{
	int64_t end = clock_ms() + FENCE_S * 1000;
	char number[16], *left = NULL;
	const char *values[2] = { name, number };
	int n;

	snprintf(number, sizeof(number), "%d", except);
	for (;;) {
		PGresult *r = pg_sql_one(m, "SELECT pg_catalog.count("
			"pg_catalog.pg_terminate_backend(pid)), min(pid) FROM "
			"pg_catalog.pg_stat_activity WHERE datname = $1 AND "
			"pid <> $2::int", 2, values, e);

		if (r == NULL)
			return -1;
		if (PQresultStatus(r) != PGRES_TUPLES_OK) {
			pg_error(m, r, e, "end the other sessions");
			PQclear(r);
			return -1;
		}
		n = (int)strtol(PQgetvalue(r, 0, 0), NULL, 10);
		left = mem_dup(PQgetvalue(r, 0, 1));
		PQclear(r);
		if (n == 0) {
			free(left);
			return 0;
		}
		if (clock_ms() >= end)
			break;
		free(left);
		usleep(50000);
	}
	err_set(e, ERR_ENV, "in-use", "%d sessions of '%s' do not end, the "
		"first is process %s of the server", n, name, left);
	free(left);
	return err_next(e, "end them, then run it again");
}

static int
rename_both(struct pg *m, const char *live, const char *to,
	const char *fresh, int marked, struct err *e)
{
	int tries;

	for (tries = 0;; tries++) {
		if (pg_sql_exec(&m->base, "BEGIN", e) == -1)
			return -1;
		if (runf(m, e, "SELECT pg_catalog.format('ALTER DATABASE %I "
			"RENAME TO %I', $1::text, $2::text)", live, to) == 0 &&
			runf(m, e, "SELECT pg_catalog.format('ALTER DATABASE "
			"%I RENAME TO %I', $1::text, $2::text)", fresh,
			live) == 0 &&
			(!marked || carry_comment(m, to, live, e) == 0) &&
			allow(m, live, 1, e) == 0 &&
			pg_sql_commit(&m->base, e) == 0)
			return 0;
		pg_sql_rollback(&m->base);
		/* A session may have slipped in before the fence. */
		if (tries == 5 || strstr(e->text, "being accessed") == NULL ||
			end_sessions(m, live, 0, e) == -1)
			return -1;
	}
}

/* Nobody can write any more: was anything written since the gap? */
static int
unchanged(struct pg *p, struct err *e)
{
	char *now = NULL;
	int same;

	if (p->mark == NULL)
		return 0;
	/* Older servers get the counts by a message that may be on its way. */
	if (p->version < 150000)
		usleep(600000);
	if (pg_catalog_written(p, &now, e) == -1)
		return -1;
	same = now != NULL && strcmp(now, p->mark) == 0;
	free(now);
	if (same)
		return 0;
	err_set(e, ERR_ENV, "written", "%s was written to while the restore "
		"was prepared; nothing was changed", p->shown);
	return err_next(e, "stop the application, then run it again");
}

int
pg_swap_run(struct pg *p, struct pg *m, const struct swap_names *n,
	const struct db_restore *r, struct err *e)
{
	struct err second;
	char *ready = mem_printf("%s %s", PG_SWAP_READY, n->live);
	int result = pg_swap_mark(m, n->fresh, ready, e);

	free(ready);
	if (result == -1 || stop_check(e) == -1)
		return -1;
	report_say(m->base.report, REPORT_NOTE,
		"closing '%s' for the change of names", n->live);
	if (allow(m, n->live, 0, e) == -1)
		return -1;
	if (end_sessions(m, n->live, p->backend, e) == -1 ||
		unchanged(p, e) == -1 ||
		(r->ready != NULL && r->ready(r->arg, e) == -1))
		goto open;
	/* Our own session, and with it the lock, goes last. */
	PQfinish(p->c);
	p->c = NULL;
	if (end_sessions(m, n->live, 0, e) == 0 &&
		rename_both(m, n->live, n->old, n->fresh, 1, e) == 0) {
		if (allow(m, n->old, 1, &second) == -1)
			report_say(m->base.report, REPORT_WARN, "'%s' stays "
				"closed: %s", n->old, second.text);
		return 0;
	}
open:
	if (allow(m, n->live, 1, &second) == -1) {
		err_wrap(e, "the database is still closed");
		e->code = ERR_LEFT;
		return err_next(e, "open it: mig-rollback --restore --undo");
	}
	return -1;
}

/* --- after a crash --------------------------------------------------------- */

struct mend {
	struct pg *m;
	char *live;
	char *fresh, *step; /* NULL: there is none */
	char *old; /* the newest; NULL: there is none */
	int closed; /* the live one allows no connections */
	int there;
	char *kept; /* the database that was put aside */
};

static int
look(struct mend *x, struct err *e)
{
	struct swap_names names;
	char *pattern, *open;
	PGresult *r;
	int result = 0;

	r = pg_sql_one(x->m, FRESH, 1, (const char *const *)&x->live, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		result = pg_error(x->m, r, e, "look for unfinished restores");
	} else if (PQntuples(r) > 0) {
		x->fresh = mem_dup(PQgetvalue(r, 0, 0));
		x->step = mem_dup(PQgetvalue(r, 0, 1));
	}
	PQclear(r);
	if (result == -1 || pg_sql_value(x->m, &open, e,
		"SELECT datallowconn::int FROM pg_catalog.pg_database WHERE "
		"datname = $1", x->live) == -1)
		return -1;
	x->there = open != NULL;
	x->closed = open != NULL && *open == '0';
	free(open);
	pg_swap_names(&names, x->live, 0);
	/* The stamp at its end gives way to any other. */
	names.old[strlen(names.old) - (CLOCK_STAMP - 1)] = '\0';
	pattern = mem_dup(names.old);
	result = pg_sql_value(x->m, &x->old, e, "SELECT datname FROM "
		"pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, "
		"$1) ORDER BY datname DESC LIMIT 1", pattern);
	free(pattern);
	pg_swap_names_free(&names);
	return result;
}

/* The swap that was not reached, or not begun. */
static int
go_on(struct mend *x, char **said, struct err *e)
{
	struct swap_names n;
	int result;

	if (x->fresh == NULL || strcmp(x->step, PG_SWAP_READY) != 0) {
		err_set(e, ERR_REFUSED, "nothing", x->fresh == NULL ?
			"no restore of '%s' waits to be resumed" :
			"the restore of '%s' had not yet proved its copy",
			x->live);
		return err_next(e, x->closed || x->fresh != NULL ?
			"open the database with --undo, then restore again" :
			"restore it: mig-rollback --restore");
	}
	pg_swap_names(&n, x->live, clock_now());
	result = allow(x->m, x->live, 0, e);
	if (result == 0)
		result = end_sessions(x->m, x->live, 0, e);
	if (result == 0)
		result = rename_both(x->m, x->live, n.old, x->fresh, 1, e);
	if (result == 0)
		result = allow(x->m, n.old, 1, e);
	if (result == 0) {
		*said = mem_printf("the restore of '%s' is finished; the old "
			"database is kept as '%s'", x->live, n.old);
		x->kept = mem_dup(n.old);
	}
	pg_swap_names_free(&n);
	return result;
}

static int
swap_back(struct mend *x, char **said, struct err *e)
{
	struct swap_names n;
	char *to;
	int result;

	pg_swap_names(&n, x->live, clock_now());
	to = mem_printf("%.*s_mig_off_%s", (int)(strlen(n.old) -
		strlen("_mig_old_") - (CLOCK_STAMP - 1)), n.old,
		n.old + strlen(n.old) - (CLOCK_STAMP - 1));
	result = allow(x->m, x->live, 0, e);
	if (result == 0)
		result = allow(x->m, x->old, 0, e);
	if (result == 0)
		result = end_sessions(x->m, x->live, 0, e);
	if (result == 0)
		result = end_sessions(x->m, x->old, 0, e);
	if (result == 0)
		result = rename_both(x->m, x->live, to, x->old, 0, e);
	if (result == -1) {
		struct err second;

		if (allow(x->m, x->live, 1, &second) == -1)
			err_wrap(e, "the database is still closed");
	} else {
		result = allow(x->m, to, 1, e);
		*said = mem_printf("'%s' is again the database from before "
			"the restore; the restored one is kept as '%s'",
			x->live, to);
		x->kept = mem_dup(to);
	}
	free(to);
	pg_swap_names_free(&n);
	return result;
}

static int
undo_it(struct mend *x, char **said, struct err *e)
{
	if (x->closed && allow(x->m, x->live, 1, e) == -1)
		return -1;
	if (x->fresh != NULL) {
		if (runf(x->m, e, "SELECT pg_catalog.format('DROP DATABASE %I "
			"WITH (FORCE)', $1::text)", x->fresh, NULL) == -1)
			return -1;
		*said = mem_printf("the unfinished restore of '%s' is undone; "
			"the database is as it was", x->live);
		return 0;
	}
	if (x->closed) {
		*said = mem_printf("'%s' allows connections again", x->live);
		return 0;
	}
	if (x->old != NULL)
		return swap_back(x, said, e);
	err_set(e, ERR_REFUSED, "nothing", "no restore of '%s' is there to "
		"be undone", x->live);
	return err_next(e, "databases that a restore kept are named "
			   "NAME_mig_old_TIME");
}

/* Nobody may be in the middle of it: the lock, if the database is open. */
static int
lock_live(struct mend *x, struct pg **p, struct err *e)
{
	struct lock *unused;

	*p = NULL;
	if (x->closed || !x->there)
		return 0;
	if (pg_open_beside(p, x->m, x->live, e) == -1)
		return -1;
	return pg_lock_take(&(*p)->base, &unused, 0, "mig-rollback", e);
}

int
pg_swap_mend(const char *url, int undo, const struct report *report,
	char **said, char **kept, struct err *e)
{
	struct db_options o = { .url = url, .mode = DB_WRITE, .busy_ms = 5000,
		.report = report };
	struct mend x = { 0 };
	struct pg *p = NULL;
	int result = -1;

	*said = *kept = NULL;
	if (pg_open_maintenance(&x.m, &x.live, &o, e) == -1)
		return -1;
	if (look(&x, e) == -1 || lock_live(&x, &p, e) == -1)
		goto out;
	if (!x.there) {
		err_set(e, ERR_ENV, "unreachable", "there is no database '%s'",
			x.live);
		err_next(e, "correct the name in DATABASE_URL");
		goto out;
	}
	/* What is done to the live one ends our session, too. */
	if (p != NULL) {
		pg_open_close(&p->base);
		p = NULL;
	}
	result = undo ? undo_it(&x, said, e) : go_on(&x, said, e);
out:
	if (p != NULL)
		pg_open_close(&p->base);
	pg_open_close(&x.m->base);
	free(x.live);
	free(x.fresh);
	free(x.step);
	free(x.old);
	if (result == 0)
		*kept = x.kept;
	else
		free(x.kept);
	return result;
}
