/* graph: which migration comes after which. */
#include "migration/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/ledger.h"
#include "migration/set.h"

enum colour { WHITE, GREY, BLACK };

/* Places in s->v as it was handed in: by version. */
struct edges {
	size_t *to;
	size_t n;
};

struct walk {
	struct set *s;
	struct edges *edges;
	enum colour *colour;
	size_t *stack, *next; /* the path from a root, and its next edges */
	size_t depth;
	size_t *order, done;
};

int
graph_judge(const struct set *s, const struct ledger *l, struct err *e)
{
	size_t i;

	for (i = 0; i < s->orphan_n; i++) {
		const struct set_orphan *x = &s->orphans[i];

		if (l != NULL && !version_is_repeatable(x->parent) &&
			ledger_find(l, x->parent) != NULL)
			continue; /* applied: its file may be gone */
		err_set(e, ERR_USAGE, "parent", "migration %s ('%s') comes "
			"after %s, and no migration has that version",
			x->m->version, x->m->script, x->parent);
		return err_next(e, "bring that file back, or name another "
			"version");
	}
	return 0;
}

/* The place of the last whose version is before both; or s->n. */
static size_t
before_both(const struct set *s, size_t i, const char *version)
{
	while (i-- > 0)
		if (version_compare(s->format->rule, s->v[i].version,
			version) < 0)
			return i;
	return s->n;
}

/* By version, so that the order does not hang on the text; each once. */
static void
add_parent(struct edges *out, size_t parent)
{
	size_t at;

	for (at = 0; at < out->n; at++)
		if (out->to[at] == parent)
			return;
	for (at = out->n++; at > 0 && out->to[at - 1] > parent; at--)
		out->to[at] = out->to[at - 1];
	out->to[at] = parent;
}

static void
add_orphan(struct set *s, size_t i, const char *version)
{
	s->orphans = mem_more(s->orphans, s->orphan_n, sizeof(*s->orphans));
	s->orphans[s->orphan_n].m = &s->v[i];
	s->orphans[s->orphan_n++].parent = version;
}

/* What m names, or the one before it. */
static void
find_parents(struct set *s, size_t i, struct edges *out)
{
	const struct migration *m = &s->v[i];
	size_t k, at;

	if (version_is_repeatable(m->version))
		return;
	out->to = mem_array(m->up.after.n + 1, sizeof(*out->to));
	for (k = 0; k < m->up.after.n; k++) {
		const struct migration *x = set_find(s, m->up.after.v[k]);

		if (x != NULL && !version_is_repeatable(x->version)) {
			add_parent(out, (size_t)(x - s->v));
			continue;
		}
		add_orphan(s, i, m->up.after.v[k]);
		at = s->format->graph != FORMAT_LINE ? s->n : before_both(s, i,
			m->up.after.v[k]);
		if (at < s->n)
			add_parent(out, at);
	}
	if (m->up.after.n == 0 && i > 0 && s->format->graph == FORMAT_LINE)
		out->to[out->n++] = i - 1;
}

/* The path ends in one that is on it. */
static int
cycle(const struct walk *w, size_t again, struct err *e)
{
	const struct migration *v = w->s->v;
	struct buf b = { 0 };
	size_t i = w->depth, shown = 0;

	while (w->stack[--i] != again)
		;
	for (; i < w->depth && shown < 8; i++, shown++)
		buf_printf(&b, "%s%s", shown == 0 ? "" : " after ",
			v[w->stack[i]].version);
	err_set(e, ERR_USAGE, "cycle", "migrations come after each other: %s "
		"after %s", b.data, i < w->depth ? "..." : v[again].version);
	buf_free(&b);
	return err_next(e, "mend the '-- mig: after' of one of them; one "
		"without it comes after the version before it");
}

