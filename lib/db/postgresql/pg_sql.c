/* pg_sql: queries of mig's own, and transactions. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "db/postgresql/pg.h"

#define ARGS_MAX 16
#define PREPARED_MAX 48

struct rows {
	PGresult *result;
	int at;
};

/* Ask the server to end what it does for us; it then answers with an error. */
static void
cancel(struct pg *p)
{
	PGcancel *c = PQgetCancel(p->c);
	char ignored[256];

	if (c != NULL)
		PQcancel(c, ignored, sizeof(ignored));
	PQfreeCancel(c);
}

/*
 * Wait for the answer, looking out for a signal.  What is asked after one is
 * for cleaning up, and must not be cancelled.
 */
static int
wait_for(struct pg *p, struct err *e)
{
	int cancelled = stop_asked() != 0;

	while (PQisBusy(p->c)) {
		struct pollfd f = { PQsocket(p->c), POLLIN, 0 };

		if (poll(&f, 1, 200) == -1 && errno != EINTR)
			return err_sys(e, "wait for the server");
		if (stop_asked() && !cancelled) {
			cancel(p);
			cancelled = 1;
		}
		if (f.revents != 0 && !PQconsumeInput(p->c))
			return pg_error(p, NULL, e, "read the answer");
	}
	return 0;
}

PGresult *
pg_sql_collect(struct pg *p, struct err *e)
{
	PGresult *r = NULL, *next;

	for (;;) {
		if (wait_for(p, e) == -1) {
			PQclear(r);
			return NULL;
		}
		next = PQgetResult(p->c);
		if (next == NULL)
			return r;
		PQclear(r);
		r = next;
		/* A COPY is for the caller to carry on. */
		if (PQresultStatus(r) == PGRES_COPY_IN ||
			PQresultStatus(r) == PGRES_COPY_OUT ||
			PQresultStatus(r) == PGRES_COPY_BOTH)
			return r;
	}
}

PGresult *
pg_sql_one(struct pg *p, const char *sql, int n, const char *const *values,
	struct err *e)
{
	if (!PQsendQueryParams(p->c, sql, n, NULL, values, NULL, NULL, 0)) {
		pg_error(p, NULL, e, "send a command");
		return NULL;
	}
	return pg_sql_collect(p, e);
}

int
pg_sql_long(struct pg *p, const char *sql, struct err *e)
{
	PGresult *r = pg_sql_one(p, sql, 0, NULL, e);
	int result = 0;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		result = stop_check(e) == -1 ? -1 :
			pg_error(p, r, e, "run mig's own SQL");
	PQclear(r);
	return result;
}

/*
 * The name of the prepared statement, or "" when it is to be sent as it is.  NULL, or
 * the error that ended a transaction.
 */
static PGresult *
prepare(struct pg *p, const char *sql, char name[24])
{
	PGresult *r;
	size_t i;

	for (i = 0; i < p->prepared.n; i++)
		if (strcmp(p->prepared.v[i], sql) == 0)
			break;
	snprintf(name, 24, "mig_%d_%zu", p->generation, i);
	if (i < p->prepared.n)
		return NULL;
	*name = '\0';
	if (i == PREPARED_MAX || PQtransactionStatus(p->c) == PQTRANS_INERROR)
		return NULL;
	snprintf(name, 24, "mig_%d_%zu", p->generation, i);
	r = PQprepare(p->c, name, sql, 0, NULL);
	if (PQresultStatus(r) == PGRES_COMMAND_OK)
		strs_add(&p->prepared, sql);
	else
		*name = '\0';
	if (*name == '\0' && PQtransactionStatus(p->c) == PQTRANS_INERROR)
		return r;
	PQclear(r);
	return NULL;
}

/* Most are asked once: to prepare them would be a way to the server and back more. */
static int
is_first(struct pg *p, const char *sql)
{
	size_t i;

	for (i = 0; i < p->asked.n; i++)
		if (strcmp(p->asked.v[i], sql) == 0)
			return 0;
	if (p->asked.n == PREPARED_MAX)
		return 0;
	strs_add(&p->asked, sql);
	return 1;
}

