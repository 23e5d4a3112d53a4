/* pg_source: pg_dump as a source of bytes. */
#include "db/postgresql/pg_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_copy.h"
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

int
pg_source_put(struct pg_source *s, const void *p, size_t n, struct err *e)
{
	if (s->b != NULL && s->b->put(s->b->arg, s->at, p, n, e) == -1)
		return -1;
	s->at += (int64_t)n;
	if (s->estimate > 0)
		report_progress(s->report, s->what,
			s->at < s->estimate ? s->at : s->estimate,
			s->estimate);
	return 0;
}

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct pg_source *s = arg;
	ssize_t n = take_piece(s, e);

	if (n <= 0)
		return n;
	*p = s->piece;
	if (s->holding)
		buf_add(&s->held, s->piece, (size_t)n);
	else if (pg_source_put(s, s->piece, (size_t)n, e) == -1)
		return -1;
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

/* Takes text. */
static void
add_option(struct strs *l, char *text)
{
	strs_add(l, text);
	free(text);
}

/* As a pattern that matches exactly one name: in quotes, each part. */
static void
leave_out(struct strs *l, const struct pg_copy_table *t)
{
	struct buf b = { 0 };
	const char *part, *p;

	buf_text(&b, "--exclude-table-data=");
	for (part = t->schema; part != NULL;
		part = part == t->schema ? t->name : NULL) {
		buf_text(&b, part == t->schema ? "\"" : ".\"");
		for (p = part; *p != '\0'; p++) {
			if (*p == '"')
				buf_char(&b, '"');
			buf_char(&b, *p);
		}
		buf_char(&b, '"');
	}
	add_option(l, buf_detach(&b));
}

int
pg_source_start(struct pg *p, const char *name, const char *snapshot,
	struct pg_source *s, struct err *e)
{
	struct strs environment = { 0 }, argv = { 0 };
	char *program;
	size_t i, n;
	const struct pg_copy_table *t = pg_copy_tables(s->copy, &n);
	int result;

	if (pg_program_find(p, "pg_dump", &program, e) == -1)
		return -1;
	pg_open_environment(p, name, &environment);
	add_option(&argv, program);
	strs_add(&argv, "--format=custom");
	strs_add(&argv, "--compress=0");
	strs_add(&argv, "--create");
	strs_add(&argv, "--no-password");
	add_option(&argv, mem_printf("--lock-wait-timeout=%lld",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1000)));
	if (snapshot != NULL)
		add_option(&argv, mem_printf("--snapshot=%s", snapshot));
	if (s->schema_only)
		strs_add(&argv, "--schema-only");
	if (p->role != NULL)
		add_option(&argv, mem_printf("--role=%s", p->role));
	for (i = 0; i < n; i++)
		leave_out(&argv, &t[i]);
	argv.v = mem_grow(argv.v, argv.n + 1, sizeof(*argv.v));
	argv.v[argv.n] = NULL;
	result = child_start(&s->child, (const char *const *)argv.v,
		&environment, NULL, e);
	strs_free(&argv);
	strs_free(&environment);
	return result;
}

void
pg_source_clear(struct pg_source *s)
{
	child_free(s->child);
	s->child = NULL;
	free(s->piece);
	s->piece = NULL;
	buf_free(&s->held);
}

int
pg_source_await(struct pg_source *s, struct err *e)
{
	s->piece = mem_alloc(PIECE);
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
	/* Its --lock-wait-timeout is a statement timeout, and its only one. */
	return strstr(e->text, "lock timeout") != NULL ||
		strstr(e->text, "statement timeout") != NULL ||
		strstr(e->text, "could not obtain lock") != NULL ? 0 : -1;
}

int
pg_source_read(struct pg_source *s, struct pg_dump_result *out, struct err *e)
{
	struct pg_dump_source source = { .arg = s, .like = s->like,
		.more = s->schema_only ? file_piece : next_piece };
	struct err why;
	int result;

	if (s->copy != NULL) {
		source.item = pg_weave_item;
		source.data = pg_weave_data;
		s->holding = 1;
	}
	result = pg_dump_read(out, &source, e);
	if (s->copy != NULL && result == 0)
		out->bytes = s->at; /* with what was woven in */

	/* What pg_dump says explains a stream that is cut off. */
	if (result == 0 || e->code == ERR_DAMAGE) {
		if (child_end(s->child, &why) == -1) {
			*e = why;
			if (result == 0)
				pg_dump_result_free(out);
			result = -1;
		}
		s->child = NULL;
	}
	report_progress(s->report, s->what, 0, 0);
	pg_source_clear(s);
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
	for (tries = 0; tries < DUMP_TRIES && begun == 0; tries++) {
		if (pg_source_start(p, name, NULL, s, e) == -1)
			return -1;
		begun = pg_source_await(s, e);
	}
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
