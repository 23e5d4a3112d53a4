/* plan_squash: one that stands for several, and which of them are applied. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "migration/ledger.h"
#include "migration/plan.h"
#include "migration/plan_part.h"
#include "migration/set.h"

/* Whether it was applied as one of those that an earlier squashed one stood for. */
static int
was_squashed(const struct ledger *l, const struct migration *m,
	const char *version)
{
	static const char between[] = ", \t\r";
	size_t i, n = strlen(version), k;

	for (i = 0; i < m->up.squashed.n; i++) {
		const char *line = m->up.squashed.v[i], *at = strrchr(line, ':');
		size_t head = strcspn(line, " ");
		char *by = mem_dup_n(line, head);
		const struct ledger_row *row = ledger_find(l, by);
		int applied = row != NULL && strcmp(row->state, "applied") == 0 &&
			strlen(row->name) == (size_t)(at - line) - head - 1 &&
			strncmp(row->name, line + head + 1, strlen(row->name)) ==
				0;

		free(by);
		for (at++; applied && *at != '\0'; at += k) {
			at += strspn(at, between);
			k = strcspn(at, between);
			if (k == n && memcmp(at, version, n) == 0)
				return 1;
		}
	}
	return 0;
}

size_t
plan_squashed_count(const struct ledger *l, const struct migration *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->up.replaces.n; i++) {
		const struct ledger_row *row = ledger_find(l,
			m->up.replaces.v[i]);

		n += (row != NULL && strcmp(row->state, "applied") == 0) ||
			was_squashed(l, m, m->up.replaces.v[i]);
	}
	return n;
}

void
plan_look_at_squashed(struct plan *p, const struct set *s, const struct ledger *l)
{
	size_t i, n;

	for (i = 0; i < s->n && s->replaced_n > 0; i++) {
		const struct migration *m = &s->v[i];
		const struct ledger_row *own;
		struct plan_problem *x;

		n = m->up.replaces.n == 0 ? 0 : plan_squashed_count(l, m);
		/* Alone, its own version is the squashed one or the old one. */
		own = ledger_find(l, m->version);
		if (n == 0 || n == m->up.replaces.n || (n == 1 && own != NULL &&
			strcmp(own->name, m->name) == 0))
			continue;
		x = plan_problem(p, PLAN_PARTIAL, m->version);
		x->text = mem_printf("migration %s (%s) stands for %zu "
			"migrations, of which %zu are applied here", m->version,
			m->name, m->up.replaces.n, n);
		x->next = mem_printf("apply the others first, by the files from "
			"before the squash (they may be in squashed-%s), and "
			"with none of the squashed ones beside them",
			m->version);
	}
}
