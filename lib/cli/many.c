/* many: one program over several databases. */
#include "cli/many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "cli/cli.h"
#include "cli/many_part.h"
#include "codec/pool.h"
#include "doc/doc.h"
#include "doc/doc_apply.h"
#include "doc/doc_error.h"
#include "doc/doc_rollback.h"
#include "doc/doc_summary.h"
#include "os/fleet.h"

int
many_asked(const struct cli *c)
{
	return c->urls.n > 1 || c->databases != NULL;
}

/* --- each run ------------------------------------------------------------- */

/* "--name=value" or "--name" of that name. */
static int
is_named(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, n) == 0 &&
		(word[2 + n] == '=' || word[2 + n] == '\0');
}

static int
job(void *arg, size_t i, struct fleet_job *out)
{
	static const char *const apart[] = { "database", "databases", "jobs",
		"output", "keep-going", "env", NULL };
	struct many *m = arg;
	struct many_one *x = &m->v[i];
	const struct cli *c = m->c;
	size_t k, a, n = 0;
	int cores = pool_cores() / (int)m->at_once;

	if (m->failed && !m->keep_going)
		return 0;
	strs_free(&m->words);
	strs_free(&m->environment);
	strs_add(&m->words, c->program->name);
	for (k = 0; k < c->words.n; k++) {
		for (a = 0; apart[a] != NULL; a++)
			if (is_named(c->words.v[k], apart[a]))
				break;
		if (apart[a] == NULL)
			strs_add(&m->words, c->words.v[k]);
	}
	strs_add(&m->words, "--output=json");
	if (x->section != NULL || c->env != NULL) {
		char *word = mem_printf("--env=%s", x->section != NULL ?
			x->section : c->env);

		strs_add(&m->words, word);
		free(word);
	}
	if (c->program->jobs) {
		char *word = mem_printf("--jobs=%d", cores < 1 ? 1 : cores);

		strs_add(&m->words, word);
		free(word);
	}
	/* By the environment: an argument is seen by everybody. */
	strs_add(&m->environment, "DATABASE_URL");
	if (x->url == NULL) {
		strs_add(&m->environment, "MIG_DATABASE_URL");
	} else {
		char *variable = mem_printf("MIG_DATABASE_URL=%s", x->url);

		strs_add(&m->environment, variable);
		free(variable);
	}
	m->argv = mem_grow(m->argv, m->words.n + 1, sizeof(*m->argv));
	for (n = 0; n < m->words.n; n++)
		m->argv[n] = m->words.v[n];
	m->argv[n] = NULL;
	out->argv = m->argv;
	out->environment = &m->environment;
	return 1;
}

static void
said(void *arg, size_t i, const char *line)
{
	const struct many *m = arg;
	size_t n = strlen(m->c->program->name);

	/* "mig-apply: text" becomes "mig-apply: label: text". */
	if (strncmp(line, m->c->program->name, n) == 0 && line[n] == ':')
		line += n + 1 + strspn(line + n + 1, " ");
	fprintf(stderr, "%s: %s: %s\n", m->c->program->name, m->v[i].label,
		line);
}

/* One that ended without a document was ended by a signal, or is a bug. */
static struct doc *
stand_in(const struct many *m, int status)
{
	struct doc *d = doc_new(&doc_error_shape);
	struct err e;

	err_set(&e, status > 128 ? ERR_ENV : ERR_BUG, status > 128 ?
		"interrupted" : "bug", "it ended with status %d, and without "
		"a document", status);
	err_next(&e, "look at the database with mig-status, and run it again");
	doc_error_fill(d->body, CLI_TOOL, m->c->program->name, &e);
	return d;
}

/* The error of a document; NULL: it has none. */
static const struct doc_error *
error_of(const struct doc *d)
{
	const struct doc_apply *apply = d->body;
	const struct doc_rollback *rollback = d->body;

	return d->shape == &doc_error_shape ? d->body :
		d->shape == &doc_apply_shape ? apply->error :
		d->shape == &doc_rollback_shape ? rollback->error : NULL;
}

/* All that have ended, and whose turn it is. */
static void
write_ended(struct many *m)
{
	while (m->shown < m->n && m->v[m->shown].ended) {
		struct many_one *x = &m->v[m->shown++];

		/* As text, an error has been said already. */
		if (!m->broken && (m->c->json || x->doc->shape !=
			&doc_error_shape) && cli_write(m->c, x->doc) != 0)
			m->broken = 1;
		doc_free(x->doc);
		x->doc = NULL;
	}
}

