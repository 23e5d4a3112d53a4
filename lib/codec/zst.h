/*
 * zst: one independent zstd frame (RFC 8878) per block, with its content
 * size and content checksum.  A frame is never inflated before its size is
 * known to fit the room given, so a hostile frame cannot eat memory.
 */
#ifndef CODEC_ZST_H
#define CODEC_ZST_H

#include <stddef.h>

#define ZST_BLOCK ((size_t)4 << 20) /* raw bytes in a full block */
#define ZST_LEVEL_MIN 1
#define ZST_LEVEL_MAX 19

struct err;
struct zst; /* opaque: working memory of one thread, both directions */

/* Gives: zst_free(). */
struct zst *zst_new(int level);
void zst_free(struct zst *z);

/* The most bytes that n raw bytes can become. */
size_t zst_bound(size_t n);

/* Compress n bytes; returns the length.  -1 is ERR_BUG. */
int zst_pack(struct zst *z, const void *p, size_t n, void *out, size_t room,
	size_t *len, struct err *e);

/*
 * Inflate exactly one frame that fills n bytes, into at most room bytes.
 * ERR_DAMAGE when it is not one, is too large, or fails its checksum.
 */
int zst_unpack(struct zst *z, const void *p, size_t n, void *out, size_t room,
	size_t *len, struct err *e);

/*
 * The length of the first frame in n bytes, or ERR_DAMAGE.  For members that
 * hold several frames in a row, which `zstd -d` reads as one.
 */
int zst_frame(const void *p, size_t n, size_t *len, struct err *e);

#endif
