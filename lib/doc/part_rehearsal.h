/*
 * part_rehearsal: what a rehearsal saw: the plan run on a copy that was restored
 * from the backup.  It stands in documents and in receipts.
 */
#ifndef DOC_PART_REHEARSAL_H
#define DOC_PART_REHEARSAL_H

#include <stdint.h>

#include "base/strs.h"
#include "doc/doc_error.h"
#include "json/trace.h"

/* A column whose values are not what they were. */
struct part_column {
	char *column; /* now; one that was dropped: before */
	const char *change; /* added, changed, converted, dropped, renamed */
	char *was; /* the name that it had; NULL: the same */
	int64_t before, after; /* values that are not null; -1 (null): none */
	int64_t lossy; /* values that do not lead back; -1 (null): not asked */
	struct strs samples; /* a few of those, as "KEY: OLD -> NEW" */
};

/* A table that a migration changed. */
struct part_effect {
	char *table;
	int named; /* the file names it */
	int64_t before, after; /* rows; -1 (null): it was not there */
	int64_t inserted, updated, deleted, cascaded; /* as in part_delta */
	int64_t sampled; /* rows whose values were compared; -1 (null): all */
	struct shape_list columns; /* struct part_column */
};

struct part_rehearsed {
	char *migration;
	char *name;
	char *checksum; /* of its text, filled in */
	int64_t duration_us; /* with its commit */
	int64_t wal_bytes; /* -1 (null): not known */
	int64_t size_before, size_after; /* bytes; after -1 (null): it failed */
	char *fingerprint; /* of the schema behind it */
	struct shape_list statements; /* struct trace_statement */
	struct shape_list effects; /* struct part_effect */
	struct shape_list losses; /* struct part_loss */
	struct strs sequences; /* those that went back, as "NAME: 9 -> 1" */
	struct strs left; /* what it leaves undone: an invalid index ... */
	const char *down; /* exact, schema-only, lossy, broken, none */
	char *down_text; /* why it is not exact; may be NULL */
	int64_t down_us; /* -1 (null): it did not run */
};

struct part_rehearsal {
	const char *result; /* passed, failed, refused */
	int64_t at; /* when it ended */
	char *command; /* of another tool; NULL: migrations of mig's */
	int64_t restore_ms; /* until the copy was there */
	int64_t duration_ms; /* all of it */
	int64_t sample; /* rows per table that were compared; -1 (null): all */
	int comparable; /* the copy's fingerprint is the backup's */
	char *fingerprint; /* before the first */
	struct strs notes; /* what this rehearsal cannot tell */
	struct shape_list migrations; /* struct part_rehearsed */
	struct doc_error *error; /* NULL: passed */
};

/* Add a column to an effect: nothing asked, no samples.  Borrowed. */
struct part_column *part_effect_column(struct part_effect *f,
	const char *name, const char *change, int64_t before, int64_t after);

extern const struct shape part_column_shape;
extern const struct shape part_effect_shape;
extern const struct shape part_rehearsed_shape;
extern const struct shape part_rehearsal_shape;

#endif
