/* reader: an archive read in one pass, trusting nothing. */
#include "archive/reader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/lines.h"
#include "archive/tar.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "codec/pool.h"
#include "codec/sha256.h"
#include "codec/zst.h"
#include "os/file.h"

#define TABLES_MAX 1000000 /* more than any real schema */
#define LIST_MAX ((int64_t)1 << 30) /* bytes of a packed list of lines */

/* Members that are no blocks, by what stands for an index. */
enum { MET_HEADER = -1, MET_GLOBALS = -2, MET_TABLES = -3, MET_END = -4 };

/* A member as it was met. */
struct met {
	int64_t offset; /* of its content */
	int64_t bytes;
	int64_t index; /* of a block; negative: not one, see met_name() */
	int64_t raw; /* of a block, inflated; 0: not known */
	char sha256[SHA256_TEXT];
};

struct reader {
	int fd;
	const struct reader_options *o;
	struct reader_result *out;
	int64_t at; /* bytes read */
	struct pool *pool;
	pthread_mutex_t mutex; /* guards met */
	struct met *met;
	size_t met_n;
	char name[TAR_NAME]; /* the member being read */
	int64_t size;
	size_t line; /* of MEMBERS, while comparing */
};

static int
damage(const struct reader *r, struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGE, "damage",
		"member '%s' at offset %" PRId64 ": %s", r->name, r->at, what);
}

/* Name the member in an error that a lower room made. */
static int
in_member(const char *name, int64_t offset, struct err *e)
{
	return err_wrap(e, "member '%s' at offset %" PRId64, name, offset);
}

static int
take(struct reader *r, void *p, size_t n, struct err *e)
{
	ssize_t got = file_read(r->fd, p, n, e);

	if (got == -1)
		return err_wrap(e, "archive");
	if ((size_t)got != n)
		return err_set(e, ERR_DAMAGE, "damage",
			"the archive ends early, at offset %" PRId64
			"%s%s%s", r->at + got,
			r->name[0] == '\0' ? "" : ", in or after member '",
			r->name, r->name[0] == '\0' ? "" : "'");
	r->at += got;
	return 0;
}

static int
next_member(struct reader *r, struct err *e)
{
	unsigned char header[TAR_BLOCK];
	char name[TAR_NAME];
	int64_t at = r->at;

	if (take(r, header, sizeof(header), e) == -1)
		return -1;
	if (tar_parse(header, name, &r->size, e) == -1)
		return err_wrap(e, "offset %" PRId64 "%s%s", at,
			r->name[0] == '\0' ? "" : ", after member ", r->name);
	memcpy(r->name, name, sizeof(name));
	return 0;
}

static int
take_padding(struct reader *r, struct err *e)
{
	unsigned char zero[TAR_BLOCK];
	size_t n = tar_padding(r->size);

	if (take(r, zero, n, e) == -1)
		return -1;
	return tar_is_zero(zero, n) ? 0 :
		damage(r, e, "the padding before it is not zero");
}

static struct met *
meet(struct reader *r, int64_t index)
{
	struct met *m;

	if ((r->met_n & (r->met_n - 1)) == 0)
		r->met = mem_grow(r->met, r->met_n == 0 ? 1 : r->met_n * 2,
			sizeof(*r->met));
	m = &r->met[r->met_n++];
	memset(m, 0, sizeof(*m));
	m->offset = r->at;
	m->bytes = r->size;
	m->index = index;
	return m;
}

/* A member that is read whole; it is met, with its digest. */
static int
take_whole(struct reader *r, int64_t max, int64_t index, struct buf *b,
	struct err *e)
{
	char *p;

	if (r->size > max)
		return damage(r, e, "too large");
	p = mem_alloc((size_t)r->size + 1);
	pthread_mutex_lock(&r->mutex);
	meet(r, index);
	pthread_mutex_unlock(&r->mutex);
	if (take(r, p, (size_t)r->size, e) == -1) {
		free(p);
		return -1;
	}
	sha256_of(p, (size_t)r->size, r->met[r->met_n - 1].sha256);
	buf_add(b, p, (size_t)r->size);
	free(p);
	return take_padding(r, e);
}

static int64_t
block_count(int64_t raw_bytes)
{
	int64_t b = (int64_t)ZST_BLOCK;

	return raw_bytes / b + (raw_bytes % b != 0);
}

