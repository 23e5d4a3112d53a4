/* tar: POSIX ustar headers in one canonical form. */
#include "archive/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Offsets of the header's fields. */
enum {
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257
};

void
tar_header(unsigned char out[TAR_BLOCK], const char *name, int64_t size)
{
	char *h = (char *)out;
	unsigned sum = 0;
	int i;

	memset(h, 0, TAR_BLOCK);
	snprintf(h, TAR_NAME, "%s", name);
	memcpy(h + AT_MODE, "0000600", 8);
	memcpy(h + AT_UID, "0000000", 8);
	memcpy(h + AT_GID, "0000000", 8);
	snprintf(h + AT_SIZE, 12, "%011" PRIo64, (uint64_t)size);
	memcpy(h + AT_MTIME, "00000000000", 12);
	memset(h + AT_SUM, ' ', 8);
	h[AT_TYPE] = '0';
	memcpy(h + AT_MAGIC, "ustar\00000", 8);
	for (i = 0; i < TAR_BLOCK; i++)
		sum += out[i];
	snprintf(h + AT_SUM, 8, "%06o", sum);
	h[AT_SUM + 7] = ' ';
}

int
tar_parse(const unsigned char header[TAR_BLOCK], char name[TAR_NAME],
	int64_t *size, struct err *e)
{
	unsigned char again[TAR_BLOCK];
	int i;

	memcpy(name, header, TAR_NAME);
	name[TAR_NAME - 1] = '\0';
	*size = 0;
	for (i = AT_SIZE; i < AT_SIZE + 11; i++) {
		if (header[i] < '0' || header[i] > '7')
			return err_set(e, ERR_DAMAGE, "damage",
				"not a member header");
		*size = *size * 8 + (header[i] - '0');
	}
	tar_header(again, name, *size);
	if (memcmp(again, header, TAR_BLOCK) != 0)
		return err_set(e, ERR_DAMAGE, "damage",
			"the member header is not as mig writes it");
	return 0;
}

size_t
tar_padding(int64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

int
tar_is_zero(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != 0)
			return 0;
	return 1;
}
