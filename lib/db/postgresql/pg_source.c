/* pg_source: pg_dump as a source of bytes. */
#include "db/postgresql/pg_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "os/child.h"
#include "os/file.h"

#define DUMP_TRIES 10
#define PIECE ((size_t)256 << 10)

static ssize_t
take_piece(struct pg_source *s, struct err *e)
{
	ssize_t n = s->ahead;

	s->ahead = -1;
	return n > 0 ? n : child_read(s->child, s->piece, PIECE, e);
}

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct pg_source *s = arg;
	ssize_t n = take_piece(s, e);

	if (n <= 0)
		return n;
	if (s->b != NULL && s->b->put(s->b->arg, s->at, s->piece, (size_t)n,
		e) == -1)
		return -1;
	s->at += n;
	if (s->estimate > 0)
		report_progress(s->report, s->what,
			s->at < s->estimate ? s->at : s->estimate,
			s->estimate);
	*p = s->piece;
	return n;
}

static ssize_t
file_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct pg_source *s = arg;
	ssize_t n = take_piece(s, e);

	*p = s->piece;
	if (n > 0 && file_write(s->fd, s->piece, (size_t)n, e) == -1)
		return -1;
	return n;
}

static int
spawn(struct pg *p, const char *name, const char *snapshot, struct pg_source *s,
	struct err *e)
{
	const char *argv[12] = { NULL, "--format=custom", "--compress=0",
		"--create", "--no-password" };
	struct strs environment = { 0 };
	char *program, *option = NULL, *role = NULL, *wait;
	int result, n = 5;

	if (pg_program_find(p, "pg_dump", &program, e) == -1)
		return -1;
	pg_open_environment(p, name, &environment);
	argv[0] = program;
	argv[n++] = wait = mem_printf("--lock-wait-timeout=%lld",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1000));
	if (snapshot != NULL)
		argv[n++] = option = mem_printf("--snapshot=%s", snapshot);
	if (s->schema_only)
		argv[n++] = "--schema-only";
	if (p->role != NULL)
		argv[n++] = role = mem_printf("--role=%s", p->role);
	result = child_start(&s->child, argv, &environment, NULL, e);
	free(wait);
	free(option);
	free(role);
	free(program);
	strs_free(&environment);
	return result;
}

int
pg_source_start(struct pg *p, const char *name, const char *snapshot,
	struct pg_source *s, struct err *e)
{
	s->piece = mem_alloc(PIECE);
	s->ahead = -1;
	if (spawn(p, name, snapshot, s, e) == -1)
		return -1;
	s->ahead = child_read(s->child, s->piece, PIECE, e);
	if (s->ahead > 0)
		return 1;
	if (s->ahead == -1)
		child_free(s->child);
	else if (child_end(s->child, e) == 0)
		err_set(e, ERR_ENV, "program", "pg_dump gave nothing");
	s->child = NULL;
	free(s->piece);
	s->piece = NULL;
	return strstr(e->text, "lock timeout") != NULL ||
		strstr(e->text, "could not obtain lock") != NULL ? 0 : -1;
}

int
pg_source_read(struct pg_source *s, struct pg_dump_result *out, struct err *e)
{
	struct pg_dump_source source = { s,
		s->schema_only ? file_piece : next_piece, s->like };
	struct err why;
	int result = pg_dump_read(out, &source, e);

	/* What pg_dump says explains a stream that is cut off. */
	if (result == 0 || e->code == ERR_DAMAGE) {
		if (child_end(s->child, &why) == -1) {
			*e = why;
			if (result == 0)
				pg_dump_result_free(out);
			result = -1;
		}
	} else {
		child_free(s->child);
	}
	s->child = NULL;
	report_progress(s->report, s->what, 0, 0);
	free(s->piece);
	s->piece = NULL;
	return result;
}

int
pg_source_busy(struct pg *p, struct err *e)
{
	err_set(e, ERR_ENV, "busy", "%s: its tables are truncated, rewritten or "
		"locked all the time", p->shown);
	return err_next(e, "run it when nobody does that, or give it longer "
			   "with --busy-timeout TIME");
}

static int
run_dump(struct pg *p, const char *name, struct pg_source *s,
	struct pg_dump_result *out, struct err *e)
{
	int tries, begun = 0;

	memset(out, 0, sizeof(*out));
	for (tries = 0; tries < DUMP_TRIES && begun == 0; tries++)
		begun = pg_source_start(p, name, NULL, s, e);
	if (begun == 1)
		return pg_source_read(s, out, e);
	return begun == 0 ? pg_source_busy(p, e) : -1;
}

int
pg_source_scan(struct pg *p, const char *name, const char *what,
	const struct pg_dump_result *like, struct pg_dump_result *out,
	struct err *e)
{
	struct pg_source s = { .report = p->base.report, .what = what,
		.like = like };
	char *size;

	if (pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size($1"
		"::pg_catalog.name)", name == NULL ? p->name : name) == -1)
		return -1;
	s.estimate = size == NULL ? 0 : strtoll(size, NULL, 10);
	free(size);
	return run_dump(p, name, &s, out, e);
}

int
pg_source_schema(struct pg *p, const char *path, struct err *e)
{
	struct pg_source s = { .report = p->base.report, .what = "schema",
		.schema_only = 1 };
	struct pg_dump_result r = { 0 };
	int result;

	s.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.fd == -1)
		return err_sys(e, "create '%s'", path);
	result = run_dump(p, NULL, &s, &r, e);
	if (close(s.fd) == -1 && result == 0)
		result = err_sys(e, "close '%s'", path);
	pg_dump_result_free(&r);
	return result;
}
