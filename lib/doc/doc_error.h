/* doc_error: mig.error, why a program has no document of its own to give. */
#ifndef DOC_DOC_ERROR_H
#define DOC_DOC_ERROR_H

#include <stdint.h>

#include "json/shape.h"

struct err;

struct doc_error {
	char *tool; /* "mig 0.1.0" */
	char *program; /* that failed */
	int64_t status; /* its exit status */
	char *reason; /* a stable word */
	char *text;
	char *next; /* what to do; may be NULL */
};

extern const struct shape doc_error_shape;

/* Fill d, zeroed, from e. */
void doc_error_fill(struct doc_error *d, const char *tool,
	const char *program, const struct err *e);

#endif
