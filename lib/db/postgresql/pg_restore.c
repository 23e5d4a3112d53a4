/*
 * pg_restore: a dump becomes a database beside the live one, is proved, and
 * then changes names with it (pg_swap.c).  A crash at any instant leaves the
 * live one as it was, at worst closed to connections, which --undo opens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_fill.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_swap.h"
#include "os/file.h"

/* The tablespace only when it is not the usual one: that needs a privilege. */
#define MAKE(more, values) \
	"SELECT pg_catalog.format('CREATE DATABASE %I TEMPLATE template0 " \
	"ENCODING %L LC_COLLATE %L LC_CTYPE %L OWNER %I%s " more "', " \
	"$1::text, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, " \
	"d.datctype, pg_catalog.pg_get_userbyid(d.datdba), CASE WHEN " \
	"t.spcname <> 'pg_default' THEN pg_catalog.format(' TABLESPACE %I', " \
	"t.spcname) ELSE '' END" values ") FROM pg_catalog.pg_database d JOIN " \
	"pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE " \
	"d.datname = $2"

/* The same encoding, locale, place and owner as the live one has. */
static int
make(struct pg *m, const char *like, const char *name, struct err *e)
{
	const char *values[2] = { name, like };
	PGresult *r = pg_sql_one(m, m->version >= 150000 ?
		MAKE("LOCALE_PROVIDER %s%s", ", CASE "
		"d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN "
		"'builtin' ELSE 'libc' END, CASE WHEN d.datlocprovider = 'i' "
		"THEN pg_catalog.format(' ICU_LOCALE %L', "
		"pg_catalog.to_jsonb(d) ->> CASE WHEN "
		"pg_catalog.to_jsonb(d) ? 'datlocale' THEN 'datlocale' ELSE "
		"'daticulocale' END) || coalesce(pg_catalog.format(' ICU_RULES "
		"%L', nullif(pg_catalog.to_jsonb(d) ->> 'daticurules', '')), "
		"'') WHEN d.datlocprovider = 'b' THEN "
		"pg_catalog.format(' BUILTIN_LOCALE %L', "
		"pg_catalog.to_jsonb(d) ->> 'datlocale') ELSE '' END") :
		MAKE("", ""), 2, values, e);
	int result = -1;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
		pg_error(m, r, e, "look at the database");
	else
		result = pg_sql_long(m, PQgetvalue(r, 0, 0), e);
	PQclear(r);
	if (result == -1 && strcmp(e->reason, "permission") == 0)
		err_next(e, "a restore makes a new database: give the role "
			    "CREATEDB, and let it own this one");
	return result;
}

static int
not_same(struct err *e, const char *name, const char *what)
{
	err_set(e, ERR_ENV, "restore", "the new database '%s' is not what the "
		"archive holds: %s", name, what);
	return err_next(e, "nothing was changed; report it, with the versions "
			   "of server and pg_restore");
}

int
pg_restore_prove(struct pg *m, const char *name,
	const struct pg_dump_result *want, int jobs, int elsewhere,
	struct err *e)
{
	struct pg_dump_result have;
	const struct wire_table *t, *x;
	struct pg *fresh;
	char text[400];
	size_t i;
	int result;

	if (pg_open_beside(&fresh, m, name, e) == -1)
		return -1;
	result = pg_source_scan(fresh, "check the new database", jobs, want,
		&have, e);
	pg_open_close(&fresh->base);
	if (result == -1)
		return -1;
	t = want->tables.items;
	for (i = 0; i < want->tables.n && result == 0; i++) {
		x = pg_dump_table(&have, t[i].name);
		if (x != NULL && x->rows == t[i].rows &&
			strcmp(x->digest, t[i].digest) == 0)
			continue;
		snprintf(text, sizeof(text), "%.200s has %lld rows, not %lld, "
			"or other ones", t[i].name, x == NULL ? -1LL :
			(long long)x->rows, (long long)t[i].rows);
		result = not_same(e, name, text);
	}
	if (result == 0 && have.tables.n != want->tables.n)
		result = not_same(e, name, "it has another number of tables");
	if (result == 0 && (strcmp(have.core, want->core) != 0 ||
		(!elsewhere && strcmp(have.digest, want->digest) != 0))) {
		snprintf(text, sizeof(text), "%lld definitions, not %lld, or "
			"other ones", (long long)have.definitions,
			(long long)want->definitions);
		result = not_same(e, name, text);
	}
	pg_dump_result_free(&have);
	return result;
}

static int
prepare(struct pg *m, const char *name, const struct db_restore *r,
	struct err *e)
{
	struct pg *fresh;
	int result;

	if (pg_open_beside(&fresh, m, name, e) == -1)
		return -1;
	report_say(m->base.report, REPORT_MORE, "collecting statistics");
	result = r->prepare == NULL ? 0 : r->prepare(r->arg, &fresh->base, e);
	if (result == 0 && pg_sql_exec(&fresh->base, "SET statement_timeout = "
		"0", e) == -1)
		result = -1;
	if (result == 0)
		result = pg_sql_long(fresh, "ANALYZE", e);
	pg_open_close(&fresh->base);
	return result;
}

static int
mark_filling(struct pg *m, const char *name, const char *live, struct err *e)
{
	char *step = mem_printf("%s %s", PG_SWAP_FILLING, live);
	int result = pg_swap_mark(m, name, step, e);

	free(step);
	return result;
}

static int
check_new(struct pg *m, const char *name, const struct db_rebuilt *from,
	struct err *e)
{
	struct pg_dump_result want;
	int result;

