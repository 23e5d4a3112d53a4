/*
 * scratch: a throw-away database file.  It is locked while we live, so that
 * one left by a dead run is known, and removed by the next.
 */
#ifndef BACKUP_SCRATCH_H
#define BACKUP_SCRATCH_H

#include <stdint.h>

struct err;
struct scratch; /* opaque */

/*
 * Make an empty one where there is room for bytes.  keep: exactly this path, which must not
 * exist; else a random name in folder, or beside the file `beside`, or in
 * TMPDIR.  ERR_ENV "no-space" and the like.  Gives *out: scratch_free().
 */
int scratch_open(struct scratch **out, const char *keep, const char *folder,
	const char *beside, int64_t bytes, struct err *e);

int scratch_fd(const struct scratch *s);
const char *scratch_path(const struct scratch *s);

/* Leave it where it is when freed, not synced. */
void scratch_keep(struct scratch *s);

/* Remove it, unless kept.  NULL is allowed. */
void scratch_free(struct scratch *s);

#endif
