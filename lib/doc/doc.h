/*
 * doc: documents, what the programs hand each other.  One JSON object on one
 * line; its first members are "kind" and "version".  mig-documents(5) is the
 * contract; a change here changes that page and tests/data/documents with it.
 */
#ifndef DOC_DOC_H
#define DOC_DOC_H

#include <stddef.h>

#include "json/shape.h"

struct buf;
struct err;

#define DOC_MAX ((size_t)64 << 20) /* bytes; a longer document is refused */

/* A document in memory: any kind. */
struct doc {
	const struct shape *shape; /* its kind */
	void *body; /* the kind's struct */
};

/* Every kind, ending in NULL. */
extern const struct shape *const doc_kinds[];

/* A new, zeroed document of a kind.  Gives: doc_free(). */
struct doc *doc_new(const struct shape *shape);
void doc_free(struct doc *d);

/* Append the document's line, with its newline. */
void doc_write(const struct doc *d, struct buf *out);

/*
 * Read one document of any kind.  ERR_USAGE "no-document" when the text is
 * empty, "document" when it is not exactly one good document.  Gives *out.
 */
int doc_read(struct doc **out, const char *text, size_t n, struct err *e);

#endif
