/* pg_open: connecting, and what is asked of a connection at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_watch.h"
#include "db/postgresql/pg_url.h"

const char *const pg_open_schemes[] = { "postgres", "postgresql",
	"pgx", "pgx4", "pgx5", NULL };

static PGconn *
connect_to(const char *url, const char *name)
{
	/* Hours pass without a word while others read: what lies between hears. */
	const char *const words[] = { "connect_timeout", "keepalives_idle",
		"dbname", "dbname", "fallback_application_name",
		"client_encoding", NULL };
	const char *values[] = { "15", "60", url, name, "mig", "UTF8", NULL };

	/* An empty value is as if the word were not there. */
	return PQconnectdbParams(words, values, 1);
}

static int
not_connected(struct pg *p, struct err *e)
{
	const char *text = PQerrorMessage(p->c);
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	err_set(e, ERR_ENV, "unreachable", "%.*s", (int)n, text);
	if (strstr(text, "not currently accepting") != NULL)
		return err_next(e, "if a restore was killed, finish it with "
			"mig-rollback --restore --resume, or take it back "
			"with --undo");
	if (strstr(text, "too many connections") != NULL || strstr(text,
		"remaining connection slots") != NULL)
		return err_next(e, PG_TOO_MANY);
	if (strstr(text, "\" does not exist") != NULL &&
		strstr(text, "database \"") != NULL)
		return err_next(e, "create it (mig never does), or correct "
			"the name in DATABASE_URL");
	if (PQconnectionNeedsPassword(p->c) || PQconnectionUsedPassword(p->c))
		return err_next(e, "give the password in PGPASSWORD, in "
			"~/.pgpass (mode 0600) or in a service file");
	return err_next(e, "check DATABASE_URL, and that the server runs and "
			   "lets this host in");
}

/* What it is that we talk to. */
static int
ask(struct pg *p, struct err *e)
{
	PGresult *r = PQexec(p->c, "SELECT pg_catalog.current_database(), "
		"d.oid, pg_catalog.pg_backend_pid(), "
		"pg_catalog.pg_is_in_recovery()::int, d.encoding, "
		"current_user, pg_catalog.current_setting('track_counts') FROM "
		"pg_catalog.pg_database d "
		"WHERE d.datname = pg_catalog.current_database()");
	int result = -1, backend;

	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
		pg_error(p, r, e, "ask who it is");
		goto out;
	}
	p->name = mem_dup(PQgetvalue(r, 0, 0));
	p->oid = mem_dup(PQgetvalue(r, 0, 1));
	backend = (int)strtol(PQgetvalue(r, 0, 2), NULL, 10);
	p->backend = backend;
	p->uncounted = strcmp(PQgetvalue(r, 0, 6), "off") == 0;
	p->standby = strcmp(PQgetvalue(r, 0, 3), "0") != 0;
	if (p->version < PG_OLDEST) {
		err_set(e, ERR_USAGE, "driver", "%s: the server has version "
			"%d, mig works with 13 and later", p->shown,
			p->version / 10000);
		err_next(e, "upgrade the server");
		goto out;
	}
	if (backend != PQbackendPID(p->c)) {
		err_set(e, ERR_REFUSED, "pooler", "%s: the connection goes "
			"through a pooler, which would break locks and "
			"snapshots", p->shown);
		err_next(e, "connect to the server itself, not to pgbouncer "
			"or its kind");
		goto out;
	}
	if (p->mode == DB_WRITE && strcmp(PQgetvalue(r, 0, 5), "mig") == 0) {
		err_set(e, ERR_REFUSED, "permission", "%s: the role is called "
			"'mig', as mig's own schema: its tables would land "
			"there", p->shown);
		err_next(e, "connect as a role of another name");
		goto out;
	}
	if (p->mode == DB_WRITE && p->standby) {
		err_set(e, ERR_REFUSED, "standby", "%s is a standby, which "
			"cannot be written to", p->shown);
		err_next(e, "connect to the primary");
		goto out;
	}
	/* Bytes of any kind: nothing is to be converted. */
	if (strcmp(PQgetvalue(r, 0, 4), "0") == 0)
		PQsetClientEncoding(p->c, "SQL_ASCII");
	result = 0;
