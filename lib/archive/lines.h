/*
 * lines: JSON lines in zstd frames of at most 4 MiB raw each, so that a list
 * of any length is written and read in bounded memory.
 */
#ifndef ARCHIVE_LINES_H
#define ARCHIVE_LINES_H

#include <stddef.h>

struct buf;
struct err;

/* Compress text, whole lines, into out. */
int lines_pack(const struct buf *text, int level, struct buf *out,
	struct err *e);

/*
 * Call each line, without its newline, in order.  ERR_DAMAGE when the frames
 * or the last newline are not right, or whatever each returns.
 */
int lines_each(const void *packed, size_t n,
	int (*each)(void *arg, const char *line, size_t len, struct err *e),
	void *arg, struct err *e);

#endif
