/*
 * tar: POSIX ustar headers (IEEE Std 1003.1, pax, "ustar Interchange
 * Format"), in one canonical form: mode 0600, owner 0, time 0, no link, no
 * device.  A header is read by making it again from its name and size and
 * comparing all 512 bytes, so not one of them can change unnoticed.
 */
#ifndef ARCHIVE_TAR_H
#define ARCHIVE_TAR_H

#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK 512
#define TAR_NAME 100 /* room for a member's name and its NUL */
#define TAR_END (2 * TAR_BLOCK) /* zero bytes that end an archive */

struct err;

/* The header of a member of size bytes. */
void tar_header(unsigned char out[TAR_BLOCK], const char *name, int64_t size);

/* Name and size of a canonical header; ERR_DAMAGE if it is not one. */
int tar_parse(const unsigned char header[TAR_BLOCK], char name[TAR_NAME],
	int64_t *size, struct err *e);

/* How many zero bytes follow size bytes of content. */
size_t tar_padding(int64_t size);

/* Whether n bytes are all zero. */
int tar_is_zero(const unsigned char *p, size_t n);

#endif
