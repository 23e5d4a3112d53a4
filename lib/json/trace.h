/*
 * trace: what one statement did, seen on a copy that nobody else uses.
 * mig-documents(5) describes the members.
 */
#ifndef JSON_TRACE_H
#define JSON_TRACE_H

#include <stdint.h>

#include "json/shape.h"

/*
 * The strongest lock that a statement took on a relation that was there before
 * its migration, unless the migration held it already.
 */
struct trace_lock {
	char *relation;
	char *mode; /* as the server calls it: "AccessExclusive" */
	int64_t held_us; /* until its transaction ended; -1 (null): not known */
};

/* Work on the whole of a relation that was there before its migration. */
struct trace_work {
	char *relation;
	const char *action; /* rewritten, built, scanned, emptied, proved */
	char *why; /* the server's own words; NULL: it gave none */
};

/* -1 (null): the engine does not tell. */
struct trace_statement {
	int64_t line;
	char *text; /* the beginning of it */
	int64_t begin_us; /* after the beginning of its migration */
	int64_t duration_us;
	int64_t read; /* rows, by scans and, on a server, by indexes */
	int64_t inserted, updated, deleted; /* rows */
	int64_t wal_bytes;
	struct shape_list locks; /* struct trace_lock */
	struct shape_list works; /* struct trace_work */
	char *fingerprint; /* of the schema behind it; NULL: not asked */
};

extern const struct shape trace_lock_shape;
extern const struct shape trace_work_shape;
extern const struct shape trace_statement_shape;

/* Add to a statement.  action is static. */
void trace_add_lock(struct trace_statement *t, const char *relation,
	const char *mode);
void trace_add_work(struct trace_statement *t, const char *relation,
	const char *action, const char *why);

#endif
