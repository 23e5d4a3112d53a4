/* html_timeline: when each statement ran and what it locked, drawn as SVG. */
#ifndef CLI_HTML_TIMELINE_H
#define CLI_HTML_TIMELINE_H

#include <stddef.h>

struct buf;
struct part_rehearsed;
struct shape_list;

/*
 * Append the drawing of one migration and its legend; nothing if it has no
 * statement.  number makes the ids in it unique.
 */
void html_timeline(const struct part_rehearsed *m, size_t number,
	struct buf *out);

/*
 * Which max of the statements took longest: one byte for each, 1 or 0.  Gives:
 * free() it.
 */
char *html_timeline_longest(const struct shape_list *statements, size_t max);

#endif
