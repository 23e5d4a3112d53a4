/* op_rollback: back by down scripts, behind a backup of its own. */
#include "op/op_rollback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/receipt.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/driver.h"
#include "doc/doc_rollback.h"
#include "guard/loss.h"
#include "guard/sanity.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/script.h"
#include "migration/text.h"
#include "op/op_state.h"
#include "op/run.h"
#include "op/secure.h"

struct back {
	struct doc_rollback *out;
	const struct op *o;
	const struct op_rollback_options *p;
	struct op_state s;
	const struct ledger_row **rows; /* without those that have no way back */
	size_t row_n;
	struct migration *v; /* to be undone, newest first */
	size_t *of; /* of each, its place in rows */
	size_t n;
};

/* The file that was applied, as far as mig or the other tool knows. */
static int
is_same(const struct migration *file, const struct ledger_row *row)
{
	if (row->sum != NULL && file->sum != NULL)
		return strcmp(row->sum, file->sum) == 0;
	return row->checksum == NULL ||
		strcmp(file->checksum, row->checksum) == 0;
}

/*
 * The migration to undo: its file when that is the one that was applied, else
 * what the ledger keeps.
 */
static int
take(struct back *b, const struct ledger_row *row, struct err *e)
{
	const struct migration *file = set_find(&b->s.set, row->version);
	struct migration *m = &b->v[b->n++];
	struct part_planned *x = shape_list_add(&b->out->plan,
		&part_planned_shape);

	if (row->base) {
		err_set(e, ERR_REFUSED, "no-down", "migration %s is of a "
			"baseline, or no SQL", row->version);
		return err_next(e, "go back with mig-rollback --restore");
	}
	if (ledger_may_be_late(&b->s.ledger, row)) {
		err_set(e, ERR_REFUSED, "history", "migration %s may have come "
			"late and never have run: mig applied those before "
			"and after it", row->version);
		return err_next(e, "see whether what it does is there; go back "
			"with mig-rollback --restore, or with %s",
			b->s.ledger.host);
	}
	/* The other tool may have applied either text. */
	if (b->s.ledger.host != NULL && file != NULL && !is_same(file, row)) {
		err_set(e, ERR_REFUSED, "checksum", "the file of migration %s "
			"(%s) is not the one that was applied", row->version,
			row->name);
		return err_next(e, "put it back as it was, or go back with "
			"mig-rollback --restore");
	}
	m->version = mem_dup(row->version);
	m->name = mem_dup(row->name);
	m->checksum = mem_dup(row->checksum);
	x->migration = mem_dup(row->version);
	x->name = mem_dup(row->name);
	x->source = "ledger";
	if (row->tool != NULL && ledger_texts(b->s.db, row->version,
		&m->up.text, &m->down.text, e) == -1)
		return -1;
	m->down.line = 1;
	format_settle(b->s.history.format, m);
	if (file != NULL && is_same(file, row) && file->down.text != NULL) {
		free(m->down.text);
		m->down.text = mem_dup(file->down.text);
		m->down.file = mem_dup(file->down.file);
		m->down.line = file->down.line;
		text_copy_places(&m->down, &file->down);
		m->down.outside = file->down.outside;
		x->source = "file";
	} else if (file == NULL) {
		report_say(b->o->report, REPORT_NOTE,
			"migration %s: its file is gone, using the ledger's "
			"down script", row->version);
	}
	if (m->down.text == NULL) {
		err_set(e, ERR_REFUSED, "no-down",
			"migration %s (%s) has no down script", row->version,
			row->name);
		return err_next(e, "go back with mig-rollback --restore");
	}
	if (migration_prepare(&m->down, e) == -1)
		return -1;
	if (b->s.history.format->placeholders)
		m->down.placeholders = m->down.file != NULL ?
			file->down.placeholders :
			text_has_placeholder(m->down.text);
	text_fill(&m->down, b->o->values);
	return 0;
}

/* When each was applied, as the events say. */
struct moments {
	const struct ledger *l;
	size_t *when; /* for each of the ledger's rows; 0: not known */
	size_t now;
};

static int
note_moment(void *arg, const struct ledger_event *event, struct err *e)
{
	struct moments *t = arg;
	const struct ledger_row *row = event->version == NULL ? NULL :
		ledger_find(t->l, event->version);

	(void)e;
	t->now++;
	if (row != NULL && strcmp(event->event, "apply") == 0)
		t->when[row - t->l->v] = t->now;
	return 0;
}

/*
 * Where its file stands.  One whose file is gone may stand on all that was
 * applied before it.
 */
static size_t
place(const struct back *b, const struct moments *t, size_t row)
{
	const struct set *s = &b->s.set;
	const struct migration *m = set_find(s, t->l->v[row].version);
	size_t i, last = 0;

	if (m != NULL)
		return (size_t)(m - s->v) + 1;
	for (i = 0; i < t->l->n; i++) {
		m = t->when[i] < t->when[row] ? set_find(s,
			t->l->v[i].version) : NULL;
		if (m != NULL && (size_t)(m - s->v) + 1 > last)
			last = (size_t)(m - s->v) + 1;
	}
	return last;
}

