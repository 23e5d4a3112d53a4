/*
 * pg_stage: a dump as a database of its own that may be written to, on a server
 * that is thrown away or on one that somebody named; with the settings of the live
 * one that decide what a statement does and what it costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_fill.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_trace.h"

/* The encoding and the locale of the live one, which may not be there here. */
#define MAKE_LIKE \
	"SELECT pg_catalog.format('CREATE DATABASE %I TEMPLATE template0 " \
	"ENCODING %L LC_COLLATE %L LC_CTYPE %L', $1::text, " \
	"pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, " \
	"d.datctype) FROM pg_catalog.pg_database d WHERE d.datname = " \
	"pg_catalog.current_database()"

/*
 * What the live session has been told otherwise than by default, from wherever:
 * a session on the copy begins with it, whoever opens it.
 */
#define SETTINGS \
	"SELECT pg_catalog.format('ALTER DATABASE %I SET %I TO ', $1::text, " \
	"s.name) || CASE WHEN s.name IN ('search_path') AND s.setting <> '' " \
	"THEN s.setting ELSE pg_catalog.quote_literal(" \
	"pg_catalog.current_setting(s.name)) END FROM pg_catalog.pg_settings " \
	"s WHERE s.name IN ('TimeZone', 'DateStyle', 'IntervalStyle', " \
	"'search_path', 'work_mem', 'maintenance_work_mem', " \
	"'max_parallel_workers_per_gather', " \
	"'max_parallel_maintenance_workers', 'default_text_search_config', " \
	"'check_function_bodies', 'default_toast_compression', 'xmloption', " \
	"'default_transaction_isolation', 'extra_float_digits', " \
	"'bytea_output', 'random_page_cost', 'effective_cache_size', 'jit', " \
	"'session_replication_role', 'row_security', 'array_nulls', " \
	"'quote_all_identifiers', 'transform_null_equals', " \
	"'default_with_oids', 'hash_mem_multiplier', 'statement_timeout', " \
	"'default_table_access_method') AND s.source NOT IN ('default', " \
	"'override') ORDER BY s.name"

struct stage {
	const struct db_stage *how;
	const struct pg_dump_result *dump;
	struct pg *m; /* the server's database postgres */
	struct pg *like; /* NULL: not at hand */
	struct pg_server *server; /* NULL: somebody's */
	char *name, *user;
	int made;
};

static int
run_formatted(struct pg *m, struct pg *asked, const char *sql,
	const char *value, struct err *e)
{
	char *text;
	int result;

	if (pg_sql_value(asked, &text, e, sql, value) == -1)
		return -1;
	result = text == NULL ? 0 : pg_sql_long(m, text, e);
	free(text);
	return result;
}

static int
make_database(struct stage *s, struct err *e)
{
	char *sql;
	int result;

	if (s->like != NULL && run_formatted(s->m, s->like, MAKE_LIKE, s->name,
		e) == 0) {
		s->made = 1;
		return 0;
	}
	strs_add(s->how->notes, s->like == NULL ?
		"The copy sorts text by byte (locale C): the live database, "
		"which knows its locale, was not at hand." :
		"The copy sorts text by byte (locale C): the locale of the "
		"live database is not installed here.");
	sql = mem_printf("SELECT pg_catalog.format('CREATE DATABASE %%I "
		"TEMPLATE template0 ENCODING ''%s'' LC_COLLATE ''C'' LC_CTYPE "
		"''C''', $1::text)", s->dump->encoding == NULL ? "UTF8" :
		s->dump->encoding);
	result = run_formatted(s->m, s->m, sql, s->name, e);
	s->made = result == 0;
	free(sql);
	return result;
}

/* Nobody would ever look for it again on somebody's server. */
static void
drop_copy(struct pg *m, const char *name, const struct report *report,
	struct err *e)
{
	if (m == NULL || run_formatted(m, m, "SELECT pg_catalog.format('DROP "
		"DATABASE IF EXISTS %I WITH (FORCE)', $1::text)", name, e) ==
		-1)
		report_say(report, REPORT_WARN, "'%s' is left on the scratch "
			"server: %s", name, e->text);
}

static int
copy_settings(struct stage *s, struct err *e)
{
	const char *values[] = { s->name };
	PGresult *r;
	struct err each;
	int i;

	if (s->like == NULL) {
		strs_add(s->how->notes, "The settings of the live database, "
			"such as its TimeZone, were not at hand: the copy has "
			"those of the scratch server.");
		return 0;
	}
	r = pg_sql_one(s->like, SETTINGS, 1, values, e);
	if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK) {
		if (r != NULL)
			pg_error(s->like, r, e, "read the settings");
		PQclear(r);
		return -1;
	}
	for (i = 0; i < PQntuples(r); i++) {
		char *note;

		if (pg_sql_exec(&s->m->base, PQgetvalue(r, i, 0), &each) == 0)
			continue;
		note = mem_printf("A setting of the live database is not to be "
			"had on the copy: %s.", each.text);
		strs_add(s->how->notes, note);
		free(note);
	}
	PQclear(r);
	return 0;
}

