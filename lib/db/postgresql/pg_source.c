/* pg_source: pg_dump as a source of bytes. */
#include "db/postgresql/pg_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/lex.h"
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_url.h"
#include "db/postgresql/pg_watch.h"
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

	buf_text(&b, "--exclude-table-data=");
	lex_quote(&b, t->schema, strlen(t->schema));
	buf_char(&b, '.');
	lex_quote(&b, t->name, strlen(t->name));
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
	pg_url_environment(p, name, &environment);
	add_option(&argv, program);
	strs_add(&argv, "--format=custom");
	strs_add(&argv, "--compress=0");
	strs_add(&argv, "--create");
	strs_add(&argv, "--no-password");
	/* Not what a role or a database has set for its sessions. */
	add_option(&argv, mem_printf("--encoding=%s",
		PQparameterStatus(p->c, "server_encoding")));
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
	if (result == 0 && s->b != NULL) /* what it leaves out, say */
		child_report(s->child, s->report);
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
		strstr(e->text, "deadlock detected") != NULL ||
		strstr(e->text, "could not obtain lock") != NULL ? 0 :
		pg_program_said(e);
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
			pg_program_said(e);
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
	struct err ignored;
	char *who = NULL;

	/* If that cannot be asked, the rest is still true. */
	if (pg_problems_locker(p, &who, &ignored) == -1)
		who = NULL;
	err_set(e, ERR_ENV, "busy", "%s: its tables are truncated, rewritten or "
		"locked all the time%s%s", p->shown, who == NULL ? "" : ": ",
		who == NULL ? "" : who);
	free(who);
	return err_next(e, "run it when nobody does that, or give it longer "
			   "with --busy-timeout TIME");
}

/* Where the rows of every table are: changes with TRUNCATE and rewrites. */
static int
places(struct pg *p, char **out, struct err *e)
{
	return pg_sql_value(p, out, e, "SELECT pg_catalog.sha256("
		"pg_catalog.string_agg(pg_catalog.concat_ws(' ', oid, "
		"relfilenode), ',' ORDER BY oid)::pg_catalog.bytea) FROM "
		"pg_catalog.pg_class "
		"WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND oid "
		">= 16384", NULL);
}

int
pg_source_unmoved(struct pg *p, struct err *e)
{
	char *then = NULL, *now = NULL;
	int result;

	if (places(p, &then, e) == -1 || places(p->observer, &now, e) == -1)
		result = -1;
	else
		result = (then == NULL && now == NULL) || (then != NULL &&
			now != NULL && strcmp(then, now) == 0);
	free(then);
	free(now);
	return result;
}

int
pg_source_hold(struct pg *p, struct err *e)
{
	char *sql = mem_printf("BEGIN ISOLATION LEVEL REPEATABLE READ, READ "
		"ONLY; SET LOCAL statement_timeout = 0; SET LOCAL "
		"idle_in_transaction_session_timeout = 0; %sSET LOCAL "
		"quote_all_identifiers = off; SET LOCAL lock_timeout = %lld",
		p->version >= 170000 ? "SET LOCAL transaction_timeout = 0; " :
				       "",
		(long long)(p->base.busy_ms > 0 ? p->base.busy_ms : 1));
	int result = pg_sql_exec(&p->base, sql, e);

	free(sql);
	return result;
}

/* A snapshot of our own for all who read on it: 1, 0 or -1. */
static int
begin_scan(struct pg *p, struct pg_source *s, int jobs, struct err *e)
{
	char *snapshot;
	int good;

	if (pg_watch_observer(p, e) == -1 || pg_source_hold(p, e) == -1 ||
		pg_sql_value(p, &snapshot, e,
		"SELECT pg_catalog.pg_export_snapshot()", NULL) == -1)
		return -1;
	good = pg_copy_begin(&s->copy, p, snapshot, jobs, e) == -1 ||
		pg_source_start(p, NULL, snapshot, s, e) == -1 ? -1 :
		pg_source_await(s, e);
	free(snapshot);
	if (good == 1)
		good = pg_copy_lock(s->copy, e);
	if (good == 1)
		good = pg_source_unmoved(p, e);
	return good == -1 && strcmp(e->reason, "lock-timeout") == 0 ? 0 : good;
}

static int
scan(struct pg *p, struct pg_source *s, int jobs, struct pg_dump_result *out,
	struct err *e)
{
	int tries, begun = 0, result = -1;

	memset(out, 0, sizeof(*out));
	for (tries = 0; tries < DUMP_TRIES && begun == 0; tries++) {
		begun = begin_scan(p, s, jobs, e);
		if (begun == 1)
			break;
		pg_source_clear(s);
		pg_copy_release(s->copy);
		pg_transaction_rollback(&p->base);
	}
	if (begun == 1)
		result = pg_source_read(s, out, e);
	else if (begun == 0)
		result = pg_source_busy(p, e);
	pg_source_clear(s);
	pg_copy_free(s->copy);
	pg_transaction_rollback(&p->base);
	return result;
}

int
pg_source_scan(struct pg *p, const char *what, int jobs,
	const struct pg_dump_result *like, struct pg_dump_result *out,
	struct err *e)
{
	struct pg_source s = { .report = p->base.report, .what = what,
		.like = like };
	char *size;

	if (pg_sql_value(p, &size, e, "SELECT pg_catalog.pg_database_size("
		"pg_catalog.current_database())", NULL) == -1)
		return -1;
	s.estimate = size == NULL ? 0 : strtoll(size, NULL, 10);
	free(size);
	return scan(p, &s, jobs, out, e);
}

int
pg_source_schema(struct pg *p, const char *path, struct err *e)
{
	struct pg_source s = { .report = p->base.report, .what = "schema",
		.schema_only = 1 };
	struct pg_dump_result r = { 0 };
	int begun, result = -1;

	s.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.fd == -1)
		return err_sys(e, "create '%s'", path);
	begun = pg_source_start(p, NULL, NULL, &s, e) == -1 ? -1 :
		pg_source_await(&s, e);
	if (begun == 1)
		result = pg_source_read(&s, &r, e);
	else if (begun == 0)
		result = pg_source_busy(p, e);
	pg_source_clear(&s);
	if (close(s.fd) == -1 && result == 0)
		result = err_sys(e, "close '%s'", path);
	pg_dump_result_free(&r);
	return result;
}
