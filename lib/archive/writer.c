/* writer: an archive being written, front to back. */
#include "archive/writer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/lines.h"
#include "archive/manifest.h"
#include "archive/tar.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/pool.h"
#include "codec/sha256.h"
#include "codec/zst.h"
#include "json/wire.h"
#include "os/file.h"

#define FLUSH_BYTES ((int64_t)16 << 20)

struct writer {
	int fd;
	int level;
	int64_t raw_bytes; /* as the header promised; of a stream, so far */
	struct buf globals; /* empty: none */
	int stream; /* its length is not known before its end */
	int64_t next; /* raw offset after the last byte put */
	unsigned char *first; /* block 0 */
	struct pool *pool;
	struct pool_slot *slot; /* being filled; NULL: none */
	pthread_mutex_t mutex; /* guards all below */
	int64_t at; /* bytes written to fd */
	int64_t flushed; /* bytes that the disk was asked to begin with */
	struct buf members; /* lines so far */
	int64_t member_n;
};

/* One member, whole.  Caller holds the mutex, or is alone. */
static int
append(struct writer *w, const char *name, const void *p, size_t n,
	const char *sha256, struct err *e)
{
	static const unsigned char zero[TAR_BLOCK];
	unsigned char header[TAR_BLOCK];
	struct manifest_member line = { 0 };

	tar_header(header, name, (int64_t)n);
	line.name = (char *)name;
	line.offset = w->at + TAR_BLOCK;
	line.bytes = (int64_t)n;
	line.sha256 = (char *)sha256;
	if (file_write(w->fd, header, TAR_BLOCK, e) == -1 ||
		file_write(w->fd, p, n, e) == -1 ||
		file_write(w->fd, zero, tar_padding((int64_t)n), e) == -1)
		return err_wrap(e, "archive");
	w->at += TAR_BLOCK + (int64_t)n + (int64_t)tar_padding((int64_t)n);
	shape_write(&manifest_member_shape, &line, &w->members);
	buf_char(&w->members, '\n');
	w->member_n++;
	/* The disk works beside us, and the sync at the end has little to do. */
	if (w->at - w->flushed >= FLUSH_BYTES) {
		file_flush_soon(w->fd, w->flushed, w->at - w->flushed);
		w->flushed = w->at;
	}
	return 0;
}

/* Worker: compress one block and append it. */
static int
pack_block(void *arg, struct pool_worker *worker, struct pool_slot *s,
	struct err *e)
{
	struct writer *w = arg;
	char name[TAR_NAME], digest[SHA256_TEXT];
	size_t n;
	int result;

	if (zst_pack(worker->zst, s->data, s->len, worker->room,
		    zst_bound(ZST_BLOCK), &n, e) == -1)
		return -1;
	sha256_add(worker->sha256, worker->room, n);
	sha256_end_text(worker->sha256, digest);
	snprintf(name, sizeof(name), MANIFEST_DATA, s->index);
	pthread_mutex_lock(&w->mutex);
	result = append(w, name, worker->room, n, digest, e);
	pthread_mutex_unlock(&w->mutex);
	return result;
}

static int
append_text(struct writer *w, const char *name, const struct buf *text,
	struct err *e)
{
	char digest[SHA256_TEXT];

	sha256_of(text->data, text->len, digest);
	return append(w, name, text->data, text->len, digest, e);
}

int
writer_open(struct writer **out, int fd, int jobs, int level,
	const struct manifest_header *h, struct err *e)
{
	struct writer *w = mem_alloc(sizeof(*w));
	struct buf text = { 0 };
	int result;

	*out = NULL;
	pthread_mutex_init(&w->mutex, NULL);
	w->fd = fd;
	w->level = level;
	w->stream = h->raw_bytes == -1;
	w->raw_bytes = w->stream ? 0 : h->raw_bytes;
	w->first = mem_room(ZST_BLOCK);
	shape_write(&manifest_header_shape, h, &text);
	buf_char(&text, '\n');
	result = pool_new(&w->pool, jobs, level, ZST_BLOCK,
		zst_bound(ZST_BLOCK), pack_block, w, e);
	if (result == 0)
		result = append_text(w, MANIFEST_HEADER, &text, e);
	buf_free(&text);
	if (result == -1)
		writer_free(w);
	else
		*out = w;
	return result;
}

static void
give(struct writer *w)
{
	pool_give(w->pool, w->slot);
	w->slot = NULL;
}

/* The worker's own error, when the pool has none to give. */
static int
pool_broke(struct writer *w, struct err *e)
{
	if (pool_finish(w->pool, e) == -1)
		return -1;
	return err_bug(e, "the pool has no slot");
}

/* Put bytes that follow w->next, beyond the first block; p NULL: zeros. */
static int
put_next(struct writer *w, const unsigned char *p, size_t n, struct err *e)
{
	while (n > 0) {
		size_t at = (size_t)(w->next % (int64_t)ZST_BLOCK), k;

		if (w->slot == NULL) {
			w->slot = pool_take(w->pool);
			if (w->slot == NULL)
				return pool_broke(w, e);
			w->slot->index = w->next / (int64_t)ZST_BLOCK;
			w->slot->len = 0;
		}
		k = ZST_BLOCK - at;
		k = k > n ? n : k;
		if (p == NULL)
			memset(w->slot->data + at, 0, k);
		else
			memcpy(w->slot->data + at, p, k);
		p = p == NULL ? NULL : p + k;
		w->slot->len = at + k;
		w->next += (int64_t)k;
		n -= k;
		if (w->slot->len == ZST_BLOCK)
			give(w);
	}
	return 0;
}

