/* zst: one independent zstd frame per block. */
#include "codec/zst.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/err.h"
#include "base/mem.h"

struct zst {
	ZSTD_CCtx *c;
	ZSTD_DCtx *d;
	int level;
};

struct zst *
zst_new(int level)
{
	struct zst *z = mem_alloc(sizeof(*z));

	z->level = level;
	return z;
}

void
zst_free(struct zst *z)
{
	if (z == NULL)
		return;
	ZSTD_freeCCtx(z->c);
	ZSTD_freeDCtx(z->d);
	free(z);
}

size_t
zst_bound(size_t n)
{
	return ZSTD_compressBound(n);
}

int
zst_pack(struct zst *z, const void *p, size_t n, void *out, size_t room,
	size_t *len, struct err *e)
{
	size_t r;

	if (z->c == NULL) {
		z->c = ZSTD_createCCtx();
		if (z->c == NULL ||
			ZSTD_isError(ZSTD_CCtx_setParameter(z->c,
				ZSTD_c_compressionLevel, z->level)) ||
			ZSTD_isError(ZSTD_CCtx_setParameter(z->c,
				ZSTD_c_checksumFlag, 1)))
			return err_bug(e, "zstd refuses its parameters");
	}
	r = ZSTD_compress2(z->c, out, room, p, n);
	if (ZSTD_isError(r))
		return err_bug(e, ZSTD_getErrorName(r));
	*len = r;
	return 0;
}

int
zst_unpack(struct zst *z, const void *p, size_t n, void *out, size_t room,
	size_t *len, struct err *e)
{
	unsigned long long size = ZSTD_getFrameContentSize(p, n);
	size_t frame = ZSTD_findFrameCompressedSize(p, n), r;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(e, ERR_DAMAGE, "damage",
			"not a zstd frame of known size");
	if (size > room)
		return err_set(e, ERR_DAMAGE, "damage",
			"the frame claims %llu bytes, at most %zu may come",
			size, room);
	if (ZSTD_isError(frame) || frame != n)
		return err_set(e, ERR_DAMAGE, "damage",
			"the frame does not fill its member");
	if (z->d == NULL && (z->d = ZSTD_createDCtx()) == NULL)
		abort();
	r = ZSTD_decompressDCtx(z->d, out, room, p, n);
	if (ZSTD_isError(r))
		return err_set(e, ERR_DAMAGE, "damage", "zstd: %s",
			ZSTD_getErrorName(r));
	if (r != size)
		return err_set(e, ERR_DAMAGE, "damage",
			"the frame holds %zu bytes, not %llu", r, size);
	*len = r;
	return 0;
}

int
zst_frame(const void *p, size_t n, size_t *len, struct err *e)
{
	*len = ZSTD_findFrameCompressedSize(p, n);
	if (ZSTD_isError(*len))
		return err_set(e, ERR_DAMAGE, "damage", "not a zstd frame");
	return 0;
}
