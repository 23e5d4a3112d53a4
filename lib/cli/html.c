/* html: a rehearsal as one page of HTML, for a change request. */
#include "cli/html.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "cli/html_locks.h"
#include "cli/html_style.h"
#include "cli/html_tables.h"
#include "cli/html_text.h"
#include "cli/html_timeline.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"

/* A word of a document, how it is coloured, and what it means. */
struct word {
	const char *word, *class, *says, *means;
};

/* The last one stands for all that are not there. */
static const struct word results[] = {
	{ "passed", "good", "\xe2\x9c\x93 Passed", "The plan ran on a copy that "
		"was restored from the backup, and nothing speaks against it." },
	{ "refused", "warn", "! Refused", "The plan ran on a copy that was "
		"restored from the backup, and is refused for what it did there." },
	{ "failed", "bad", "\xe2\x9c\x97 Failed", "The plan could not be run to "
		"its end on a copy that was restored from the backup." },
	{ NULL, "soft", "Not known", "" },
};

static const struct word downs[] = { /* says is not used */
	{ "exact", "good", NULL, "schema and rows are as before" },
	{ "schema-only", "warn", NULL, "the schema is as before; what the "
		"migration took away does not come back" },
	{ "lossy", "warn", NULL, "the schema is as before; the way back takes "
		"away more" },
	{ "broken", "bad", NULL, "it fails, or the schema is not as before" },
	{ "none", "soft", NULL, "there is none, or it was not tried" },
	{ NULL, "soft", NULL, "" },
};

static const struct word *
find(const struct word *w, const char *word)
{
	while (w->word != NULL && (word == NULL || strcmp(w->word, word) != 0))
		w++;
	return w;
}

static void
head(const struct html_page *page, const struct word *w, struct buf *out)
{
	buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\""
		"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	/* Without the sign before the word, which is for the eye. */
	buf_printf(out, "Rehearsal of ");
	html_text(page->database, out);
	buf_printf(out, ": %s</title>\n<style>\n%s</style>\n</head>\n",
		w->word == NULL ? "not known" : w->word, html_style);
}

static void
verdict(const struct html_page *page, const struct part_rehearsal *r,
	const struct word *w, struct buf *out)
{
	buf_printf(out, "<header class=\"%s\">\n<h1>%s <span class=\"of\">"
		HTML_DASH " rehearsal of ", w->class, w->says);
	html_text(page->database, out);
	buf_printf(out, "</span></h1>\n<p>%s</p>\n", w->means);
	if (r->error != NULL) {
		buf_printf(out, "<p><strong class=\"%s\">Why:</strong> ",
			w->class);
		html_text(r->error->text, out);
		buf_text(out, "</p>\n");
	}
	if (r->error != NULL && r->error->next != NULL) {
		buf_text(out, "<p><strong>Next:</strong> ");
		html_text(r->error->next, out);
		buf_text(out, "</p>\n");
	}
	buf_text(out, "</header>\n");
}

static void
fact_head(const char *name, struct buf *out)
{
	buf_printf(out, "<dt>%s</dt><dd>", name);
}

static void
fact(const char *name, const char *value, struct buf *out)
{
	if (value == NULL)
		return;
	fact_head(name, out);
	html_text(value, out);
	buf_text(out, "</dd>\n");
}

static const char *
of_ms(int64_t ms, char out[HTML_TIME])
{
	return ms >= 1000 && ms < INT64_MAX / 1000 ? html_time(ms * 1000, out) :
		num_time(ms, out, HTML_TIME);
}

static void
fact_times(const struct part_rehearsal *r, struct buf *out)
{
	char all[HTML_TIME], restore[HTML_TIME];

	buf_printf(out, "<dt>Time</dt><dd>%s, %s of it for the restore</dd>\n",
		of_ms(r->duration_ms, all), of_ms(r->restore_ms, restore));
}

static void
fact_compared(const struct part_rehearsal *r, struct buf *out)
{
	fact_head("Values compared", out);
	if (r->sample >= 0) {
		buf_text(out, "of at most ");
		html_count(r->sample, out);
		buf_text(out, " rows of a table");
	} else {
		buf_text(out, "of all rows");
	}
	buf_text(out, "</dd>\n");
}

