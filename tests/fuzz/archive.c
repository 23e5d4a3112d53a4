/* Any bytes as an archive. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/reader.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct reader_options o = { .jobs = 1, .inflate = 1, .what = "x" };
	struct reader_result r;
	struct err e;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd == -1 || write(fd, p, n) != (ssize_t)n ||
		lseek(fd, 0, SEEK_SET) == -1)
		return 0;
	reader_run(fd, &o, &r, &e);
	reader_result_free(&r);
	close(fd);
	return 0;
}