static void
ended(void *arg, size_t i, int status, const struct buf *out)
{
	struct many *m = arg;
	struct many_one *x = &m->v[i];
	struct doc_summary_result *r = &m->results[i];
	const struct doc_error *error;
	struct err ignored;

	if (doc_read(&x->doc, out->data == NULL ? "" : out->data, out->len,
		&ignored) == -1)
		x->doc = stand_in(m, status);
	error = error_of(x->doc);
	x->ended = 1;
	r->status = error != NULL && status > 128 ? ERR_ENV : status;
	if (error != NULL) {
		r->reason = mem_dup(error->reason);
		r->text = mem_dup(error->text);
	}
	m->summary->left--;
	if (r->status == 0)
		m->summary->done++;
	else
		m->summary->failed++;
	m->failed |= r->status != 0;
	write_ended(m);
}

/* --- all of them ---------------------------------------------------------- */

static int
settle(struct many *m)
{
	struct cli *c = m->c;
	const char *const *alone = c->program->alone;
	int64_t jobs = 0;
	size_t i;

	if (!c->program->many) {
		err_set(&c->err, ERR_USAGE, "usage",
			"%s works on one database", c->program->name);
		return err_next(&c->err, "name one with --database, and run it "
			"for each");
	}
	if (c->command.n > 0) {
		err_set(&c->err, ERR_USAGE, "usage", "a command is for one "
			"database, and several are named");
		return err_next(&c->err, "run it once for each");
	}
	if (c->operands.n > 0) {
		err_set(&c->err, ERR_USAGE, "usage", "'%s' is of one "
			"database, and several are named", c->operands.v[0]);
		return err_next(&c->err, "leave it out, or name one database");
	}
	for (i = 0; i < c->words.n; i++) {
		const char *const *name = alone;

		for (; name != NULL && *name != NULL; name++)
			if (is_named(c->words.v[i], *name)) {
				err_set(&c->err, ERR_USAGE, "usage",
					"--%s is of one database, and several "
					"are named", *name);
				return err_next(&c->err, "leave it out, or "
					"name one database");
			}
		m->keep_going |= is_named(c->words.v[i], "keep-going");
		if (is_named(c->words.v[i], "jobs") && cli_jobs(
			strchr(c->words.v[i], '=') + 1, &jobs, &c->err) == -1)
			return -1;
	}
	for (i = 0; i < c->urls.n; i++)
		if (many_add(m, c->urls.v[i], NULL, 0) == -1)
			return -1;
	if (c->databases != NULL && many_read_list(m) == -1)
		return -1;
	m->at_once = jobs > 0 ? (size_t)jobs : (size_t)pool_cores();
	if (m->at_once > m->n)
		m->at_once = m->n;
	return 0;
}

/* Said to a person; a program reads the document. */
static void
say_end(const struct many *m)
{
	const struct doc_summary *s = m->summary;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->results[i].status > 0)
			fprintf(stderr, "%s: FAILED %s: status %lld%s%s%s\n",
				m->c->program->name, m->v[i].label,
				(long long)m->results[i].status,
				m->results[i].reason == NULL ? "" : " [",
				m->results[i].reason == NULL ? "" :
				m->results[i].reason,
				m->results[i].reason == NULL ? "" : "]");
	fprintf(stderr, "%s: %zu databases: %lld done, %lld failed, %lld not "
		"begun\n", m->c->program->name, m->n, (long long)s->done,
		(long long)s->failed, (long long)s->left);
}

static int
status_of(const struct many *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->results[i].status > 0)
			return (int)m->results[i].status;
	return stop_asked() || m->summary->left > 0 || m->broken ? ERR_ENV : 0;
}

static int
run_all(struct many *m)
{
	struct doc *d = doc_new(&doc_summary_shape);
	struct fleet f = { .n = m->n, .at_once = m->at_once, .arg = m,
		.job = job, .said = said, .ended = ended };
	int64_t start = clock_ms();
	size_t i;
	int status;

	m->summary = d->body;
	m->summary->tool = mem_dup(CLI_TOOL);
	m->summary->program = mem_dup(m->c->program->name);
	m->summary->left = (int64_t)m->n;
	for (i = 0; i < m->n; i++) {
		struct doc_summary_result *r = shape_list_add(
			&m->summary->results, &doc_summary_result_shape);

		r->database = mem_dup(m->v[i].label);
		r->status = -1;
	}
	m->results = m->summary->results.items;
	if (fleet_run(&f, &m->c->err) == -1)
		cli_complain(m->c);
	write_ended(m);
	m->summary->duration_ms = clock_ms() - start;
	if (!m->c->quiet || m->failed)
		say_end(m);
	if (m->c->json && !m->broken && cli_write(m->c, d) != 0)
		m->broken = 1;
	status = status_of(m);
	doc_free(d);
	return status;
}

int
many_run(struct cli *c)
{
	struct many m = { .c = c };
	size_t i;
	int status = settle(&m) == -1 ? cli_fail(c) : run_all(&m);

	for (i = 0; i < m.n; i++) {
		free(m.v[i].url);
		free(m.v[i].section);
		free(m.v[i].label);
		doc_free(m.v[i].doc);
	}
	free(m.v);
	free(m.argv);
	strs_free(&m.words);
	strs_free(&m.environment);
	return status;
}
