/* doc_error: mig.error. */
#include "doc/doc_error.h"

#include "base/err.h"
#include "base/mem.h"

static const struct shape_field fields[] = {
	SHAPE_AT(doc_error, tool, TEXT),
	SHAPE_AT(doc_error, program, TEXT),
	SHAPE_AT(doc_error, status, INT),
	SHAPE_AT(doc_error, reason, TEXT),
	SHAPE_AT(doc_error, text, TEXT),
	SHAPE_MAY(doc_error, next, TEXT),
	SHAPE_END,
};

const struct shape doc_error_shape = { "mig.error", 1,
	sizeof(struct doc_error), fields };

void
doc_error_fill(struct doc_error *d, const char *tool, const char *program,
	const struct err *e)
{
	d->tool = mem_dup(tool);
	d->program = mem_dup(program);
	d->status = e->code;
	d->reason = mem_dup(e->reason);
	d->text = mem_dup(e->text);
	d->next = e->next[0] == '\0' ? NULL : mem_dup(e->next);
}
