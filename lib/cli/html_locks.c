/* html_locks: the locks of a migration, put in order for a drawing. */
#include "cli/html_locks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/html_text.h"
#include "json/trace.h"

static const struct {
	const char *mode, *waits;
} modes[HTML_LOCKS_MODES] = {
	{ "another mode", "not known here" },
	{ "AccessShare", "reads and writes go on" },
	{ "RowShare", "reads and writes go on" },
	{ "RowExclusive", "reads and writes go on" },
	{ "ShareUpdateExclusive", "reads and writes go on" },
	{ "Share", "writes wait" },
	{ "ShareRowExclusive", "writes wait" },
	{ "Exclusive", "writes wait" },
	{ "AccessExclusive", "reads and writes wait" },
};

int
html_locks_strength(const char *mode)
{
	int i;

	for (i = HTML_LOCKS_MODES - 1; i > 0; i--)
		if (strcmp(mode, modes[i].mode) == 0)
			break;
	return i;
}

const char *
html_locks_mode(int strength)
{
	return modes[strength].mode;
}

const char *
html_locks_waits(int strength)
{
	return modes[strength].waits;
}

static int
same_together(const void *a, const void *b)
{
	const struct html_span *x = a, *y = b;
	int by = strcmp(x->relation, y->relation);

	if (by == 0)
		by = strcmp(x->mode, y->mode);
	if (by == 0)
		by = x->begin < y->begin ? -1 : x->begin > y->begin;
	return by;
}

static int
stronger_first(const void *a, const void *b)
{
	const struct html_row *x = a, *y = b;
	int by;

	if (x->strength != y->strength)
		return y->strength - x->strength;
	if (x->held != y->held) /* one that is not known may be the longest */
		return x->held == -1 || (y->held != -1 && x->held > y->held) ?
			-1 : 1;
	by = strcmp(x->spans->relation, y->spans->relation);
	return by != 0 ? by : strcmp(x->spans->mode, y->spans->mode);
}

static void
collect(const struct shape_list *statements, struct html_locks *out)
{
	const struct trace_statement *s = statements->items;
	size_t i, k;

	for (i = 0; i < statements->n; i++) {
		const struct trace_lock *l = s[i].locks.items;

		for (k = 0; k < s[i].locks.n; k++) {
			out->spans = mem_more(out->spans, out->span_n,
				sizeof(*out->spans));
			out->spans[out->span_n++] = (struct html_span){
				l[k].relation, l[k].mode, s[i].begin_us,
				l[k].held_us };
		}
	}
}

/* The row that begins with the span at i. */
static size_t
add_row(struct html_locks *out, size_t i)
{
	const struct html_span *first = &out->spans[i];
	struct html_row *r;

	out->rows = mem_more(out->rows, out->row_n, sizeof(*out->rows));
	r = &out->rows[out->row_n++];
	*r = (struct html_row){ first, 0, html_locks_strength(first->mode), 0 };
	for (; i < out->span_n; i++) {
		const struct html_span *x = &out->spans[i];

		if (strcmp(x->relation, first->relation) != 0 ||
			strcmp(x->mode, first->mode) != 0)
			break;
		r->held = r->held == -1 || x->held == -1 ? -1 :
			html_sum(r->held, x->held);
		r->n++;
	}
	return i;
}

void
html_locks_gather(const struct shape_list *statements, struct html_locks *out)
{
	size_t i = 0;

	*out = (struct html_locks){ 0 };
	collect(statements, out);
	if (out->span_n == 0)
		return;
	qsort(out->spans, out->span_n, sizeof(*out->spans), same_together);
	while (i < out->span_n)
		i = add_row(out, i);
	qsort(out->rows, out->row_n, sizeof(*out->rows), stronger_first);
}

void
html_locks_free(struct html_locks *l)
{
	free(l->spans);
	free(l->rows);
}
