/*
 * op_offline_marker: the file that says that a database is not whole, what it was
 * to become, and how it was left.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "doc/doc_rollback.h"
#include "op/op_restore.h"
#include "os/file.h"

/* "WHAT NUMBER SIZE TIME": which file it is, and that nobody wrote to it. */
static void
describe(struct buf *b, const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		buf_printf(b, "%s %llu %lld %lld.%09ld\n", what,
			(unsigned long long)st.st_ino, (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

int
op_offline_mark(const struct restore *r, const char *marker, struct err *e)
{
	const char *const *c = db_companions(r->out->database.engine);
	struct buf b = { 0 };
	int result;

	buf_printf(&b, "%s\nAn offline restore of that archive was "
		"interrupted.\nRun it again: mig-rollback --restore --offline"
		"\n", r->out->archive->path);
	describe(&b, "old", r->target);
	describe(&b, "new", r->scratch);
	for (; *c != NULL; c++) {
		char *path = mem_printf("%s%s", r->target, *c);

		describe(&b, *c, path);
		free(path);
	}
	result = file_replace(marker, b.data, b.len, 0644, e);
	buf_free(&b);
	return result;
}

/*
 * Whether all is as the run that was killed has left it: the old file with what
 * belongs to it, as far as that was not moved yet; or the new one, alone.  An
 * application that was started since has written, and that counts.
 */
static int
is_as_left(const struct restore *r, const char *marker)
{
	const char *const *c = db_companions(r->out->database.engine);
	struct buf b = { 0 }, now = { 0 };
	struct err ignored;
	int old, same;

	if (file_slurp(marker, 65536, &b, &ignored) == -1)
		return 0;
	buf_text(&b, "");
	describe(&now, "old", r->target);
	old = now.len > 0 ? strstr(b.data, now.data) != NULL :
		strstr(b.data, "\nold ") == NULL;
	buf_clear(&now);
	describe(&now, "new", r->target);
	same = old || (now.len > 0 && strstr(b.data, now.data) != NULL);
	for (; *c != NULL && same; c++) {
		char *path = mem_printf("%s%s", r->target, *c);

		buf_clear(&now);
		describe(&now, *c, path);
		same = now.len == 0 || (old && (strcmp(*c, "-shm") == 0 ||
			strstr(b.data, now.data) != NULL));
		free(path);
	}
	buf_free(&now);
	buf_free(&b);
	return same;
}

/* Whether this very archive was being restored when a run was killed. */
void
op_offline_look(struct restore *r)
{
	char *path = op_offline_marked(r->target), *real, *marker;
	struct err ignored;

	real = file_real(r->archive, &ignored);
	marker = mem_printf("%s" DB_RESTORING, r->target);
	r->resuming = path != NULL && real != NULL && strcmp(path, real) == 0 &&
		is_as_left(r, marker);
	free(marker);
	free(real);
	free(path);
}

char *
op_offline_marked(const char *target)
{
	char *marker = mem_printf("%s" DB_RESTORING, target), *out = NULL;
	struct buf b = { 0 };
	struct err ignored;

	if (file_exists(marker) &&
		file_slurp(marker, 65536, &b, &ignored) == 0)
		out = mem_dup_n(b.data, strcspn(b.data, "\n"));
	buf_free(&b);
	free(marker);
	return out;
}
