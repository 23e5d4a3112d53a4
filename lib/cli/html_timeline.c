/*
 * html_timeline: when each statement ran and what it locked, drawn as SVG.
 *
 * Two drawings on the same axis of time, so that each fits on a sheet of paper.
 * Three columns: what it is, its bars, its number in words.  Text never lies on
 * a bar, so the colours need not carry it.
 */
#include "cli/html_timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/html_locks.h"
#include "cli/html_text.h"
#include "doc/part_rehearsal.h"

#define ROWS_MAX 50 /* of a drawing: it fits on a sheet of A4 */
#define WIDTH 900
#define LINE_X 40 /* where the numbers of the lines end */
#define PLOT_X 272
#define PLOT_WIDTH 384
#define WORDS_X (PLOT_X + PLOT_WIDTH + 12)
#define TOP 26 /* of the first row */
#define ROW 20
#define BAR 12

struct chart {
	const struct part_rehearsed *m;
	struct buf *out;
	size_t number; /* for ids */
	int64_t end; /* of the axis, microseconds */
	char *keep; /* the statements that have a row */
	size_t kept;
	struct html_locks locks;
	size_t shown; /* rows of locks */
};

static int
longer_first(const void *a, const void *b)
{
	const struct trace_statement *x = *(const struct trace_statement *
		const *)a, *y = *(const struct trace_statement *const *)b;

	if (x->duration_us != y->duration_us)
		return x->duration_us < y->duration_us ? 1 : -1;
	return x < y ? -1 : x > y;
}

char *
html_timeline_longest(const struct shape_list *statements, size_t max)
{
	const struct trace_statement *s = statements->items, **order;
	char *keep = mem_alloc(statements->n + 1);
	size_t i;

	order = mem_array(statements->n + 1, sizeof(*order));
	for (i = 0; i < statements->n; i++)
		order[i] = &s[i];
	if (statements->n > 0)
		qsort(order, statements->n, sizeof(*order), longer_first);
	for (i = 0; i < statements->n && i < max; i++)
		keep[order[i] - s] = 1;
	free(order);
	return keep;
}

/* The axis ends where the last of all ends. */
static void
measure(struct chart *c)
{
	const struct trace_statement *s = c->m->statements.items;
	int64_t end = c->m->duration_us, at;
	size_t i;

	for (i = 0; i < c->m->statements.n; i++) {
		at = html_sum(s[i].begin_us, s[i].duration_us);
		end = at > end ? at : end;
		c->kept += c->keep[i] != 0;
	}
	for (i = 0; i < c->locks.span_n; i++) {
		const struct html_span *x = &c->locks.spans[i];

		at = html_sum(x->begin, x->held == -1 ? 0 : x->held);
		end = at > end ? at : end;
	}
	c->end = end > 0 ? end : 1;
	c->shown = c->locks.row_n < ROWS_MAX ? c->locks.row_n : ROWS_MAX;
}

/* Where a moment lies, in tenths: numbers without a locale's comma. */
static long
place(const struct chart *c, int64_t us)
{
	double part = (double)us / (double)c->end;

	return (long)((part < 0 ? 0 : part > 1 ? 1 : part) * PLOT_WIDTH * 10);
}

/* A bar of row y from begin for length. */
static void
bar(const struct chart *c, long y, int64_t begin, int64_t length,
	const char *class, int strength)
{
	long from = place(c, begin), to = place(c, html_sum(begin, length));

	if (to - from < 20) /* to be seen, and not beyond the end */
		to = from + 20;
	if (to > PLOT_WIDTH * 10) {
		to = PLOT_WIDTH * 10;
		from = from > to - 20 ? to - 20 : from;
	}
	buf_printf(c->out, "<rect class=\"%s%d\" x=\"%ld.%ld\" y=\"%ld\" "
		"width=\"%ld.%ld\" height=\"%d\" rx=\"1.5\"/>", class, strength,
		PLOT_X + from / 10, from % 10, y + (ROW - BAR) / 2,
		(to - from) / 10, (to - from) % 10, BAR);
}

/* A round time of which at most five fit into the axis. */
static int64_t
step(int64_t end)
{
	static const int64_t tens[] = { 1, 2, 5 }, seconds[] = { 10, 20, 30, 60,
		120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000, 86400 };
	int64_t unit;
	size_t i;

	for (unit = 1; unit <= 1000000; unit *= 10)
		for (i = 0; i < 3; i++)
			if (end / (tens[i] * unit) <= 5)
				return tens[i] * unit;
	for (i = 0; i + 1 < sizeof(seconds) / sizeof(*seconds); i++)
		if (end / (seconds[i] * 1000000) <= 5)
			break;
	unit = seconds[i] * 1000000;
	while (end / unit > 5)
		unit *= 2;
	return unit;
}

