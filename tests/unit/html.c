/* The page of a rehearsal: whole, closed off, and safe from what it shows. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/html.h"
#include "doc/doc.h"
#include "doc/doc_verification.h"
#include "doc/part.h"
#include "os/file.h"
#include "tap.h"

#define GOLDEN "tests/data/documents/rehearsal.json"
#define HOSTILE "<script>alert(1)</script>\"'&"
#define ESCAPED "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"
#define DEPTH 64

static int
is_void(const char *name, size_t n)
{
	static const char *const voids[] = { "meta", "br", "hr", "img", "link",
		"input", "!doctype", NULL };
	const char *const *v;

	for (v = voids; *v != NULL; v++)
		if (strlen(*v) == n && strncmp(*v, name, n) == 0)
			return 1;
	return 0;
}

/* Behind the tag that begins at s, or NULL: a quote or the tag is not closed. */
static const char *
behind_tag(const char *s)
{
	char quote = '\0';

	for (s++; *s != '\0'; s++) {
		if (quote == '\0' && *s == '<')
			return NULL;
		if (quote == '\0' && *s == '>')
			return s + 1;
		if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (*s == quote)
			quote = '\0';
	}
	return NULL;
}

/* What is wrong with the nesting, NULL: nothing.  A small part of HTML. */
static const char *
unbalanced(const char *s)
{
	static char why[128];
	struct { const char *name; size_t n; } open[DEPTH];
	size_t depth = 0;

	for (s = strchr(s, '<'); s != NULL; s = strchr(s, '<')) {
		int end = s[1] == '/';
		const char *name = s + 1 + end, *next = behind_tag(s);
		size_t n = strcspn(name, " />\n");

		snprintf(why, sizeof(why), "at '%.60s'", s);
		if (n == 0 || next == NULL)
			return why;
		if (end && (depth == 0 || open[depth - 1].n != n ||
			strncmp(open[depth - 1].name, name, n) != 0))
			return why;
		if (end) {
			depth--;
		} else if (next[-2] != '/' && !is_void(name, n)) {
			if (depth == DEPTH)
				return why;
			open[depth].name = name;
			open[depth++].n = n;
		}
		s = next;
	}
	snprintf(why, sizeof(why), "%zu not closed", depth);
	return depth == 0 ? NULL : why;
}

