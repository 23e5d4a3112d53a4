/* html_tables: what a migration did, as tables of HTML. */
#include "cli/html_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/html_text.h"
#include "cli/html_timeline.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"

#define STATEMENTS_MAX 500 /* rows; a page of more is no page to read */

static void
code(const char *s, struct buf *out)
{
	buf_text(out, "<code>");
	html_text(s, out);
	buf_text(out, "</code>");
}

static void
code_head(const char *s, struct buf *out)
{
	buf_text(out, "<th scope=\"row\">");
	code(s, out);
	buf_text(out, "</th>");
}

void
html_tables_count(const struct shape_list *list, struct html_losses *sum)
{
	const struct part_loss *l = list->items;
	size_t i;

	for (i = 0; i < list->n; i++) {
		long long *to = strcmp(l[i].unit, "rows") == 0 ? &sum->rows :
			strcmp(l[i].unit, "values") == 0 ? &sum->values :
			&sum->others;

		*to = html_sum(*to, l[i].amount);
		sum->n++;
		sum->refused += !l[i].allowed;
	}
}

static void
amount(long long n, const char *unit, const char **between, struct buf *out)
{
	if (n == 0)
		return;
	buf_text(out, *between);
	*between = ", ";
	html_count(n, out);
	buf_printf(out, " %s%s", unit, n == 1 ? "" : "s");
}

void
html_tables_losses(const struct html_losses *sum, struct buf *out)
{
	const char *between = "";

	if (sum->n == 0) {
		buf_text(out, "none");
		return;
	}
	amount(sum->rows, "row", &between, out);
	amount(sum->values, "value", &between, out);
	amount(sum->others, "other", &between, out);
	if (*between == '\0')
		buf_char(out, '0');
	if (sum->refused == 0)
		buf_text(out, " (allowed)");
	else if (sum->refused == sum->n)
		buf_text(out, " <strong class=\"bad\">not allowed</strong>");
	else
		buf_printf(out, " <strong class=\"bad\">%d of %d not allowed"
			"</strong>", sum->refused, sum->n);
}

static void
losses(const struct part_rehearsed *m, struct buf *out)
{
	static const char *const heads[] = { "What", "#Lost", "Unit", "How",
		"#Line", "Allowed", NULL };
	const struct part_loss *l = m->losses.items;
	size_t i;

	if (m->losses.n == 0)
		return;
	html_table("Losses", m->migration, heads, out);
	for (i = 0; i < m->losses.n; i++) {
		buf_text(out, "<tr>");
		code_head(l[i].name, out);
		html_count_cell(l[i].amount, out);
		buf_text(out, "<td>");
		html_text(l[i].unit, out);
		buf_text(out, "</td><td>");
		html_text(l[i].action, out);
		buf_text(out, "</td>");
		html_count_cell(l[i].line > 0 ? l[i].line : -1, out);
		buf_printf(out, "<td>%s</td></tr>\n", l[i].allowed ? "yes" :
			"<strong class=\"bad\">not allowed</strong>");
	}
	html_table_end(out);
}

static void
list(const char *head, const struct strs *l, struct buf *out)
{
	size_t i;

	if (l->n == 0)
		return;
	buf_printf(out, "<h3>%s</h3>\n<ul>\n", head);
	for (i = 0; i < l->n; i++) {
		buf_text(out, "<li>");
		html_text(l->v[i], out);
		buf_text(out, "</li>\n");
	}
	buf_text(out, "</ul>\n");
}

static void
effects(const struct part_rehearsed *m, struct buf *out)
{
	static const char *const heads[] = { "Table", "#Rows before",
		"#Rows after", "#Inserted", "#Updated", "#Deleted",
		"#Cascaded of those", "#Rows compared", NULL };
	const struct part_effect *f = m->effects.items;
	size_t i;

	if (m->effects.n == 0)
		return;
	html_table("Tables that changed", m->migration, heads, out);
	for (i = 0; i < m->effects.n; i++) {
		buf_text(out, "<tr><th scope=\"row\">");
		code(f[i].table, out);
		buf_text(out, f[i].named ? "</th>" : " <span class=\"mark\">not "
			"named in the file</span></th>");
		html_count_cell(f[i].before, out);
		html_count_cell(f[i].after, out);
		html_count_cell(f[i].inserted, out);
		html_count_cell(f[i].updated, out);
		html_count_cell(f[i].deleted, out);
		html_count_cell(f[i].cascaded, out);
		if (f[i].sampled >= 0)
			html_count_cell(f[i].sampled, out);
		else
			buf_text(out, "<td class=\"n zero\">all</td>");
		buf_text(out, "</tr>\n");
	}
	html_table_end(out);
}