/* "5.0 ms" is "5 ms" on an axis. */
static void
tick(int64_t us, struct buf *out)
{
	char text[HTML_TIME], *zero;

	html_time(us, text);
	zero = strstr(text, ".0 ");
	if (zero != NULL)
		memmove(zero, zero + 2, strlen(zero + 2) + 1);
	zero = strstr(text, " min 0 s");
	if (zero != NULL)
		zero[4] = '\0';
	zero = strstr(text, " h 0 min");
	if (zero != NULL)
		zero[2] = '\0';
	buf_text(out, us == 0 ? "0" : text);
}

static void
axis(const struct chart *c, long height)
{
	int64_t at, by = step(c->end);

	for (at = 0; at <= c->end; at += by) {
		long x = place(c, at);

		buf_printf(c->out, "<line class=\"grid\" x1=\"%ld.%ld\" "
			"x2=\"%ld.%ld\" y1=\"%d\" y2=\"%ld\"/>"
			"<text class=\"tick\" x=\"%ld.%ld\" y=\"14\">",
			PLOT_X + x / 10, x % 10, PLOT_X + x / 10, x % 10,
			TOP - 6, height, PLOT_X + x / 10, x % 10);
		tick(at, c->out);
		buf_text(c->out, "</text>\n");
	}
}

/* A name may be of any width: it ends where the bars begin. */
static void
name(const struct chart *c, long y, int x, size_t max, const char *text)
{
	buf_printf(c->out, "<svg x=\"%d\" y=\"%ld\" width=\"%d\" height=\"%d\">"
		"<text class=\"name\" x=\"0\" y=\"14\">", x, y, PLOT_X - 10 - x,
		ROW);
	html_short(text, max, c->out);
	buf_text(c->out, "</text></svg>");
}

static void
statement(const struct chart *c, const struct trace_statement *s, long y)
{
	const struct trace_work *w = s->works.items;
	char time[HTML_TIME];
	size_t i, k;

	buf_text(c->out, "<g><title>");
	html_text(s->text, c->out);
	buf_printf(c->out, "</title><text class=\"line\" x=\"%d\" y=\"%ld\">"
		"%lld</text>", LINE_X, y + 14, (long long)s->line);
	name(c, y, LINE_X + 8, 29, s->text);
	bar(c, y, s->begin_us, s->duration_us, "run", 0);
	buf_printf(c->out, "<text class=\"words\" x=\"%d\" y=\"%ld\">%s",
		WORDS_X, y + 14, html_time(s->duration_us, time));
	/* Each kind of work once; action is one of a few words. */
	for (i = 0; i < s->works.n; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(w[k].action, w[i].action) == 0)
				break;
		if (k == i) {
			buf_text(c->out, ", ");
			html_text(w[i].action, c->out);
		}
	}
	buf_text(c->out, "</text></g>\n");
}

static void
lock(const struct chart *c, const struct html_row *r, long y)
{
	char time[HTML_TIME];
	size_t i;

	buf_text(c->out, "<g><title>");
	html_text(r->spans->relation, c->out);
	buf_text(c->out, ": ");
	html_text(r->spans->mode, c->out);
	buf_printf(c->out, ", %s</title>", html_locks_waits(r->strength));
	name(c, y, 0, 36, r->spans->relation);
	for (i = 0; i < r->n; i++) {
		int known = r->spans[i].held != -1;

		bar(c, y, r->spans[i].begin, known ? r->spans[i].held : c->end,
			known ? "lock l" : "lock open l", r->strength);
	}
	buf_printf(c->out, "<text class=\"words\" x=\"%d\" y=\"%ld\">",
		WORDS_X, y + 14);
	html_short(r->spans->mode, 24, c->out);
	if (r->n > 1) /* "3 times" is too wide */
		buf_printf(c->out, " %zu\xc3\x97", r->n);
	buf_printf(c->out, ", %s", r->held == -1 ? "not known" :
		html_time(r->held, time));
	buf_text(c->out, "</text></g>\n");
}

/*
 * Begin a drawing of so many rows.  id makes the ids in it unique; what begins
 * its title and head its first column.  Its description, in words for those who
 * do not see it, follows up to drawing_rows().
 */