static int
has(const char *text, const char *word)
{
	return strstr(text, word) != NULL;
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

/* What every page must be, whatever it shows. */
static void
sound(const char *page, const char *of)
{
	static const char *const never[] = { "http:", "https:", "src=",
		"<script", "<link", "<img", "@import", "url(", "onload", "(null)",
		NULL };
	const char *const *w;
	const char *why = unbalanced(page);

	OK(why == NULL, "%s: every tag is closed", of);
	if (why != NULL)
		printf("# %s\n", why);
	for (w = never; *w != NULL; w++)
		OK(!has(page, *w), "%s: no %s", of, *w);
	OK(strncmp(page, "<!doctype html>", 15) == 0 && count(page, "</html>")
		== 1 && strlen(page) > 8 && strcmp(page + strlen(page) - 8,
		"</html>\n") == 0, "%s: from its beginning to its end", of);
	OK(count(page, "<title>Rehearsal") == 1 && count(page, "<h1>") == 1,
		"%s: a title, a headline", of);
}

/* Without the style, which is full of numbers. */
static const char *
body(const char *page)
{
	const char *at = strstr(page, "</style>");

	return at == NULL ? "" : at;
}

static char *
render(const struct html_page *page, const struct part_rehearsal *r)
{
	struct buf b = { 0 };

	html_rehearsal(page, r, &b);
	return buf_detach(&b);
}

/* The check itself must be able to fail. */
static void
checker(void)
{
	OK(unbalanced("<p>a<br>b</p>") == NULL, "balanced");
	OK(unbalanced("<p a=\"x>y\">a</p><rect x=\"1\"/>") == NULL, "quoted");
	OK(unbalanced("<p><b></p></b>") != NULL, "crossed");
	OK(unbalanced("<p>") != NULL, "not closed");
	OK(unbalanced("</p>") != NULL, "not opened");
	OK(unbalanced("<p>1 < 2</p>") != NULL, "not escaped");
	OK(unbalanced("<p a=\"x></p>") != NULL, "quote not closed");
}

static struct doc *
read_golden(void)
{
	struct buf b = { 0 };
	struct doc *d = NULL;
	struct err e;

	if (file_slurp(GOLDEN, 1 << 20, &b, &e) == -1 ||
		doc_read(&d, b.data, b.len, &e) == -1)
		printf("# %s\n", e.text);
	buf_free(&b);
	return d;
}

static void
golden(void)
{
	static const char *const words[] = { "! Refused", "2026-11-21 18:27:09 "
		"UTC", "908 ms, 741 ms of it for the restore", "30 rows, 1,990 "
		"values", "not allowed", "27.9 ms", "607.6 KiB", "8.2 MiB",
		"lossy", "users: 1990 rows, not 2000", "exact", "<svg",
		"AccessExclusive, 24.0 ms", "reads and writes wait",
		"<b>rewritten</b>: <code>users</code> (rewriting table &quot;"
		"users&quot;)", "65,876", "100: 100.25 -&gt; 100",
		"--allow-loss &#39;orders&#39;", "What this rehearsal cannot tell",
		"Content-Security-Policy", "lang=\"en\"", "<desc id=\"sd1\">",
		"<title id=\"s2\">", NULL };
	const char *const *w;
	struct doc *d = read_golden();
	const struct doc_verification *v;
	struct html_page page = { "mig 0.1.0", "app", "a.migbak", NULL, 0 };
	char *text;

	OK(d != NULL, "the golden document is read");
	if (d == NULL)
		return;
	v = d->body;
	page.at = v->verified;
	page.verdict = v->result;
	text = render(&page, v->rehearsal);
	sound(text, "golden");
	for (w = words; *w != NULL; w++)
		OK(has(body(text), *w) || has(text, *w), "golden: %s", *w);
	OK(count(text, "<h2 id=") == v->rehearsal->migrations.n,
		"a heading for each migration");
	OK(!has(text, "not named in the file"), "every table is named there");
	OK(has(text, "passed: the backup is good"), "the verification, too");
	free(text);
	doc_free(d);
}

/* A list of one, of whatever the shape is. */
static void *
one(struct shape_list *l, const struct shape *of)
{
	return shape_list_add(l, of);
}

/* A rehearsal in which every text is s, and what is not known is -1. */
static void
fill(struct part_rehearsal *r, const char *s)
{
	struct part_rehearsed *m = one(&r->migrations, &part_rehearsed_shape);
	struct trace_statement *t = one(&m->statements, &trace_statement_shape);
	struct part_effect *f = one(&m->effects, &part_effect_shape);
	struct part_column *c = one(&f->columns, &part_column_shape);
	struct part_loss *l = one(&m->losses, &part_loss_shape);

	r->result = "failed";
	r->command = mem_dup(s);
	r->sample = f->sampled = m->down_us = -1;
	r->error = mem_alloc(sizeof(*r->error));
	r->error->text = mem_dup(s);
	r->error->next = mem_dup(s);
	strs_add(&r->notes, s);
	m->migration = mem_dup(s);
	m->name = mem_dup(s);
	m->down = "broken";
	m->down_text = mem_dup(s);
	strs_add(&m->sequences, s);
	strs_add(&m->left, s);
	t->text = mem_dup(s);
	t->read = t->inserted = t->updated = t->deleted = t->wal_bytes = -1;
	trace_add_lock(t, s, s);
	trace_add_lock(t, s, "AccessExclusive");
	trace_add_work(t, s, "rewritten", s);
	f->table = mem_dup(s);
	f->before = f->after = -1;
	c->column = mem_dup(s);
	c->was = mem_dup(s);
	c->change = "renamed";
	c->before = c->after = c->lossy = -1;
	strs_add(&c->samples, s);
	l->name = mem_dup(s);
	l->action = mem_dup(s);
	l->unit = "rows";
}

static void
hostile(void)
{
	struct html_page page = { HOSTILE, HOSTILE, HOSTILE, HOSTILE, 86400 };
	struct part_rehearsal r = { 0 };
	char *text;

	fill(&r, HOSTILE);
	text = render(&page, &r);
	sound(text, "hostile");
	OK(count(text, ESCAPED) >= 25, "all of it is there, escaped");
	OK(!has(body(text), "alert(1)</script>"), "and never as it came");
	OK(has(text, "not named in the file"), "the table is marked");
	OK(has(text, "lock open l8"), "a lock of no known end is drawn");
	OK(!has(body(text), "-1"), "what is not known is no -1");
	OK(count(body(text), "<td class=\"n zero\">\xe2\x80\x93</td>") == 11,
		"but a dash");
	free(text);
	shape_release(&part_rehearsal_shape, &r);
}

/* Each text below, as it comes out. */
static void
characters(void)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "a\x01z", "a\xe2\x90\x81z" },
		{ "a\nz", "a\xe2\x90\x8az" },
		{ "a\x1bz", "a\xe2\x90\x9bz" },
		{ "a\x7fz", "a\xe2\x90\xa1z" },
		{ "a\xc2\x9fz", "a[U+009F]z" },
		{ "a\xe2\x80\xaez", "a[U+202E]z" },
		{ "a\xe2\x80\x8bz", "a[U+200B]z" },
		{ "a\xf3\xa0\x80\x81z", "a[U+E0001]z" },
		{ "a\xffz", "a\xef\xbf\xbdz" },
		{ "a\xe2\x80", "a\xef\xbf\xbd\xef\xbf\xbd" },
		{ "a\xed\xa0\x80z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz" },
		{ "gr\xc3\xbc\xc3\x9f \xe8\xa1\xa8 \xf0\x9f\x90\x98",
			"gr\xc3\xbc\xc3\x9f \xe8\xa1\xa8 \xf0\x9f\x90\x98" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct html_page page = { "mig", table[i].in, NULL, NULL, 1 };
		struct part_rehearsal r = { .result = "passed" };
		char *text = render(&page, &r), *want;

		want = mem_printf("<dd>%s</dd>", table[i].out);
		OK(has(text, want), "character %zu: %s", i, table[i].out);
		free(want);
		free(text);
	}
}