out:
	PQclear(r);
	return result;
}

/*
 * What the options ask of every session.  After RESET ALL it is to be asked
 * again, but for the role, which RESET ALL leaves alone.
 */
int
pg_open_settle(struct pg *p, struct err *e)
{
	char text[96], *done;

	if (p->statement_ms > 0) {
		snprintf(text, sizeof(text), "SET statement_timeout = %lld",
			(long long)p->statement_ms);
		if (pg_sql_exec(&p->base, text, e) == -1)
			return -1;
	}
	if (p->role == NULL)
		return 0;
	if (pg_sql_value(p, &done, e, "SELECT pg_catalog.set_config('role', "
		"$1, false)", p->role) == -1) {
		err_wrap(e, "role '%s'", p->role);
		return err_next(e, "GRANT it to the role of the connection, "
			"or correct --role");
	}
	free(done);
	return 0;
}

/* A connection that waits while others work is not to be ended for that. */
static int
stay(struct pg *p, struct err *e)
{
	struct buf b = { 0 };
	int result = 0;

	if (p->version >= 140000)
		buf_text(&b, "SET idle_session_timeout = 0;");
	if (p->version >= 170000)
		buf_text(&b, "SET transaction_timeout = 0;");
	if (p->mode == DB_READ)
		buf_text(&b, "SET default_transaction_read_only = on;");
	if (b.len > 0)
		result = pg_sql_exec(&p->base, b.data, e);
	buf_free(&b);
	return result;
}

static void
be_silent(void *arg, const char *text)
{
	struct pg *p = arg;
	size_t n = strcspn(text, "\n");

	if (!pg_trace_notice(p, text) && !p->base.hushed)
		report_say(p->base.report, REPORT_MORE, "%.*s", (int)n, text);
}

static int
open_url(struct pg **out, const char *url, const char *name,
	const struct db_options *o, struct err *e)
{
	struct pg *p = mem_alloc(sizeof(*p));
	const char *host;

	*out = NULL;
	p->base.driver = &pg_driver;
	p->base.report = o->report;
	p->base.busy_ms = o->busy_ms;
	p->mode = o->mode;
	p->url = mem_dup(url);
	p->c = connect_to(url, name);
	p->shown = mem_dup("database");
	if (PQstatus(p->c) != CONNECTION_OK) {
		not_connected(p, e);
		goto fail;
	}
	host = PQhost(p->c);
	free(p->shown);
	p->shown = mem_printf("database '%s' on %s%s%s", PQdb(p->c),
		host == NULL || *host == '\0' || *host == '/' ?
			"this machine" : host,
		host == NULL || *host == '\0' || *host == '/' ? ", port " :
								":",
		PQport(p->c));
	p->version = PQserverVersion(p->c);
	PQsetNoticeProcessor(p->c, be_silent, p);
	p->role = mem_dup(o->role);
	p->statement_ms = o->statement_ms;
	if (ask(p, e) == -1 || stay(p, e) == -1 ||
		pg_open_settle(p, e) == -1)
		goto fail;
	*out = p;
	return 0;
fail:
	pg_open_close(&p->base);
	return -1;
}

/* An empty database on a server of its own. */
static int
open_throw_away(struct db **out, const struct db_options *o, struct err *e)
{
	struct db_options own = { .mode = DB_WRITE, .report = o->report,
		.busy_ms = 5000 };
	struct pg_server *s;
	struct pg *p;

	if (pg_server_start(&s, 0, 0, &own.url, e) == -1)
		return -1;
	if (open_url(&p, own.url, NULL, &own, e) == -1) {
		pg_server_free(s);
		return -1;
	}
	p->server = s;
	*out = &p->base;
	return 0;
}

int
pg_open_db(struct db **out, const struct db_options *o, struct err *e)
{
	struct pg *p;
	char *url;
	int result;

	*out = NULL;
	if (o->mode == DB_SCRATCH)
		return pg_scratch_open(out, o, e);
	if (o->mode == DB_MEMORY)
		return open_throw_away(out, o, e);
	if (o->mode != DB_READ && o->mode != DB_WRITE)
		return err_bug(e, "no such mode on PostgreSQL");
	url = pg_url_plain(o->url);
	result = pg_url_check(url, e);
	if (result == 0)
		result = open_url(&p, url, NULL, o, e);
	if (result == 0)
		*out = &p->base;
	free(url);
	return result;
}

