/*
 * sha256: SHA-256 (FIPS 180-4) by libcrypto.  Thread-safe: each hash is its
 * own.  A failure of libcrypto itself aborts, as lost memory does.
 */
#ifndef CODEC_SHA256_H
#define CODEC_SHA256_H

#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_TEXT 65 /* 64 lower-case hex digits and a NUL */

struct sha256; /* opaque: a hash under way */

/* Gives: sha256_free(). */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *p, size_t n);

/* A string and its end: two lists of strings never hash alike. */
void sha256_add_text(struct sha256 *h, const char *s);

/* The digest; h begins anew. */
void sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES]);
void sha256_end_text(struct sha256 *h, char out[SHA256_TEXT]);
void sha256_free(struct sha256 *h);

/* The digest of one piece of memory. */
void sha256_of(const void *p, size_t n, char out[SHA256_TEXT]);

#endif
