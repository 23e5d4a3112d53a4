/* reader_manifest: only the manifest at the end of a file. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader.h"
#include "archive/tar.h"
#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

/* HEADER, padded MANIFEST, end. */
#define TAIL_MAX (TAR_BLOCK + MANIFEST_JSON_MAX + TAR_END)

/* Find the manifest's header from behind; its member must end the file. */
static int
find(struct manifest *m, const unsigned char *p, size_t n, struct err *e)
{
	char name[TAR_NAME];
	int64_t size;
	size_t at;

	if (n < TAR_END || !tar_is_zero(p + n - TAR_END, TAR_END))
		return err_set(e, ERR_DAMAGE, "damage",
			"the archive does not end as one");
	n -= TAR_END;
	for (at = n; at >= TAR_BLOCK; at -= TAR_BLOCK) {
		const unsigned char *h = p + at - TAR_BLOCK;

		if (strcmp((const char *)h, MANIFEST_LAST) != 0)
			continue;
		if (tar_parse(h, name, &size, e) == -1 ||
			size + (int64_t)tar_padding(size) !=
				(int64_t)(n - at))
			continue;
		return manifest_read(m, (const char *)p + at, (size_t)size, e);
	}
	return err_set(e, ERR_DAMAGE, "damage", "the archive has no manifest");
}

int
reader_manifest(const char *path, struct manifest *m, int64_t *bytes,
	struct err *e)
{
	unsigned char *p = NULL;
	struct stat st;
	ssize_t n;
	size_t want;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;

	memset(m, 0, sizeof(*m));
	if (fd == -1)
		return err_sys(e, "open the archive '%s'", path);
	if (fstat(fd, &st) == -1) {
		err_sys(e, "look at '%s'", path);
	} else if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_USAGE, "not-a-file", "'%s' is not a file",
			path);
	} else if (st.st_size % TAR_BLOCK != 0) {
		err_set(e, ERR_DAMAGE, "damage",
			"'%s': its length is not a multiple of 512", path);
	} else {
		want = st.st_size < TAIL_MAX ? (size_t)st.st_size : TAIL_MAX;
		p = mem_alloc(want);
		n = pread(fd, p, want, st.st_size - (off_t)want);
		if (n != (ssize_t)want)
			err_sys(e, "read '%s'", path);
		else if (find(m, p, want, e) == -1)
			err_wrap(e, "'%s'", path);
		else
			result = 0;
		*bytes = st.st_size;
	}
	free(p);
	close(fd);
	return result;
}