/* A migration may name any role of the live server, or look whether it is there. */
static int
copy_roles(struct stage *s, struct err *e)
{
	struct strs names = { 0 };
	PGresult *r = pg_sql_one(s->like, "SELECT rolname FROM "
		"pg_catalog.pg_roles WHERE rolname !~ '^pg_'", 0, NULL, e);
	int i, result = r == NULL ? -1 : 0;

	if (r != NULL && PQresultStatus(r) != PGRES_TUPLES_OK)
		result = pg_error(s->like, r, e, "read the roles");
	for (i = 0; result == 0 && i < PQntuples(r); i++)
		strs_add(&names, PQgetvalue(r, i, 0));
	PQclear(r);
	if (result == 0)
		result = pg_deep_roles(s->m, &names, 1, e);
	strs_free(&names);
	return result;
}

/* For another program, which comes by the network. */
static int
set_password(struct stage *s, struct err *e)
{
	const char *password = pg_server_password(s->server);
	char *sql;
	int result;

	if (password == NULL)
		return 0;
	sql = mem_printf("SELECT pg_catalog.format('ALTER ROLE %%I PASSWORD "
		"%%L', $1::text, '%s')", password);
	result = run_formatted(s->m, s->m, sql, s->user, e);
	free(sql);
	return result;
}

/* Who the live session is, on a server of our own. */
static int
choose_user(struct stage *s, struct err *e)
{
	struct strs one = { 0 };
	int result;

	if (pg_deep_roles(s->m, &s->dump->roles, s->server != NULL, e) == -1)
		return -1;
	if (s->server == NULL)
		return 0;
	if (s->like != NULL && copy_roles(s, e) == -1)
		return -1;
	if (s->like != NULL && pg_sql_value(s->like, &s->user, e,
		"SELECT current_user::text WHERE current_user !~ '^pg_'", NULL)
		== -1)
		return -1;
	if (s->user == NULL)
		s->user = mem_dup("mig_scratch");
	strs_add(&one, s->user);
	result = pg_deep_roles(s->m, &one, 1, e);
	strs_free(&one);
	strs_add(s->how->notes, "Every role is a superuser on the copy: a "
		"privilege that is missing shows only in the real run.");
	return result == -1 || run_formatted(s->m, s->m,
		"SELECT pg_catalog.format('ALTER ROLE %I LOGIN', $1::text)",
		s->user, e) == -1 ? -1 : set_password(s, e);
}

/* By the socket. */
static char *
uri(const struct stage *s)
{
	struct buf b = { 0 };

	buf_text(&b, "postgresql://");
	buf_percent(&b, s->user);
	buf_text(&b, "@/");
	buf_percent(&b, s->name);
	buf_text(&b, "?host=");
	buf_percent(&b, pg_server_folder(s->server));
	buf_printf(&b, "&port=%d&sslmode=disable", pg_server_port(s->server));
	return buf_detach(&b);
}

static int
open_copy(struct db **out, struct stage *s, struct err *e)
{
	struct db_options o = { .mode = DB_WRITE, .report = s->how->report,
		.busy_ms = 5000 };
	struct pg *p = NULL;
	char *url;
	int result;

	if (s->server == NULL) {
		result = pg_open_beside(&p, s->m, s->name, e);
		*out = result == 0 ? &p->base : NULL;
	} else {
		o.url = url = uri(s);
		result = pg_open_db(out, &o, e);
		free(url);
	}
	if (result == -1)
		return -1;
	p = pg_of(*out);
	p->staged = s->server == NULL ? 1 : 2;
	p->server = s->server;
	s->server = NULL;
	return 0;
}

/*
 * What a foreign table leads to is no copy: without a handler of its wrapper nothing
 * behind it is reached, whatever mapping a script makes.
 */
static int
cut_off(struct stage *s, struct pg *fresh, struct err *e)
{
	PGresult *r = pg_sql_one(fresh, "SELECT pg_catalog.format('ALTER "
		"FOREIGN DATA WRAPPER %I NO HANDLER', fdwname) FROM "
		"pg_catalog.pg_foreign_data_wrapper WHERE fdwhandler <> 0", 0,
		NULL, e);
	int i, result = 0;

	if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK) {
		if (r != NULL)
			pg_error(fresh, r, e, "look at foreign data wrappers");
		PQclear(r);
		return -1;
	}
	for (i = 0; i < PQntuples(r) && result == 0; i++)
		result = pg_sql_exec(&fresh->base, PQgetvalue(r, i, 0), e);
	if (i > 0)
		strs_add(s->how->notes, "Foreign servers are not reached from "
			"the copy: their wrappers have no handler there; one "
			"that a migration brings along itself has.");
	PQclear(r);
	return result;
}

