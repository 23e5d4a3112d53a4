/*
 * reader: an archive read in one pass, from a file or a pipe, trusting
 * nothing.  Sizes are bounded before they are used, output before it is
 * inflated; headers and padding are compared, not skipped.  Every error is
 * ERR_DAMAGE and names the member and its offset, or ERR_ENV for I/O.
 */
#ifndef ARCHIVE_READER_H
#define ARCHIVE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "archive/manifest.h"
#include "json/shape.h"

struct err;
struct report;

struct reader_options {
	int jobs;
	int inflate; /* also inflate every block */
	/*
	 * Each inflated block with its place in the database; may be NULL.
	 * Called from several threads at once.  Not to be trusted before
	 * reader_run() has returned 0.
	 */
	int (*block)(void *arg, int64_t offset, const void *p, size_t n,
		struct err *e);
	/*
	 * Called once the header is read, before any block; may be NULL.  The
	 * place to look for space.
	 */
	int (*begin)(void *arg, const struct manifest_header *h,
		struct err *e);
	void *arg;
	int64_t total; /* length of the file, for progress; 0: unknown */
	const struct report *report;
	const char *what; /* the progress's words */
};

/* What was read. */
struct reader_result {
	struct manifest_header header;
	struct manifest manifest;
	struct shape_list tables; /* struct wire_table */
	int64_t bytes; /* length of the archive */
	int64_t blocks;
	int64_t members; /* as many as MEMBERS lists */
};

/*
 * Read the whole archive from fd.  Gives out's contents:
 * reader_result_free(); on failure too (what was read until then).
 */
int reader_run(int fd, const struct reader_options *o,
	struct reader_result *out, struct err *e);

void reader_result_free(struct reader_result *r);

/*
 * Only the manifest at the end of a file: for lists, and for looking again at
 * an archive that was verified before.  bytes gets the file's length.
 */
int reader_manifest(const char *path, struct manifest *m, int64_t *bytes,
	struct err *e);

#endif
