/*
 * op_squash: the oldest migrations become one, which makes the same database as
 * all of them: tried, and compared, before a file is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
#include "migration/history.h"
#include "migration/script.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "op/op_gen.h"
#include "op/op_gen_write.h"
#include "op/op_scratch.h"
#include "op/op_squash_part.h"
#include "os/file.h"

struct squash {
	struct doc_generation *out;
	const struct op *o;
	struct buf title; /* of the file */
	struct set set;
	const struct migration *last;
	char *marks; /* those that become one */
	char *text; /* of the file */
	struct strs roles; /* of the server that they are for */
	size_t replaced, squashed; /* versions that it stands for; lines of that word */
	char *name, *folder; /* of the file; where the old ones go */
};

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

/* What is tried on a scratch database is no failure of a migration. */
static int
not_possible(struct err *e, const char *what)
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
			not_possible(e, "what is to be squashed");
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

static void
put_version(struct buf *b, const char *version, size_t *column, size_t *n)
{
	if (*column > 60)
		*column = 0;
	if (*column == 0)
		buf_text(b, *n == 0 ? "-- mig: replaces" :
			"\n-- mig: replaces");
	buf_printf(b, "%s %s", *column == 0 ? "" : ",", version);
	*column += strlen(version) + 2;
	(*n)++;
}

/* A database may have been made by an earlier squashed one, which is no more. */
static void
put_squashed(struct squash *q, struct buf *b, const struct migration *m)
{
	const struct strs *l = &m->up.replaces;
	size_t i, column = 0;

	for (i = 0; i < m->up.squashed.n; i++)
		buf_printf(b, "\n-- mig: squashed %s", m->up.squashed.v[i]);
	q->squashed += m->up.squashed.n;
	for (i = 0; i < l->n; i++) {
		if (column == 0)
			buf_printf(b, "\n-- mig: squashed %s %s: %s", m->version,
				m->name, l->v[i]);
		else
			buf_printf(b, ", %s", l->v[i]);
		q->squashed += column == 0;
		column += strlen(l->v[i]) + 2;
		column = column > 60 ? 0 : column;
	}
}

static void
write_text(struct squash *q, const char *sql)
{
	struct buf b = { 0 };
	size_t i, k, column = 0;

	buf_printf(&b, "-- Written by mig-gen --squash: makes what the "
		"migrations up to %s made.\n", q->last->version);
	for (i = 0; i < q->set.n; i++) {
		/* One that is squashed itself stands for all of its own. */
		const struct strs *l = &q->set.v[i].up.replaces;

		if (q->marks[i] && l->n == 0)
			put_version(&b, q->set.v[i].version, &column,
				&q->replaced);
		for (k = 0; k < l->n && q->marks[i]; k++)
			put_version(&b, l->v[k], &column, &q->replaced);
	}
	for (i = 0; i < q->set.n; i++)
		if (q->marks[i])
			put_squashed(q, &b, &q->set.v[i]);
	buf_text(&b, "\n\n-- migrate:up\n\n");
	buf_text(&b, sql);
	q->text = buf_detach(&b);
}

/*
 * The file as mig will read it: a line of a row's text may look like a marker or
 * a directive.
 */
static int
read_back(struct squash *q, struct set *set, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	const struct migration_part *p;
	char *folder, *path;
	int result;

	if (file_make_temp_dir(tmp == NULL || *tmp == '\0' ? "/tmp" : tmp,
		"mig-squash-", &folder, e) == -1)
		return -1;
	path = file_join(folder, q->name);
	result = op_gen_write_file(path, q->text, strlen(q->text), e);
	if (result == 0 && set_read(set, folder, &format_mig, NULL, NULL, e) == -1)
		result = not_possible(e, "the squashed migration");
	if (result == 0) {
		p = set->n == 1 ? &set->v[0].up : NULL;
		if (p == NULL || set->v[0].down.text != NULL ||
			p->allow_loss.n + p->rebuilds.n + p->after.n > 0 ||
			p->include || p->placeholders || p->repeatable ||
			p->replaces.n != q->replaced ||
			p->squashed.n != q->squashed) {
			err_set(e, ERR_REFUSED, "squash", "a row or a "
				"definition has a line that mig would take for "
				"a marker or a directive");
			result = err_next(e, "squash up to an older version; no "
				"file was touched");
		}
	}
	if (result == -1)
		set_free(set);
	file_remove_tree(folder);
	free(path);
	free(folder);
	return result;
}

