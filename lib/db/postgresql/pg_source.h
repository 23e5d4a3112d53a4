/* pg_source: pg_dump as a source of bytes, read as they pass. */
#ifndef DB_POSTGRESQL_PG_SOURCE_H
#define DB_POSTGRESQL_PG_SOURCE_H

#include <sys/types.h>

#include "db/postgresql/pg.h"

struct child;

/* The caller fills b, report, what, estimate, like, schema_only and fd. */
struct pg_source {
	struct child *child;
	unsigned char *piece;
	ssize_t ahead; /* bytes in piece that were read already; -1 */
	const struct db_backup *b; /* NULL: only count */
	const struct report *report;
	const char *what;
	int64_t at, estimate;
	const struct pg_dump_result *like;
	int schema_only, fd; /* into a file */
};

/*
 * Start pg_dump and wait for its first bytes, by which it has its locks.  1: it
 * has; 0: it waited too long for one, behind somebody who waits for us, and
 * gave up: our own locks are to be released; -1.
 */
int pg_source_start(struct pg *p, const char *name, const char *snapshot,
	struct pg_source *s, struct err *e);

/* Read what pg_source_start() has begun, to its end. */
int pg_source_read(struct pg_source *s, struct pg_dump_result *out,
	struct err *e);

/* ERR_ENV "busy"; returns -1. */
int pg_source_busy(struct pg *p, struct err *e);

/* Read a database as a backup does, and only count.  name NULL: ours. */
int pg_source_scan(struct pg *p, const char *name, const char *what,
	const struct pg_dump_result *like, struct pg_dump_result *out,
	struct err *e);
/* Its dump, without rows, into a file. */
int pg_source_schema(struct pg *p, const char *path, struct err *e);
/*
 * pg_program.c: the client program of that name which can serve p's server.
 * Gives.
 */
int pg_program_find(const struct pg *p, const char *name, char **path,
	struct err *e);

#endif