int
writer_put(struct writer *w, int64_t offset, const void *p, size_t n,
	struct err *e)
{
	const unsigned char *bytes = p;
	int64_t end = offset + (int64_t)n;

	if (w->stream && end > w->raw_bytes)
		w->raw_bytes = end;
	if (offset < 0 || end > w->raw_bytes)
		return err_set(e, ERR_ENV, "order",
			"the database gave bytes beyond its end");
	if (offset < (int64_t)ZST_BLOCK) {
		size_t k = ZST_BLOCK - (size_t)offset;

		k = k > n ? n : k;
		memcpy(w->first + offset, bytes, k);
		bytes += k;
		n -= k;
		offset += (int64_t)k;
		if (n == 0)
			return 0;
	}
	if (w->next < (int64_t)ZST_BLOCK)
		w->next = (int64_t)ZST_BLOCK;
	if (offset < w->next) {
		err_set(e, ERR_ENV, "order",
			"the database gave its pages out of order");
		return err_next(e, "run it again with --spool");
	}
	if (put_next(w, NULL, (size_t)(offset - w->next), e) == -1)
		return -1;
	return put_next(w, bytes, n, e);
}

/* The last block, zeros up to the promised length, then the first block. */
static int
finish_data(struct writer *w, struct err *e)
{
	int64_t first = w->raw_bytes < (int64_t)ZST_BLOCK ?
		w->raw_bytes : (int64_t)ZST_BLOCK;

	if (w->raw_bytes > (int64_t)ZST_BLOCK) {
		if (w->next < (int64_t)ZST_BLOCK)
			w->next = (int64_t)ZST_BLOCK;
		if (put_next(w, NULL, (size_t)(w->raw_bytes - w->next), e) ==
			-1)
			return -1;
		if (w->slot != NULL)
			give(w);
	}
	if (first > 0) {
		w->slot = pool_take(w->pool);
		if (w->slot == NULL)
			return pool_broke(w, e);
		memcpy(w->slot->data, w->first, (size_t)first);
		w->slot->len = (size_t)first;
		w->slot->index = 0;
		give(w);
	}
	return pool_finish(w->pool, e);
}

static int
finish_tables(struct writer *w, const struct shape_list *tables,
	struct manifest *m, struct err *e)
{
	const struct wire_table *t = tables->items;
	struct buf text = { 0 }, packed = { 0 };
	size_t i;
	int result;

	m->tables = (int64_t)tables->n;
	m->rows = 0;
	for (i = 0; i < tables->n; i++) {
		shape_write(&wire_table_shape, &t[i], &text);
		buf_char(&text, '\n');
		m->rows += t[i].rows > 0 ? t[i].rows : 0;
	}
	result = lines_pack(&text, w->level, &packed, e);
	if (result == 0)
		result = append_text(w, MANIFEST_TABLES, &packed, e);
	buf_free(&text);
	buf_free(&packed);
	return result;
}

void
writer_globals(struct writer *w, const char *sql)
{
	buf_clear(&w->globals);
	buf_text(&w->globals, sql);
	if (w->globals.len > 0 && w->globals.data[w->globals.len - 1] != '\n')
		buf_char(&w->globals, '\n');
}

static int
finish_globals(struct writer *w, struct err *e)
{
	struct buf packed = { 0 };
	int result;

	if (w->globals.len == 0)
		return 0;
	result = lines_pack(&w->globals, w->level, &packed, e);
	if (result == 0)
		result = append_text(w, MANIFEST_GLOBALS, &packed, e);
	buf_free(&packed);
	return result;
}

static int
finish_members(struct writer *w, struct manifest *m, struct err *e)
{
	struct buf packed = { 0 };
	char digest[SHA256_TEXT];
	int result;

	m->members = w->member_n;
	result = lines_pack(&w->members, w->level, &packed, e);
	if (result == 0) {
		sha256_of(packed.data, packed.len, digest);
		m->members_offset = w->at + TAR_BLOCK;
		m->members_bytes = (int64_t)packed.len;
		free(m->members_sha256);
		m->members_sha256 = mem_dup(digest);
		result = append(w, MANIFEST_MEMBERS, packed.data, packed.len,
			digest, e);
	}
	buf_free(&packed);
	return result;
}

int
writer_finish(struct writer *w, const struct shape_list *tables,
	struct manifest *m, int64_t *total, struct err *e)
{
	static const unsigned char end[TAR_END];
	struct buf text = { 0 };
	int result;

	if (finish_data(w, e) == -1 || finish_globals(w, e) == -1 ||
		finish_tables(w, tables, m, e) == -1 ||
		finish_members(w, m, e) == -1)
		return -1;
	manifest_seal(m);
	manifest_text(m, &text);
	result = append_text(w, MANIFEST_LAST, &text, e);
	buf_free(&text);
	if (result == 0 && file_write(w->fd, end, sizeof(end), e) == -1)
		result = err_wrap(e, "archive");
	*total = w->at + TAR_END;
	return result;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	pool_free(w->pool);
	buf_free(&w->globals);
	pthread_mutex_destroy(&w->mutex);
	buf_free(&w->members);
	free(w->first);
	free(w);
}