/* Depth first, without recursion: a chain may be as long as the folder. */
static int
visit(struct walk *w, size_t root, struct err *e)
{
	if (w->colour[root] != WHITE)
		return 0;
	w->colour[root] = GREY;
	w->stack[0] = root;
	w->next[0] = 0;
	w->depth = 1;
	while (w->depth > 0) {
		size_t at = w->stack[w->depth - 1];
		size_t edge = w->next[w->depth - 1]++;

		if (edge == w->edges[at].n) {
			w->colour[at] = BLACK;
			w->order[w->done++] = at;
			w->depth--;
			continue;
		}
		edge = w->edges[at].to[edge];
		if (w->colour[edge] == GREY)
			return cycle(w, edge, e);
		if (w->colour[edge] == BLACK)
			continue;
		w->colour[edge] = GREY;
		w->stack[w->depth] = edge;
		w->next[w->depth++] = 0;
	}
	return 0;
}

/* s->v by w->order; parents point into it. */
static void
settle(struct walk *w)
{
	struct set *s = w->s;
	struct migration *v = mem_array(s->n, sizeof(*v));
	size_t *place = mem_array(s->n, sizeof(*place)), i, k;

	for (i = 0; i < s->n; i++) {
		v[i] = s->v[w->order[i]];
		place[w->order[i]] = i;
	}
	for (i = 0; i < s->n; i++) {
		const struct edges *x = &w->edges[w->order[i]];

		v[i].parents = mem_array(x->n, sizeof(*v[i].parents));
		v[i].parent_n = x->n;
		for (k = 0; k < x->n; k++)
			v[i].parents[k] = &v[place[x->to[k]]];
	}
	for (i = 0; i < s->orphan_n; i++)
		s->orphans[i].m = &v[place[s->orphans[i].m - s->v]];
	for (i = 0; i < s->n; i++)
		s->by_version[i] = &v[place[s->by_version[i] - s->v]];
	free(s->v);
	free(place);
	s->v = v;
}

int
graph_order(struct set *s, struct err *e)
{
	struct walk w = { .s = s };
	size_t i;
	int result = 0;

	s->graph = s->format->graph == FORMAT_NAMED;
	for (i = 0; i < s->n; i++)
		s->graph |= s->v[i].up.after.n > 0;
	if (!s->graph)
		return 0;
	w.edges = mem_array(s->n, sizeof(*w.edges));
	w.colour = mem_array(s->n, sizeof(*w.colour));
	w.stack = mem_array(s->n, sizeof(*w.stack));
	w.next = mem_array(s->n, sizeof(*w.next));
	w.order = mem_array(s->n, sizeof(*w.order));
	for (i = 0; i < s->n; i++)
		find_parents(s, i, &w.edges[i]);
	for (i = 0; i < s->n && result == 0; i++)
		result = visit(&w, i, e);
	if (result == 0)
		settle(&w);
	for (i = 0; i < s->n; i++)
		free(w.edges[i].to);
	free(w.edges);
	free(w.colour);
	free(w.stack);
	free(w.next);
	free(w.order);
	return result;
}

void
graph_mark(const struct set *s, const struct migration *m, char *marks)
{
	size_t i = (size_t)(m - s->v) + 1, k;

	marks[i - 1] = 1;
	/* Parents stand before it. */
	while (i-- > 0) {
		if (!s->graph) {
			marks[i] = 1;
			continue;
		}
		for (k = 0; k < s->v[i].parent_n && marks[i]; k++)
			marks[s->v[i].parents[k] - s->v] = 1;
	}
}

const struct migration **
graph_heads(const struct set *s)
{
	const struct migration **out = mem_array(s->n + 2, sizeof(*out));
	char *below = mem_array(s->n + 1, 1);
	size_t i, k, n = 0;

	for (i = 0; i < s->n && s->graph; i++)
		for (k = 0; k < s->v[i].parent_n; k++)
			below[s->v[i].parents[k] - s->v] = 1;
	for (i = 0; i < s->n && s->graph; i++)
		if (!below[i] && !version_is_repeatable(s->v[i].version))
			out[n++] = &s->v[i];
	if (!s->graph)
		out[0] = set_head(s);
	free(below);
	return out;
}
