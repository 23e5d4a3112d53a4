/* lines: JSON lines in zstd frames. */
#include "archive/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/zst.h"

int
lines_pack(const struct buf *text, int level, struct buf *out, struct err *e)
{
	struct zst *z = zst_new(level);
	size_t room = zst_bound(ZST_BLOCK), at = 0, packed;
	void *frame = mem_room(room);
	int result = 0;

	do {
		size_t n = text->len - at;

		n = n > ZST_BLOCK ? ZST_BLOCK : n;
		result = zst_pack(z, text->data == NULL ? "" : text->data + at,
			n, frame, room, &packed, e);
		if (result == 0)
			buf_add(out, frame, packed);
		at += n;
	} while (result == 0 && at < text->len);
	free(frame);
	zst_free(z);
	return result;
}

/* Call each whole line of b and keep the rest. */
static int
each_whole(struct buf *b,
	int (*each)(void *arg, const char *line, size_t len, struct err *e),
	void *arg, struct err *e)
{
	char *at = b->data, *end = b->data + b->len, *newline;

	while (at < end &&
		(newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (each(arg, at, (size_t)(newline - at), e) == -1)
			return -1;
		at = newline + 1;
	}
	memmove(b->data, at, (size_t)(end - at));
	b->len = (size_t)(end - at);
	return 0;
}

int
lines_each(const void *packed, size_t n,
	int (*each)(void *arg, const char *line, size_t len, struct err *e),
	void *arg, struct err *e)
{
	const char *p = packed;
	struct zst *z = zst_new(1);
	char *raw = mem_room(ZST_BLOCK);
	struct buf rest = { 0 };
	int result = -1;

	while (n > 0) {
		size_t frame, len;

		if (zst_frame(p, n, &frame, e) == -1 ||
			zst_unpack(z, p, frame, raw, ZST_BLOCK, &len, e) == -1)
			goto out;
		buf_add(&rest, raw, len);
		if (each_whole(&rest, each, arg, e) == -1)
			goto out;
		if (rest.len > ZST_BLOCK) {
			err_set(e, ERR_DAMAGE, "damage", "a line without end");
			goto out;
		}
		p += frame;
		n -= frame;
	}
	if (rest.len > 0)
		err_set(e, ERR_DAMAGE, "damage", "the last line has no end");
	else
		result = 0;
out:
	buf_free(&rest);
	free(raw);
	zst_free(z);
	return result;
}
