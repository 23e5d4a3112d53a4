/* part_command: another tool's command, run under guard. */
#include "doc/part_command.h"

#include "doc/part.h"

static const char *const lefts[] = { "unchanged", "changed", "restored", NULL };

static const struct shape_field fields[] = {
	SHAPE_AT(part_command, command, TEXT),
	SHAPE_MAY(part_command, status, INT),
	SHAPE_ONE_OF(part_command, left, lefts),
	SHAPE_AT(part_command, duration_ms, INT),
	SHAPE_AT(part_command, before, DIGEST),
	SHAPE_MAY(part_command, after, DIGEST),
	SHAPE_OF(part_command, effects, LIST, &part_effect_shape),
	SHAPE_OF(part_command, losses, LIST, &part_loss_shape),
	SHAPE_AT(part_command, kept, STRINGS),
	SHAPE_END,
};

const struct shape part_command_shape = { NULL, 0,
	sizeof(struct part_command), fields };