int
pg_open_beside(struct pg **out, const struct pg *like, const char *name,
	struct err *e)
{
	struct db_options o = { .url = like->url, .mode = like->mode,
		.busy_ms = like->base.busy_ms, .report = like->base.report,
		.role = like->role, .statement_ms = like->statement_ms };

	return open_url(out, like->url, name == NULL ? like->name : name, &o,
		e);
}

static void
say_nothing(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

int
pg_open_for_thread(struct pg *p, const char *encoding, struct err *e)
{
	PQsetNoticeProcessor(p->c, say_nothing, NULL);
	if (encoding != NULL && PQsetClientEncoding(p->c, encoding) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	return 0;
}

/*
 * The lock of one restore per database and server, held on the maintenance
 * connection: the one on the live database goes before the names change.
 */
static int
lock_name(struct pg *m, const char *live, struct err *e)
{
	char *got;
	int mine;

	if (pg_sql_value(m, &got, e, "SELECT pg_catalog.pg_try_advisory_lock("
		PG_LOCK_CLASS ", pg_catalog.hashtext($1))", live) == -1)
		return -1;
	mine = got != NULL && *got == 't';
	free(got);
	if (mine)
		return 0;
	err_set(e, ERR_LOCKED, "locked", "a restore of '%s' is at work on the "
		"server", live);
	return err_next(e, "wait until it is over");
}

int
pg_open_maintenance(struct pg **out, const char *live,
	const struct db_options *o, struct err *e)
{
	static const char *const names[] = { "postgres", "template1", NULL };
	const char *const *n;
	char *url = pg_url_plain(o->url), text[96];
	int result = -1;

	*out = NULL;
	if (pg_url_check(url, e) == 0)
		for (n = names; *n != NULL && result == -1; n++)
			if (strcmp(*n, live) != 0)
				result = open_url(out, url, *n, o, e);
	free(url);
	if (result == -1) {
		err_wrap(e, "a restore works from another database of the "
			"server");
		return strstr(e->text, "permission denied") == NULL && strstr(
			e->text, "pg_hba.conf") == NULL ? -1 : err_next(e,
			"let the role connect to the database 'postgres'");
	}
	/*
	 * Who has something open on a database must not hold us up for ever; but to make
	 * one takes as long as it takes, whatever the role has set.
	 */
	snprintf(text, sizeof(text), "SET lock_timeout = %lld; SET "
		"statement_timeout = %lld", (long long)(o->busy_ms > 0 ?
		o->busy_ms : 5000), (long long)o->statement_ms);
	if (pg_sql_exec(&(*out)->base, text, e) == 0 &&
		lock_name(*out, live, e) == 0)
		return 0;
	pg_open_close(&(*out)->base);
	*out = NULL;
	return -1;
}

void
pg_open_close(struct db *d)
{
	struct pg *p = pg_of(d);

	pg_watch_cancel(d);
	pg_trace_free(p);
	if (p->observer != NULL)
		pg_open_close(&p->observer->base);
	if (p->c != NULL)
		PQfinish(p->c);
	p->c = NULL;
	if (p->staged == 1)
		pg_stage_end(p);
	pg_scratch_free(p->dump);
	pg_server_free(p->server);
	strs_free(&p->touched);
	strs_free(&p->asked);
	strs_free(&p->prepared);
	free(p->url);
	free(p->shown);
	free(p->name);
	free(p->oid);
	free(p->role);
	free(p->mark);
	free(p);
}

/* There is no file to replace: the place is the server's own. */
int
pg_open_locate(const char *url, char **path, struct err *e)
{
	struct db_options o = { .url = url, .mode = DB_READ };
	struct wire_database w;
	struct db *d;
	int result;

	if (pg_open_db(&d, &o, e) == -1)
		return -1;
	result = pg_catalog_identity(d, &w, e);
	if (result == 0)
		*path = mem_dup(w.path);
	shape_release(&wire_database_shape, &w);
	db_close(d);
	return result;
}
