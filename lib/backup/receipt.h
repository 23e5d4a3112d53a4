/*
 * receipt: the proof that an archive was verified, a small file beside it.
 * It names the archive by its size, its times and its manifest's digest, so
 * that an archive that was touched since is not taken on old trust.
 * mig-archive(5) describes the file; one of version 1 knows no rehearsal.
 */
#ifndef BACKUP_RECEIPT_H
#define BACKUP_RECEIPT_H

#include <stdint.h>

#include "doc/part_rehearsal.h"
#include "json/wire.h"
#include "os/file.h"

struct err;

struct receipt {
	char *tool;
	char *id; /* of the backup */
	char *manifest; /* the manifest's digest */
	const char *level; /* quick, default, deep */
	int64_t verified; /* when */
	int64_t created; /* the snapshot */
	int64_t bytes, modified_s, modified_ns, changed_s, changed_ns;
	struct wire_database database;
	char *migration; /* newest applied at the snapshot; may be NULL */
	char *fingerprint;
	struct wire_position position;
	struct shape_list tables; /* struct wire_table */
	struct part_rehearsal *rehearsal; /* the last one; NULL: none */
};

extern const struct shape receipt_shape;

/* Where the receipt of an archive stands.  Gives. */
char *receipt_path(const char *archive);

/* Write r, its times filled, beside the archive, durably. */
int receipt_write(struct receipt *r, const char *archive, struct err *e);

/*
 * Read the receipt of an archive: 1, 0 when there is none, -1 when it cannot
 * be read.  Gives r's contents when 1.
 */
int receipt_read(struct receipt *r, const char *archive, struct err *e);

/*
 * Look at the archive again: size, times, and the digest of its manifest.  0
 * when they are the receipt's; ERR_DAMAGE or ERR_REFUSED "stale" if not.
 */
int receipt_check(const struct receipt *r, const char *archive,
	struct err *e);

#endif
