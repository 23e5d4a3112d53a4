/* doc_generation: mig.generation, what mig-gen wrote, recorded or found. */
#ifndef DOC_DOC_GENERATION_H
#define DOC_DOC_GENERATION_H

#include <stdint.h>

#include "base/strs.h"
#include "doc/part.h"

struct doc_generation_finding {
	char *file;
	const char *level; /* error, warning */
	char *text;
};

struct doc_generation {
	char *tool;
	const char *action; /* generate, baseline, validate */
	char *folder;
	struct wire_database *database; /* NULL: none was used */
	char *migration; /* the version written or recorded; may be NULL */
	struct strs files; /* written, recorded or checked */
	struct shape_list findings;
};

extern const struct shape doc_generation_shape;
extern const struct shape doc_generation_finding_shape;
extern const char *const doc_generation_levels[]; /* error, warning */

#endif
