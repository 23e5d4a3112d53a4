/* The canonical tar header: no byte of it can change unnoticed. */
#include "archive/tar.h"
#include "base/err.h"
#include "tap.h"

int
main(void)
{
	unsigned char h[TAR_BLOCK];
	char name[TAR_NAME];
	struct err e;
	int64_t size;
	int i, bit, missed = 0;

	tar_header(h, "data/main/00000007.zst", 12345);
	OK(tar_parse(h, name, &size, &e) == 0 && size == 12345, "it is read");
	IS(name, "data/main/00000007.zst", "its name");
	for (i = 0; i < TAR_BLOCK; i++)
		for (bit = 0; bit < 8; bit++) {
			h[i] ^= (unsigned char)(1 << bit);
			missed += tar_parse(h, name, &size, &e) == 0;
			h[i] ^= (unsigned char)(1 << bit);
		}
	OK(missed == 0, "every bit counts");
	OK(tar_padding(0) == 0 && tar_padding(1) == 511 &&
		tar_padding(512) == 0, "padding");
	return tap_done();
}
