/* op_rollback_choose: what is to be undone, and in which order. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc_rollback.h"
#include "doc/part.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/text.h"
#include "op/op_rollback_part.h"

/* The file that was applied, as far as mig or the other tool knows. */
static int
is_same(const struct migration *file, const struct ledger_row *row)
{
	if (row->sum != NULL && file->sum != NULL)
		return strcmp(row->sum, file->sum) == 0;
	return row->checksum == NULL ||
		strcmp(file->checksum, row->checksum) == 0;
}

static int
no_down(const struct ledger_row *row, const struct migration *file,
	struct err *e)
{
	if (file == NULL || file->code == NULL) {
		err_set(e, ERR_REFUSED, "no-down", "migration %s (%s) has no "
			"down script", row->version, row->name);
		return err_next(e, "go back with mig-rollback --restore");
	}
	err_set(e, ERR_REFUSED, "no-down", "migration %s (%s) is %s, which mig "
		"cannot run", row->version, row->name, file->code);
	return err_next(e, "take it back by its own tool, behind mig: mig-apply "
		"-- COMMAND; or go back with mig-rollback --restore");
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
	if (m->down.text == NULL)
		return no_down(row, file, e);
	if (migration_prepare(&m->down, e) == -1)
		return -1;
	if (b->s.history.format->placeholders)
		m->down.placeholders = m->down.file != NULL ?
			file->down.placeholders :
			text_has_placeholder(b->s.history.format->placeholders,
				m->down.text);
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

/* Where its file stands. */
static size_t
place(const struct back *b, size_t row)
{
	return (size_t)(set_find(&b->s.set, b->s.ledger.v[row].version) -
		b->s.set.v) + 1;
}

/* A file of a graph is gone: what stands on what is not known any more. */
static int
is_gone(const struct back *b)
{
	size_t i;

	for (i = 0; i < b->s.ledger.n && b->s.set.graph; i++)
		if (!version_is_repeatable(b->s.ledger.v[i].version) &&
			set_find(&b->s.set, b->s.ledger.v[i].version) == NULL)
			return 1;
	return 0;
}

/* The rows in the order in which they stand on each other. */
static int
order_rows(struct back *b, struct err *e)
{
	const struct ledger *l = &b->s.ledger;
	struct moments t = { .l = l };
	size_t i, k, *places;
	int gone = is_gone(b);

	t.when = mem_array(l->n, sizeof(*t.when));
	if (b->s.set.graph && ledger_each(b->s.db, note_moment, &t, e) == -1) {
		free(t.when);
		return -1;
	}
	places = mem_array(l->n, sizeof(*places));
	b->rows = mem_array(l->n, sizeof(*b->rows));
	for (i = 0; i < l->n; i++) {
		size_t at = !b->s.set.graph ? 0 : gone ? t.when[i] :
			place(b, i);

		if (version_is_repeatable(l->v[i].version))
			continue; /* it has no way back */
		for (k = b->row_n++; k > 0 && places[k - 1] > at; k--) {
			places[k] = places[k - 1];
			b->rows[k] = b->rows[k - 1];
		}
		places[k] = at;
		b->rows[k] = &l->v[i];
	}
	/* Then what was applied last goes first, which is always a way. */
	b->by_moment = gone;
	free(places);
	free(t.when);
	return 0;
}

/* What stays: the version that was named, and all that it stands on. */
static char *
find_kept(const struct back *b)
{
	const char *to = b->p->to;
	const struct set *s = &b->s.set;
	const struct migration *m = set_find(s, to);
	char *keep = mem_array(b->row_n, 1), *marks;
	size_t i;

	/* All that was there when it was the newest. */
	for (i = b->row_n; i > 0 && b->by_moment; i--)
		if (version_compare(b->s.ledger.rule, b->rows[i - 1]->version,
			to) == 0) {
			memset(keep, 1, i);
			break;
		}
	if (b->by_moment)
		return keep;
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

int
op_rollback_choose(struct back *b, struct err *e)
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
	if (b->p->to != NULL)
		keep = find_kept(b);
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
