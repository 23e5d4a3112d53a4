/* manifest: what an archive says of itself. */
#include "archive/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/sha256.h"

static const char zeros[] = "0000000000000000000000000000000000000000"
			    "000000000000000000000000";

static const struct shape_field header_fields[] = {
	SHAPE_AT(manifest_header, tool, TEXT),
	SHAPE_AT(manifest_header, id, ID),
	SHAPE_AT(manifest_header, created, TIME),
	SHAPE_OF(manifest_header, database, PART, &wire_database_shape),
	SHAPE_MAY(manifest_header, raw_bytes, INT),
	SHAPE_END,
};

const struct shape manifest_header_shape = { "mig.archive", 1,
	sizeof(struct manifest_header), header_fields };

static const struct shape_field member_fields[] = {
	SHAPE_AT(manifest_member, name, TEXT),
	SHAPE_AT(manifest_member, offset, INT),
	SHAPE_AT(manifest_member, bytes, INT),
	SHAPE_AT(manifest_member, sha256, DIGEST),
	SHAPE_END,
};

const struct shape manifest_member_shape = { NULL, 0,
	sizeof(struct manifest_member), member_fields };

const char *const manifest_purposes[] = { "backup", "safety", NULL };

static const struct shape_field manifest_fields[] = {
	SHAPE_AT(manifest, tool, TEXT),
	SHAPE_AT(manifest, id, ID),
	SHAPE_AT(manifest, created, TIME),
	SHAPE_OF(manifest, database, PART, &wire_database_shape),
	SHAPE_AT(manifest, raw_bytes, INT),
	SHAPE_MAY(manifest, migration, TEXT),
	SHAPE_AT(manifest, fingerprint, DIGEST),
	SHAPE_OF(manifest, position, PART, &wire_position_shape),
	SHAPE_AT(manifest, checked, BOOL),
	SHAPE_ONE_OF(manifest, purpose, manifest_purposes),
	SHAPE_AT(manifest, tables, INT),
	SHAPE_AT(manifest, rows, INT),
	SHAPE_AT(manifest, members, INT),
	SHAPE_AT(manifest, members_offset, INT),
	SHAPE_AT(manifest, members_bytes, INT),
	SHAPE_AT(manifest, members_sha256, DIGEST),
	SHAPE_AT(manifest, digest, DIGEST),
	SHAPE_END,
};

const struct shape manifest_shape = { "mig.manifest", 1,
	sizeof(struct manifest), manifest_fields };

static void
digest_of(const struct manifest *m, char out[SHA256_TEXT])
{
	struct manifest blank = *m;
	struct buf b = { 0 };
	char digits[sizeof(zeros)];

	memcpy(digits, zeros, sizeof(zeros));
	blank.digest = digits;
	shape_write(&manifest_shape, &blank, &b);
	sha256_of(b.data, b.len, out);
	buf_free(&b);
}

void
manifest_seal(struct manifest *m)
{
	char digest[SHA256_TEXT];

	digest_of(m, digest);
	free(m->digest);
	m->digest = mem_dup(digest);
}

void
manifest_text(const struct manifest *m, struct buf *out)
{
	shape_write(&manifest_shape, m, out);
	buf_char(out, '\n');
}

/* Strict reading, and the same bytes when written again. */
static int
read_canonical(const struct shape *s, void *p, const char *text, size_t n,
	struct err *e)
{
	struct buf again = { 0 };
	int same;

	if (shape_read(s, text, n, p, e) == -1) {
		/* A document's error, but here it means stored damage. */
		e->code = ERR_DAMAGE;
		memcpy(e->reason, "damage", sizeof("damage"));
		return -1;
	}
	shape_write(s, p, &again);
	buf_char(&again, '\n');
	same = again.len == n && memcmp(again.data, text, n) == 0;
	buf_free(&again);
	if (!same) {
		shape_release(s, p);
		return err_set(e, ERR_DAMAGE, "damage",
			"not written as mig writes it");
	}
	return 0;
}

int
manifest_read(struct manifest *m, const char *text, size_t n, struct err *e)
{
	char digest[SHA256_TEXT];

	if (read_canonical(&manifest_shape, m, text, n, e) == -1)
		return -1;
	digest_of(m, digest);
	if (strcmp(digest, m->digest) != 0) {
		shape_release(&manifest_shape, m);
		return err_set(e, ERR_DAMAGE, "damage",
			"its digest does not match its text");
	}
	return 0;
}

int
manifest_header_read(struct manifest_header *h, const char *text, size_t n,
	struct err *e)
{
	return read_canonical(&manifest_header_shape, h, text, n, e);
}
