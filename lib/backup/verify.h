/*
 * verify: an archive proved.  Every byte is looked at; from the default level
 * on, the database is built again in scratch and asked whether it is whole.
 */
#ifndef BACKUP_VERIFY_H
#define BACKUP_VERIFY_H

#include <stdint.h>

#include "archive/reader.h"
#include "db/db_copy.h"
#include "os/file.h"

struct err;
struct part_rehearsal;
struct report;

enum verify_level { VERIFY_QUICK, VERIFY_DEFAULT, VERIFY_DEEP };

struct verify_check {
	char *name, *expected, *found;
	int passed;
};

struct verify_options {
	const char *path; /* NULL: read fd */
	int fd;
	enum verify_level level;
	const char *scratch; /* folder; NULL: beside the archive, or TMPDIR */
	/*
	 * Keep the rebuilt database here instead (must not exist); the caller
	 * syncs or removes it.  For a restore, which verifies what it writes.
	 */
	const char *keep;
	int no_check; /* rebuild it, but ask the database nothing */
	/*
	 * When every check has passed: the rebuilt database, for whatever it is
	 * good for; it may be changed, and is removed.  -1 fails the verification
	 * with that error.  NULL: nothing.
	 */
	int (*use)(void *arg, const struct db_rebuilt *from,
		const struct manifest *m, struct err *e);
	void *arg;
	int jobs;
	const struct report *report;
};

struct verify_result {
	struct verify_check *checks;
	size_t n;
	struct reader_result read; /* header, manifest and tables */
	struct file_times times; /* of the very file that was read */
	int64_t dangling; /* rows with foreign keys into nowhere */
	int64_t duration_ms;
};

/*
 * Verify.  -1 with ERR_DAMAGE when a check fails: out->checks then holds those
 * made until then, the failed one last.  Gives out's contents on success and
 * on failure: verify_result_free().
 */
int verify_run(struct verify_result *out, const struct verify_options *o,
	struct err *e);
void verify_result_free(struct verify_result *r);

/*
 * Write the receipt beside the archive.  What an earlier one proved of this very
 * archive stays: a deeper level, and its rehearsal if rehearsal is NULL.  Gives
 * *path when 0.
 */
int verify_receipt(const struct verify_result *r, const char *archive,
	enum verify_level level, const char *tool,
	const struct part_rehearsal *rehearsal, char **path, struct err *e);

const char *verify_level_word(enum verify_level level);

#endif
