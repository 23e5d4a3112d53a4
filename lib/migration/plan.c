/* plan: what the files and the ledger say together. */
#include "migration/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/ledger.h"
#include "migration/plan_part.h"
#include "migration/set.h"

const char *
plan_reason(enum plan_problem_kind kind)
{
	static const char *const words[] = { "checksum", "missing", "order",
		"failed", "running", "code", "history", "history",
		"line-ends", "history", "failed", "heads",
		"squash" };

	return words[kind];
}

int
plan_is_note(enum plan_problem_kind kind)
{
	return kind == PLAN_UNDONE || kind == PLAN_LINES ||
		kind == PLAN_LATE;
}

struct plan_problem *
plan_problem(struct plan *p, enum plan_problem_kind kind, const char *version)
{
	struct plan_problem *x;

	p->problems = mem_grow(p->problems, p->problem_n + 1,
		sizeof(*p->problems));
	x = &p->problems[p->problem_n++];
	x->kind = kind;
	x->version = mem_dup(version);
	x->text = x->next = NULL;
	return x;
}

/* Failed, or interrupted, as mig or the host knows it. */
static void
unfinished(struct plan *p, const struct ledger *l, const struct ledger_row *row)
{
	int failed = strcmp(row->state, "failed") == 0;
	struct plan_problem *x = plan_problem(p, failed ? PLAN_FAILED :
		PLAN_RUNNING, row->version);

	if (row->tool == NULL) {
		x->kind = PLAN_HOST;
		x->text = mem_printf("migration %s, or the way back to it, "
			"failed, as the table of %s says; what it left is not "
			"known", row->version, l->host);
		x->next = mem_printf("look at what is there, then put it right "
			"with that tool (golang-migrate: force, Flyway: "
			"repair, Prisma: resolve), by mig-apply --repair%s, or "
			"go back with mig-rollback --restore", l->newest_only ?
			"-applied with the version that the database is at" :
			"");
		return;
	}
	x->text = mem_printf("migration %s %s after %lld of its statements, "
		"which stay done", row->version, failed ? "failed" :
		"was interrupted", (long long)row->statements);
	x->next = mem_dup("mend the cause and run mig-apply --resume, or go "
		"back with mig-rollback --restore; if it was put right by "
		"hand, mig-apply --repair");
}

/* What the host keeps of the file, and what mig does. */
static int
look_at_text(struct plan *p, const struct set *s, const struct ledger *l,
	const struct ledger_row *row, const struct migration *m, struct err *e)
{
	int same = row->sum == NULL ? 1 : set_same_sum(s, m, row->sum, e);
	struct plan_problem *x;

	if (same == -1)
		return -1;
	if (same == 1 && row->sum != NULL)
		return 0; /* the tool knows this very file */
	if (same == 2) {
		x = plan_problem(p, PLAN_LINES, row->version);
		x->text = mem_printf("migration %s (%s) has other line ends "
			"than when it was applied, and %s may refuse it",
			row->version, row->name, l->host);
		x->next = mem_printf("check it out with the line ends that it "
			"had (git: *.sql -text in .gitattributes)");
	} else if (same == 0 || m->checksum == NULL ||
		(row->checksum != NULL &&
			strcmp(m->checksum, row->checksum) != 0)) {
		x = plan_problem(p, PLAN_CHECKSUM, row->version);
		x->text = mem_printf("migration %s (%s) was changed after it "
			"was applied", row->version, row->name);
		x->next = mem_dup("put the file back as it was and write a "
			"new migration for the change; if the database has the "
			"change, mig-apply --repair");
	}
	return 0;
}

