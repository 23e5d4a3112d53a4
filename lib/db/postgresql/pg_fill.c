/*
 * pg_fill: a dump becomes a database: definitions by pg_restore, rows by COPY
 * over several connections (pg_load.c), then what pg_restore leaves for last.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_fill.h"
#include "db/postgresql/pg_load.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_stream.h"
#include "db/postgresql/pg_tables.h"
#include "db/postgresql/pg_url.h"
#include "os/child.h"
#include "os/file.h"

/* Numbers of entries of the dump, in its order. */
struct fill {
	struct strs first; /* what a restore begins with */
	struct strs last; /* privileges, and what needs them */
};

/*
 * pg_restore without --section makes these after everything else (its
 * RESTORE_PASS_ACL and RESTORE_PASS_POST_ACL): an owner may have no right to
 * write his own table.
 */
static int
is_last(char *const t[PG_TEXTS])
{
	static const char *const last[] = { "ACL", "ACL LANGUAGE",
		"DEFAULT ACL", "EVENT TRIGGER", "MATERIALIZED VIEW DATA",
		NULL };
	const char *const *x;

	for (x = last; *x != NULL; x++)
		if (strcmp(t[PG_DESC], *x) == 0)
			return 1;
	return (strcmp(t[PG_DESC], "COMMENT") == 0 ||
		strcmp(t[PG_DESC], "SECURITY LABEL") == 0) &&
		strs_starts(t[PG_TAG], "EVENT TRIGGER ");
}

static void
sort_item(void *arg, const struct pg_item *x)
{
	struct fill *f = arg;
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, x->id);
	strs_add(is_last(x->t) ? &f->last : &f->first, text);
}

static int
write_list(const char *path, const struct strs *entries, struct err *e)
{
	struct buf b = { 0 };
	size_t i;
	int fd, result;

	for (i = 0; i < entries->n; i++)
		buf_printf(&b, "%s;\n", entries->v[i]);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		result = err_sys(e, "create '%s'", path);
	} else {
		result = file_write(fd, b.data, b.len, e);
		close(fd);
	}
	buf_free(&b);
	return result;
}

/* Those entries, of one section; NULL: of all. */
static int
run_restore(struct pg *m, const char *name, const char *scratch,
	const char *section, const struct strs *entries, int jobs,
	struct err *e)
{
	struct strs environment = { 0 };
	char *path = mem_printf("%s.list", scratch);
	char *quoted = pg_url_dbname(name);
	char *to = mem_printf("--dbname=%s", quoted), *program;
	struct child *child;
	char *list = mem_printf("--use-list=%s", path);
	char *n = mem_printf("--jobs=%d", jobs > 0 ? jobs : 1);
	char *part = section == NULL ? NULL :
		mem_printf("--section=%s", section);
	char *role = m->role == NULL ? NULL :
		mem_printf("--role=%s", m->role);
	int result = stop_check(e);

	if (result == 0)
		result = write_list(path, entries, e);
	if (result == 0)
		result = pg_program_find(m, "pg_restore", &program, e);
	if (result == 0) {
		const char *argv[] = { program, "--exit-on-error",
			"--no-password", to, list, n, scratch, NULL, NULL,
			NULL };
		size_t k = 7;

		if (part != NULL)
			argv[k++] = part;
		if (role != NULL)
			argv[k++] = role;
		pg_url_environment(m, name, &environment);
		result = child_start(&child, argv, &environment, NULL, e);
		/* The statement may hold a password: of a user mapping, say. */
		if (result == 0) {
			child_hide(child, "Command was:");
			result = child_collect(child, NULL, e) == 0 ? 0 :
				pg_program_said(e);
		}
		strs_free(&environment);
		free(program);
	}
	unlink(path);
	free(path);
	free(quoted);
	free(to);
	free(list);
	free(n);
	free(part);
	free(role);
	return result;
}

/*
 * All rows by pg_restore alone, one table after the other: a check that looks
 * at another table passes only then.  e says what has failed before.
 */
static int
load_in_order(struct pg *m, const char *name, const char *scratch,
	const struct strs *entries, struct err *e)
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
		run_restore(m, name, scratch, "data", entries, 1, e);
}

/*
 * What rows of plain tables leave over is pg_restore's: large objects,
 * sequences, and rows of extensions, which may refer to each other (ordered).
 */
static int
load(struct pg *m, const char *name, const char *scratch,
	const struct strs *entries, int ordered, int jobs, struct err *e)
{
	struct strs left = { 0 };
	int broken = 0, result;
	size_t i;

	for (i = 0; i < entries->n; i++)
		strs_add(&left, entries->v[i]);
	result = pg_load_rows(m, name, scratch, jobs, &left, &broken, e);
	if (result == 0)
		result = run_restore(m, name, scratch, "data", &left,
			ordered ? 1 : jobs, e);
	else if (broken)
		result = load_in_order(m, name, scratch, entries, e);
	strs_free(&left);
	return result;
}

/*
 * Section by section: in one parallel run a constraint of a domain that was
 * never validated may be made before the rows that break it.
 */
int
pg_fill_database(struct pg *m, const char *name, const char *scratch, int jobs,
	struct err *e)
{
	struct fill f = { 0 };
	struct pg_dump_result r;
	int result = pg_scratch_each(scratch, sort_item, &f, &r, e);

	if (result == 0) {
		result = run_restore(m, name, scratch, "pre-data", &f.first, 1,
			e);
		if (result == 0)
			result = load(m, name, scratch, &f.first, r.ordered,
				jobs, e);
		if (result == 0)
			result = run_restore(m, name, scratch, "post-data",
				&f.first, jobs, e);
		if (result == 0 && f.last.n > 0)
			result = run_restore(m, name, scratch, NULL, &f.last,
				jobs, e);
		pg_dump_result_free(&r);
	}
	strs_free(&f.first);
	strs_free(&f.last);
	return result == -1 ?
		err_wrap(e, "fill the new database '%s'", name) : 0;
}