/* On the server of the live database some statements would act on that, too. */
static int
warn_of_own_server(struct stage *s, struct err *e)
{
	static const char sql[] = "SELECT system_identifier FROM "
		"pg_catalog.pg_control_system()";
	char *a = NULL, *b = NULL;
	int result = 0;

	if (s->how->server == NULL || s->like == NULL)
		return 0;
	if (pg_sql_value(s->m, &a, e, sql, NULL) == -1 || pg_sql_value(s->like,
		&b, e, sql, NULL) == -1)
		result = -1;
	else if (a != NULL && b != NULL && strcmp(a, b) == 0) {
		report_say(s->how->report, REPORT_WARN, "the scratch server is "
			"the server of the database itself: roles and settings "
			"that a migration changes are changed there");
		strs_add(s->how->notes, "The copy was on the server of the "
			"database itself: what a migration does to roles and "
			"to the server has been done.");
	}
	free(a);
	free(b);
	return result;
}

static int
build(struct db **out, struct stage *s, struct err *e)
{
	struct pg *fresh;
	int result;

	if (warn_of_own_server(s, e) == -1 || choose_user(s, e) == -1 || make_database(s, e) == -1)
		return -1;
	report_say(s->how->report, REPORT_MORE, "restoring into scratch");
	if (pg_fill_database(s->m, s->name, s->how->from.path,
		s->how->from.jobs, e) == -1 || copy_settings(s, e) == -1 ||
		pg_open_beside(&fresh, s->m, s->name, e) == -1)
		return -1;
	result = cut_off(s, fresh, e);
	if (result == 0 && pg_sql_exec(&fresh->base, "SET statement_timeout = "
		"0", e) == -1)
		result = -1;
	if (result == 0)
		result = pg_sql_long(fresh, "ANALYZE", e);
	pg_open_close(&fresh->base);
	return result == -1 ? -1 : open_copy(out, s, e);
}

static int
open_server(struct stage *s, struct err *e)
{
	const char *server = s->dump->server;
	struct db_options o = { .mode = DB_WRITE, .report = s->how->report,
		.url = s->how->server, .busy_ms = 5000 };
	char id[ID_TEXT];
	struct db *m;

	if (o.url == NULL && pg_server_start(&s->server, server == NULL ? 0 :
		(int)strtol(server, NULL, 10), PG_SERVER_LOGGED | (s->how->alone ?
		0 : PG_SERVER_REACHED), &o.url, e) == -1)
		return -1;
	if (pg_open_db(&m, &o, e) == -1 || id_new(id, e) == -1)
		return -1;
	s->m = pg_of(m);
	/* A script may name its database: it has its name, where that is free. */
	s->name = s->server != NULL && s->like != NULL && strcmp(s->like->name,
		"postgres") != 0 && strncmp(s->like->name, "template", 8) != 0 ?
		mem_dup(s->like->name) : mem_printf("mig_scratch_%.8s", id);
	return 0;
}

int
pg_stage_open(struct db **out, const struct db_stage *how, struct err *e)
{
	struct db_options o = { .url = how->from.path, .mode = DB_SCRATCH };
	struct stage s = { .how = how, .like = how->like == NULL ? NULL :
		pg_of(how->like) };
	struct db *dump;
	struct err second;
	int result = -1;

	*out = NULL;
	if (pg_scratch_open(&dump, &o, e) == -1)
		return -1;
	s.dump = pg_scratch_result(pg_of(dump));
	if (open_server(&s, e) == 0)
		result = build(out, &s, e);
	if (result == -1 && s.made && s.server == NULL)
		drop_copy(s.m, s.name, how->report, &second);
	if (s.m != NULL)
		pg_open_close(&s.m->base);
	pg_server_free(s.server);
	free(s.name);
	free(s.user);
	db_close(dump);
	return result == -1 ? err_wrap(e, "restore into scratch") : 0;
}

void
pg_stage_end(struct pg *p)
{
	struct db_options o = { .url = p->url, .mode = DB_WRITE,
		.report = p->base.report };
	struct pg *m = NULL;
	struct err e;

	if (pg_open_maintenance(&m, p->name, &o, &e) == -1)
		m = NULL;
	drop_copy(m, p->name, p->base.report, &e);
	if (m != NULL)
		pg_open_close(&m->base);
}
