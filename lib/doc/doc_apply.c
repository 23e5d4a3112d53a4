/* doc_apply: mig.apply. */
#include "doc/doc_apply.h"

static const char *const results[] = { "applied", "repaired", "nothing",
	"planned", "failed", NULL };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_apply, tool, TEXT),
	SHAPE_OF(doc_apply, database, PART, &wire_database_shape),
	SHAPE_ONE_OF(doc_apply, result, results),
	SHAPE_MAY(doc_apply, current, TEXT),
	SHAPE_OF(doc_apply, plan, LIST, &part_planned_shape),
	SHAPE_OF(doc_apply, applied, LIST, &part_done_shape),
	SHAPE_OF(doc_apply, repairs, LIST, &part_repair_shape),
	SHAPE_AT(doc_apply, no_backup, BOOL),
	SHAPE_MAY_OF(doc_apply, backup, OBJECT, &part_backup_shape),
	SHAPE_MAY_OF(doc_apply, gap, OBJECT, &part_gap_shape),
	SHAPE_MAY_OF(doc_apply, verification, OBJECT, &doc_verification_shape),
	SHAPE_MAY_OF(doc_apply, command, OBJECT, &part_command_shape),
	SHAPE_MAY_OF(doc_apply, rehearsal, OBJECT, &part_rehearsal_shape),
	SHAPE_AT(doc_apply, duration_ms, INT),
	SHAPE_MAY_OF(doc_apply, error, OBJECT, &doc_error_shape),
	SHAPE_END,
};

const struct shape doc_apply_shape = { "mig.apply", 1,
	sizeof(struct doc_apply), fields };
