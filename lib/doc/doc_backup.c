/* doc_backup: mig.backup. */
#include "doc/doc_backup.h"

static const struct shape_field fields[] = {
	SHAPE_AT(doc_backup, tool, TEXT),
	SHAPE_AT(doc_backup, id, ID),
	SHAPE_AT(doc_backup, created, TIME),
	SHAPE_OF(doc_backup, database, PART, &wire_database_shape),
	SHAPE_OF(doc_backup, archive, PART, &part_archive_shape),
	SHAPE_AT(doc_backup, level, INT),
	SHAPE_AT(doc_backup, jobs, INT),
	SHAPE_AT(doc_backup, raw_bytes, INT),
	SHAPE_AT(doc_backup, tables, INT),
	SHAPE_AT(doc_backup, rows, INT),
	SHAPE_MAY(doc_backup, migration, TEXT),
	SHAPE_AT(doc_backup, fingerprint, DIGEST),
	SHAPE_OF(doc_backup, position, PART, &wire_position_shape),
	SHAPE_AT(doc_backup, checked, BOOL),
	SHAPE_AT(doc_backup, spooled, BOOL),
	SHAPE_AT(doc_backup, read_back, BOOL),
	SHAPE_AT(doc_backup, duration_ms, INT),
	SHAPE_END,
};

const struct shape doc_backup_shape = { "mig.backup", 1,
	sizeof(struct doc_backup), fields };
