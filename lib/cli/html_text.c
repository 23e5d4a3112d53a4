/* html_text: text and numbers as they may stand in a page of HTML. */
#include "cli/html_text.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/strs.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Characters that cannot be seen but change what is. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x0080, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f },
	{ 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
};

/* The bytes of the character at s; 0: they are not UTF-8. */
static size_t
character(const char *s, uint32_t *code)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;

	/* A NUL in between is no continuation, so nothing is read behind it. */
	for (i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	if (!strs_is_utf8(s, n))
		return 0;
	*code = n == 1 ? c : c & (0xffu >> (n + 1));
	for (i = 1; i < n; i++)
		*code = *code << 6 | ((unsigned char)s[i] & 0x3f);
	return n;
}

static int
is_unseen(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		if (code >= unseen[i].first && code <= unseen[i].last)
			return 1;
	/* The last two of every plane are no characters. */
	return (code & 0xfffe) == 0xfffe;
}

/* Append the character at s; returns its bytes. */
static size_t
one(const char *s, struct buf *out)
{
	uint32_t code = 0;
	size_t n = character(s, &code);

	if (n == 0) {
		buf_text(out, REPLACEMENT);
		return 1;
	}
	if (code == '&')
		buf_text(out, "&amp;");
	else if (code == '<')
		buf_text(out, "&lt;");
	else if (code == '>')
		buf_text(out, "&gt;");
	else if (code == '"')
		buf_text(out, "&quot;");
	else if (code == '\'')
		buf_text(out, "&#39;");
	else if (code < 0x20) /* U+2400 and on are their pictures */
		buf_printf(out, "\xe2\x90%c", (char)(0x80 + code));
	else if (code == 0x7f)
		buf_text(out, "\xe2\x90\xa1");
	else if (is_unseen(code))
		buf_printf(out, "[U+%04X]", (unsigned)code);
	else
		buf_add(out, s, n);
	return n;
}

void
html_text(const char *s, struct buf *out)
{
	if (s == NULL)
		buf_text(out, HTML_DASH);
	else
		while (*s != '\0')
			s += one(s, out);
}

void
html_short(const char *s, size_t max, struct buf *out)
{
	size_t i;

	if (s == NULL)
		s = "";
	for (i = 0; *s != '\0' && i < max; i++)
		s += one(s, out);
	if (*s != '\0')
		buf_text(out, "\xe2\x80\xa6");
}

void
html_count(int64_t n, struct buf *out)
{
	char text[32];

	buf_text(out, n < 0 ? HTML_DASH : num_commas(n, text, sizeof(text)));
}

void
html_bytes(int64_t n, struct buf *out)
{
	char text[32];

	buf_text(out, n < 0 ? HTML_DASH : num_bytes(n, text, sizeof(text)));
}

const char *
html_time(int64_t us, char out[HTML_TIME])
{
	long long n = us;

	if (n < 0)
		snprintf(out, HTML_TIME, "%s", HTML_DASH);
	else if (n == 0)
		snprintf(out, HTML_TIME, "0 s");
	else if (n < 1000)
		snprintf(out, HTML_TIME, "%lld \xc2\xb5s", n);
	else if (n < 99950)
		snprintf(out, HTML_TIME, "%lld.%lld ms", (n + 50) / 1000,
			(n + 50) % 1000 / 100);
	else if (n < 999500)
		snprintf(out, HTML_TIME, "%lld ms", (n + 500) / 1000);
	else if (n < 59950000)
		snprintf(out, HTML_TIME, "%lld.%lld s", (n + 50000) / 1000000,
			(n + 50000) % 1000000 / 100000);
	else if (n < 3600000000LL)
		snprintf(out, HTML_TIME, "%lld min %lld s", n / 60000000,
			n % 60000000 / 1000000);
	else
		snprintf(out, HTML_TIME, "%lld h %lld min", n / 3600000000LL,
			n % 3600000000LL / 60000000);
	return out;
}

static void
cell(int pale, struct buf *out)
{
	buf_text(out, pale ? "<td class=\"n zero\">" : "<td class=\"n\">");
}

void
html_count_cell(int64_t n, struct buf *out)
{
	cell(n <= 0, out);
	html_count(n, out);
	buf_text(out, "</td>");
}

void
html_bytes_cell(int64_t n, struct buf *out)
{
	cell(n <= 0, out);
	if (n == 0)
		buf_char(out, '0');
	else
		html_bytes(n, out);
	buf_text(out, "</td>");
}

void
html_time_cell(int64_t us, struct buf *out)
{
	char text[HTML_TIME];

	cell(us < 0, out);
	buf_text(out, html_time(us, text));
	buf_text(out, "</td>");
}

void
html_table(const char *label, const char *of, const char *const *heads,
	struct buf *out)
{
	/* A region that scrolls must be reachable with the keyboard. */
	buf_printf(out, "<h3>%s</h3>\n<div class=\"wide\" role=\"region\" "
		"tabindex=\"0\" aria-label=\"%s of migration ", label, label);
	html_text(of, out);
	buf_printf(out, "\">\n<table aria-label=\"%s of migration ", label);
	html_text(of, out);
	buf_text(out, "\">\n<thead><tr>");
	for (; *heads != NULL; heads++)
		buf_printf(out, "<th scope=\"col\"%s>%s</th>", **heads == '#' ?
			" class=\"n\"" : "", *heads + (**heads == '#'));
	buf_text(out, "</tr></thead>\n<tbody>\n");
}

void
html_table_end(struct buf *out)
{
	buf_text(out, "</tbody>\n</table>\n</div>\n");
}

int64_t
html_sum(int64_t a, int64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}
