/* reader: an archive read in one pass, trusting nothing. */
#include "archive/reader_part.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int
reader_damage(const struct reader *r, struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGE, "damage",
		"member '%s' at offset %" PRId64 ": %s", r->name, r->at, what);
}

/* Name the member in an error that a lower room made. */
int
reader_in_member(const char *name, int64_t offset, struct err *e)
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

int
reader_next(struct reader *r, struct err *e)
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
		reader_damage(r, e, "the padding before it is not zero");
}

static struct met *
meet(struct reader *r, int64_t index)
{
	struct met *m;

	r->met = mem_more(r->met, r->met_n, sizeof(*r->met));
	m = &r->met[r->met_n++];
	memset(m, 0, sizeof(*m));
	m->offset = r->at;
	m->bytes = r->size;
	m->index = index;
	return m;
}

/* A member that is read whole; it is met, with its digest. */
int
reader_take_whole(struct reader *r, int64_t max, int64_t index, struct buf *b,
	struct err *e)
{
	char *p;

	if (r->size > max)
		return reader_damage(r, e, "too large");
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

int64_t
reader_block_count(int64_t raw_bytes)
{
	int64_t b = (int64_t)ZST_BLOCK;

	return raw_bytes / b + (raw_bytes % b != 0);
}

int64_t
reader_block_raw(int64_t raw_bytes, int64_t index)
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
		return reader_in_member(name, s->offset, e);
	/* Of a stream the end tells how long it is: see check_stream(). */
	if (raw != -1 && (int64_t)n != reader_block_raw(raw, s->index)) {
		err_set(e, ERR_DAMAGE, "damage",
			"holds %zu bytes, not %" PRId64, n,
			reader_block_raw(raw, s->index));
		return reader_in_member(name, s->offset, e);
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

	if (index == -1 || (raw != -1 && index >= reader_block_count(raw)))
		return reader_damage(r, e, "no member has that name here");
	if (r->size < 1 || r->size > (int64_t)zst_bound(ZST_BLOCK))
		return reader_damage(r, e, "its size cannot be");
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

	if (reader_next(r, e) == -1)
		return err_wrap(e, "not a mig archive");
	if (strcmp(r->name, MANIFEST_HEADER) != 0)
		return reader_damage(r, e, "an archive begins with " MANIFEST_HEADER);
	result = reader_take_whole(r, MANIFEST_JSON_MAX, MET_HEADER, &b, e);
	if (result == 0 &&
		manifest_header_read(&r->out->header, b.data, b.len, e) == -1)
		result = reader_in_member(MANIFEST_HEADER, TAR_BLOCK, e);
	buf_free(&b);
	if (result == 0 && r->o->begin != NULL)
		result = r->o->begin(r->o->arg, &r->out->header, e);
	return result;
}

static int
read_all(struct reader *r, struct err *e)
{
	if (read_header(r, e) == -1)
		return -1;
	for (;;) {
		if (stop_check(e) == -1 || reader_next(r, e) == -1)
			return -1;
		if (strcmp(r->name, MANIFEST_GLOBALS) == 0) {
			if (reader_globals(r, e) == -1 ||
				reader_next(r, e) == -1)
				return -1;
			if (strcmp(r->name, MANIFEST_TABLES) != 0)
				return reader_damage(r, e, MANIFEST_TABLES
					" must stand here");
		}
		if (strcmp(r->name, MANIFEST_TABLES) == 0)
			break;
		if (read_block(r, e) == -1)
			return -1;
		report_progress(r->o->report, r->o->what, r->at, r->o->total);
	}
	if (pool_finish(r->pool, e) == -1 || reader_tables(r, e) == -1 ||
		reader_next(r, e) == -1)
		return -1;
	if (strcmp(r->name, MANIFEST_MEMBERS) != 0)
		return reader_damage(r, e, MANIFEST_MEMBERS " must stand here");
	if (reader_end(r, e) == -1)
		return -1;
	return reader_whole(r, e);
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