/* The new one alone, on an empty database, makes the same. */
static int
prove(struct squash *q, const char *sql, const char *fingerprint,
	struct err *e)
{
	char again[65], *same = NULL;
	struct set set = { 0 };
	struct db *d = NULL;
	int result = read_back(q, &set, e);

	if (result == 0)
		result = op_scratch_open(&d, q->o, e);
	if (result == 0)
		result = op_scratch_make(d, &q->roles, e);
	if (result == 0 && op_scratch_run(d, q->o, &set.v[0], 0, e) == -1)
		result = not_possible(e, "the squashed migration");
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
move(const char *from, const char *to, struct err *e)
{
	return rename(from, to) == 0 ? 0 : err_sys(e, "move '%s' to '%s'", from,
		to);
}

/* One side of a migration into the folder. */
static int
move_part(const struct squash *q, const struct migration_part *p,
	const char *except, struct err *e)
{
	char *to;
	int result;

	if (p->file == NULL || (except != NULL && strcmp(p->file, except) == 0))
		return 0;
	to = file_join(q->folder, file_base(p->file));
	result = move(p->file, to, e);
	free(to);
	return result;
}

/*
 * The new one is written beside the old ones, in the folder for them, and takes
 * its place at the end: a run that dies between leaves all files in the two.
 */
static int
exchange(struct squash *q, struct err *e)
{
	char *ready = file_join(q->folder, "new.sql");
	char *path = file_join(q->set.folder, q->name);
	size_t i;
	int made, result = file_make_dir(q->folder, 0777, &made, e);

	if (result == 0 && !made) {
		err_set(e, ERR_REFUSED, "exists", "'%s' exists", q->folder);
		result = err_next(e, "an earlier squash has left it; when every "
			"database has what is in it, move it away");
	}
	if (result == 0)
		result = op_gen_write_file(ready, q->text, strlen(q->text), e);
	for (i = 0; i < q->set.n && result == 0; i++)
		if (q->marks[i] && (move_part(q, &q->set.v[i].up, NULL, e) ==
			-1 || move_part(q, &q->set.v[i].down,
			q->set.v[i].up.file, e) == -1))
			result = err_next(e, "the files are in '%s' as far as "
				"they were moved: move them back", q->folder);
	if (result == 0)
		result = move(ready, path, e);
	if (result == 0)
		result = file_sync_dir_of(path, e);
	if (result == 0)
		strs_add(&q->out->files, path);
	free(ready);
	free(path);
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
		write_text(q, sql);
		result = prove(q, sql, fingerprint, e);
	}
	free(sql);
	if (result == 0)
		result = exchange(q, e);
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
	struct history h = { 0 };
	int result;

	out->tool = mem_dup(o->tool);
	out->action = "squash";
	out->folder = mem_dup(o->migrations);
	result = op_gen_write_slug(title == NULL ? "baseline" : title, &q.title,
		e);
	if (result == 0)
		result = history_open(&h, NULL, o->format, o->migrations, e);
	if (result == 0)
		result = set_read(&q.set, o->migrations, h.format, op_db_engine(o), NULL,
			e);
	if (result == 0)
		result = work(&q, version, e);
	history_close(&h);
	set_free(&q.set);
	buf_free(&q.title);
	free(q.marks);
	strs_free(&q.roles);
	free(q.text);
	free(q.name);
	free(q.folder);
	return result;
}
