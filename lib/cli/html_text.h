/*
 * html_text: text and numbers as they may stand in a page of HTML.  What comes
 * from a database is hostile: every string goes out through here.
 */
#ifndef CLI_HTML_TEXT_H
#define CLI_HTML_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define HTML_DASH "\xe2\x80\x93" /* stands for "not known" and "none" */
#define HTML_ARROW "\xe2\x86\x92"
#define HTML_TIME 32 /* room for html_time() */

/*
 * Append s so that it is text wherever text or a quoted attribute may stand.
 * Control characters become their pictures; what turns or hides the text
 * around it (bidirectional controls, characters of no width) becomes its
 * number, as "[U+202E]"; bytes that are not UTF-8 become U+FFFD.  NULL: a dash.
 */
void html_text(const char *s, struct buf *out);

/* The same for the first max characters, with an ellipsis if there are more. */
void html_short(const char *s, size_t max, struct buf *out);

/* "1,234", or a dash for -1. */
void html_count(int64_t n, struct buf *out);

/* "12.3 MiB", or a dash for -1. */
void html_bytes(int64_t n, struct buf *out);

/*
 * "420 us" (with the Greek letter), "3.6 ms", "380 ms", "1.5 s", "3 min 20 s",
 * "2 h 5 min"; a dash for -1.  Three figures, so that bars can be compared.
 */
const char *html_time(int64_t us, char out[HTML_TIME]);

/* Cells of a table, aligned to the right; a zero is pale. */
void html_count_cell(int64_t n, struct buf *out);
void html_bytes_cell(int64_t n, struct buf *out);
void html_time_cell(int64_t us, struct buf *out);

/*
 * A heading and the beginning of a table that scrolls on a narrow screen, and
 * its end.  label is static, of is a version; heads are the column heads,
 * ending in NULL: one that begins with '#' is that of numbers.
 */
void html_table(const char *label, const char *of, const char *const *heads,
	struct buf *out);
void html_table_end(struct buf *out);

/* a + b of what is not negative; at most INT64_MAX. */
int64_t html_sum(int64_t a, int64_t b);

#endif
