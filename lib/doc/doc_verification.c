/* doc_verification: mig.verification. */
#include "doc/doc_verification.h"

static const char *const results[] = { "passed", "failed", NULL };
static const char *const levels[] = { "quick", "default", "deep", NULL };

static const struct shape_field check_fields[] = {
	SHAPE_AT(doc_verification_check, name, TEXT),
	SHAPE_AT(doc_verification_check, expected, TEXT),
	SHAPE_AT(doc_verification_check, found, TEXT),
	SHAPE_AT(doc_verification_check, passed, BOOL),
	SHAPE_END,
};

const struct shape doc_verification_check_shape = { NULL, 0,
	sizeof(struct doc_verification_check), check_fields };

static const struct shape_field fields[] = {
	SHAPE_AT(doc_verification, tool, TEXT),
	SHAPE_ONE_OF(doc_verification, result, results),
	SHAPE_ONE_OF(doc_verification, level, levels),
	SHAPE_AT(doc_verification, verified, TIME),
	SHAPE_MAY(doc_verification, path, TEXT),
	SHAPE_MAY_OF(doc_verification, archive, OBJECT, &part_archive_shape),
	SHAPE_MAY(doc_verification, id, ID),
	SHAPE_MAY(doc_verification, created, TIME),
	SHAPE_MAY_OF(doc_verification, database, OBJECT, &wire_database_shape),
	SHAPE_OF(doc_verification, checks, LIST,
		&doc_verification_check_shape),
	SHAPE_MAY_OF(doc_verification, rehearsal, OBJECT,
		&part_rehearsal_shape),
	SHAPE_MAY(doc_verification, receipt, TEXT),
	SHAPE_AT(doc_verification, duration_ms, INT),
	SHAPE_MAY_OF(doc_verification, backup, OBJECT, &doc_backup_shape),
	SHAPE_MAY_OF(doc_verification, error, OBJECT, &doc_error_shape),
	SHAPE_END,
};

const struct shape doc_verification_shape = { "mig.verification", 1,
	sizeof(struct doc_verification), fields };
