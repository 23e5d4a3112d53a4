/*
 * manifest: what an archive says of itself: HEADER.json at the start,
 * TABLES and MEMBERS near the end, MANIFEST.json last.  mig-archive(5) is the
 * description of the format, version 1.
 */
#ifndef ARCHIVE_MANIFEST_H
#define ARCHIVE_MANIFEST_H

#include <stdint.h>

#include "json/wire.h"

#define MANIFEST_HEADER "HEADER.json"
#define MANIFEST_DATA "data/main/%08" PRId64 ".zst"
#define MANIFEST_GLOBALS "GLOBALS.sql.zst" /* of a server; may be missing */
#define MANIFEST_TABLES "TABLES.jsonl.zst"
#define MANIFEST_MEMBERS "MEMBERS.jsonl.zst"
#define MANIFEST_LAST "MANIFEST.json"
#define MANIFEST_JSON_MAX 65536 /* bytes of HEADER.json or MANIFEST.json */

struct buf;
struct err;

/* HEADER.json */
struct manifest_header {
	char *tool;
	char *id; /* of the backup */
	int64_t created;
	struct wire_database database;
	int64_t raw_bytes; /* of the database file; -1 (null): a stream */
};

/* A line of MEMBERS: every member before it, in the order of the file. */
struct manifest_member {
	char *name;
	int64_t offset; /* of its first byte of content */
	int64_t bytes;
	char *sha256; /* of the content as stored */
};

/* MANIFEST.json */
struct manifest {
	char *tool;
	char *id;
	int64_t created;
	struct wire_database database;
	int64_t raw_bytes;
	char *migration; /* newest applied version; NULL: none */
	char *fingerprint; /* of the schema, mig's own tables left out */
	struct wire_position position; /* of the data, at the snapshot */
	int checked; /* the source passed its quick check */
	const char *purpose; /* backup; safety: taken before a way back */
	int64_t tables; /* lines of TABLES */
	int64_t rows; /* in all of them */
	int64_t members; /* lines of MEMBERS */
	int64_t members_offset;
	int64_t members_bytes;
	char *members_sha256; /* of MEMBERS as stored */
	char *digest; /* of this object, see manifest_seal() */
};

extern const struct shape manifest_header_shape;
extern const struct shape manifest_member_shape;
extern const struct shape manifest_shape;
extern const char *const manifest_purposes[]; /* backup, safety, NULL */

/*
 * Set m->digest: the SHA-256 of the object's text, without a newline, with 64
 * zeros standing for the digest.
 */
void manifest_seal(struct manifest *m);

/* The bytes of the member, with its newline. */
void manifest_text(const struct manifest *m, struct buf *out);

/*
 * Read MANIFEST.json: strict, canonical (writing it again gives the same
 * bytes), digest right.  ERR_DAMAGE.  Gives m's contents: shape_release().
 */
int manifest_read(struct manifest *m, const char *text, size_t n,
	struct err *e);

/* The same for HEADER.json. */
int manifest_header_read(struct manifest_header *h, const char *text,
	size_t n, struct err *e);

#endif
