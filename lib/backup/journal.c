/* journal: what a guarded command was about to do. */
#include "backup/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

#define JOURNAL_MAX ((size_t)1 << 20)

static const char *const states[] = { "running", "done", "failed", "restored",
	NULL };

static const struct shape_field fields[] = {
	SHAPE_AT(journal, tool, TEXT),
	SHAPE_AT(journal, command, TEXT),
	SHAPE_ONE_OF(journal, state, states),
	SHAPE_AT(journal, began, TIME),
	SHAPE_MAY(journal, ended, TIME),
	SHAPE_AT(journal, fingerprint, DIGEST),
	SHAPE_MAY(journal, rehearsed, DIGEST),
	SHAPE_OF(journal, position, PART, &wire_position_shape),
	SHAPE_MAY(journal, status, INT),
	SHAPE_AT(journal, changed, BOOL),
	SHAPE_END,
};

const struct shape journal_shape = { "mig.journal", 1, sizeof(struct journal),
	fields };

char *
journal_path(const char *archive)
{
	return mem_printf("%s.journal.json", archive);
}

int
journal_write(const struct journal *j, const char *archive, struct err *e)
{
	struct buf b = { 0 };
	char *path = journal_path(archive);
	int result;

	shape_write(&journal_shape, j, &b);
	buf_char(&b, '\n');
	result = file_replace(path, b.data, b.len, 0600, e);
	if (result == -1)
		err_wrap(e, "write the journal '%s'", path);
	free(path);
	buf_free(&b);
	return result;
}

int
journal_restored(const char *archive, struct err *e)
{
	struct journal j;
	int result = journal_read(&j, archive, e);

	if (result != 1)
		return result;
	j.state = "restored";
	j.changed = 0;
	result = journal_write(&j, archive, e);
	shape_release(&journal_shape, &j);
	return result;
}

int
journal_read(struct journal *j, const char *archive, struct err *e)
{
	struct buf b = { 0 };
	char *path = journal_path(archive);
	int result = 0;

	memset(j, 0, sizeof(*j));
	if (file_exists(path)) {
		result = file_slurp(path, JOURNAL_MAX, &b, e);
		if (result == 0)
			result = shape_read(&journal_shape, b.data, b.len, j,
				e);
		if (result == -1)
			err_wrap(e, "journal '%s'", path);
		result = result == -1 ? -1 : 1;
	}
	buf_free(&b);
	free(path);
	return result;
}