/* What a row of the ledger says of its file. */
static int
look_at_row(struct plan *p, const struct set *s, const struct ledger *l,
	const struct ledger_row *row, struct err *e)
{
	const struct migration *m = set_find(s, row->version);
	struct plan_problem *x;

	if (strcmp(row->state, "applied") != 0) {
		unfinished(p, l, row);
		return 0;
	}
	if (version_is_repeatable(row->version))
		return 0; /* changed, it is pending; gone, it has no way back */
	if (row->base)
		return 0;
	if (ledger_may_be_late(l, row)) {
		x = plan_problem(p, PLAN_LATE, row->version);
		x->text = mem_printf("migration %s (%s) counts as applied for "
			"%s, but may have come late and never have run: mig "
			"applied those before and after it", row->version,
			row->name, l->host);
		x->next = mem_dup("see whether what it does is there; if not, "
			"give the file a newer version");
	}
	/* A squashed migration stands for what was applied. */
	if (set_replaced(s, row->version) != NULL && (m == NULL ||
		plan_squashed_count(l, m) > 1))
		return 0;
	if (m != NULL)
		return look_at_text(p, s, l, row, m, e);
	x = plan_problem(p, PLAN_MISSING, row->version);
	x->text = mem_printf("migration %s (%s) is applied, but its file is "
		"gone", row->version, row->name);
	x->next = mem_dup("bring the file back, or use --allow-missing");
	return 0;
}

/* What mig knows as applied and the host's table does not hold. */
static void
look_at_stale(struct plan *p, const struct set *s, const struct ledger *l,
	const struct ledger_row *row)
{
	const struct migration *m = set_find(s, row->version);
	/* Only a table that is there, and once knew it, can have lost it. */
	int told = l->host_there && ledger_was_told(row, l->host);
	struct plan_problem *x = plan_problem(p, told ? PLAN_UNDONE : PLAN_UNTOLD,
		row->version);

	x->text = told ? mem_printf("migration %s (%s) was applied by mig and "
		"is not in the table of %s any more, which is right: it counts "
		"as taken back", row->version, row->name, l->host) :
		mem_printf("migration %s (%s) was applied by mig, and the "
		"table of %s %s", row->version, row->name, l->host,
		l->host_there ? "was never told" : "is not there");
	x->next = told ? mem_dup("nothing, if it was meant; mig-apply applies "
		"it again") : mem_printf("%s; if these are not its migrations, "
		"use another --format", l->host_there || !ledger_was_told(row,
		l->host) ? "write it there by mig-apply --repair" :
		"bring that table back");
	if (!told && m != NULL && m->checksum != NULL && strcmp(m->checksum,
		row->checksum) != 0) {
		x = plan_problem(p, PLAN_CHECKSUM, row->version);
		x->text = mem_printf("migration %s (%s) was changed after it "
			"was applied", row->version, row->name);
		x->next = mem_dup("put the file back as it was; if the "
			"database has the change, mig-apply --repair");
	}
}

/* Applied already, with this text. */
static int
is_done(const struct ledger *l, const struct migration *m)
{
	const struct ledger_row *row = ledger_find(l, m->version);

	if (row == NULL)
		return 0;
	if (!version_is_repeatable(m->version))
		return 1;
	return row->sum != NULL ? strcmp(row->sum, m->sum) == 0 :
		row->checksum != NULL &&
			strcmp(row->checksum, m->checksum) == 0;
}

static int
is_applied(const struct ledger *l, const struct migration *m)
{
	const struct ledger_row *row;

	if (version_is_repeatable(m->version))
		return 0;
	row = ledger_find(l, m->version);
	return row != NULL && strcmp(row->state, "applied") == 0;
}

/* For each of the set, an applied one that stands on it, or NULL. */
static const struct migration **
find_applied_above(const struct set *s, const struct ledger *l)
{
	const struct migration **out = mem_array(s->n, sizeof(*out));
	const struct migration *newest = NULL, *why;
	size_t i, k;

	for (i = s->n; i > 0; i--) {
		const struct migration *m = &s->v[i - 1];
		int applied = is_applied(l, m);

		if (!s->graph)
			out[i - 1] = newest;
		if (applied && newest == NULL)
			newest = m;
		why = applied ? m : out[i - 1];
		for (k = 0; k < m->parent_n; k++)
			if (out[m->parents[k] - s->v] == NULL)
				out[m->parents[k] - s->v] = why;
	}
	return out;
}

