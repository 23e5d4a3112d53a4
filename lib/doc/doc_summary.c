/* doc_summary: mig.summary. */
#include "doc/doc_summary.h"

static const struct shape_field result_fields[] = {
	SHAPE_AT(doc_summary_result, database, TEXT),
	SHAPE_MAY(doc_summary_result, status, INT),
	SHAPE_MAY(doc_summary_result, reason, TEXT),
	SHAPE_MAY(doc_summary_result, text, TEXT),
	SHAPE_END,
};

const struct shape doc_summary_result_shape = { NULL, 0,
	sizeof(struct doc_summary_result), result_fields };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_summary, tool, TEXT),
	SHAPE_AT(doc_summary, program, TEXT),
	SHAPE_AT(doc_summary, done, INT),
	SHAPE_AT(doc_summary, failed, INT),
	SHAPE_AT(doc_summary, left, INT),
	SHAPE_OF(doc_summary, results, LIST, &doc_summary_result_shape),
	SHAPE_AT(doc_summary, duration_ms, INT),
	SHAPE_END,
};

const struct shape doc_summary_shape = { "mig.summary", 1,
	sizeof(struct doc_summary), fields };
