/* show_graph: the graph of the migrations, drawn in text. */
#include "cli/show_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doc/doc_status.h"

/* Each column is a line that leads down to a migration. */
struct columns {
	const char **to; /* its version; NULL: the column is free */
	size_t n;
};

/* A column to the right of at that is free, or a new one. */
static size_t
free_column(struct columns *c, size_t at)
{
	size_t i;

	for (i = at + 1; i < c->n; i++)
		if (c->to[i] == NULL)
			return i;
	c->to = mem_more(c->to, c->n, sizeof(*c->to));
	c->to[c->n] = NULL;
	return c->n++;
}

/* The first column that leads there, or c->n. */
static size_t
leads_to(const struct columns *c, const char *version)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->to[i] != NULL && strcmp(c->to[i], version) == 0)
			break;
	return i;
}

/* Those at the right that lead nowhere are no columns. */
static void
shrink(struct columns *c)
{
	while (c->n > 0 && c->to[c->n - 1] == NULL)
		c->n--;
}

static void
end_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_char(out, '\n');
}

/*
 * Column i parts from column at, or meets it; with as the sign for the side on
 * which it does: "|\" or "|/".
 */
static void
draw_bend(const struct columns *c, size_t at, size_t i, char sign,
	struct buf *out)
{
	size_t k;

	for (k = 0; k < c->n; k++) {
		int between = k >= at && k < i;

		buf_char(out, k == i ? ' ' : c->to[k] != NULL || k == at ?
			'|' : between ? '_' : ' ');
		buf_char(out, k + 1 == i ? sign : between ? '_' : ' ');
	}
	end_line(out);
}

static void
draw_node(const struct columns *c, size_t at, const struct doc_status_node *x,
	struct buf *out)
{
	size_t k;

	for (k = 0; k < c->n; k++)
		buf_printf(out, "%c ", k != at ? (c->to[k] != NULL ? '|' :
			' ') : strcmp(x->state, "applied") == 0 ? '*' : 'o');
	buf_printf(out, " %s  %s", x->migration, x->name);
	if (strcmp(x->state, "applied") != 0)
		buf_printf(out, "  (%s)", x->state);
	end_line(out);
}

void
show_graph(const struct doc_status *d, struct buf *out)
{
	const struct doc_status_node *v = d->graph.items;
	struct columns c = { 0 };
	size_t i, k, at, other;

	for (i = d->graph.n; i > 0; i--) {
		const struct doc_status_node *x = &v[i - 1];

		at = leads_to(&c, x->migration);
		if (at == c.n)
			at = c.n > 0 && c.to[0] == NULL ? 0 :
				free_column(&c, 0);
		/* All that lead here meet. */
		c.to[at] = NULL;
		while ((other = leads_to(&c, x->migration)) < c.n) {
			c.to[other] = NULL;
			draw_bend(&c, at, other, '/', out);
		}
		if (c.n > at + 1)
			shrink(&c);
		if (c.n <= at)
			c.n = at + 1;
		c.to[at] = x->migration;
		draw_node(&c, at, x, out);
		c.to[at] = x->after.n == 0 ? NULL : x->after.v[0];
		for (k = 1; k < x->after.n; k++) {
			other = free_column(&c, at);
			draw_bend(&c, at, other, '\\', out);
			c.to[other] = x->after.v[k];
		}
	}
	free(c.to);
}
