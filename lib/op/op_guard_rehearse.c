/* op_guard_rehearse: another tool's command, first on the restored backup. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "backup/receipt.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc_apply.h"
#include "guard/loss.h"
#include "op/op_apply_part.h"
#include "op/op_census.h"
#include "op/op_rehearse.h"
#include "op/op_rehearse_part.h"
#include "os/call.h"

/* Names and paths, and no more than that: no url, no "key=value". */
static int
is_plain(const char *w)
{
	const char *p;

	for (p = w; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._/-+,", *p) ==
			NULL)
			return 0;
	return p > w && p - w <= 60;
}

char *
op_guard_words(const char *const *argv)
{
	struct buf b = { 0 };
	int i, value = 0;

	for (i = 0; argv[i] != NULL; i++) {
		const char *eq = strchr(argv[i], '=');

		if (i > 0)
			buf_char(&b, ' ');
		/* What follows an option may be its value. */
		if (eq != NULL && *argv[i] == '-')
			buf_printf(&b, "%.*s=...", (int)(eq - argv[i]),
				argv[i]);
		else if (i > 0 && *argv[i] == '-' && argv[i][1] != '-' &&
			strlen(argv[i]) > 2)
			buf_printf(&b, "%.2s...", argv[i]);
		else if (eq != NULL || (i > 0 && (value || !is_plain(
			argv[i]))))
			buf_text(&b, "...");
		else
			buf_shell(&b, argv[i]);
		value = i > 0 && *argv[i] == '-' && eq == NULL;
	}
	return buf_detach(&b);
}

/* Not where it leads, but how it is used there: search_path, options, schema. */
static int
is_place(const char *at, size_t n)
{
	static const char *const words[] = { "host", "hostaddr", "port",
		"user", "password", "dbname", "sslmode", "sslrootcert",
		"sslcert", "sslkey", "socket", "service", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strlen(*w) == n && strncmp(at, *w, n) == 0)
			return 1;
	return 0;
}

static char *
server_url(const char *rest, const char *like, size_t scheme)
{
	const char *p = strchr(like, '?');
	struct buf b = { 0 };

	buf_printf(&b, "%.*s%s", (int)scheme, like, rest);
	while (p != NULL && *p != '\0') {
		size_t n = strcspn(++p, "&"), word = strcspn(p, "=&");

		if (!is_place(p, word))
			buf_printf(&b, "&%.*s", (int)n, p);
		p += n;
	}
	return buf_detach(&b);
}

/*
 * dbmate has sqlite:PATH, SQLAlchemy sqlite:///PATH, Sqitch db:sqlite:PATH; the same
 * with drivers, "postgresql+psycopg2:".  Everything up to the path is kept.
 */
char *
op_guard_url(const char *copy, const char *like)
{
	const char *rest = strchr(copy, ':'), *at = like, *p, *query;
	size_t slashes;

	if (rest == NULL || like == NULL)
		return mem_dup(copy);
	rest++;
	for (p = like; isalnum((unsigned char)*p) || strchr("+-.", *p) != NULL;)
		if (*p == '\0')
			break;
		else if (*++p == ':')
			at = ++p;
	/* No scheme at all: a path, or words of libpq. */
	if (at == like)
		return mem_dup(strncmp(copy, "sqlite:", 7) == 0 ? rest : copy);
	if (strncmp(copy, "sqlite:", 7) != 0)
		return server_url(rest, like, (size_t)(at - like));
	slashes = strspn(at, "/");
	query = strchr(at, '?');
	return mem_printf("%.*s%s%s%s", (int)(at - like), like,
		slashes >= 3 ? "///" : slashes == 2 ? "//" : "", rest,
		query == NULL ? "" : query);
}

struct command_run {
	struct part_rehearsal *out;
	const struct op_rehearse *r;
	struct db *copy;
	struct op_census before, after;
};

static int
run_command(struct command_run *x, struct part_rehearsed *m, struct err *e)
{
	const struct op_apply_options *p = x->r->p;
	char *plain = db_stage_url(x->copy), *url, *variable;
	const char *like = getenv(p->url_env);
	struct strs environment = { 0 };
	int64_t start = clock_us();
	int status, result;

	url = op_guard_url(plain, like != NULL && *like != '\0' ? like :
		x->r->o->url);
	variable = mem_printf("%s=%s", p->url_env, url);
	strs_add(&environment, variable);
	strs_add(&environment, "MIG_GUARD=rehearse");
	report_say(x->r->o->report, REPORT_NOTE, "rehearsing %s",
		x->out->command);
	result = call_program(p->command, &environment, -1,
		&status, e);
	m->duration_us = clock_us() - start;
	if (result == 0 && status != 0)
		result = err_set(e, ERR_FAILED, "command", "'%s' ended with "
			"status %d on the copy", x->out->command, status);
	if (result == -1 && strcmp(e->reason, "command") == 0)
		err_next(e, "see what it said");
	strs_free(&environment);
	free(variable);
	free(url);
	free(plain);
	return result;
}

/*
 * One that changed nothing may have nothing to do, as a second run has; whether it went
 * to the real database instead is looked at there.
 */
