/*
 * html: a rehearsal as one page of HTML, for a change request.  The page needs
 * nothing else: no script, no network, no file beside it.
 */
#ifndef CLI_HTML_H
#define CLI_HTML_H

#include <stdint.h>

struct buf;
struct part_rehearsal;

/*
 * What the rehearsal itself does not say.  All texts are borrowed for the call
 * and may hold anything: they are escaped.
 */
struct html_page {
	const char *tool; /* "mig 0.1.0" */
	const char *database; /* its path or name, for people */
	const char *archive; /* path of the backup; may be NULL */
	const char *verdict; /* the document's result word; may be NULL */
	int64_t at; /* when, seconds since 1970; 0: when the rehearsal ended */
};

/*
 * Append the page, complete from <!doctype html> to </html>.  r is as it was
 * read from a document, or filled by op_rehearse(); nothing is kept of it.
 */
void html_rehearsal(const struct html_page *page,
	const struct part_rehearsal *r, struct buf *out);

#endif
