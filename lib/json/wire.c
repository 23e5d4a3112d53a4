/* wire: the objects that stand both in documents and in archives. */
#include "json/wire.h"

#include <stdio.h>
#include <string.h>

static const char *const engines[] = { "sqlite", "postgresql", NULL };
static const char *const journals[] = { "rollback", "wal", "server", NULL };

static const struct shape_field database_fields[] = {
	SHAPE_ONE_OF(wire_database, engine, engines),
	SHAPE_AT(wire_database, name, TEXT),
	SHAPE_AT(wire_database, path, TEXT),
	SHAPE_MAY(wire_database, id, ID),
	SHAPE_END,
};

const struct shape wire_database_shape = { NULL, 0,
	sizeof(struct wire_database), database_fields };

static const struct shape_field position_fields[] = {
	SHAPE_ONE_OF(wire_position, journal, journals),
	SHAPE_MAY(wire_position, change_counter, INT),
	SHAPE_MAY(wire_position, pages, INT),
	SHAPE_MAY(wire_position, page_bytes, INT),
	SHAPE_MAY(wire_position, wal_salt, TEXT),
	SHAPE_MAY(wire_position, wal_frames, INT),
	SHAPE_AT(wire_position, changed_s, SIGNED),
	SHAPE_MAY(wire_position, changed_ns, INT),
	SHAPE_MAY(wire_position, snapshot, TEXT),
	SHAPE_MAY(wire_position, wal_location, TEXT),
	SHAPE_END,
};

const struct shape wire_position_shape = { NULL, 0,
	sizeof(struct wire_position), position_fields };

static const struct shape_field table_fields[] = {
	SHAPE_AT(wire_table, name, TEXT),
	SHAPE_MAY(wire_table, rows, INT),
	SHAPE_MAY(wire_table, bytes, INT),
	SHAPE_MAY(wire_table, digest, DIGEST),
	SHAPE_END,
};

const struct shape wire_table_shape = { NULL, 0, sizeof(struct wire_table),
	table_fields };

int
wire_position_same(const struct wire_position *a,
	const struct wire_position *b)
{
	if (strcmp(a->journal, b->journal) != 0 || a->pages != b->pages ||
		a->page_bytes != b->page_bytes ||
		a->wal_frames != b->wal_frames)
		return 0;
	if (strcmp(a->journal, "server") == 0)
		return a->snapshot != NULL && b->snapshot != NULL &&
			strcmp(a->snapshot, b->snapshot) == 0;
	if (a->wal_frames > 0)
		return a->wal_salt != NULL && b->wal_salt != NULL &&
			strcmp(a->wal_salt, b->wal_salt) == 0;
	return a->change_counter == b->change_counter &&
		a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* "16/B374D848": the two halves of a place in PostgreSQL's log. */
static int64_t
place(const char *text)
{
	unsigned long high, low;

	if (text == NULL || sscanf(text, "%lx/%lx", &high, &low) != 2)
		return -1;
	return (int64_t)((uint64_t)high << 32 | low);
}

int64_t
wire_position_bytes(const struct wire_position *a,
	const struct wire_position *b)
{
	int64_t from, to;

	if (a->wal_salt != NULL && b->wal_salt != NULL &&
		strcmp(a->wal_salt, b->wal_salt) == 0)
		return (b->wal_frames - a->wal_frames) * b->page_bytes;
	from = place(a->wal_location);
	to = place(b->wal_location);
	return from < 0 || to < from ? -1 : to - from;
}
