/* doc_rollback: mig.rollback. */
#include "doc/doc_rollback.h"

static const char *const modes[] = { "down", "restore", "into", "offline",
	"only", "undo", "resume", NULL };
static const char *const results[] = { "done", "nothing", "planned", "failed",
	NULL };

static const struct shape_field brought_fields[] = {
	SHAPE_AT(doc_rollback_brought, name, TEXT),
	SHAPE_AT(doc_rollback_brought, into, TEXT),
	SHAPE_AT(doc_rollback_brought, rows, INT),
	SHAPE_AT(doc_rollback_brought, sql, TEXT),
	SHAPE_END,
};

const struct shape doc_rollback_brought_shape = { NULL, 0,
	sizeof(struct doc_rollback_brought), brought_fields };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_rollback, tool, TEXT),
	SHAPE_OF(doc_rollback, database, PART, &wire_database_shape),
	SHAPE_ONE_OF(doc_rollback, mode, modes),
	SHAPE_ONE_OF(doc_rollback, result, results),
	SHAPE_MAY(doc_rollback, current, TEXT),
	SHAPE_OF(doc_rollback, plan, LIST, &part_planned_shape),
	SHAPE_OF(doc_rollback, done, LIST, &part_done_shape),
	SHAPE_MAY_OF(doc_rollback, archive, OBJECT, &part_archive_shape),
	SHAPE_MAY(doc_rollback, into, TEXT),
	SHAPE_OF(doc_rollback, brought, LIST, &doc_rollback_brought_shape),
	SHAPE_MAY_OF(doc_rollback, gap, OBJECT, &part_gap_shape),
	SHAPE_MAY_OF(doc_rollback, safety, OBJECT, &part_backup_shape),
	SHAPE_AT(doc_rollback, kept, STRINGS),
	SHAPE_AT(doc_rollback, duration_ms, INT),
	SHAPE_MAY_OF(doc_rollback, error, OBJECT, &doc_error_shape),
	SHAPE_END,
};

const struct shape doc_rollback_shape = { "mig.rollback", 1,
	sizeof(struct doc_rollback), fields };