static void
drawing(const struct chart *c, char id, size_t rows, const char *what)
{
	buf_printf(c->out, "<svg class=\"time\" role=\"img\" "
		"aria-labelledby=\"%c%zu %cd%zu\" viewBox=\"0 0 %d %ld\">\n"
		"<title id=\"%c%zu\">%s in the time of migration ", id,
		c->number, id, c->number, WIDTH, TOP + (long)rows * ROW + 4,
		id, c->number, what);
	html_text(c->m->migration, c->out);
	buf_printf(c->out, "</title>\n<desc id=\"%cd%zu\">", id, c->number);
}

static void
drawing_rows(const struct chart *c, size_t rows, const char *head)
{
	buf_text(c->out, "</desc>\n");
	axis(c, TOP + (long)rows * ROW + 4);
	buf_printf(c->out, "<text class=\"head\" x=\"0\" y=\"14\">%s</text>"
		"<line class=\"rule\" x1=\"0\" x2=\"%d\" y1=\"%d\" "
		"y2=\"%d\"/>\n", head, WIDTH, TOP - 6, TOP - 6);
}

static void
draw_statements(const struct chart *c)
{
	const struct trace_statement *s = c->m->statements.items, *most = s;
	char time[HTML_TIME];
	long y = TOP;
	size_t i;

	for (i = 1; i < c->m->statements.n; i++)
		if (s[i].duration_us > most->duration_us)
			most = &s[i];
	drawing(c, 's', c->kept, "Statements");
	buf_printf(c->out, "%zu of %zu; the longest, in line %lld, took %s.  "
		"The table of the statements has the same numbers.", c->kept,
		c->m->statements.n, (long long)most->line,
		html_time(most->duration_us, time));
	drawing_rows(c, c->kept, "Line and statement");
	for (i = 0; i < c->m->statements.n; i++)
		if (c->keep[i]) {
			statement(c, &s[i], y);
			y += ROW;
		}
	buf_text(c->out, "</svg>\n");
}

static void
draw_locks(const struct chart *c)
{
	const struct html_row *r = c->locks.rows;
	char time[HTML_TIME];
	size_t i;

	drawing(c, 'l', c->shown, "Locks");
	buf_printf(c->out, "%zu of %zu; the strongest is ", c->shown,
		c->locks.row_n);
	html_text(r->spans->mode, c->out);
	buf_text(c->out, " on ");
	html_text(r->spans->relation, c->out);
	buf_printf(c->out, ", for %s.", r->held == -1 ? "a time not known" :
		html_time(r->held, time));
	drawing_rows(c, c->shown, "Locks, the strongest first");
	for (i = 0; i < c->shown; i++)
		lock(c, &r[i], TOP + (long)i * ROW);
	buf_text(c->out, "</svg>\n");
}

/* The colours that are there, in words. */
static void
legend(const struct chart *c)
{
	int i, there[HTML_LOCKS_MODES] = { 0 };
	size_t k;

	for (k = 0; k < c->shown; k++)
		there[c->locks.rows[k].strength] = 1;
	if (c->shown == 0)
		return;
	buf_text(c->out, "<ul class=\"legend\">\n");
	for (i = HTML_LOCKS_MODES - 1; i >= 0; i--)
		if (there[i])
			buf_printf(c->out, "<li><svg class=\"key\" viewBox=\"0 "
				"0 12 12\" aria-hidden=\"true\"><rect class=\""
				"lock l%d\" width=\"12\" height=\"12\" rx=\"2\""
				"/></svg>%s: %s</li>\n", i,
				html_locks_mode(i), html_locks_waits(i));
	buf_text(c->out, "</ul>\n");
}

void
html_timeline(const struct part_rehearsed *m, size_t number, struct buf *out)
{
	struct chart c = { .m = m, .out = out, .number = number };

	if (m->statements.n == 0)
		return;
	c.keep = html_timeline_longest(&m->statements, ROWS_MAX);
	html_locks_gather(&m->statements, &c.locks);
	measure(&c);
	buf_text(out, "<h3>Timeline</h3>\n<figure>\n<div class=\"wide\" "
		"role=\"region\" tabindex=\"0\" aria-label=\"Timeline of "
		"migration ");
	html_text(m->migration, out);
	buf_text(out, "\">\n");
	draw_statements(&c);
	if (c.shown > 0)
		draw_locks(&c);
	buf_text(out, "</div>\n<figcaption>\n");
	if (c.kept < m->statements.n)
		buf_printf(out, "<p>Drawn are the %zu longest of %zu "
			"statements.</p>\n", c.kept, m->statements.n);
	if (c.shown < c.locks.row_n)
		buf_printf(out, "<p>Drawn are the %zu strongest of %zu "
			"locks.</p>\n", c.shown, c.locks.row_n);
	legend(&c);
	buf_text(out, "</figcaption>\n</figure>\n");
	free(c.keep);
	html_locks_free(&c.locks);
}
