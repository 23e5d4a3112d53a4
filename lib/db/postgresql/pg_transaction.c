/* pg_transaction: its begin and its end, and what a migration may have set. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "db/postgresql/pg.h"

/*
 * The session is as it was at the start (a migration may have set anything,
 * files of pg_dump empty the search_path), then a transaction that waits only
 * so long for a lock: whoever waits for a lock makes others wait behind.
 */
int
pg_transaction_begin(struct db *d, int foreign_keys, struct err *e)
{
	struct pg *p = pg_of(d);
	char text[256], limit[64] = "";

	(void)foreign_keys;
	p->spoilt = p->held = 0;
	if (p->statement_ms > 0)
		snprintf(limit, sizeof(limit), "SET statement_timeout = %lld; ",
			(long long)p->statement_ms);
	/* In one: what precedes BEGIN belongs to the transaction. */
	if (p->reset_role && (pg_sql_exec(d, "SET SESSION AUTHORIZATION "
		"DEFAULT; RESET ROLE", e) == -1 || pg_open_settle(p, e) == -1))
		return -1;
	p->reset_role = 0;
	snprintf(text, sizeof(text), "RESET ALL; %sBEGIN; SET LOCAL "
		"lock_timeout = %lld", limit,
		(long long)(d->busy_ms > 0 ? d->busy_ms : 1));
	return pg_sql_exec(d, text, e);
}

int
pg_transaction_limit(struct pg *p, struct err *e)
{
	char text[64];

	snprintf(text, sizeof(text), "SET LOCAL lock_timeout = %lld",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1));
	return PQtransactionStatus(p->c) == PQTRANS_INTRANS ?
		pg_sql_exec(&p->base, text, e) : 0;
}

#define NO_LOCK "mig has no lock" /* no number: an error that quotes it */

int
pg_transaction_commit(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);
	const char *said;
	PGresult *r;
	int result = 0;

	if (p->spoilt)
		return err_bug(e, "a transaction that was rolled back");
	/* A migration may have let go of the lock: then nothing is committed. */
	r = PQexec(p->c, p->locked && !p->held ? "SELECT CASE WHEN "
		"pg_catalog.count(*) = 0 THEN ('" NO_LOCK "' || "
		"pg_catalog.count(*))::pg_catalog.int4 END FROM "
		"pg_catalog.pg_locks l WHERE " PG_LOCK_HELD("l") "; COMMIT" :
		"COMMIT");
	p->held = 0;
	said = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	/* A transaction that has failed answers COMMIT with ROLLBACK. */
	if (said != NULL && strstr(said, NO_LOCK "0") != NULL) {
		err_set(e, ERR_REFUSED, "lock-lost", "the migration has let go of "
			"mig's lock: another runner may have begun");
		result = err_next(e, "take pg_advisory_unlock_all and its kind "
			"out of it, then run it again");
	} else if (PQresultStatus(r) != PGRES_COMMAND_OK)
		result = pg_error(p, r, e, "commit");
	else if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
		result = err_bug(e, "COMMIT became a ROLLBACK");
	PQclear(r);
	return result;
}

void
pg_transaction_rollback(struct db *d)
{
	struct pg *p = pg_of(d);

	if (PQtransactionStatus(p->c) != PQTRANS_IDLE)
		PQclear(PQexec(p->c, "ROLLBACK"));
	/* mig's own tables may have come with it. */
	p->spoilt = p->own_known = 0;
}

int
pg_transaction_settle(struct db *d, struct err *e)
{
	(void)d;
	(void)e;
	return 0; /* the server keeps nothing beside the database */
}
