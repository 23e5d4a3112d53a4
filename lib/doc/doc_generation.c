/* doc_generation: mig.generation. */
#include "doc/doc_generation.h"

static const char *const actions[] = { "generate", "baseline", "validate",
	"squash", NULL };
const char *const doc_generation_levels[] = { "error", "warning", NULL };

static const struct shape_field finding_fields[] = {
	SHAPE_AT(doc_generation_finding, file, TEXT),
	SHAPE_ONE_OF(doc_generation_finding, level, doc_generation_levels),
	SHAPE_AT(doc_generation_finding, text, TEXT),
	SHAPE_END,
};

const struct shape doc_generation_finding_shape = { NULL, 0,
	sizeof(struct doc_generation_finding), finding_fields };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_generation, tool, TEXT),
	SHAPE_ONE_OF(doc_generation, action, actions),
	SHAPE_AT(doc_generation, folder, TEXT),
	SHAPE_MAY_OF(doc_generation, database, OBJECT, &wire_database_shape),
	SHAPE_MAY(doc_generation, migration, TEXT),
	SHAPE_AT(doc_generation, files, STRINGS),
	SHAPE_OF(doc_generation, findings, LIST,
		&doc_generation_finding_shape),
	SHAPE_END,
};

const struct shape doc_generation_shape = { "mig.generation", 1,
	sizeof(struct doc_generation), fields };
