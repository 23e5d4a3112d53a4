/*
 * pg_lock: one runner at a time, by a session's advisory lock on the working
 * connection itself: as long as a statement of ours still runs on the server,
 * even if we were killed, nobody else begins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/postgresql/pg.h"

int
pg_lock_by(struct db *d, char *out, size_t room)
{
	struct pg *p = pg_of(d);
	struct err ignored;
	char *who;

	*out = '\0';
	if (pg_sql_value(p, &who, &ignored,
		    "SELECT 'process ' || l.pid || ' of the server (' || "
		    "coalesce(nullif(a.application_name, ''), '?') || ', role ' || "
		    "coalesce(a.usename, '?') || coalesce(', from ' || "
		    "pg_catalog.host(a.client_addr), '') || coalesce(', since ' || "
		    "pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', "
		    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') || ')' "
		    "FROM pg_catalog.pg_locks l LEFT JOIN "
		    "pg_catalog.pg_stat_activity a ON a.pid = l.pid "
		    "WHERE l.locktype = 'advisory' AND l.granted AND "
		    "l.classid = " PG_LOCK_CLASS " AND l.objid = "
		    PG_LOCK_OBJECT " AND l.objsubid = 2 AND "
		    "l.database = (SELECT oid FROM pg_catalog.pg_database "
		    "WHERE datname = pg_catalog.current_database())",
		    NULL) == -1 || who == NULL)
		return 0;
	snprintf(out, room, "%s", who);
	free(who);
	return 1;
}

/* Poll, outside a transaction: who waits in the server makes others wait. */
static int
poll_lock(struct pg *p, const char *sql, int64_t wait_s, int *locked,
	struct err *e)
{
	int64_t end = clock_ms() + wait_s * 1000;
	char *got;

	for (;;) {
		if (pg_sql_value(p, &got, e, sql, NULL) == -1)
			return -1;
		*locked = got != NULL && *got == 't';
		free(got);
		if (*locked || clock_ms() >= end)
			return 0;
		if (stop_check(e) == -1)
			return -1;
		usleep(200000);
	}
}

int
pg_lock_take(struct db *d, struct lock **out, int64_t wait_s, const char *who,
	struct err *e)
{
	struct pg *p = pg_of(d);
	char holder[300];

	(void)who; /* the server knows who we are */
	*out = NULL; /* it lives as long as the connection */
	if (poll_lock(p, "SELECT pg_catalog.pg_try_advisory_lock("
		PG_LOCK_CLASS ", " PG_LOCK_OBJECT ")", wait_s, &p->locked,
		e) == -1)
		return -1;
	if (p->locked)
		return 0;
	if (!pg_lock_by(d, holder, sizeof(holder)))
		snprintf(holder, sizeof(holder), "somebody");
	err_set(e, ERR_LOCKED, "locked",
		"another runner works on %s: %s", p->shown, holder);
	return err_next(e, "wait for it, or use --wait TIME");
}

int
pg_lock_other(struct db *d, int64_t id, int64_t wait_s, const char *who,
	struct err *e)
{
	struct pg *p = pg_of(d);
	char *sql = mem_printf("SELECT pg_catalog.pg_try_advisory_lock(%lld)",
		(long long)id);
	int locked, result = poll_lock(p, sql, wait_s, &locked, e);

	free(sql);
	if (result == -1 || locked)
		return result;
	err_set(e, ERR_LOCKED, "locked", "%s works on %s: it holds its "
		"advisory lock %lld", who, p->shown, (long long)id);
	return err_next(e, "wait for it, or use --wait TIME");
}

/* The server ends the session when nobody has the other end any more. */
int
pg_lock_session(const struct db *d)
{
	return PQsocket(((const struct pg *)d)->c);
}