static void
facts(const struct html_page *page, const struct part_rehearsal *r,
	const struct word *w, struct buf *out)
{
	const struct part_rehearsed *m = r->migrations.items;
	struct html_losses sum = { 0 };
	char when[CLOCK_TEXT];
	size_t i;

	for (i = 0; i < r->migrations.n; i++)
		html_tables_count(&m[i].losses, &sum);
	clock_text(page->at != 0 ? page->at : r->at, when);
	buf_text(out, "<dl>\n");
	fact("Database", page->database, out);
	fact("Backup", page->archive, out);
	buf_printf(out, "<dt>When</dt><dd><time datetime=\"%s\">%.10s %.8s UTC"
		"</time></dd>\n", when, when, when + 11);
	/* A good archive passes, also when its rehearsal is refused. */
	if (page->verdict != NULL && strcmp(page->verdict, "passed") == 0)
		fact("Verification", "passed: the backup is good", out);
	else
		fact("Result of the run", page->verdict, out);
	fact("Command", r->command, out);
	fact_times(r, out);
	fact_head("Losses", out);
	html_tables_losses(&sum, out);
	buf_text(out, "</dd>\n");
	fact_compared(r, out);
	if (!r->comparable)
		fact("The real run", "cannot be held to what was seen here: "
			"the copy has another schema than the backup", out);
	else if (w->word != NULL && strcmp(w->word, "passed") == 0)
		fact("The real run", "is held to what was seen here", out);
	buf_text(out, "</dl>\n");
}

/* The strongest lock of a migration, and for how long. */
static void
strongest(const struct part_rehearsed *m, struct buf *out)
{
	struct html_locks l;
	char time[HTML_TIME];

	html_locks_gather(&m->statements, &l);
	if (l.row_n == 0) {
		buf_text(out, HTML_DASH);
	} else {
		html_text(l.rows->spans->mode, out);
		buf_text(out, " on <code>");
		html_text(l.rows->spans->relation, out);
		buf_printf(out, "</code>, %s", l.rows->held == -1 ?
			"time not known" : html_time(l.rows->held, time));
	}
	html_locks_free(&l);
}

static void
overview_row(const struct part_rehearsed *m, size_t number, struct buf *out)
{
	const struct word *w = find(downs, m->down);
	struct html_losses sum = { 0 };

	buf_printf(out, "<tr><th scope=\"row\"><a href=\"#m%zu\">", number);
	html_text(m->migration, out);
	buf_text(out, "</a> ");
	html_text(m->name, out);
	buf_text(out, "</th>");
	html_time_cell(m->duration_us, out);
	html_bytes_cell(m->wal_bytes, out);
	buf_text(out, "<td>");
	strongest(m, out);
	buf_text(out, "</td><td>");
	html_tables_count(&m->losses, &sum);
	html_tables_losses(&sum, out);
	buf_printf(out, "</td><td class=\"%s\">", w->class);
	html_text(m->down, out);
	buf_text(out, "</td></tr>\n");
}

/* One line for each migration, when there are several. */
static void
overview(const struct part_rehearsal *r, struct buf *out)
{
	const struct part_rehearsed *m = r->migrations.items;
	size_t i;

	if (r->migrations.n < 2)
		return;
	buf_text(out, "<h2>Migrations</h2>\n<div class=\"wide\" role=\"region\" "
		"tabindex=\"0\" aria-label=\"Migrations\">\n<table aria-label="
		"\"Migrations\">\n<thead><tr><th scope=\"col\">Migration</th>"
		"<th scope=\"col\" class=\"n\">Time</th><th scope=\"col\" "
		"class=\"n\">WAL</th><th scope=\"col\">Strongest lock</th>"
		"<th scope=\"col\">Losses</th><th scope=\"col\">Way back</th>"
		"</tr></thead>\n<tbody>\n");
	for (i = 0; i < r->migrations.n; i++)
		overview_row(&m[i], i + 1, out);
	html_table_end(out);
}

