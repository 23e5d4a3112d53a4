/* receipt: the proof that an archive was verified. */
#include "backup/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "archive/reader.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define RECEIPT_MAX ((size_t)64 << 20)

static const char *const levels[] = { "quick", "default", "deep", NULL };

#define FIELDS \
	SHAPE_AT(receipt, tool, TEXT), \
	SHAPE_AT(receipt, id, ID), \
	SHAPE_AT(receipt, manifest, DIGEST), \
	SHAPE_ONE_OF(receipt, level, levels), \
	SHAPE_AT(receipt, verified, TIME), \
	SHAPE_AT(receipt, created, TIME), \
	SHAPE_AT(receipt, bytes, INT), \
	SHAPE_AT(receipt, modified_s, SIGNED), \
	SHAPE_AT(receipt, modified_ns, INT), \
	SHAPE_AT(receipt, changed_s, SIGNED), \
	SHAPE_AT(receipt, changed_ns, INT), \
	SHAPE_OF(receipt, database, PART, &wire_database_shape), \
	SHAPE_MAY(receipt, migration, TEXT), \
	SHAPE_AT(receipt, fingerprint, DIGEST), \
	SHAPE_OF(receipt, position, PART, &wire_position_shape), \
	SHAPE_OF(receipt, tables, LIST, &wire_table_shape)

static const struct shape_field fields_1[] = { FIELDS, SHAPE_END };
static const struct shape_field fields[] = {
	FIELDS,
	SHAPE_MAY_OF(receipt, rehearsal, OBJECT, &part_rehearsal_shape),
	SHAPE_END,
};

static const struct shape receipt_shape_1 = { "mig.receipt", 1,
	sizeof(struct receipt), fields_1 };
const struct shape receipt_shape = { "mig.receipt", 2, sizeof(struct receipt),
	fields };

/* Of this version, or of an older one. */
static int
read_text(struct receipt *r, const struct buf *b, struct err *e)
{
	char *kind;
	int version, result;

	if (shape_peek(b->data, b->len, &kind, &version, e) == -1)
		return -1;
	free(kind);
	result = shape_read(version == 1 ? &receipt_shape_1 : &receipt_shape,
		b->data, b->len, r, e);
	return result;
}

char *
receipt_path(const char *archive)
{
	return mem_printf("%s.receipt.json", archive);
}

int
receipt_write(struct receipt *r, const char *archive, struct err *e)
{
	struct buf b = { 0 };
	char *path;
	int result;

	shape_write(&receipt_shape, r, &b);
	buf_char(&b, '\n');
	path = receipt_path(archive);
	result = file_replace(path, b.data, b.len, 0600, e);
	if (result == -1)
		err_wrap(e, "write the receipt '%s'", path);
	free(path);
	buf_free(&b);
	return result;
}

int
receipt_read(struct receipt *r, const char *archive, struct err *e)
{
	struct buf b = { 0 };
	char *path = receipt_path(archive);
	int result = 0;

	memset(r, 0, sizeof(*r));
	if (file_exists(path)) {
		result = file_slurp(path, RECEIPT_MAX, &b, e);
		if (result == 0)
			result = read_text(r, &b, e);
		if (result == -1)
			err_wrap(e, "receipt '%s'", path);
		result = result == -1 ? -1 : 1;
	}
	buf_free(&b);
	free(path);
	return result;
}

static int
stale(struct err *e, const char *archive, const char *what)
{
	err_set(e, ERR_REFUSED, "stale", "archive '%s' %s since it was "
		"verified", archive, what);
	err_next(e, "verify it again: mig-verify");
	return err_next_word(e, archive);
}

int
receipt_check(const struct receipt *r, const char *archive, struct err *e)
{
	const struct file_times was = { r->bytes, r->modified_s,
		r->modified_ns, r->changed_s, r->changed_ns };
	struct file_times now;
	struct manifest m;
	int64_t bytes;
	int same;

	if (file_times(archive, &now, e) == -1)
		return -1;
	if (now.bytes != was.bytes)
		return stale(e, archive, "has changed its size");
	if (!file_same(&now, &was))
		return stale(e, archive, "was touched");
	if (reader_manifest(archive, &m, &bytes, e) == -1)
		return -1;
	same = strcmp(m.digest, r->manifest) == 0;
	shape_release(&manifest_shape, &m);
	return same ? 0 : stale(e, archive, "has become another");
}
