/* reader_list: what an archive lists of itself, and whether it is all there. */
#include "archive/reader_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/lines.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

#define TABLES_MAX 1000000 /* more than any real schema */
#define LIST_MAX ((int64_t)1 << 30) /* bytes of a packed list of lines */

static int
one_table(void *arg, const char *line, size_t n, struct err *e)
{
	struct reader *r = arg;
	struct wire_table t;

	if (r->out->tables.n == TABLES_MAX)
		return err_set(e, ERR_DAMAGE, "damage", "too many tables");
	if (shape_read(&wire_table_shape, line, n, &t, e) == -1) {
		e->code = ERR_DAMAGE;
		return -1;
	}
	*(struct wire_table *)shape_list_add(&r->out->tables,
		&wire_table_shape) = t;
	return 0;
}

static int
one_line(void *arg, const char *line, size_t n, struct err *e)
{
	(void)arg;
	(void)line;
	(void)n;
	(void)e;
	return 0;
}

/* A member of packed lines, each given to each. */
static int
take_lines(struct reader *r, int64_t index, const char *name,
	int (*each)(void *arg, const char *line, size_t n, struct err *e),
	struct err *e)
{
	struct buf b = { 0 };
	int64_t at = r->at;
	int result = reader_take_whole(r, LIST_MAX, index, &b, e);

	if (result == 0 && lines_each(b.data, b.len, each, r, e) == -1)
		result = reader_in_member(name, at, e);
	buf_free(&b);
	return result;
}

int
reader_tables(struct reader *r, struct err *e)
{
	return take_lines(r, MET_TABLES, MANIFEST_TABLES, one_table, e);
}

/* SQL for people: only that it can be read. */
int
reader_globals(struct reader *r, struct err *e)
{
	return take_lines(r, MET_GLOBALS, MANIFEST_GLOBALS, one_line, e);
}

/* The name that the met member must have. */
static void
met_name(const struct reader *r, size_t i, char out[TAR_NAME])
{
	if (r->met[i].index >= 0)
		snprintf(out, TAR_NAME, MANIFEST_DATA, r->met[i].index);
	else
		snprintf(out, TAR_NAME, "%s", r->met[i].index == MET_HEADER ?
			MANIFEST_HEADER : r->met[i].index == MET_GLOBALS ?
			MANIFEST_GLOBALS : MANIFEST_TABLES);
}

static int
one_member(void *arg, const char *line, size_t n, struct err *e)
{
	struct reader *r = arg;
	struct manifest_member m;
	char name[TAR_NAME];
	const struct met *met;

	if (shape_read(&manifest_member_shape, line, n, &m, e) == -1) {
		e->code = ERR_DAMAGE;
		return -1;
	}
	if (r->line >= r->met_n) {
		err_set(e, ERR_DAMAGE, "damage",
			"member '%s' is listed but not there", m.name);
		goto bad;
	}
	met = &r->met[r->line];
	met_name(r, r->line, name);
	if (strcmp(name, m.name) != 0) {
		err_set(e, ERR_DAMAGE, "damage",
			"offset %" PRId64 " holds member '%s', the list says '%s'",
			met->offset, name, m.name);
		goto bad;
	}
	if (m.offset != met->offset || m.bytes != met->bytes) {
		err_set(e, ERR_DAMAGE, "damage",
			"member '%s': %" PRId64 " bytes at offset %" PRId64
			", the list says %" PRId64 " at %" PRId64, name,
			met->bytes, met->offset, m.bytes, m.offset);
		goto bad;
	}
	if (strcmp(met->sha256, m.sha256) != 0) {
		err_set(e, ERR_DAMAGE, "damage",
			"member '%s' at offset %" PRId64
			": SHA-256 is %.16s..., the list says %.16s...", name,
			met->offset, met->sha256, m.sha256);
		goto bad;
	}
	r->line++;
	shape_release(&manifest_member_shape, &m);
	return 0;
bad:
	shape_release(&manifest_member_shape, &m);
	return -1;
}

/*
 * Read MEMBERS and MANIFEST, then the end of the file.  A bad digest of the
 * list is known before its lines are believed.
 */
