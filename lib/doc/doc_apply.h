/* doc_apply: mig.apply, migrations that were run or would be. */
#ifndef DOC_DOC_APPLY_H
#define DOC_DOC_APPLY_H

#include <stdint.h>

#include "doc/doc_error.h"
#include "doc/doc_verification.h"
#include "doc/part.h"
#include "doc/part_command.h"
#include "doc/part_rehearsal.h"

struct doc_apply {
	char *tool;
	struct wire_database database;
	const char *result; /* applied, repaired, nothing, planned, failed */
	char *current; /* version after the run; NULL: none */
	struct shape_list plan; /* struct part_planned */
	struct shape_list applied; /* struct part_done */
	struct shape_list repairs; /* struct part_repair, under --repair */
	int no_backup; /* --no-backup was given */
	struct part_backup *backup; /* NULL: none was needed or wanted */
	struct part_gap *gap; /* since that backup */
	struct doc_verification *verification; /* handed in; may be NULL */
	struct part_command *command; /* NULL: migrations of mig's */
	struct part_rehearsal *rehearsal; /* NULL: none was made */
	int64_t duration_ms;
	struct doc_error *error; /* result failed: why */
};

extern const struct shape doc_apply_shape;

#endif
