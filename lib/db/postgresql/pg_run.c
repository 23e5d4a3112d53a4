/* pg_run: one statement of somebody's migration. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/postgresql/pg.h"
#include "db/postgresql/pg_watch.h"

/* The caller's statement is wrong, not the server or its load. */
static int
is_own_fault(const char *state)
{
	static const char *const others[] = { "08", "53", "57", "58", "XX",
		"55P03", "40", NULL };
	const char *const *o;

	for (o = others; *o != NULL; o++)
		if (strncmp(state, *o, strlen(*o)) == 0)
			return 0;
	return 1;
}

static int
failed(struct pg *p, const PGresult *r, struct err *e)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);

	if (stop_check(e) == -1)
		return -1;
	if (state == NULL || text == NULL || !is_own_fault(state))
		return pg_error(p, r, e, "run the statement");
	/* The extended protocol takes one command at a time. */
	if (strcmp(state, "42601") == 0 &&
		strstr(text, "multiple commands") != NULL)
		return err_set(e, ERR_FAILED, "scan",
			"PostgreSQL and mig disagree about where the statement "
			"ends");
	err_set(e, ERR_FAILED, "statement", "%s%s%s%s", text,
		detail == NULL ? "" : " (", detail == NULL ? "" : detail,
		detail == NULL ? "" : ")");
	if (strcmp(state, "25001") == 0)
		return err_next(e, "put it in a migration of its own, marked "
				   "'-- migrate:up transaction:false'");
	return err_next(e, "%s%smend the file",
		hint == NULL ? "" : hint, hint == NULL ? "" : " ");
}

/* COPY ... FROM stdin: the lines that stood after it in the file. */
static int
copy_in(struct pg *p, const struct db_statement *s, struct err *e)
{
	PGresult *r;
	int result = 0, bad;

	if (s->data == NULL)
		bad = PQputCopyEnd(p->c, "no data in the file") != 1;
	else
		bad = PQputCopyData(p->c, s->data, (int)s->data_n) != 1 ||
			PQputCopyEnd(p->c, NULL) != 1;
	if (bad)
		return pg_error(p, NULL, e, "send rows");
	while ((r = PQgetResult(p->c)) != NULL) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK && result == 0)
			result = failed(p, r, e);
		PQclear(r);
	}
	return result;
}

static int
run(struct pg *p, const struct db_statement *s, struct err *e)
{
	char *sql = mem_dup_n(s->sql, s->n);
	PGresult *r = pg_sql_one(p, sql, 0, NULL, e), *rest;
	ExecStatusType status;
	int result = -1;

	free(sql);
	if (r == NULL)
		return -1;
	status = PQresultStatus(r);
	switch (status) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		result = 0;
		break;
	case PGRES_COPY_IN:
		result = copy_in(p, s, e);
		break;
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		err_set(e, ERR_REFUSED, "forbidden",
			"a migration may not use COPY TO STDOUT");
		err_next(e, "take it out of the file");
		break;
	default:
		failed(p, r, e);
	}
	if (p->watch != NULL) {
		const char *tag = PQcmdStatus(r);

		snprintf(p->watch->tag, sizeof(p->watch->tag), "%.*s",
			(int)strcspn(tag, " "), tag);
		p->watch->tuples = strtoll(PQcmdTuples(r), NULL, 10);
	}
	PQclear(r);
	/* Of a COPY TO: what comes is thrown away. */
	while (status == PGRES_COPY_OUT) {
		char *row = NULL;

		if (PQgetCopyData(p->c, &row, 0) <= 0)
			break;
		PQfreemem(row);
	}
	while ((rest = PQgetResult(p->c)) != NULL)
		PQclear(rest);
	return result;
}

int
pg_run_statement(struct db *d, const struct db_statement *s, struct err *e)
{
	struct pg *p = pg_of(d);
	/* What may set a role or a setting without the word SET before it. */
	int sets = strncasecmp(s->sql, "set", s->n < 3 ? s->n : 3) == 0 ||
		s->intent != DB_INTENT_DEFINE ||
		memmem(s->sql, s->n, "set_config", 10) != NULL;

	if (s->how == DB_RUN_PLAIN && pg_watch_named(p, s, e) == -1)
		return -1;
	p->reset_role |= sets;
	p->held = 0;
	if (s->n > 10 && strncasecmp(s->sql, "deallocate", 10) == 0) {
		strs_free(&p->prepared);
		p->generation++;
	}
	if (run(p, s, e) == -1)
		return -1;
	if (s->how == DB_RUN_PLAIN &&
		PQtransactionStatus(p->c) != PQTRANS_INTRANS) {
		err_set(e, ERR_LEFT, "forbidden",
			"the statement has ended the transaction of the "
			"migration");
		return err_next(e, "look at what it left; go back with "
			"mig-rollback --restore if it is not as it should be");
	}
	return s->how == DB_RUN_PLAIN ? pg_watch_after(p, s, e) : 0;
}
