/*
 * op_squash: the oldest migrations become one, which makes the same database as
 * all of them: tried, and compared, before a file is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/db.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "op/op_gen.h"
#include "op/op_gen_write.h"
#include "op/op_scratch.h"
#include "op/op_squash_part.h"

static int
refuse(struct err *e, const struct migration *m, const char *what,
	const char *next)
{
	err_set(e, ERR_REFUSED, "squash", "migration %s (%s) %s", m->version,
		m->name, what);
	return err_next(e, "%s", next);
}

/* What can be written down, and would leave the others whole. */
static int
judge(struct squash *q, struct err *e)
{
	const struct set *s = &q->set;
	size_t i, k;

	if (s->format->graph != FORMAT_LINE) {
		err_set(e, ERR_USAGE, "format", "the migrations are %s's, which "
			"mig cannot squash", s->format->shown);
		return err_next(e, "--squash is for mig's own format");
	}
	for (i = 0; i < s->n; i++) {
		const struct migration *m = &s->v[i];

		if (q->marks[i] && (m->up.placeholders || m->down.placeholders))
			return refuse(e, m, "has placeholders, whose values "
				"would stand in the new file", "squash up to a "
				"version before it");
		for (k = 0; k < m->parent_n && !q->marks[i]; k++)
			if (q->marks[m->parents[k] - s->v] && m->parents[k] !=
				q->last)
				return refuse(e, m, "comes after one that "
					"would be gone", "squash up to a "
					"version on which all others stand");
	}
	return 0;
}

int
op_squash_not_possible(struct err *e, const char *what)
{
	char text[sizeof(e->text)];

	if (e->code != ERR_FAILED && e->code != ERR_LEFT &&
		strcmp(e->reason, "scan") != 0 && strcmp(e->reason,
		"migration") != 0)
		return -1;
	snprintf(text, sizeof(text), "%s", e->text);
	err_set(e, ERR_REFUSED, "squash", "%s cannot be run: %s", what, text);
	return err_next(e, "squash up to an older version; no file was "
		"touched");
}

/* All of them, on an empty database. */
static int
run_old(struct squash *q, char **sql, char fingerprint[65], struct err *e)
{
	struct db *d;
	size_t i;
	int result = op_scratch_open(&d, q->o, e);

	if (result == 0)
		result = op_scratch_make(d, &q->roles, e);
	for (i = 0; i < q->set.n && result == 0; i++) {
		if (!q->marks[i])
			continue;
		result = stop_check(e);
		if (result == 0)
			result = op_scratch_run(d, q->o, &q->set.v[i], 0, e);
		if (result == -1)
			op_squash_not_possible(e, "what is to be squashed");
	}
	if (result == 0)
		result = op_squash_dump(d, sql, e);
	if (result == 0)
		result = db_fingerprint(d, fingerprint, e);
	db_close(d);
	return result;
}

/* Whether they may write down the time, of which SQLite knows full seconds. */
static int
has_time(const struct squash *q)
{
	size_t i;

	for (i = 0; i < q->set.n; i++)
		if (q->marks[i] && (strcasestr(q->set.v[i].up.text, "current_") !=
			NULL || strcasestr(q->set.v[i].up.text, "now") != NULL ||
			strcasestr(q->set.v[i].up.text, "epoch") != NULL))
			return 1;
	return 0;
}

/*
 * What they fill in anew each time, a time or something random, would be the same
 * everywhere from now on.
 */
static int
look_again(struct squash *q, const char *sql, struct err *e)
{
	char fingerprint[65], *again;
	struct strs lines = { 0 };
	size_t i;

	if (has_time(q))
		clock_pause_ms(1001);
	if (run_old(q, &again, fingerprint, e) == -1)
		return -1;
	op_squash_differing(sql, again, &lines);
	for (i = 0; i < lines.n; i++)
		report_say(q->o->report, REPORT_WARN, "each run of the migrations "
			"makes other rows: %s; the squashed one makes those of "
			"one run, in every database", lines.v[i]);
	strs_free(&lines);
	free(again);
	return 0;
}

/* The new one alone, on an empty database, makes the same. */
static int
prove(struct squash *q, const char *sql, const char *fingerprint,
	struct err *e)
{
	char again[65], *same = NULL;
	struct set set = { 0 };
	struct db *d = NULL;
	int result = op_squash_read_back(q, &set, e);

	if (result == 0)
		result = op_scratch_open(&d, q->o, e);
	if (result == 0)
		result = op_scratch_make(d, &q->roles, e);
	if (result == 0 && op_scratch_run(d, q->o, &set.v[0], 0, e) == -1)
		result = op_squash_not_possible(e, "the squashed migration");
	set_free(&set);
	if (result == 0)
		result = op_squash_dump(d, &same, e);
	if (result == 0)
		result = db_fingerprint(d, again, e);
	db_close(d);
	if (result == 0 && (strcmp(again, fingerprint) != 0 ||
		strcmp(same, sql) != 0)) {
		err_set(e, ERR_REFUSED, "squash", "the squashed migration does "
			"not make the same %s as those before it",
			strcmp(again, fingerprint) != 0 ? "schema" : "rows");
		result = err_next(e, "squash up to an older version; no file "
			"was touched");
	}
	free(same);
	return result;
}

static int
work(struct squash *q, const char *version, struct err *e)
{
	char fingerprint[65], *sql = NULL;
	int result;

	q->last = set_named(&q->set, version, e);
	if (q->last == NULL || graph_judge(&q->set, NULL, e) == -1)
		return -1;
	q->marks = mem_array(q->set.n, 1);
	graph_mark(&q->set, q->last, q->marks);
	if (judge(q, e) == -1)
		return -1;
	q->name = mem_printf("%s_%s.sql", q->last->version, q->title.data);
	q->folder = mem_printf("%s/squashed-%s", q->set.folder,
		q->last->version);
	result = op_scratch_roles(&q->roles, q->o, e);
	if (result == 0)
		result = run_old(q, &sql, fingerprint, e);
	if (result == 0)
		result = look_again(q, sql, e);
	if (result == 0) {
		op_squash_write_text(q, sql);
		result = prove(q, sql, fingerprint, e);
	}
	free(sql);
	if (result == 0)
		result = op_squash_exchange(q, e);
	if (result == 0) {
		q->out->migration = mem_dup(q->last->version);
		report_say(q->o->report, REPORT_NOTE, "the old files are in "
			"'%s', which mig does not look at", q->folder);
	}
	return result;
}

int
op_squash(struct doc_generation *out, const struct op *o, const char *version,
	const char *title, struct err *e)
{
	struct squash q = { .out = out, .o = o };
	const struct format *format;
	int result;

	out->tool = mem_dup(o->tool);
	out->action = "squash";
	out->folder = mem_dup(o->migrations);
	result = op_gen_write_slug(title == NULL ? "baseline" : title, &q.title,
		e);
	if (result == 0)
		result = op_gen_format(o, &format, e);
	if (result == 0)
		result = set_read(&q.set, o->migrations, format, op_db_engine(o),
			NULL, e);
	if (result == 0)
		result = work(&q, version, e);
	set_free(&q.set);
	buf_free(&q.title);
	free(q.marks);
	strs_free(&q.roles);
	free(q.text);
	free(q.name);
	free(q.folder);
	return result;
}
