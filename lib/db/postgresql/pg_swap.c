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
#include "codec/sha256.h"

#define FENCE_S 30 /* to wait for other sessions to end */

int
pg_swap_runf(struct pg *m, struct err *e, const char *format, const char *a,
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

	if (pg_sql_value(p, &name, e, "SELECT 'off' WHERE "
		"pg_catalog.current_setting('track_counts') = 'off' OR EXISTS "
		"(SELECT 1 FROM pg_catalog.pg_db_role_setting WHERE "
		"'track_counts=off' = ANY (setconfig))", NULL) == -1)
		return -1;
	if (name != NULL) {
		free(name);
		err_set(e, ERR_REFUSED, "in-use", "%s: track_counts is off, at "
			"least for some: what they write during a restore "
			"would not be noticed", p->shown);
		return err_next(e, "switch it on (ALTER DATABASE or ROLE ... "
			"RESET track_counts), then restore");
	}
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
pg_swap_allowed(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);
	char *may;

	if (pg_swap_may(p, e) == -1 || pg_sql_value(p, &may, e, "SELECT 'yes' "
		"FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE "
		"r.rolname = current_user AND d.datname = $1 AND (r.rolsuper "
		"OR (r.rolcreatedb AND pg_catalog.pg_has_role(d.datdba, "
		"'USAGE')))", p->name) == -1)
		return -1;
	if (may != NULL) {
		free(may);
		return 0;
	}
	err_set(e, ERR_REFUSED, "permission", "%s: the role may not restore: "
		"it has no CREATEDB, or does not own the database", p->shown);
	return err_next(e, "give it CREATEDB and let it own the database, or "
		"take another with --role");
}

int
pg_swap_sweep(struct pg *m, const char *live, struct err *e)
{
	char *prefix = pg_swap_prefix(live, 1);
	const char *values[2] = { live, prefix };
	PGresult *r = pg_sql_one(m, PG_SWAP_FRESH, 2, values, e);
	int i, result = 0;

	free(prefix);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(m, r, e, "look for unfinished restores");
	for (i = 0; result == 0 && i < PQntuples(r); i++) {
		report_say(m->base.report, REPORT_NOTE, "dropping '%s', which "
			"a restore that was killed has left",
			PQgetvalue(r, i, 0));
		result = pg_swap_runf(m, e, "SELECT pg_catalog.format('DROP DATABASE "
			"%I WITH (FORCE)', $1::text)", PQgetvalue(r, i, 0),
			NULL);
	}
	PQclear(r);
	return result;
}

int
pg_swap_mark(struct pg *m, const char *name, const char *step, struct err *e)
{
	return pg_swap_runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"%L', $1::text, '" PG_SWAP_NOTE "' || $2::text)", name, step);
}

int
pg_swap_unmark(struct pg *m, const char *name, struct err *e)
{
	return pg_swap_runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"NULL', $1::text)", name, NULL);
}

/* The comment was ours until now; it becomes the one of the old database. */
static int
carry_comment(struct pg *m, const char *old, const char *live, struct err *e)
{
	return pg_swap_runf(m, e, "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS "
		"%L', $2::text, pg_catalog.shobj_description(d.oid, "
		"'pg_database')) FROM pg_catalog.pg_database d WHERE "
		"d.datname = $1", old, live);
}

int
pg_swap_allow(struct pg *m, const char *name, int yes, struct err *e)
{
	return pg_swap_runf(m, e, yes ? "SELECT pg_catalog.format('ALTER DATABASE %I "
		"ALLOW_CONNECTIONS true', $1::text)" :
		"SELECT pg_catalog.format('ALTER DATABASE %I "
		"ALLOW_CONNECTIONS false', $1::text)", name, NULL);
}

/*
 * Who has no user is a worker of the server's own; a user may have been dropped
 * meanwhile.  What kind a session is, the server tells only to those who may know
 * all of that role.
 */
#define MAY_END \
	"(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = " \
	"current_user) OR (r.rolsuper IS NOT TRUE AND (pg_catalog.pg_has_role(" \
	"r.oid, 'USAGE') OR pg_catalog.pg_has_role('pg_signal_backend', " \
	"'USAGE')))"

