/* doc_summary: mig.summary, what came of a run over several databases. */
#ifndef DOC_DOC_SUMMARY_H
#define DOC_DOC_SUMMARY_H

#include <stdint.h>

#include "json/shape.h"

struct doc_summary_result {
	char *database; /* as it was listed, without a secret */
	int64_t status; /* exit status; -1 (null): it was not begun */
	char *reason, *text; /* of its error; NULL: none */
};

struct doc_summary {
	char *tool;
	char *program;
	int64_t done, failed, left; /* databases; left: not begun */
	struct shape_list results; /* in the order of the list */
	int64_t duration_ms;
};

extern const struct shape doc_summary_shape;
extern const struct shape doc_summary_result_shape;

#endif