static void
look_at_pending(struct plan *p, const struct migration *m, const char *above)
{
	struct plan_problem *x;

	if (m->code != NULL) {
		x = plan_problem(p, PLAN_CODE, m->version);
		x->text = mem_printf("migration %s (%s) is %s, which mig "
			"cannot run", m->version, m->name, m->code);
		x->next = mem_dup("run it by its own tool, behind mig: "
			"mig-apply -- COMMAND; then go on");
	}
	if (above == NULL || version_is_repeatable(m->version))
		return;
	x = plan_problem(p, PLAN_ORDER, m->version);
	x->text = mem_printf("migration %s (%s) is pending, but %s, which "
		"comes after it, is applied", m->version, m->name, above);
	x->next = mem_dup("give it a version after that, or use "
			  "--allow-out-of-order");
}

/* Several ends: nobody has said in which order their changes meet. */
static void
look_at_heads(struct plan *p, const struct set *s)
{
	const struct migration **heads = graph_heads(s);
	struct plan_problem *x;
	struct buf b = { 0 };
	size_t i;

	for (i = 0; heads[i] != NULL; i++)
		buf_printf(&b, "%s%s (%s)", i == 0 ? "" :
			heads[i + 1] == NULL ? " and " : ", ",
			heads[i]->version, heads[i]->name);
	if (i > 1) {
		x = plan_problem(p, PLAN_HEADS, heads[0]->version);
		x->text = mem_printf("nothing comes after each of %s", b.data);
		x->next = mem_dup(s->format->write == NULL ?
			"join them with that tool" : "join them: mig-gen "
			"--merge; --to VERSION applies one of them alone");
	}
	buf_free(&b);
	free(heads);
}

/* Where the database is, and the pending one's place in that. */
static void
choose(struct plan *p, const struct set *s, const struct ledger *l,
	const char *wanted, long steps)
{
	const struct migration **above = find_applied_above(s, l);
	/* The newest of all, whose file may be gone. */
	const char *last = ledger_current(l);
	int gone = last != NULL && set_find(s, last) == NULL &&
		s->format->graph != FORMAT_NAMED;
	size_t i;

	p->current = last;
	for (i = s->n; i > 0 && !gone; i--)
		if (is_applied(l, &s->v[i - 1])) {
			p->current = s->v[i - 1].version;
			break;
		}
	p->pending = mem_array(s->n, sizeof(*p->pending));
	for (i = 0; i < s->n; i++) {
		const struct migration *m = &s->v[i];
		const char *why = above[i] == NULL ? NULL : above[i]->version;

		if (is_done(l, m) || (wanted != NULL && !wanted[i]))
			continue;
		if (steps > 0 && p->n == (size_t)steps)
			break;
		if (why == NULL && gone &&
			version_compare(l->rule, m->version, last) <= 0)
			why = last;
		p->pending[p->n++] = m;
		look_at_pending(p, m, why);
	}
	free(above);
}

int
plan_make(struct plan *out, const struct set *s, const struct ledger *l,
	const struct plan_limit *limit, struct err *e)
{
	const char *to = limit == NULL ? NULL : limit->to;
	const struct migration *last = to == NULL ? NULL : set_named(s, to, e);
	char *wanted = NULL;
	size_t i;
	int result = 0;

	memset(out, 0, sizeof(*out));
	if (to != NULL && last == NULL)
		return -1;
	if (last != NULL) {
		wanted = mem_array(s->n, 1);
		graph_mark(s, last, wanted);
	}
	for (i = 0; i < l->n && result == 0; i++)
		result = look_at_row(out, s, l, &l->v[i], e);
	if (result == 0) {
		for (i = 0; i < l->stale_n; i++)
			look_at_stale(out, s, l, &l->stale[i]);
		plan_look_at_squashed(out, s, l);
		choose(out, s, l, wanted, limit == NULL ? 0 : limit->steps);
		if (last == NULL)
			look_at_heads(out, s);
	}
	free(wanted);
	if (result == -1)
		plan_free(out);
	return result;
}

void
plan_free(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->problem_n; i++) {
		free(p->problems[i].version);
		free(p->problems[i].text);
		free(p->problems[i].next);
	}
	free(p->problems);
	free(p->pending);
	memset(p, 0, sizeof(*p));
}