static int64_t
block_raw(int64_t raw_bytes, int64_t index)
{
	int64_t left = raw_bytes - index * (int64_t)ZST_BLOCK;

	return left < (int64_t)ZST_BLOCK ? left : (int64_t)ZST_BLOCK;
}

/* Worker: hash, and inflate if asked. */
static int
unpack_block(void *arg, struct pool_worker *w, struct pool_slot *s,
	struct err *e)
{
	struct reader *r = arg;
	char name[TAR_NAME], digest[SHA256_TEXT];
	int64_t raw = r->out->header.raw_bytes;
	size_t n;

	sha256_add(w->sha256, s->data, s->len);
	sha256_end_text(w->sha256, digest);
	pthread_mutex_lock(&r->mutex);
	memcpy(r->met[s->extra].sha256, digest, sizeof(digest));
	pthread_mutex_unlock(&r->mutex);
	if (!r->o->inflate)
		return 0;
	snprintf(name, sizeof(name), MANIFEST_DATA, s->index);
	if (zst_unpack(w->zst, s->data, s->len, w->room, ZST_BLOCK, &n, e) ==
		-1)
		return in_member(name, s->offset, e);
	/* Of a stream the end tells how long it is: see check_stream(). */
	if (raw != -1 && (int64_t)n != block_raw(raw, s->index)) {
		err_set(e, ERR_DAMAGE, "damage",
			"holds %zu bytes, not %" PRId64, n,
			block_raw(raw, s->index));
		return in_member(name, s->offset, e);
	}
	pthread_mutex_lock(&r->mutex);
	r->met[s->extra].raw = (int64_t)n;
	pthread_mutex_unlock(&r->mutex);
	if (r->o->block != NULL &&
		r->o->block(r->o->arg, s->index * (int64_t)ZST_BLOCK, w->room,
			n, e) == -1)
		return -1;
	return 0;
}

/* The number in a block's name, or -1. */
static int64_t
block_index(const char *name)
{
	char again[TAR_NAME];
	int64_t index;

	if (sscanf(name, "data/main/%9" SCNd64, &index) != 1 || index < 0)
		return -1;
	snprintf(again, sizeof(again), MANIFEST_DATA, index);
	return strcmp(again, name) == 0 ? index : -1;
}

static int
read_block(struct reader *r, struct err *e)
{
	struct pool_slot *s;
	int64_t index = block_index(r->name), raw = r->out->header.raw_bytes;

	if (index == -1 || (raw != -1 && index >= block_count(raw)))
		return damage(r, e, "no member has that name here");
	if (r->size < 1 || r->size > (int64_t)zst_bound(ZST_BLOCK))
		return damage(r, e, "its size cannot be");
	s = pool_take(r->pool);
	if (s == NULL)
		return pool_finish(r->pool, e) == -1 ? -1 :
			err_bug(e, "the pool has no slot");
	s->index = index;
	s->offset = r->at;
	s->len = (size_t)r->size;
	pthread_mutex_lock(&r->mutex);
	meet(r, index);
	s->extra = (int64_t)r->met_n - 1;
	pthread_mutex_unlock(&r->mutex);
	if (take(r, s->data, s->len, e) == -1)
		return -1;
	pool_give(r->pool, s);
	return take_padding(r, e);
}