/* The rows in the order in which they stand on each other. */
static int
order_rows(struct back *b, struct err *e)
{
	const struct ledger *l = &b->s.ledger;
	struct moments t = { .l = l };
	size_t i, k, *places;

	t.when = mem_array(l->n, sizeof(*t.when));
	if (b->s.set.graph && ledger_each(b->s.db, note_moment, &t, e) == -1) {
		free(t.when);
		return -1;
	}
	places = mem_array(l->n, sizeof(*places));
	b->rows = mem_array(l->n, sizeof(*b->rows));
	for (i = 0; i < l->n; i++) {
		size_t at = b->s.set.graph ? place(b, &t, i) : 0;

		if (version_is_repeatable(l->v[i].version))
			continue; /* it has no way back */
		for (k = b->row_n++; k > 0 && places[k - 1] > at; k--) {
			places[k] = places[k - 1];
			b->rows[k] = b->rows[k - 1];
		}
		places[k] = at;
		b->rows[k] = &l->v[i];
	}
	free(places);
	free(t.when);
	return 0;
}

/* What stays: the version that was named, and all that it stands on. */
static char *
find_kept(struct back *b, struct err *e)
{
	const char *to = b->p->to;
	const struct set *s = &b->s.set;
	const struct migration *m = set_find(s, to);
	char *keep = mem_array(b->row_n, 1), *marks;
	size_t i;

	if (s->graph && m == NULL && strcmp(to, "0") != 0) {
		err_set(e, ERR_REFUSED, "missing", "the file of migration %s "
			"is gone: what it stands on is not known", to);
		err_next(e, "bring the file back, or use --steps");
		free(keep);
		return NULL;
	}
	marks = mem_array(s->n, 1);
	if (m != NULL && s->graph)
		graph_mark(s, m, marks);
	for (i = 0; i < b->row_n; i++) {
		const struct migration *x = set_find(s, b->rows[i]->version);

		keep[i] = m != NULL && s->graph && x != NULL ?
			marks[x - s->v] : version_compare(b->s.ledger.rule,
				b->rows[i]->version, to) <= 0;
	}
	free(marks);
	return keep;
}

static int
choose(struct back *b, struct err *e)
{
	char *keep = NULL;
	size_t i;
	int result = 0;

	if (order_rows(b, e) == -1)
		return -1;
	b->v = mem_array(b->row_n, sizeof(*b->v));
	b->of = mem_array(b->row_n, sizeof(*b->of));
	if (b->p->to != NULL && strcmp(b->p->to, "0") != 0 &&
		(version_is_repeatable(b->p->to) ||
			ledger_find(&b->s.ledger, b->p->to) == NULL)) {
		err_set(e, ERR_USAGE, "version",
			"no applied migration has the version '%s'%s",
			b->p->to, version_is_repeatable(b->p->to) ?
			": repeatable ones have no place in the order" : "");
		return err_next(e, "mig-status --history lists them; --to 0 "
				   "means all");
	}
	if (b->p->to != NULL && (keep = find_kept(b, e)) == NULL)
		return -1;
	for (i = b->row_n; i > 0 && result == 0; i--) {
		const struct ledger_row *row = b->rows[i - 1];

		if (keep == NULL && b->n == (size_t)b->p->steps)
			break;
		if (strcmp(row->state, "applied") != 0) {
			err_set(e, ERR_REFUSED, row->state,
				"migration %s is %s, not applied",
				row->version, row->state);
			result = err_next(e, "go back with mig-rollback "
					     "--restore");
		} else if (keep == NULL || !keep[i - 1]) {
			b->of[b->n] = i - 1;
			result = take(b, row, e);
		}
	}
	free(keep);
	return result;
}

static int
forecast(struct back *b, struct err *e)
{
	struct part_planned *plan = b->out->plan.items;
	struct err first;
	size_t i;
	int refused = 0;

	for (i = 0; i < b->n; i++) {
		struct migration_part *part = &b->v[i].down;
		struct strs rebuilds = { 0 };
		struct script s;
		size_t k;
		int bad;

		if (script_of_part(part, db_rules(b->s.db), &s, e) == -1)
			return err_wrap(e, "down of migration %s",
				b->v[i].version);
		plan[i].statements = (int64_t)s.n;
		if (db_can(b->s.db, DB_CAP_REBUILD))
			script_rebuilds(&s, &rebuilds);
		for (k = 0; k < part->rebuilds.n && db_can(b->s.db,
			DB_CAP_REBUILD); k++)
			strs_add_once(&rebuilds, part->rebuilds.v[k]);
		bad = sanity_script(part, &s, db_rules(b->s.db), e) == -1 ||
			loss_forecast(&plan[i].losses, b->s.db, &s, &rebuilds,
				e) == -1;
		strs_free(&rebuilds);
		script_free(&s);
		if (bad) {
			text_hide(part, e);
			return -1;
		}
		if (loss_judge(&plan[i].losses, &part->allow_loss) > 0 &&
			!b->p->accept_loss && !refused) {
			loss_refuse(&plan[i].losses, "--accept-loss for",
				&first);
			text_hide(part, &first);
			err_wrap(&first, "the down of migration %s (%s)",
				b->v[i].version, b->v[i].name);
			err_next(&first, "if that is meant, use --accept-loss; "
				"what it loses stays in the backup taken "
				"before");
			refused = 1;
		}
	}
	if (refused)
		*e = first;
	return refused ? -1 : 0;
}

