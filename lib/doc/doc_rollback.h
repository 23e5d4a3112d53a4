/* doc_rollback: mig.rollback, the way back that was gone or would be. */
#ifndef DOC_DOC_ROLLBACK_H
#define DOC_DOC_ROLLBACK_H

#include <stdint.h>

#include "base/strs.h"
#include "doc/doc_error.h"
#include "doc/part.h"

/* A table, or a column, that was brought beside the live ones. */
struct doc_rollback_brought {
	char *name; /* as it was asked for */
	char *into; /* the new table */
	int64_t rows;
	char *sql; /* what may put them back */
};

struct doc_rollback {
	char *tool;
	struct wire_database database;
	const char *mode; /* down, restore, into, only, ... */
	const char *result; /* done, nothing, planned, failed */
	char *current; /* version after the run; NULL: none */
	struct shape_list plan; /* struct part_planned */
	struct shape_list done; /* struct part_done */
	struct part_archive *archive; /* that was restored */
	char *into; /* where to, in mode into */
	struct shape_list brought; /* struct doc_rollback_brought */
	struct part_gap *gap; /* what the restore loses */
	struct part_backup *safety; /* the backup taken before */
	struct strs kept; /* files kept aside */
	int64_t duration_ms;
	struct doc_error *error; /* result failed: why */
};

extern const struct shape doc_rollback_shape;
extern const struct shape doc_rollback_brought_shape;

#endif