	if (pg_scratch_archived(from, &want, e) == -1)
		return -1;
	result = pg_restore_prove(m, name, &want, from->jobs, 0, e);
	pg_dump_result_free(&want);
	return result;
}

/*
 * A server whose disk is full to the last byte may end, and the live database with it.
 * On this machine, by its socket, it can be known beforehand.
 */
static int
check_room(struct pg *m, const char *live, const char *path, struct err *e)
{
	const char *host = PQhost(m->c);
	char *folder, *mark, has[32], needs[32];
	struct statvfs disk;
	struct stat dump;
	int known;

	if (host == NULL || *host != '/')
		return 0;
	/* Null for a role that may not know it. */
	if (pg_sql_value(m, &folder, e, "SELECT s.setting FROM "
		"pg_catalog.pg_settings s, pg_catalog.pg_database d WHERE "
		"s.name = 'data_directory' AND d.datname = $1 AND "
		"d.dattablespace = 1663", live) == -1)
		return -1;
	if (folder == NULL)
		return 0;
	mark = file_join(folder, "postmaster.pid");
	known = access(mark, F_OK) == 0 && statvfs(folder, &disk) == 0 && stat(
		path, &dump) == 0;
	free(mark);
	if (!known || (int64_t)disk.f_bavail >= dump.st_size / (int64_t)
		disk.f_frsize) {
		free(folder);
		return 0;
	}
	num_bytes((int64_t)(disk.f_bavail * disk.f_frsize), has, sizeof(has));
	num_bytes(dump.st_size, needs, sizeof(needs));
	err_set(e, ERR_ENV, "no-space", "the new database needs about %s beside "
		"the live one, and in '%s' are %s free", needs, folder, has);
	free(folder);
	return err_next(e, "make room on the server; nothing was changed");
}

static int
build(struct pg *p, struct pg *m, const char *name,
	const struct db_rebuilt *from, const struct db_restore *r, int *made,
	struct err *e)
{
	int archived;

	if (check_room(m, p->name, from->path, e) == -1 || make(m, p->name, name, e) == -1)
		return -1;
	*made = 1;
	/* Before hours go by: who may not do it at the end need not begin. */
	if (mark_filling(m, name, p->name, e) == -1)
		return -1;
	archived = pg_facts_archived(p, m, from->path, name, 1, e);
	if (archived == -1 || (!archived && pg_facts_try(m, p->name, name, e) ==
		-1))
		return -1;
	report_say(m->base.report, REPORT_NOTE,
		"filling the new database '%s'", name);
	if (pg_fill_database(m, name, from->path, from->jobs, e) == -1 ||
		stop_check(e) == -1 ||
		(r->check && check_new(m, name, from, e) == -1) ||
		prepare(m, name, r, e) == -1)
		return -1;
	if (!archived)
		return pg_facts_replay(m, p->name, name, e);
	return pg_facts_archived(p, m, from->path, name, 0, e) == -1 ? -1 : 0;
}

static void
drop(struct pg *m, const char *name)
{
	struct err e;
	char *quoted;

	if (pg_sql_value(m, &quoted, &e, "SELECT pg_catalog.format('DROP "
		"DATABASE IF EXISTS %I WITH (FORCE)', $1::text)", name) == -1)
		quoted = NULL;
	if (quoted == NULL || pg_sql_exec(&m->base, quoted, &e) == -1)
		report_say(m->base.report, REPORT_WARN, PQstatus(m->c) ==
			CONNECTION_BAD ? "the unfinished database '%s' is left, "
			"for the server has ended or let go of us (%s): see that "
			"it runs, then mig-rollback --restore --undo" :
			"the unfinished database '%s' is left: %s", name, e.text);
	free(quoted);
}

int
pg_restore_into(struct db *d, const struct db_rebuilt *from,
	const struct db_restore *r, struct err *e)
{
	struct pg *p = pg_of(d), *m;
	struct db_options o = { .url = p->url, .mode = DB_WRITE,
		.busy_ms = d->busy_ms, .report = d->report, .role = p->role,
		.statement_ms = p->statement_ms };
	struct swap_names names;
	int result = -1, made = 0, ready = 0;

	if (pg_open_maintenance(&m, r->into != NULL ? r->into : p->name, &o,
		    e) == -1)
		return -1;
	if (pg_swap_names(&names, m, p->name, e) == -1) {
		pg_open_close(&m->base);
		return -1;
	}
	if (r->into != NULL) {
		free(names.fresh);
		names.fresh = mem_dup(r->into);
	}
	if ((r->into == NULL && (pg_swap_may(p, e) == -1 ||
		pg_swap_sweep(m, p->name, e) == -1)) ||
		(r->into != NULL && pg_swap_free_name(m, r->into, e) == -1))
		goto out;
	result = build(p, m, names.fresh, from, r, &made, e);
	if (result == 0 && r->into != NULL)
		result = pg_swap_unmark(m, names.fresh, e);
	else if (result == 0 && (result = pg_swap_ready(p, m, &names, e)) == 0) {
		result = pg_swap_run(p, m, &names, r, e);
		ready = result == -1 && strcmp(e->reason, "written") != 0;
	}
	/* Hours of work are not thrown away for one session that stays. */
	if (ready && e->code != ERR_LEFT)
		err_next(e, "put that right, then finish the restore: "
			"mig-rollback --restore --resume (or --undo)");
	else if (result == -1 && made && e->code != ERR_LEFT)
		drop(m, names.fresh);
	if (result == 0 && r->kept != NULL && r->into == NULL)
		*r->kept = mem_dup(names.old);
out:
	pg_swap_names_free(&names);
	pg_open_close(&m->base);
	return result;
}
