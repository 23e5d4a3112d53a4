/* doc: documents, what the programs hand each other. */
#include "doc/doc.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "doc/doc_apply.h"
#include "doc/doc_backup.h"
#include "doc/doc_error.h"
#include "doc/doc_generation.h"
#include "doc/doc_rollback.h"
#include "doc/doc_status.h"
#include "doc/doc_summary.h"
#include "doc/doc_verification.h"

const struct shape *const doc_kinds[] = {
	&doc_status_shape,
	&doc_backup_shape,
	&doc_verification_shape,
	&doc_apply_shape,
	&doc_rollback_shape,
	&doc_generation_shape,
	&doc_summary_shape,
	&doc_error_shape,
	NULL,
};

struct doc *
doc_new(const struct shape *shape)
{
	struct doc *d = mem_alloc(sizeof(*d));

	d->shape = shape;
	d->body = mem_alloc(shape->size);
	return d;
}

void
doc_free(struct doc *d)
{
	if (d == NULL)
		return;
	shape_release(d->shape, d->body);
	free(d->body);
	free(d);
}

void
doc_write(const struct doc *d, struct buf *out)
{
	shape_write(d->shape, d->body, out);
	buf_char(out, '\n');
}

int
doc_read(struct doc **out, const char *text, size_t n, struct err *e)
{
	const struct shape *const *k;
	struct doc *d = NULL;
	size_t blank = 0;
	char *kind;
	int version;

	*out = NULL;
	while (blank < n && memchr(" \t\r\n", text[blank], 4) != NULL)
		blank++;
	if (blank == n) {
		err_set(e, ERR_USAGE, "no-document",
			"the input ended without a document");
		return err_next(e,
			"look at the error of the program before it in the pipe");
	}
	if (shape_peek(text, n, &kind, &version, e) == -1) {
		if (text[blank] != '{')
			err_next(e, "if the program before it writes text (-o "
				    "or MIG_OUTPUT), let it write json");
		return -1;
	}
	for (k = doc_kinds; *k != NULL; k++)
		if (strcmp((*k)->kind, kind) == 0)
			break;
	if (*k == NULL) {
		err_set(e, ERR_USAGE, "document", "kind: '%.60s' is unknown",
			kind);
	} else {
		d = doc_new(*k);
		if (shape_read(*k, text, n, d->body, e) == -1) {
			doc_free(d);
			d = NULL;
		}
	}
	free(kind);
	*out = d;
	return d == NULL ? -1 : 0;
}
