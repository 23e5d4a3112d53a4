/*
 * writer: an archive being written, front to back, to a file or a pipe.  The
 * database's bytes come in by offset; full blocks go to worker threads, which
 * append them as they are done.  The first block is kept in memory and written
 * last: SQLite's page 1 is only right at the end.
 */
#ifndef ARCHIVE_WRITER_H
#define ARCHIVE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "json/shape.h"

struct err;
struct manifest;
struct manifest_header;
struct writer; /* opaque */

/*
 * Begin on fd, which the caller opened and closes.  Gives *out:
 * writer_free().  ERR_ENV when fd cannot be written.
 */
int writer_open(struct writer **out, int fd, int jobs, int level,
	const struct manifest_header *h, struct err *e);

/*
 * n bytes of the database at offset; a header without raw_bytes begins a
 * stream, which ends where the last put ended.  Offsets go up, except within the first
 * block; what is passed over is zero.  ERR_ENV "order" if not so.
 */
int writer_put(struct writer *w, int64_t offset, const void *p, size_t n,
	struct err *e);

/*
 * SQL of what belongs to the server and not to the database (roles without
 * passwords, tablespaces): a member of its own before the tables.  Copied.
 */
void writer_globals(struct writer *w, const char *sql);

/*
 * Write the rest: the first block, the tables (struct wire_table), the list
 * of members, the manifest and the end.  Fills m's counts, offsets and digest;
 * the caller has filled the rest.  total gets the archive's length.
 */
int writer_finish(struct writer *w, const struct shape_list *tables,
	struct manifest *m, int64_t *total, struct err *e);

/* Ends the threads.  NULL is allowed. */
void writer_free(struct writer *w);

#endif