char *
pg_sql_array(const struct strs *l)
{
	struct buf b = { 0 };
	const char *p;
	size_t i;

	buf_char(&b, '{');
	for (i = 0; i < l->n; i++) {
		buf_text(&b, i == 0 ? "\"" : ",\"");
		for (p = l->v[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_char(&b, '\\');
			buf_char(&b, *p);
		}
		buf_char(&b, '"');
	}
	buf_char(&b, '}');
	return buf_detach(&b);
}

PGresult *
pg_sql_own(struct pg *p, const char *sql, int n, const char *const *values,
	struct err *e)
{
	char name[24];
	PGresult *failed;

	if (is_first(p, sql))
		return pg_sql_one(p, sql, n, values, e);
	failed = prepare(p, sql, name);
	if (failed != NULL)
		return failed;
	if (*name == '\0')
		return pg_sql_one(p, sql, n, values, e);
	if (!PQsendQueryPrepared(p->c, name, n, values, NULL, NULL, 0)) {
		pg_error(p, NULL, e, "send a command");
		return NULL;
	}
	return pg_sql_collect(p, e);
}

int
pg_sql_exec(struct db *d, const char *sql, struct err *e)
{
	struct pg *p = pg_of(d);
	PGresult *r = PQexec(p->c, sql);
	ExecStatusType s = PQresultStatus(r);
	int result = 0;

	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		result = pg_error(p, r, e, "run mig's own SQL");
	PQclear(r);
	return result;
}

/*
 * The SQL of the rooms above is written for every engine: ?1 is $1 here, and
 * mig's tables have a schema of their own, whatever the search_path is.
 */
static char *
translate(const char *sql)
{
	struct buf b = { 0 };
	const char *p;

	for (p = sql; *p != '\0'; p++) {
		if (*p == '?' && p[1] >= '1' && p[1] <= '9') {
			buf_char(&b, '$');
		} else if (strncmp(p, "mig_", 4) == 0 &&
			(p == sql || p[-1] == ' ')) {
			buf_text(&b, "mig.mig_");
			p += 3;
		} else {
			buf_char(&b, *p);
		}
	}
	return buf_detach(&b);
}

int
pg_sql_query(struct db_rows *r, const char *sql, const char *args, va_list ap,
	struct err *e)
{
	struct pg *p = pg_of(r->db);
	const char *values[ARGS_MAX];
	char numbers[ARGS_MAX][24], *text;
	struct rows *rows;
	int i, result = 0;

	/* Rolled back to count: nothing may be recorded as done. */
	if (p->spoilt) {
		err_set(e, ERR_REFUSED, "loss", "something was dropped or "
			"emptied that no statement names, and its rows could "
			"not be counted");
		return err_next(e, "name the table in a statement of its own");
	}
	for (i = 0; args[i] != '\0' && i < ARGS_MAX; i++) {
		if (args[i] == 's') {
			values[i] = va_arg(ap, const char *);
		} else {
			snprintf(numbers[i], sizeof(numbers[i]), "%lld",
				(long long)va_arg(ap, int64_t));
			values[i] = numbers[i];
		}
	}
	text = translate(sql);
	rows = mem_alloc(sizeof(*rows));
	rows->at = -1;
	rows->result = pg_sql_own(p, text, i, values, e);
	if (rows->result == NULL) {
		result = -1;
	} else if (PQresultStatus(rows->result) != PGRES_TUPLES_OK &&
		PQresultStatus(rows->result) != PGRES_COMMAND_OK) {
		result = pg_error(p, rows->result, e, "run mig's own SQL");
		PQclear(rows->result);
	}
	free(text);
	if (result == -1) {
		free(rows);
		return -1;
	}
	r->own = rows;
	return 0;
}

int
pg_sql_next(struct db_rows *r, struct err *e)
{
	struct rows *rows = r->own;

	(void)e;
	return ++rows->at < PQntuples(rows->result);
}

const char *
pg_sql_text(struct db_rows *r, int column)
{
	struct rows *rows = r->own;

	return PQgetisnull(rows->result, rows->at, column) ? NULL :
		PQgetvalue(rows->result, rows->at, column);
}

int64_t
pg_sql_int(struct db_rows *r, int column)
{
	const char *text = pg_sql_text(r, column);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

void
pg_sql_free(struct db_rows *r)
{
	struct rows *rows = r->own;

	if (rows != NULL)
		PQclear(rows->result);
	free(rows);
}

int
pg_sql_value(struct pg *p, char **out, struct err *e, const char *sql,
	const char *value)
{
	PGresult *r = pg_sql_own(p, sql, value != NULL, &value, e);
	int result = 0;

	*out = NULL;
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(p, r, e, "run mig's own SQL");
	else if (PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
		*out = mem_dup(PQgetvalue(r, 0, 0));
	PQclear(r);
	return result;
}
