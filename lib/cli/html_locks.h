/* html_locks: the locks of a migration, put in order for a drawing. */
#ifndef CLI_HTML_LOCKS_H
#define CLI_HTML_LOCKS_H

#include <stddef.h>
#include <stdint.h>

struct shape_list;

#define HTML_LOCKS_MODES 9 /* strengths, from 0 */

/* One lock, from its statement on.  The texts are borrowed. */
struct html_span {
	const char *relation, *mode;
	int64_t begin, held; /* microseconds; held is -1: not known */
};

/* The locks of one relation in one mode. */
struct html_row {
	const struct html_span *spans;
	size_t n;
	int strength;
	int64_t held; /* all of them together; -1: one is not known */
};

struct html_locks {
	struct html_span *spans;
	size_t span_n;
	struct html_row *rows; /* the strongest first, then the longest */
	size_t row_n;
};

/*
 * The locks of a list of struct trace_statement, which must live as long.
 * Gives *out, which need not be set before: html_locks_free().
 */
void html_locks_gather(const struct shape_list *statements,
	struct html_locks *out);
void html_locks_free(struct html_locks *l);

/* From 1 (AccessShare) to 8 (AccessExclusive); 0: a mode we do not know. */
int html_locks_strength(const char *mode);

/* The mode of that strength, and who waits behind it.  Static. */
const char *html_locks_mode(int strength);
const char *html_locks_waits(int strength);

#endif
