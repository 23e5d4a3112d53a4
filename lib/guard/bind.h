/*
 * bind: is this verified backup the way back for this database, now?
 * Identity and schema must be the receipt's; data written since is not a
 * reason to refuse within the age limit, but is stated as the gap.
 */
#ifndef GUARD_BIND_H
#define GUARD_BIND_H

#include <stdint.h>

#include "backup/receipt.h"

struct db;
struct err;
struct part_gap;

#define BIND_MAX_AGE 3600 /* seconds: default of --max-backup-age */

/* 0, or ERR_REFUSED with "level", "other-database", "schema", "age", "stale". */
int bind_check(const struct receipt *r, const char *archive, struct db *d,
	int64_t max_age_s, struct err *e);

/*
 * The newest archive in folder whose receipt binds: 1, 0 when there is none
 * (why says what is wrong with the newest), -1.  Gives *path and r's contents.
 */
int bind_newest(const char *folder, struct db *d, int64_t max_age_s,
	char **path, struct receipt *r, struct err *why, struct err *e);

/* Fill g, zeroed: what was written since the receipt's snapshot. */
int bind_gap(struct part_gap *g, const struct receipt *r, struct db *d,
	struct err *e);

#endif
