/* op_status: where a database stands.  Writes nothing. */
#include "op/op_status.h"

#include <stdlib.h>
#include <string.h>

#include "backup/receipt.h"
#include "backup/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_status.h"
#include "guard/bind.h"
#include "guard/foreign.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/plan.h"
#include "migration/repair.h"
#include "op/op_state.h"
#include "op/op_triage.h"
#include "os/file.h"

struct status {
	struct doc_status *out;
	const struct op *o;
	const struct op_status_options *p;
	struct op_state s;
	struct plan plan;
};

static void
problem(struct status *s, const char *reason, const char *migration,
	const char *text, const char *next)
{
	struct doc_status_problem *x = shape_list_add(&s->out->problems,
		&doc_status_problem_shape);

	x->reason = mem_dup(reason);
	x->migration = mem_dup(migration);
	x->text = mem_dup(text);
	x->next = mem_dup(next);
}

static void
fill_heads(struct status *s)
{
	const struct migration **heads = graph_heads(&s->s.set);
	size_t i;

	for (i = 0; heads[i] != NULL; i++)
		strs_add(&s->out->heads, heads[i]->version);
	free(heads);
}

static void
fill_graph(struct status *s)
{
	const struct set *set = &s->s.set;
	size_t i, k;

	for (i = 0; i < set->n; i++) {
		const struct migration *m = &set->v[i];
		const struct ledger_row *row = ledger_find(&s->s.ledger,
			m->version);
		struct doc_status_node *x;

		if (version_is_repeatable(m->version))
			continue;
		x = shape_list_add(&s->out->graph, &doc_status_node_shape);
		x->migration = mem_dup(m->version);
		x->name = mem_dup(m->name);
		x->state = row == NULL ? "pending" :
			strcmp(row->state, "failed") == 0 ? "failed" :
			strcmp(row->state, "running") == 0 ? "running" :
			"applied";
		for (k = 0; k < m->parent_n; k++)
			strs_add(&x->after, m->parents[k]->version);
		if (!set->graph && i > 0)
			strs_add(&x->after, m[-1].version);
	}
}

static void
fill_plan(struct status *s)
{
	const struct migration *head = set_head(&s->s.set);
	size_t i;

	for (i = 0; i < s->plan.n; i++) {
		const struct migration *m = s->plan.pending[i];
		struct doc_status_pending *x = shape_list_add(
			&s->out->pending, &doc_status_pending_shape);

		x->migration = mem_dup(m->version);
		x->name = mem_dup(m->name);
		x->file = mem_dup(m->up.file);
	}
	for (i = 0; i < s->plan.problem_n; i++) {
		const struct plan_problem *p = &s->plan.problems[i];

		problem(s, plan_reason(p->kind), p->version, p->text,
			p->next);
	}
	for (i = 0; i < s->s.set.ignored.n; i++)
		strs_add(&s->out->ignored, s->s.set.ignored.v[i]);
	for (i = 0; i < s->s.ledger.n; i++)
		s->out->applied += strcmp(s->s.ledger.v[i].state, "applied") ==
			0;
	s->out->ledger = s->s.ledger.there;
	s->out->current = mem_dup(s->plan.current);
	if (head != NULL)
		s->out->head = mem_dup(head->version);
	fill_heads(s);
	if (s->p->graph)
		fill_graph(s);
}

static void
found(void *arg, const char *reason, const char *text, const char *next)
{
	struct status *s = arg;
	char *and_then;
	size_t i;

	/* An unfinished migration makes it again, when it is resumed. */
	for (i = 0; i < s->s.ledger.n; i++)
		if (strcmp(s->s.ledger.v[i].state, "applied") != 0)
			break;
	and_then = mem_printf("%s%s", next, strcmp(reason, "invalid-index") ==
		0 && i == s->s.ledger.n ? "; then make it again" : "");
	problem(s, reason, NULL, text, and_then);
	free(and_then);
}

static int
fill_schema(struct status *s, struct err *e)
{
	const char *table = NULL, *tool = NULL;
	char fingerprint[65], *text, *next;
	size_t i;
	int same;

	s->out->schema = "unknown";
	if (!s->s.ledger.there && s->s.ledger.host == NULL) {
		tool = foreign_tool(s->s.db, &table, e);
		if (tool == NULL)
			return e->code == ERR_NONE ? 0 : -1;
		/* With none of mig's, it is its own tool's, behind the guard. */
		if (s->s.set.n == 0)
			return 0;
		text = mem_printf("the history table '%s' of %s is there, and "
			"no ledger of mig", table, tool);
		next = mem_printf(FOREIGN_NEXT, tool);
		problem(s, "foreign-history", NULL, text, next);
		free(text);
		free(next);
		return 0;
	}
	/* What the other tool has applied since is no change outside. */
	for (i = 0; i < s->s.ledger.n; i++)
		if (s->s.ledger.v[i].tool == NULL)
			return 0;
	/* And what it has taken back, down to the first, is gone without a trace. */
	if (s->s.ledger.fingerprint == NULL || s->s.ledger.stale_n > 0 ||
		(s->s.ledger.host != NULL && s->s.ledger.n == 0))
		return 0;
	same = strcmp(s->s.fingerprint, s->s.ledger.fingerprint) == 0;
	/* What was asked ahead is older than the ledger: once more, then. */
	if (!same) {
		if (db_fingerprint(s->s.db, fingerprint, e) == -1)
			return -1;
		same = strcmp(fingerprint, s->s.ledger.fingerprint) == 0;
	}
	s->out->schema = same ? "same" : "changed";
	if (strcmp(s->out->schema, "changed") == 0)
		problem(s, "schema", NULL,
			"the schema was changed outside mig since the last "
			"migration",
			"write a migration for the change, or undo it");
	return 0;
}

