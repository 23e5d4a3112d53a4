/* part: the objects that several kinds of document share. */
#include "doc/part.h"

#include <string.h>

static const char *const backup_sources[] = { "document", "receipt", "taken",
	NULL };
static const char *const script_sources[] = { "file", "ledger", NULL };
static const char *const units[] = { "rows", "values", NULL };
static const char *const answers[] = { "no", "yes", "unknown", NULL };

static const struct shape_field archive_fields[] = {
	SHAPE_MAY(part_archive, path, TEXT),
	SHAPE_AT(part_archive, bytes, INT),
	SHAPE_AT(part_archive, manifest, DIGEST),
	SHAPE_END,
};

const struct shape part_archive_shape = { NULL, 0,
	sizeof(struct part_archive), archive_fields };

static const struct shape_field backup_fields[] = {
	SHAPE_AT(part_backup, id, ID),
	SHAPE_AT(part_backup, path, TEXT),
	SHAPE_ONE_OF(part_backup, source, backup_sources),
	SHAPE_END,
};

const struct shape part_backup_shape = { NULL, 0, sizeof(struct part_backup),
	backup_fields };

static const struct shape_field loss_fields[] = {
	SHAPE_AT(part_loss, name, TEXT),
	SHAPE_AT(part_loss, action, TEXT),
	SHAPE_AT(part_loss, amount, INT),
	SHAPE_ONE_OF(part_loss, unit, units),
	SHAPE_AT(part_loss, line, INT),
	SHAPE_AT(part_loss, allowed, BOOL),
	SHAPE_END,
};

const struct shape part_loss_shape = { NULL, 0, sizeof(struct part_loss),
	loss_fields };

static const struct shape_field delta_fields[] = {
	SHAPE_AT(part_delta, table, TEXT),
	SHAPE_MAY(part_delta, before, INT),
	SHAPE_MAY(part_delta, after, INT),
	SHAPE_AT(part_delta, counted, BOOL),
	SHAPE_AT(part_delta, inserted, INT),
	SHAPE_AT(part_delta, updated, INT),
	SHAPE_AT(part_delta, deleted, INT),
	SHAPE_AT(part_delta, cascaded, INT),
	SHAPE_END,
};

const struct shape part_delta_shape = { NULL, 0, sizeof(struct part_delta),
	delta_fields };

static const struct shape_field planned_fields[] = {
	SHAPE_AT(part_planned, migration, TEXT),
	SHAPE_AT(part_planned, name, TEXT),
	SHAPE_ONE_OF(part_planned, source, script_sources),
	SHAPE_AT(part_planned, statements, INT),
	SHAPE_OF(part_planned, losses, LIST, &part_loss_shape),
	SHAPE_END,
};

const struct shape part_planned_shape = { NULL, 0,
	sizeof(struct part_planned), planned_fields };

static const struct shape_field done_fields[] = {
	SHAPE_AT(part_done, migration, TEXT),
	SHAPE_AT(part_done, name, TEXT),
	SHAPE_AT(part_done, duration_ms, INT),
	SHAPE_OF(part_done, losses, LIST, &part_loss_shape),
	SHAPE_OF(part_done, delta, LIST, &part_delta_shape),
	SHAPE_END,
};

const struct shape part_done_shape = { NULL, 0, sizeof(struct part_done),
	done_fields };

static const char *const repairs[] = { "restamp", "forget", "record", "tell",
	NULL };

static const struct shape_field repair_fields[] = {
	SHAPE_AT(part_repair, migration, TEXT),
	SHAPE_ONE_OF(part_repair, action, repairs),
	SHAPE_AT(part_repair, text, TEXT),
	SHAPE_END,
};

const struct shape part_repair_shape = { NULL, 0, sizeof(struct part_repair),
	repair_fields };

static const struct shape_field gap_table_fields[] = {
	SHAPE_AT(part_gap_table, table, TEXT),
	SHAPE_MAY(part_gap_table, rows_then, INT),
	SHAPE_MAY(part_gap_table, rows_now, INT),
	SHAPE_MAY(part_gap_table, added, INT),
	SHAPE_MAY(part_gap_table, changed, INT),
	SHAPE_MAY(part_gap_table, removed, INT),
	SHAPE_END,
};

const struct shape part_gap_table_shape = { NULL, 0,
	sizeof(struct part_gap_table), gap_table_fields };

static const struct shape_field gap_fields[] = {
	SHAPE_AT(part_gap, seconds, SIGNED),
	SHAPE_ONE_OF(part_gap, written, answers),
	SHAPE_MAY(part_gap, bytes, INT),
	SHAPE_OF(part_gap, tables, LIST, &part_gap_table_shape),
	SHAPE_END,
};

const struct shape part_gap_shape = { NULL, 0, sizeof(struct part_gap),
	gap_fields };

const char *
part_loss_unit(const struct part_loss *l)
{
	if (l->amount != 1)
		return l->unit;
	return strcmp(l->unit, "rows") == 0 ? "row" : "value";
}
