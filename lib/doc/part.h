/* part: the objects that several kinds of document share. */
#ifndef DOC_PART_H
#define DOC_PART_H

#include <stdint.h>

#include "json/shape.h"
#include "json/wire.h"

/* An archive file, and the digest that names its contents. */
struct part_archive {
	char *path; /* NULL: it was a stream */
	int64_t bytes;
	char *manifest; /* digest of the archive's manifest */
};

/* A backup that a run leaned on. */
struct part_backup {
	char *id;
	char *path;
	const char *source; /* document, receipt, taken */
};

/* One named, counted loss. */
struct part_loss {
	char *name; /* "table" or "table.column" */
	char *action; /* "DROP TABLE", "cascade", ... */
	int64_t amount;
	const char *unit; /* rows, values */
	int64_t line; /* in the file; 0: not a statement's */
	int allowed;
};

/* What a migration did to one table. */
struct part_delta {
	char *table;
	int64_t before, after; /* rows; -1 (null): the table was not there */
	int counted; /* 0: too large for that, and before and after are null */
	int64_t inserted, updated, deleted;
	int64_t cascaded; /* of deleted: by foreign keys and triggers */
};

/* One migration of a plan. */
struct part_planned {
	char *migration;
	char *name;
	const char *source; /* file, ledger */
	int64_t statements;
	struct shape_list losses;
};

/* One migration that was run. */
struct part_done {
	char *migration;
	char *name;
	int64_t duration_ms;
	struct shape_list losses;
	struct shape_list delta;
};

/* One change of the records, that was made or would be. */
struct part_repair {
	char *migration;
	const char *action; /* restamp, forget, record, tell */
	char *text;
};

/* What was written since a backup, for one table.  -1 (null): not counted. */
struct part_gap_table {
	char *table;
	int64_t rows_then, rows_now;
	int64_t added, changed, removed;
};

/* What was written since a backup. */
struct part_gap {
	int64_t seconds; /* the age of the backup's snapshot */
	const char *written; /* no, yes, unknown */
	int64_t bytes; /* that may have been written; -1 (null): not known */
	struct shape_list tables; /* those that differ */
};

extern const struct shape part_archive_shape;
extern const struct shape part_backup_shape;
extern const struct shape part_loss_shape;

/* "row" or "rows", "value" or "values": as its amount wants it.  Borrowed. */
const char *part_loss_unit(const struct part_loss *l);
extern const struct shape part_delta_shape;
extern const struct shape part_planned_shape;
extern const struct shape part_done_shape;
extern const struct shape part_repair_shape;
extern const struct shape part_gap_table_shape;
extern const struct shape part_gap_shape;

#endif
