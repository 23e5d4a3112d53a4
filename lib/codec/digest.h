/*
 * digest: the checksums that other migration tools keep of their files, so
 * that theirs can be compared and written.  mig's own is SHA-256 (sha256.h).
 */
#ifndef CODEC_DIGEST_H
#define CODEC_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SHA384_TEXT 97 /* 96 lower-case hex digits and a NUL */

/* SHA-1 (FIPS 180-4) of n bytes: 40 lower-case hex digits. */
#define DIGEST_SHA1_TEXT 41
void digest_sha1(const void *p, size_t n, char out[DIGEST_SHA1_TEXT]);

/* SHA-384 (FIPS 180-4) of n bytes. */
void digest_sha384(const void *p, size_t n, char out[DIGEST_SHA384_TEXT]);

/* CRC-32 (ISO 3309, as in zlib): begin with crc 0, go on with the last one. */
uint32_t digest_crc32(uint32_t crc, const void *p, size_t n);

/* SipHash-1-3 (Aumasson, Bernstein) with a key of zeros: 64 bits. */
uint64_t digest_siphash13(const void *p, size_t n);

#endif
