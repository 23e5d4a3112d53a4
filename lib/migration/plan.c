/* plan: what the files and the ledger say together. */
#include "migration/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "migration/ledger.h"
#include "migration/set.h"

const char *
plan_reason(enum plan_problem_kind kind)
{
	static const char *const words[] = { "checksum", "missing", "order",
		"failed", "running" };

	return words[kind];
}

static struct plan_problem *
problem(struct plan *p, enum plan_problem_kind kind, const char *version)
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

/* What a row of the ledger says of its file. */
static void
look_at_row(struct plan *p, const struct set *s, const struct ledger_row *row)
{
	const struct migration *m = set_find(s, row->version);
	struct plan_problem *x;

	if (strcmp(row->state, "applied") != 0) {
		int failed = strcmp(row->state, "failed") == 0;

		x = problem(p, failed ? PLAN_FAILED : PLAN_RUNNING,
			row->version);
		x->text = mem_printf("migration %s %s after %lld of its "
			"statements, which stay done", row->version,
			failed ? "failed" : "was interrupted",
			(long long)row->statements);
		x->next = mem_dup("mend the cause and run mig-apply --resume, "
				  "or go back with mig-rollback --restore");
	} else if (m == NULL) {
		x = problem(p, PLAN_MISSING, row->version);
		x->text = mem_printf("migration %s (%s) is applied, but its "
			"file is gone", row->version, row->name);
		x->next = mem_dup("bring the file back, or use "
				  "--allow-missing");
	} else if (m->checksum == NULL ||
		strcmp(m->checksum, row->checksum) != 0) {
		x = problem(p, PLAN_CHECKSUM, row->version);
		x->text = mem_printf("migration %s (%s) was changed after it "
			"was applied", row->version, row->name);
		x->next = mem_dup("put the file back as it was and write a "
				  "new migration for the change");
	}
}

int
plan_make(struct plan *out, const struct set *s, const struct ledger *l,
	const struct plan_limit *limit, struct err *e)
{
	const char *current = ledger_current(l);
	size_t i;

	memset(out, 0, sizeof(*out));
	if (limit != NULL && limit->to != NULL &&
		set_find(s, limit->to) == NULL) {
		err_set(e, ERR_USAGE, "version",
			"no migration has the version '%s'", limit->to);
		return err_next(e, "mig-status --pending lists them");
	}
	for (i = 0; i < l->n; i++)
		look_at_row(out, s, &l->v[i]);
	out->pending = mem_array(s->n, sizeof(*out->pending));
	for (i = 0; i < s->n; i++) {
		const struct migration *m = &s->v[i];
		struct plan_problem *x;

		if (ledger_find(l, m->version) != NULL)
			continue;
		if (limit != NULL && limit->to != NULL &&
			num_compare_digits(m->version, limit->to) > 0)
			break;
		if (limit != NULL && limit->steps > 0 &&
			out->n == (size_t)limit->steps)
			break;
		out->pending[out->n++] = m;
		if (current == NULL ||
			num_compare_digits(m->version, current) > 0)
			continue;
		x = problem(out, PLAN_ORDER, m->version);
		x->text = mem_printf("migration %s (%s) is pending, but %s, "
			"which comes after it, is applied", m->version,
			m->name, current);
		x->next = mem_dup("give it a version after that, or use "
				  "--allow-out-of-order");
	}
	return 0;
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