static void
column(const char *table, const struct part_column *c, struct buf *out)
{
	size_t i;

	buf_text(out, "<tr>");
	code_head(table, out);
	buf_text(out, "<td class=\"name\">");
	code(c->column, out);
	buf_text(out, "</td><td>");
	html_text(c->change, out);
	if (c->was != NULL) {
		buf_text(out, ", was ");
		code(c->was, out);
	}
	buf_text(out, "</td>");
	html_count_cell(c->before, out);
	html_count_cell(c->after, out);
	if (c->lossy > 0) {
		buf_text(out, "<td class=\"n\"><strong class=\"bad\">");
		html_count(c->lossy, out);
		buf_text(out, "</strong></td>");
	} else {
		html_count_cell(c->lossy, out);
	}
	buf_text(out, "<td class=\"what\">");
	if (c->samples.n > 0)
		buf_text(out, "<ul>");
	for (i = 0; i < c->samples.n; i++) {
		buf_text(out, "<li>");
		code(c->samples.v[i], out);
		buf_text(out, "</li>");
	}
	buf_text(out, c->samples.n > 0 ? "</ul></td></tr>\n" : "</td></tr>\n");
}

static void
columns(const struct part_rehearsed *m, struct buf *out)
{
	static const char *const heads[] = { "Table", "Column", "Change",
		"#Values before", "#Values after", "#Lossy",
		"Samples (key: old -&gt; new)", NULL };
	const struct part_effect *f = m->effects.items;
	size_t i, k, n = 0;

	for (i = 0; i < m->effects.n; i++)
		n += f[i].columns.n;
	if (n == 0)
		return;
	html_table("Columns that changed", m->migration, heads, out);
	for (i = 0; i < m->effects.n; i++) {
		const struct part_column *c = f[i].columns.items;

		for (k = 0; k < f[i].columns.n; k++)
			column(f[i].table, &c[k], out);
	}
	html_table_end(out);
}

/* What a statement worked on and locked, below its text. */
static void
details(const struct trace_statement *s, struct buf *out)
{
	const struct trace_work *w = s->works.items;
	const struct trace_lock *l = s->locks.items;
	char time[HTML_TIME];
	size_t i;

	if (s->works.n + s->locks.n == 0)
		return;
	buf_text(out, "<ul>");
	for (i = 0; i < s->works.n; i++) {
		buf_text(out, "<li><b>");
		html_text(w[i].action, out);
		buf_text(out, "</b>: ");
		code(w[i].relation, out);
		if (w[i].why != NULL) {
			buf_text(out, " (");
			html_text(w[i].why, out);
			buf_char(out, ')');
		}
		buf_text(out, "</li>");
	}
	for (i = 0; i < s->locks.n; i++) {
		buf_text(out, "<li>locked: ");
		code(l[i].relation, out);
		buf_char(out, ' ');
		html_text(l[i].mode, out);
		if (l[i].held_us >= 0)
			buf_printf(out, " for %s", html_time(l[i].held_us,
				time));
		buf_text(out, "</li>");
	}
	buf_text(out, "</ul>");
}

static void
statement(const struct trace_statement *s, struct buf *out)
{
	buf_printf(out, "<tr><th scope=\"row\" class=\"n\">%lld</th>",
		(long long)s->line);
	html_time_cell(s->duration_us, out);
	html_count_cell(s->read, out);
	html_count_cell(s->inserted, out);
	html_count_cell(s->updated, out);
	html_count_cell(s->deleted, out);
	html_bytes_cell(s->wal_bytes, out);
	buf_text(out, "<td class=\"what\">");
	code(s->text, out);
	details(s, out);
	buf_text(out, "</td></tr>\n");
}

static void
statements(const struct part_rehearsed *m, struct buf *out)
{
	static const char *const heads[] = { "#Line", "#Time", "#Read",
		"#Ins.", "#Upd.", "#Del.", "#WAL", "Statement", NULL };
	const struct trace_statement *s = m->statements.items;
	int64_t rest = 0;
	char *keep, time[HTML_TIME];
	size_t i;

	if (m->statements.n == 0)
		return;
	keep = html_timeline_longest(&m->statements, STATEMENTS_MAX);
	html_table("Statements", m->migration, heads, out);
	for (i = 0; i < m->statements.n; i++)
		if (keep[i])
			statement(&s[i], out);
		else
			rest = html_sum(rest, s[i].duration_us);
	html_table_end(out);
	if (m->statements.n > STATEMENTS_MAX)
		buf_printf(out, "<p>These are the %d longest; the other %zu "
			"took %s together.</p>\n", STATEMENTS_MAX,
			m->statements.n - STATEMENTS_MAX, html_time(rest,
			time));
	free(keep);
}

void
html_tables(const struct part_rehearsed *m, struct buf *out)
{
	losses(m, out);
	list("Sequences that went back", &m->sequences, out);
	list("What it leaves undone", &m->left, out);
	effects(m, out);
	columns(m, out);
	statements(m, out);
}
