/* pg_error: what the server or libpq says, as an err. */
#include <string.h>

#include "base/err.h"
#include "db/postgresql/pg.h"

/* SQLSTATE classes and codes: PostgreSQL documentation, appendix A. */
static const struct {
	const char *state;
	enum err_code code;
	const char *reason, *next;
} known[] = {
	{ "55P03", ERR_ENV, "lock-timeout", "see who holds it in pg_locks, or "
		"give it longer with --busy-timeout TIME" },
	{ "55006", ERR_ENV, "in-use", "end the sessions that use it, then run "
		"it again" },
	{ "40P01", ERR_ENV, "lock-timeout", "it was a deadlock: run it again" },
	{ "57014", ERR_ENV, "timeout", "raise --statement-timeout, or "
		"statement_timeout of the role, or run it when there is less "
		"to wait for" },
	{ "42501", ERR_ENV, "permission", "grant it to the role, or connect "
		"as the owner" },
	{ "25006", ERR_ENV, "permission", "this server or role is read-only: "
		"connect to the primary" },
	{ "53100", ERR_ENV, "no-space", "make room on the server" },
	{ "53300", ERR_ENV, "server", PG_TOO_MANY },
	{ "53", ERR_ENV, "server", "the server lacks a resource: see its log" },
	{ "57P", ERR_ENV, "server", "the server ended the connection: see its "
		"log, then run it again" },
	{ "08", ERR_ENV, "server", "check that the server runs, then run it "
		"again" },
	{ "58", ERR_ENV, "server", "the server has a problem with its files: "
		"see its log" },
	{ "XX", ERR_ENV, "database", "the database may be damaged: see the "
		"server's log before anything else" },
};

/* Only the first line, and no final newline. */
static size_t
line_of(const char *s)
{
	return strcspn(s, "\n");
}

int
pg_error_odd(struct err *e)
{
	return err_next(e, "run it again; if it says so again, report it, with "
		"the versions of server and client");
}

int
pg_error(struct pg *p, const PGresult *r, struct err *e, const char *doing)
{
	const char *state = r == NULL ? NULL :
		PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = r == NULL ? NULL :
		PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = r == NULL ? NULL :
		PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	size_t i;

	if (text == NULL)
		text = PQerrorMessage(p->c);
	if (PQstatus(p->c) == CONNECTION_BAD && state == NULL)
		state = "08006";
	err_set(e, ERR_ENV, "database", "%s: cannot %s: %.*s%s%.*s%s", p->shown,
		doing, (int)line_of(text), text, detail == NULL ? "" : " (",
		detail == NULL ? 0 : (int)line_of(detail),
		detail == NULL ? "" : detail, detail == NULL ? "" : ")");
	for (i = 0; state != NULL && i < sizeof(known) / sizeof(*known); i++)
		if (strncmp(state, known[i].state,
			strlen(known[i].state)) == 0) {
			e->code = known[i].code;
			memcpy(e->reason, known[i].reason,
				strlen(known[i].reason) + 1);
			err_next(e, "%s", known[i].next);
			break;
		}
	return -1;
}