static void
sizes(const struct part_rehearsed *m, struct buf *out)
{
	int64_t more = m->size_after - m->size_before;

	fact_head("Size of the database", out);
	html_bytes(m->size_before, out);
	buf_text(out, " " HTML_ARROW " ");
	html_bytes(m->size_after, out);
	if (more != 0 && m->size_before >= 0 && m->size_after >= 0) {
		buf_printf(out, " <span class=\"soft\">(%s", more > 0 ? "+" :
			"\xe2\x88\x92");
		html_bytes(more > 0 ? more : -more, out);
		buf_text(out, ")</span>");
	}
	buf_text(out, "</dd></div>\n");
}

static void
figures(const struct part_rehearsed *m, struct buf *out)
{
	struct html_losses sum = { 0 };
	char time[HTML_TIME];

	html_tables_count(&m->losses, &sum);
	buf_printf(out, "<dl class=\"figures\">\n<div><dt>Time</dt><dd>%s</dd>"
		"</div>\n<div><dt>WAL</dt><dd>", html_time(m->duration_us,
		time));
	html_bytes(m->wal_bytes, out);
	buf_text(out, "</dd></div>\n<div>");
	sizes(m, out);
	buf_text(out, "<div><dt>Losses</dt><dd>");
	html_tables_losses(&sum, out);
	buf_text(out, "</dd></div>\n</dl>\n");
}

static void
down(const struct part_rehearsed *m, struct buf *out)
{
	const struct word *w = find(downs, m->down);
	char time[HTML_TIME];

	buf_printf(out, "<p>Way back: <strong class=\"%s\">", w->class);
	html_text(m->down, out);
	buf_printf(out, "</strong>, %s", w->means);
	if (m->down_text != NULL) {
		buf_text(out, " (");
		html_text(m->down_text, out);
		buf_char(out, ')');
	}
	if (m->down_us >= 0)
		buf_printf(out, "; it took %s", html_time(m->down_us, time));
	buf_text(out, ".</p>\n");
}

static void
migration(const struct part_rehearsed *m, size_t number, struct buf *out)
{
	buf_printf(out, "<section>\n<h2 id=\"m%zu\">Migration ", number);
	html_text(m->migration, out);
	if (m->name != NULL && *m->name != '\0') {
		buf_text(out, " <span class=\"soft\">");
		html_text(m->name, out);
		buf_text(out, "</span>");
	}
	buf_text(out, "</h2>\n");
	figures(m, out);
	down(m, out);
	if (m->checksum != NULL) {
		buf_text(out, "<p class=\"digest\">Digest of its text: <code>");
		html_text(m->checksum, out);
		buf_text(out, "</code></p>\n");
	}
	html_timeline(m, number, out);
	html_tables(m, out);
	buf_text(out, "</section>\n");
}

static void
notes(const struct part_rehearsal *r, struct buf *out)
{
	size_t i;

	if (r->notes.n == 0)
		return;
	buf_text(out, "<section>\n<h2>What this rehearsal cannot tell</h2>\n"
		"<ul>\n");
	for (i = 0; i < r->notes.n; i++) {
		buf_text(out, "<li>");
		html_text(r->notes.v[i], out);
		buf_text(out, "</li>\n");
	}
	buf_text(out, "</ul>\n</section>\n");
}

void
html_rehearsal(const struct html_page *page, const struct part_rehearsal *r,
	struct buf *out)
{
	const struct part_rehearsed *m = r->migrations.items;
	const struct word *w = find(results, r->result);
	size_t i;

	head(page, w, out);
	buf_text(out, "<body>\n<main>\n");
	verdict(page, r, w, out);
	facts(page, r, w, out);
	overview(r, out);
	if (r->migrations.n == 0)
		buf_text(out, "<p>No migration was run.</p>\n");
	for (i = 0; i < r->migrations.n; i++)
		migration(&m[i], i + 1, out);
	notes(r, out);
	buf_text(out, "</main>\n<footer>Written by ");
	html_text(page->tool, out);
	buf_text(out, ". Times are of the machine of the rehearsal.</footer>\n"
		"</body>\n</html>\n");
}