static int
confirm(struct back *b, struct err *e)
{
	char text[256];

	if (b->o->confirm == NULL)
		return 0;
	snprintf(text, sizeof(text), "Roll back %zu migration%s of '%s'?",
		b->n, b->n == 1 ? "" : "s", db_name(b->s.db));
	return b->o->confirm(b->o->arg, text, e);
}

static int
take_backup(struct back *b, struct err *e)
{
	struct secure s = { .max_age_s = 3600, .fresh = 1, .safety = 1 };
	struct receipt r;

	b->out->safety = mem_alloc(sizeof(*b->out->safety));
	if (secure_backup(b->out->safety, &r, b->o, b->s.db, &s, e) == -1) {
		free(b->out->safety);
		b->out->safety = NULL;
		return -1;
	}
	shape_release(&receipt_shape, &r);
	return 0;
}

/* What is the newest when the first n of them are undone; NULL: nothing. */
static const char *
version_left(const struct back *b, size_t n)
{
	size_t i, k = 0;

	for (i = b->row_n; i > 0; i--) {
		if (k == n || b->of[k] != i - 1)
			return b->rows[i - 1]->version;
		k++;
	}
	return NULL;
}

static int
undo_all(struct back *b, struct err *e)
{
	const struct strs none = { 0 };
	char *me = ledger_me();
	struct run r = { .db = b->s.db, .history = &b->s.history, .tool = b->o->tool, .by = me,
		.report = b->o->report,
		.allow = &none, .allow_all = b->p->accept_loss,
		.option = "--accept-loss for", .down = 1,
		.ledger = b->s.ledger.there, .backup = b->out->safety->id };
	struct err second;
	size_t i;
	int result = 0;

	for (i = 0; i < b->n && result == 0; i++) {
		struct part_done *done = shape_list_add(&b->out->done,
			&part_done_shape);

		r.last = i + 1 == b->n;
		r.before = version_left(b, i + 1);
		result = stop_check(e);
		if (result == 0)
			result = run_migration(done, &b->v[i], &r, e);
		r.ledger |= result == 0;
		if (result == 0)
			continue;
		b->out->done.n--;
		shape_release(&part_done_shape, done);
		if (e->code == ERR_REFUSED && b->out->done.n > 0)
			e->code = ERR_FAILED;
		if (e->code == ERR_FAILED &&
			run_note_failure(b->s.db, &b->v[i], &r, e, &second) ==
				-1)
			report_say(b->o->report, REPORT_WARN,
				"the failure could not be written to the "
				"ledger: %s", second.text);
	}
	free(me);
	return result;
}

/* What is applied now, after some were undone. */
static void
set_current(struct back *b)
{
	free(b->out->current);
	b->out->current = mem_dup(version_left(b, b->out->done.n));
}

static int
work(struct back *b, struct err *e)
{
	int result;

	/* The ledger has the texts: the folder may be gone. */
	if (op_state_open(&b->s, b->o, b->p->dry_run ? DB_READ : DB_WRITE, 0,
		&b->out->database, e) == -1)
		return -1;
	result = choose(b, e);
	set_current(b);
	if (result == -1)
		return -1;
	if (b->n == 0) {
		b->out->result = "nothing";
		return 0;
	}
	if (forecast(b, e) == -1)
		return -1;
	if (b->p->dry_run) {
		b->out->result = "planned";
		return 0;
	}
	if (confirm(b, e) == -1 || take_backup(b, e) == -1)
		return -1;
	result = undo_all(b, e);
	set_current(b);
	if (result == 0)
		b->out->result = "done";
	return result;
}

int
op_rollback(struct doc_rollback *out, const struct op *o,
	const struct op_rollback_options *p, struct err *e)
{
	struct back b = { .out = out, .o = o, .p = p };
	int64_t start = clock_ms();
	size_t i;
	int result;

	out->tool = mem_dup(o->tool);
	out->mode = "down";
	out->result = "failed";
	result = work(&b, e);
	out->duration_ms = clock_ms() - start;
	for (i = 0; i < b.n; i++)
		migration_free(&b.v[i]);
	free(b.v);
	free(b.of);
	free(b.rows);
	op_state_close(&b.s);
	return result;
}
