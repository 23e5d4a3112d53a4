/* part_rehearsal: what a rehearsal saw. */
#include "doc/part_rehearsal.h"

#include "base/mem.h"
#include "doc/part.h"

static const char *const changes[] = { "added", "changed", "converted",
	"dropped", "renamed", NULL };
static const char *const downs[] = { "exact", "schema-only", "lossy",
	"broken", "none", NULL };
static const char *const results[] = { "passed", "failed", "refused", NULL };

static const struct shape_field column_fields[] = {
	SHAPE_AT(part_column, column, TEXT),
	SHAPE_ONE_OF(part_column, change, changes),
	SHAPE_MAY(part_column, was, TEXT),
	SHAPE_MAY(part_column, before, INT),
	SHAPE_MAY(part_column, after, INT),
	SHAPE_MAY(part_column, lossy, INT),
	SHAPE_AT(part_column, samples, STRINGS),
	SHAPE_END,
};

const struct shape part_column_shape = { NULL, 0, sizeof(struct part_column),
	column_fields };

static const struct shape_field effect_fields[] = {
	SHAPE_AT(part_effect, table, TEXT),
	SHAPE_AT(part_effect, named, BOOL),
	SHAPE_MAY(part_effect, before, INT),
	SHAPE_MAY(part_effect, after, INT),
	SHAPE_AT(part_effect, inserted, INT),
	SHAPE_AT(part_effect, updated, INT),
	SHAPE_AT(part_effect, deleted, INT),
	SHAPE_AT(part_effect, cascaded, INT),
	SHAPE_MAY(part_effect, sampled, INT),
	SHAPE_OF(part_effect, columns, LIST, &part_column_shape),
	SHAPE_END,
};

const struct shape part_effect_shape = { NULL, 0, sizeof(struct part_effect),
	effect_fields };

static const struct shape_field rehearsed_fields[] = {
	SHAPE_AT(part_rehearsed, migration, TEXT),
	SHAPE_AT(part_rehearsed, name, TEXT),
	SHAPE_AT(part_rehearsed, checksum, DIGEST),
	SHAPE_AT(part_rehearsed, duration_us, INT),
	SHAPE_MAY(part_rehearsed, wal_bytes, INT),
	SHAPE_AT(part_rehearsed, size_before, INT),
	SHAPE_MAY(part_rehearsed, size_after, INT),
	SHAPE_MAY(part_rehearsed, fingerprint, DIGEST),
	SHAPE_OF(part_rehearsed, statements, LIST, &trace_statement_shape),
	SHAPE_OF(part_rehearsed, effects, LIST, &part_effect_shape),
	SHAPE_OF(part_rehearsed, losses, LIST, &part_loss_shape),
	SHAPE_AT(part_rehearsed, sequences, STRINGS),
	SHAPE_AT(part_rehearsed, left, STRINGS),
	SHAPE_ONE_OF(part_rehearsed, down, downs),
	SHAPE_MAY(part_rehearsed, down_text, TEXT),
	SHAPE_MAY(part_rehearsed, down_us, INT),
	SHAPE_END,
};

const struct shape part_rehearsed_shape = { NULL, 0,
	sizeof(struct part_rehearsed), rehearsed_fields };

static const struct shape_field fields[] = {
	SHAPE_ONE_OF(part_rehearsal, result, results),
	SHAPE_AT(part_rehearsal, at, TIME),
	SHAPE_MAY(part_rehearsal, command, TEXT),
	SHAPE_AT(part_rehearsal, restore_ms, INT),
	SHAPE_AT(part_rehearsal, duration_ms, INT),
	SHAPE_MAY(part_rehearsal, sample, INT),
	SHAPE_AT(part_rehearsal, comparable, BOOL),
	SHAPE_MAY(part_rehearsal, fingerprint, DIGEST),
	SHAPE_AT(part_rehearsal, notes, STRINGS),
	SHAPE_OF(part_rehearsal, migrations, LIST, &part_rehearsed_shape),
	SHAPE_MAY_OF(part_rehearsal, error, OBJECT, &doc_error_shape),
	SHAPE_END,
};

const struct shape part_rehearsal_shape = { NULL, 0,
	sizeof(struct part_rehearsal), fields };

struct part_column *
part_effect_column(struct part_effect *f, const char *name, const char *change,
	int64_t before, int64_t after)
{
	struct part_column *c = shape_list_add(&f->columns,
		&part_column_shape);

	c->column = mem_dup(name);
	c->change = change;
	c->before = before;
	c->after = after;
	c->lossy = -1;
	return c;
}