int
pg_swap_end_sessions(struct pg *m, const char *name, int except, struct err *e)
{
	int64_t end = clock_ms() + FENCE_S * 1000;
	char number[16], *left = NULL;
	const char *values[2] = { name, number };
	int n;

	snprintf(number, sizeof(number), "%d", except);
	for (;;) {
		PGresult *r = pg_sql_one(m, "SELECT pg_catalog.count(*), "
			"pg_catalog.min(a.pid), pg_catalog.count(CASE WHEN "
			MAY_END " THEN pg_catalog.pg_terminate_backend(a.pid) "
			"END) FROM pg_catalog.pg_stat_activity a LEFT JOIN "
			"pg_catalog.pg_roles r ON r.oid = a.usesysid WHERE "
			"a.datname = $1 AND a.usesysid IS NOT NULL AND a.pid "
			"<> $2::int", 2, values, e);

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
		"first is process %s of the server (other roles' take "
		"pg_signal_backend, a superuser's takes one)", n, name, left);
	free(left);
	return err_next(e, "end them, then run it again");
}

int
pg_swap_rename(struct pg *m, const char *live, const char *to,
	const char *fresh, int marked, struct err *e)
{
	int tries;

	/* Anybody may be in the new one, too: what looks at all databases. */
	for (tries = 0;; tries++) {
		if (pg_swap_end_sessions(m, fresh, 0, e) == -1 ||
			pg_sql_exec(&m->base, "BEGIN", e) == -1)
			return -1;
		if (pg_swap_runf(m, e, "SELECT pg_catalog.format('ALTER DATABASE %I "
			"RENAME TO %I', $1::text, $2::text)", live, to) == 0 &&
			pg_swap_runf(m, e, "SELECT pg_catalog.format('ALTER DATABASE "
			"%I RENAME TO %I', $1::text, $2::text)", fresh,
			live) == 0 &&
			(!marked || carry_comment(m, to, live, e) == 0) &&
			pg_swap_allow(m, live, 1, e) == 0 &&
			pg_transaction_commit(&m->base, e) == 0)
			return 0;
		pg_transaction_rollback(&m->base);
		/* A session may have slipped in before the fence. */
		if (tries == 5 || (strcmp(e->reason, "in-use") != 0 &&
			strcmp(e->reason, "lock-timeout") != 0) ||
			pg_swap_end_sessions(m, live, 0, e) == -1)
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
	if (pg_written_at_end(p, &now, e) == -1)
		return -1;
	same = now != NULL && strcmp(now, p->mark) == 0;
	free(now);
	if (same)
		return 0;
	err_set(e, ERR_ENV, "written", "%s was written to while the restore "
		"was prepared; nothing was changed", p->shown);
	return err_next(e, "stop the application, then run it again");
}

void
pg_swap_digest(const char *mark, char out[17])
{
	char digest[SHA256_TEXT];

	sha256_of(mark == NULL ? "" : mark, mark == NULL ? 0 : strlen(mark),
		digest);
	memcpy(out, digest, 16);
	out[16] = '\0';
}

int
pg_swap_ready(struct pg *p, struct pg *m, const struct swap_names *n,
	struct err *e)
{
	char digest[17], *ready;
	int result;

	pg_swap_digest(p->mark, digest);
	ready = mem_printf("%s %s %s", PG_SWAP_READY, n->live, digest);
	result = pg_swap_mark(m, n->fresh, ready, e);
	free(ready);
	return result;
}

int
pg_swap_run(struct pg *p, struct pg *m, const struct swap_names *n,
	const struct db_restore *r, struct err *e)
{
	struct err second;

	if (stop_check(e) == -1)
		return -1;
	report_say(m->base.report, REPORT_NOTE,
		"closing '%s' for the change of names", n->live);
	if (pg_swap_allow(m, n->live, 0, e) == -1)
		return -1;
	if (pg_swap_end_sessions(m, n->live, p->backend, e) == -1 ||
		unchanged(p, e) == -1 ||
		(r->ready != NULL && r->ready(r->arg, e) == -1))
		goto open;
	/* Our own session, and with it the lock, goes last. */
	PQfinish(p->c);
	p->c = NULL;
	if (pg_swap_end_sessions(m, n->live, 0, e) == 0 &&
		pg_swap_rename(m, n->live, n->old, n->fresh, 1, e) == 0) {
		if (pg_swap_allow(m, n->old, 1, &second) == -1)
			report_say(m->base.report, REPORT_WARN, "'%s' stays "
				"closed: %s", n->old, second.text);
		return 0;
	}
open:
	if (pg_swap_allow(m, n->live, 1, &second) == -1) {
		err_wrap(e, "the database is still closed");
		e->code = ERR_LEFT;
		return err_next(e, "open it: mig-rollback --restore --undo");
	}
	return -1;
}