int
reader_end(struct reader *r, struct err *e)
{
	struct buf list = { 0 }, text = { 0 };
	struct manifest *m = &r->out->manifest;
	unsigned char end[TAR_END + 1];
	int64_t offset = r->at;
	ssize_t n;
	int result = -1;

	if (reader_take_whole(r, LIST_MAX, MET_END, &list, e) == -1 ||
		reader_next(r, e) == -1)
		goto out;
	if (strcmp(r->name, MANIFEST_LAST) != 0) {
		reader_damage(r, e, MANIFEST_LAST " must stand here");
		goto out;
	}
	if (reader_take_whole(r, MANIFEST_JSON_MAX, MET_END, &text, e) == -1)
		goto out;
	if (manifest_read(m, text.data, text.len, e) == -1) {
		reader_in_member(MANIFEST_LAST, r->met[r->met_n - 1].offset, e);
		goto out;
	}
	r->met_n -= 2;
	if (m->members_offset != offset ||
		m->members_bytes != (int64_t)list.len ||
		strcmp(m->members_sha256, r->met[r->met_n].sha256) != 0) {
		err_set(e, ERR_DAMAGE, "damage",
			"member '%s' at offset %" PRId64
			" is not the one of the manifest", MANIFEST_MEMBERS,
			offset);
		goto out;
	}
	if (lines_each(list.data, list.len, one_member, r, e) == -1)
		goto out;
	if (r->line != r->met_n || m->members != (int64_t)r->met_n) {
		err_set(e, ERR_DAMAGE, "damage",
			"%zu members are there, %" PRId64 " are listed",
			r->met_n, m->members);
		goto out;
	}
	n = file_read(r->fd, end, sizeof(end), e);
	if (n == -1) {
		err_wrap(e, "archive");
	} else if (n != TAR_END || !tar_is_zero(end, TAR_END)) {
		err_set(e, ERR_DAMAGE, "damage", "%s after the manifest",
			n < TAR_END ? "the archive ends early," :
				      "other bytes stand");
	} else {
		r->out->bytes = r->at + n;
		result = 0;
	}
out:
	buf_free(&list);
	buf_free(&text);
	return result;
}

static int
by_index(const void *a, const void *b)
{
	const struct met *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

/* Each block of a stream is full, but for the last. */
static int
check_stream(const struct reader *r, struct err *e)
{
	int64_t raw = r->out->manifest.raw_bytes;
	size_t i;

	for (i = 0; i < r->met_n && r->o->inflate; i++)
		if (r->met[i].index >= 0 && r->met[i].raw != reader_block_raw(raw, r->met[i].index))
			return err_set(e, ERR_DAMAGE, "damage",
				"block %" PRId64 " holds %" PRId64
				" bytes, not %" PRId64, r->met[i].index,
				r->met[i].raw, reader_block_raw(raw,
					r->met[i].index));
	return 0;
}

/* Header and manifest agree; every block is there once. */
int
reader_whole(struct reader *r, struct err *e)
{
	const struct manifest_header *h = &r->out->header;
	const struct manifest *m = &r->out->manifest;
	int64_t i, n = reader_block_count(m->raw_bytes), others = 0;

	if (strcmp(h->id, m->id) != 0 ||
		(h->raw_bytes != -1 && h->raw_bytes != m->raw_bytes) ||
		h->created != m->created ||
		strcmp(h->database.path, m->database.path) != 0)
		return err_set(e, ERR_DAMAGE, "damage",
			"header and manifest are of different archives");
	if (m->tables != (int64_t)r->out->tables.n)
		return err_set(e, ERR_DAMAGE, "damage",
			"%zu tables are listed, the manifest says %" PRId64,
			r->out->tables.n, m->tables);
	qsort(r->met, r->met_n, sizeof(*r->met), by_index);
	/* Those that are not blocks: the header, the tables, the globals. */
	while (others < (int64_t)r->met_n && r->met[others].index < 0)
		others++;
	for (i = 0; i < n; i++)
		if (i + others >= (int64_t)r->met_n ||
			r->met[i + others].index != i)
			return err_set(e, ERR_DAMAGE, "damage",
				"block %" PRId64 " is missing or doubled", i);
	if ((int64_t)r->met_n != n + others)
		return err_set(e, ERR_DAMAGE, "damage", "a block is doubled");
	r->out->blocks = n;
	r->out->members = (int64_t)r->met_n;
	return h->raw_bytes == -1 ? check_stream(r, e) : 0;
}