static int
judge(struct command_run *x, struct part_rehearsed *m, struct err *e)
{
	struct strs allow = { 0 };
	size_t left;

	if (m->effects.n == 0 && strcmp(x->before.fingerprint,
		x->after.fingerprint) == 0) {
		strs_add(&x->out->notes, "The command has changed nothing on "
			"the copy: it has nothing to do, or it takes its url "
			"from somewhere else than the variable that was named.");
		report_say(x->r->o->report, REPORT_NOTE, "the command has "
			"changed nothing on the copy: it has nothing to do, or "
			"takes its url from somewhere else than %s",
			x->r->p->url_env);
	}
	loss_allow(&allow, x->copy, &x->r->p->allow);
	left = loss_judge(&m->losses, &allow);
	strs_free(&allow);
	return left == 0 ? 0 : loss_refuse(&m->losses, "--allow-loss", e);
}

static int
rehearse(struct command_run *x, struct err *e)
{
	struct part_rehearsed *m = shape_list_add(&x->out->migrations,
		&part_rehearsed_shape);
	int64_t before = 0, after = 0;

	m->migration = mem_dup("");
	m->name = mem_dup(x->out->command);
	m->checksum = mem_dup(x->before.fingerprint);
	m->down = "none";
	m->down_us = m->wal_bytes = m->size_after = -1;
	x->out->fingerprint = mem_dup(x->before.fingerprint);
	if (db_trace_size(x->copy, &m->size_before, e) == -1 ||
		db_trace_written(x->copy, &before, e) == -1 ||
		run_command(x, m, e) == -1 ||
		db_trace_written(x->copy, &after, e) == -1 ||
		db_trace_size(x->copy, &m->size_after, e) == -1 ||
		op_census_take(&x->after, x->copy, 1, e) == -1)
		return -1;
	/* SQLite counts by connection: what the command wrote is not seen. */
	if (db_can(x->copy, DB_CAP_SERVER))
		m->wal_bytes = after > before ? after - before : 0;
	m->fingerprint = mem_dup(x->after.fingerprint);
	op_census_compare(&m->effects, &m->losses, &x->before, &x->after, NULL);
	return judge(x, m, e);
}

int
op_rehearse_command(struct part_rehearsal *out, const struct op_rehearse *r,
	struct db *copy, struct err *e)
{
	struct command_run x = { .out = out, .r = r, .copy = copy };
	int result;

	out->command = op_guard_words(r->p->command);
	result = op_census_take(&x.before, copy, 1, e) == -1 ? -1 :
		rehearse(&x, e);
	op_census_free(&x.before);
	op_census_free(&x.after);
	return result;
}

/*
 * The one thing that a rehearsal must not do.  Others may have written meanwhile: it is
 * sure when the copy saw nothing of the command, or when the schema is another one.
 */
static int
still_there(struct apply *a, const char *before, struct err *e)
{
	const struct part_rehearsal *x = a->out->rehearsal;
	const struct part_rehearsed *m = x->migrations.items;
	char *now, fingerprint[65];
	int same, schema;

	if (db_written(a->s.db, &now, e) == -1 || db_fingerprint(a->s.db,
		fingerprint, e) == -1)
		return -1;
	same = strcmp(now, before) == 0;
	free(now);
	if (same)
		return 0;
	schema = x->fingerprint == NULL || !x->comparable || strcmp(
		fingerprint, x->fingerprint) == 0;
	if (schema && x->migrations.n > 0 && (x->error != NULL || m->effects.n >
		0 || m->fingerprint == NULL || strcmp(m->fingerprint,
		x->fingerprint) != 0)) {
		report_say(a->o->report, REPORT_WARN, "while the command ran "
			"on the copy, the real database was written to: by "
			"others, or by the command");
		return 0;
	}
	err_set(e, ERR_LEFT, "rehearsal", "while the command ran on the copy, "
		"the real database was written to, and %s: it seems that the "
		"command takes its url from somewhere else than %s", schema ?
		"the copy was not" : "its schema has changed", a->p->url_env);
	err_next(e, "see what it did; go back with: mig-rollback --restore");
	return err_next_word(e, a->out->backup->path);
}

int
op_guard_rehearse(struct apply *a, struct receipt *r, struct err *e)
{
	const struct op_rehearse how = { .o = a->o, .p = a->p,
		.scratch = a->p->scratch, .like = a->s.db };
	struct err second;
	char *before;
	int result;

	if (!a->p->rehearse)
		return 0;
	if (db_written(a->s.db, &before, e) == -1)
		return -1;
	a->out->rehearsal = mem_alloc(sizeof(*a->out->rehearsal));
	if (op_rehearse_archive(a->out->rehearsal, &how, a->out->backup->path,
		e) == -1) {
		shape_release(&part_rehearsal_shape, a->out->rehearsal);
		free(a->out->rehearsal);
		a->out->rehearsal = NULL;
		free(before);
		return -1;
	}
	result = still_there(a, before, e);
	free(before);
	if (result == -1)
		return -1;
	if (r->rehearsal != NULL)
		shape_release(&part_rehearsal_shape, r->rehearsal);
	free(r->rehearsal);
	r->rehearsal = a->out->rehearsal;
	if (receipt_write(r, a->out->backup->path, &second) == -1)
		report_say(a->o->report, REPORT_WARN, "the rehearsal could not "
			"be kept: %s", second.text);
	r->rehearsal = NULL;
	return op_rehearse_refuse(a->out->rehearsal, e);
}
