/*
 * pg_restore: a dump becomes a database beside the live one, is proved, and
 * then changes names with it (pg_swap.c).  A crash at any instant leaves the
 * live one as it was, at worst closed to connections, which --undo opens.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_load.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_swap.h"
#include "db/postgresql/pg_tables.h"
#include "db/postgresql/pg_url.h"
#include "os/child.h"
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
		"'daticulocale' END) WHEN d.datlocprovider = 'b' THEN "
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

/* list: a file with the numbers of the entries that it is about; NULL: all. */
static int
run_restore(struct pg *m, const char *name, const char *scratch,
	const char *section, const char *list, int jobs, struct err *e)
{
	struct strs environment = { 0 };
	char *to = mem_printf("--dbname=%s", name), *program;
	char *s = mem_printf("--section=%s", section);
	char *n = mem_printf("--jobs=%d", jobs > 0 ? jobs : 1);
	char *role = m->role == NULL ? NULL :
		mem_printf("--role=%s", m->role);
	char *only = list == NULL ? NULL : mem_printf("--use-list=%s", list);
	int result = stop_check(e);

	if (result == 0)
		result = pg_program_find(m, "pg_restore", &program, e);
	if (result == 0) {
		const char *argv[] = { program, "--exit-on-error",
			"--no-password", to, s, n, scratch, NULL, NULL, NULL };
		size_t k = 7;

		if (role != NULL)
			argv[k++] = role;
		if (only != NULL)
			argv[k++] = only;
		pg_url_environment(m, name, &environment);
		result = child_run(argv, &environment, NULL, NULL, e);
		strs_free(&environment);
		free(program);
	}
	free(to);
	free(s);
	free(n);
	free(role);
	free(only);
	return result;
}

/* What rows of plain tables leave over: large objects, sequences, extensions. */
static int
restore_left(struct pg *m, const char *name, const char *scratch,
	const struct strs *left, int jobs, struct err *e)
{
	char *path = mem_printf("%s.list", scratch);
	struct buf b = { 0 };
	struct pg_dump_result r;
	size_t i;
	int fd, result;

	for (i = 0; i < left->n; i++)
		buf_printf(&b, "%s;\n", left->v[i]);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		result = err_sys(e, "create '%s'", path);
	} else {
		result = file_write(fd, b.data, b.len, e);
		close(fd);
	}
	/* Rows of extensions may refer to each other: as they come. */
	if (result == 0)
		result = pg_scratch_contents(scratch, &r, e);
	if (result == 0) {
		result = run_restore(m, name, scratch, "data", path,
			r.ordered ? 1 : jobs, e);
		pg_dump_result_free(&r);
	}
	unlink(path);
	buf_free(&b);
	free(path);
	return result;
}

/*
 * All rows by pg_restore alone, one table after the other: a check that looks
 * at another table passes only then.  e says what has failed before.
 */
static int
restore_in_order(struct pg *m, const char *name, const char *scratch,
	struct err *e)
{
	struct pg *fresh;
	int result;

	report_say(m->base.report, REPORT_NOTE, "%s: its rows are loaded anew, "
		"one table after the other", e->text);
	if (pg_open_beside(&fresh, m, name, e) == -1)
		return -1;
	result = pg_tables_empty(fresh, e);
	pg_open_close(&fresh->base);
	return result == -1 ? -1 :
		run_restore(m, name, scratch, "data", NULL, 1, e);
}

/*
 * Section by section: in one parallel run a constraint of a domain that was
 * never validated may be made before the rows that break it.
 */
int
pg_restore_fill(struct pg *m, const char *name, const char *scratch, int jobs,
	struct err *e)
{
	struct strs left = { 0 };
	int result = run_restore(m, name, scratch, "pre-data", NULL, 1, e);
	int broken = 0;

	if (result == 0)
		result = pg_load_rows(m, name, scratch, jobs, &left, &broken,
			e);
	if (result == 0)
		result = restore_left(m, name, scratch, &left, jobs, e);
	else if (broken)
		result = restore_in_order(m, name, scratch, e);
	strs_free(&left);
	if (result == 0)
		result = run_restore(m, name, scratch, "post-data", NULL,
			jobs, e);
	return result == -1 ?
		err_wrap(e, "fill the new database '%s'", name) : 0;
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

static int
build(struct pg *p, struct pg *m, const char *name,
	const struct db_rebuilt *from, const struct db_restore *r, int *made,
	struct err *e)
{
	if (make(m, p->name, name, e) == -1)
		return -1;
	*made = 1;
	if (mark_filling(m, name, p->name, e) == -1)
		return -1;
	report_say(m->base.report, REPORT_NOTE,
		"filling the new database '%s'", name);
	if (pg_restore_fill(m, name, from->path, from->jobs, e) == -1 ||
		stop_check(e) == -1 ||
		(r->check && check_new(m, name, from, e) == -1) ||
		prepare(m, name, r, e) == -1)
		return -1;
	return pg_facts_replay(m, p->name, name, e);
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
		report_say(m->base.report, REPORT_WARN,
			"the unfinished database '%s' is left: %s", name,
			e.text);
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
	pg_swap_names(&names, p->name, clock_now());
	if (r->into != NULL) {
		free(names.fresh);
		names.fresh = mem_dup(r->into);
	}
	if ((r->into == NULL && (pg_swap_may(p, e) == -1 ||
		pg_swap_sweep(m, p->name, e) == -1)) ||
		(r->into == NULL && pg_swap_free_name(m, names.old, e) == -1) ||
		pg_swap_free_name(m, names.fresh, e) == -1)
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
