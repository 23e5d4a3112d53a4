/* part_command: another tool's command, run under guard. */
#ifndef DOC_PART_COMMAND_H
#define DOC_PART_COMMAND_H

#include <stdint.h>

#include "base/strs.h"
#include "doc/part_rehearsal.h"

struct part_command {
	char *command; /* its words; those that may be secret as "..." */
	int64_t status; /* its exit status; -1 (null): it did not end by itself */
	const char *left; /* unchanged, changed, restored */
	int64_t duration_ms;
	char *before, *after; /* fingerprints of the schema; after may be NULL */
	struct shape_list effects; /* struct part_effect */
	struct shape_list losses; /* struct part_loss */
	struct strs kept; /* what a restore kept of the state before it */
};

extern const struct shape part_command_shape;

#endif
