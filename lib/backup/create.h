/*
 * create: a backup taken.  One that create_run() reports is complete, synced
 * to disk and read back; anything less is removed.
 */
#ifndef BACKUP_CREATE_H
#define BACKUP_CREATE_H

#include <stdint.h>

#include "json/wire.h"

struct db;
struct err;
struct report;

struct create_options {
	const char *tool;
	const char *folder; /* made if it is not there */
	const char *to; /* a path of its own; NULL: a name in folder */
	int fd; /* a stream instead of a file; -1: none */
	int jobs, level;
	int check; /* quick check of the source before */
	int spool;
	int safety; /* taken before a way back: never restored unasked */
	const struct report *report;
	/* The newest applied version of d.  Gives *out, NULL: none. */
	int (*current)(void *arg, struct db *d, char **out, struct err *e);
	void *arg;
};

/* What was made. */
struct create_result {
	char *path; /* NULL: a stream */
	char id[33];
	int64_t created, bytes, raw_bytes;
	char manifest[65], fingerprint[65];
	char *migration; /* newest applied; may be NULL */
	struct wire_database database;
	struct wire_position position;
	int64_t tables, rows;
	int checked, spooled, read_back;
	int64_t duration_ms;
};

/*
 * Back d up.  ERR_REFUSED "exists", "database-damaged"; ERR_ENV "no-space",
 * "permission" and I/O; on failure nothing is left.  Gives out's contents.
 */
int create_run(struct create_result *out, struct db *d,
	const struct create_options *o, struct err *e);
void create_result_free(struct create_result *r);

#endif