/* One archive: its receipt, and whether mig-apply would take it now. */
static void
fill_backup(struct status *s, struct doc_status_backup *x,
	const struct store_item *item)
{
	struct receipt r;
	struct err why;
	int have;

	x->path = mem_dup(item->path);
	x->id = mem_dup(item->manifest.id);
	x->created = item->manifest.created;
	x->age_s = clock_now() - item->manifest.created;
	x->bytes = item->bytes;
	x->receipt = "none";
	have = receipt_read(&r, item->path, &why);
	if (have == 0) {
		err_set(&why, ERR_REFUSED, "no-receipt",
			"it was not verified");
	} else if (have == 1) {
		x->receipt = receipt_check(&r, item->path, &why) == 0 ? r.level :
			"stale";
		x->fresh = bind_check(&r, item->path, s->s.db,
			s->p->max_age_s, &why) == 0;
		shape_release(&receipt_shape, &r);
	} else {
		x->receipt = "stale";
	}
	if (!x->fresh)
		x->why = mem_dup(strcmp(why.reason, "schema") == 0 ?
			"taken before the last change of the schema: a way "
			"back, but none for the next change" : why.text);
}

static int
fill_backups(struct status *s, struct err *e)
{
	struct store store;
	size_t i, n = 0;

	if (store_list(&store, s->o->backups, &s->out->database, e) == -1)
		return -1;
	for (i = 0; i < store.n; i++) {
		const struct err *why = store.v[i].unread;

		if (why != NULL) {
			int damage = why->code == ERR_DAMAGE;
			char *text = mem_printf("%s%s", damage ?
				"the archive is damaged: " : "", why->text);

			problem(s, damage ? "damage" : why->reason, NULL, text,
				damage ? "mig-verify says what is wrong; move "
					"it away" : why->next);
			free(text);
			continue;
		}
		if (strcmp(store.v[i].manifest.purpose, "backup") == 0 &&
			n++ == 0) {
			s->out->backup = mem_alloc(sizeof(*s->out->backup));
			fill_backup(s, s->out->backup, &store.v[i]);
		}
		if (!s->p->backups)
			continue;
		fill_backup(s, shape_list_add(&s->out->backups,
			&doc_status_backup_shape), &store.v[i]);
	}
	store_free(&store);
	return 0;
}

static int
fill_repairs(struct status *s, struct err *e)
{
	const struct strs none = { 0 };
	struct repair r;
	size_t i;

	if (repair_make(&r, &s->plan, &s->s.set, &s->s.ledger, &none, e) == -1)
		return -1;
	for (i = 0; i < r.n; i++) {
		struct part_repair *x = shape_list_add(&s->out->repairs,
			&part_repair_shape);

		x->migration = mem_dup(r.v[i].version);
		x->action = repair_word(r.v[i].kind);
		x->text = mem_dup(r.v[i].text);
	}
	repair_free(&r);
	return 0;
}

static int
one_event(void *arg, const struct ledger_event *event, struct err *e)
{
	struct doc_status_event *x = shape_list_add(arg,
		&doc_status_event_shape);

	(void)e;
	x->at = event->at;
	x->event = mem_dup(event->event);
	x->migration = mem_dup(event->version);
	x->by = mem_dup(event->by);
	x->backup = mem_dup(event->backup);
	x->detail = mem_dup(event->detail);
	return 0;
}

static int
work(struct status *s, struct err *e)
{
	char holder[256];
	int guarded = 0;

	/* Whose tool is guarded has no folder that mig knows. */
	if (!s->p->check && !file_is_dir(s->o->migrations) &&
		op_triage_is_guarded(s->o, &guarded, e) == -1)
		return -1;
	s->s.ahead = 1;
	if (op_state_open(&s->s, s->o, DB_READ, !guarded, &s->out->database,
		e) == -1 || plan_make(&s->plan, &s->s.set, &s->s.ledger, NULL, e) == -1)
		return -1;
	s->out->folder = mem_dup(s->o->migrations);
	s->out->format = mem_dup(s->s.history.format->name);
	fill_plan(s);
	if (db_locked_by(s->s.db, holder, sizeof(holder)))
		s->out->running = mem_dup(holder);
	if (db_problems(s->s.db, found, s, e) == -1 ||
		fill_schema(s, e) == -1 || fill_backups(s, e) == -1)
		return -1;
	if (op_triage_fill(s->out, s->s.db, s->o, &s->s.ledger, e) == -1)
		return -1;
	if (s->p->repairs && fill_repairs(s, e) == -1)
		return -1;
	if (s->p->history &&
		ledger_each(s->s.db, one_event, &s->out->history, e) == -1)
		return -1;
	s->out->up_to_date = s->out->pending.n == 0 &&
		s->out->problems.n == 0 && s->out->triage == NULL;
	return 0;
}

int
op_status(struct doc_status *out, const struct op *o,
	const struct op_status_options *p, struct err *e)
{
	struct status s = { .out = out, .o = o, .p = p };
	int result;

	out->tool = mem_dup(o->tool);
	result = work(&s, e);
	plan_free(&s.plan);
	op_state_close(&s.s);
	return result;
}