static int
read_header(struct reader *r, struct err *e)
{
	struct buf b = { 0 };
	int result;

	if (next_member(r, e) == -1)
		return err_wrap(e, "not a mig archive");
	if (strcmp(r->name, MANIFEST_HEADER) != 0)
		return damage(r, e, "an archive begins with " MANIFEST_HEADER);
	result = take_whole(r, MANIFEST_JSON_MAX, MET_HEADER, &b, e);
	if (result == 0 &&
		manifest_header_read(&r->out->header, b.data, b.len, e) == -1)
		result = in_member(MANIFEST_HEADER, TAR_BLOCK, e);
	buf_free(&b);
	if (result == 0 && r->o->begin != NULL)
		result = r->o->begin(r->o->arg, &r->out->header, e);
	return result;
}

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
read_tables(struct reader *r, struct err *e)
{
	struct buf b = { 0 };
	int64_t at = r->at;
	int result = take_whole(r, LIST_MAX, MET_TABLES, &b, e);

	if (result == 0 && lines_each(b.data, b.len, one_table, r, e) == -1)
		result = in_member(MANIFEST_TABLES, at, e);
	buf_free(&b);
	return result;
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

/* SQL for people: only that it can be read. */
static int
read_globals(struct reader *r, struct err *e)
{
	struct buf b = { 0 };
	int64_t at = r->at;
	int result = take_whole(r, LIST_MAX, MET_GLOBALS, &b, e);

	if (result == 0 && lines_each(b.data, b.len, one_line, r, e) == -1)
		result = in_member(MANIFEST_GLOBALS, at, e);
	buf_free(&b);
	return result;
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
static int
read_end(struct reader *r, struct err *e)
{
	struct buf list = { 0 }, text = { 0 };
	struct manifest *m = &r->out->manifest;
	unsigned char end[TAR_END + 1];
	int64_t offset = r->at;
	ssize_t n;
	int result = -1;

	if (take_whole(r, LIST_MAX, MET_END, &list, e) == -1 ||
		next_member(r, e) == -1)
		goto out;
	if (strcmp(r->name, MANIFEST_LAST) != 0) {
		damage(r, e, MANIFEST_LAST " must stand here");
		goto out;
	}
	if (take_whole(r, MANIFEST_JSON_MAX, MET_END, &text, e) == -1)
		goto out;
	if (manifest_read(m, text.data, text.len, e) == -1) {
		in_member(MANIFEST_LAST, r->met[r->met_n - 1].offset, e);
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
		if (r->met[i].index >= 0 && r->met[i].raw != block_raw(raw, r->met[i].index))
			return err_set(e, ERR_DAMAGE, "damage",
				"block %" PRId64 " holds %" PRId64
				" bytes, not %" PRId64, r->met[i].index,
				r->met[i].raw, block_raw(raw,
					r->met[i].index));
	return 0;
}

/* Header and manifest agree; every block is there once. */
static int
check_whole(struct reader *r, struct err *e)
{
	const struct manifest_header *h = &r->out->header;
	const struct manifest *m = &r->out->manifest;
	int64_t i, n = block_count(m->raw_bytes), others = 0;

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

static int
read_all(struct reader *r, struct err *e)
{
	if (read_header(r, e) == -1)
		return -1;
	for (;;) {
		if (stop_check(e) == -1 || next_member(r, e) == -1)
			return -1;
		if (strcmp(r->name, MANIFEST_GLOBALS) == 0) {
			if (read_globals(r, e) == -1 ||
				next_member(r, e) == -1)
				return -1;
			if (strcmp(r->name, MANIFEST_TABLES) != 0)
				return damage(r, e, MANIFEST_TABLES
					" must stand here");
		}
		if (strcmp(r->name, MANIFEST_TABLES) == 0)
			break;
		if (read_block(r, e) == -1)
			return -1;
		report_progress(r->o->report, r->o->what, r->at, r->o->total);
	}
	if (pool_finish(r->pool, e) == -1 || read_tables(r, e) == -1 ||
		next_member(r, e) == -1)
		return -1;
	if (strcmp(r->name, MANIFEST_MEMBERS) != 0)
		return damage(r, e, MANIFEST_MEMBERS " must stand here");
	if (read_end(r, e) == -1)
		return -1;
	return check_whole(r, e);
}

int
reader_run(int fd, const struct reader_options *o, struct reader_result *out,
	struct err *e)
{
	struct reader r = { 0 };
	int result;

	memset(out, 0, sizeof(*out));
	r.fd = fd;
	r.o = o;
	r.out = out;
	pthread_mutex_init(&r.mutex, NULL);
	result = pool_new(&r.pool, o->jobs, ZST_LEVEL_MIN,
		zst_bound(ZST_BLOCK), ZST_BLOCK, unpack_block, &r, e);
	if (result == 0)
		result = read_all(&r, e);
	report_progress(o->report, o->what, 0, 0);
	pool_free(r.pool);
	pthread_mutex_destroy(&r.mutex);
	free(r.met);
	return result;
}

void
reader_result_free(struct reader_result *r)
{
	struct wire_table *t = r->tables.items;
	size_t i;

	shape_release(&manifest_header_shape, &r->header);
	shape_release(&manifest_shape, &r->manifest);
	for (i = 0; i < r->tables.n; i++)
		shape_release(&wire_table_shape, &t[i]);
	free(r->tables.items);
	memset(r, 0, sizeof(*r));
}