static void
empty(void)
{
	struct html_page page = { "mig", "app.db", NULL, NULL, 0 };
	struct part_rehearsal r = { .result = "passed", .at = 86400 };
	struct part_rehearsed *m;
	char *text = render(&page, &r);

	sound(text, "empty");
	OK(has(text, "Passed") && !has(text, "Why:"), "passed, and no why");
	OK(has(text, "No migration was run"), "nothing is said, not shown");
	OK(has(text, "1970-01-02 00:00:00 UTC"), "the rehearsal's own time");
	OK(!has(text, "<table") && !has(text, "<svg"), "and no empty table");
	free(text);
	m = one(&r.migrations, &part_rehearsed_shape);
	m->migration = mem_dup("1");
	m->name = mem_dup("a");
	m->down = "none";
	text = render(&page, &r);
	sound(text, "no statement");
	OK(!has(text, "<table") && !has(text, "<svg"), "no statement, no table");
	free(text);
	shape_release(&part_rehearsal_shape, &r);
}

/* Of a long list the drawing has the longest, and the numbers stay in it. */
static void
long_list(void)
{
	struct html_page page = { "mig", "app.db", NULL, NULL, 1 };
	struct part_rehearsal r = { .result = "passed" };
	struct part_rehearsed *m = one(&r.migrations, &part_rehearsed_shape);
	char *text;
	int i;

	m->migration = mem_dup("1");
	m->down = "exact";
	for (i = 0; i < 600; i++) {
		struct trace_statement *t = one(&m->statements,
			&trace_statement_shape);
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		t->line = i + 1;
		t->text = mem_dup(i == 300 ? "SLOW" : "quick");
		t->begin_us = (int64_t)1 << 53;
		t->duration_us = i == 300 ? (int64_t)1 << 53 : i;
		trace_add_lock(t, name, i == 299 ? "Share" : "RowShare");
	}
	text = render(&page, &r);
	sound(text, "long");
	OK(has(text, "Drawn are the 50 longest of 600 statements"), "a cap");
	OK(has(text, "Drawn are the 50 strongest of 600 locks"), "of locks");
	OK(has(text, "These are the 500 longest; the other 100 took 5.0 ms "
		"together"), "and of the table, with the rest of it");
	OK(count(text, "<rect class=\"run0\"") == 50, "50 bars");
	OK(count(text, "<title>SLOW</title>") == 1, "the longest is there");
	OK(count(text, "<title>t299: Share, writes wait</title>") == 1,
		"so is the strongest");
	OK(count(text, "<tr><th scope=\"row\"") == 500, "500 rows");
	free(text);
	shape_release(&part_rehearsal_shape, &r);
}

int
main(void)
{
	checker();
	golden();
	hostile();
	characters();
	empty();
	long_list();
	return tap_done();
}
