/*
 * journal: what a guarded command was about to do, in a small file beside the
 * backup that leads back, one for each run: after a crash mig-status reads them.
 * mig-archive(5) describes the file.
 */
#ifndef BACKUP_JOURNAL_H
#define BACKUP_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "json/wire.h"

struct err;

struct journal {
	char *tool;
	struct wire_database database;
	char *command; /* as it may be shown */
	char *mark; /* of all its words: the same one has the same */
	int whole; /* the command is shown as it was: nothing is left away */
	char *options; /* of mig-apply, for a shell */
	const char *state; /* running, done, failed, restored */
	int64_t began, ended; /* ended 0 (null): it did not */
	int64_t began_ms; /* of the second in which it began */
	char *fingerprint; /* of the schema before */
	char *rehearsed; /* of the schema to come; NULL: not known */
	struct wire_position position; /* before */
	int64_t status; /* of the command; -1 (null): not known */
	int changed; /* it failed, and what it changed was left */
};

extern const struct shape journal_shape;

/* Where a run that begins now behind that archive has its journal.  Gives. */
char *journal_new_path(const char *archive);

int journal_write(const struct journal *j, const char *path, struct err *e);

struct journal_list {
	struct journal *v; /* oldest first */
	char **paths, **archives;
	size_t n;
};

/*
 * Those of a folder, of one database.  What cannot be read is an error: somebody may
 * be in need of it.  Gives out's contents: journal_list_free().
 */
int journal_list(struct journal_list *out, const char *folder,
	const struct wire_database *d, struct err *e);
void journal_list_free(struct journal_list *l);

/*
 * The newest that tells of a run that did not end, or left changes, and that no later
 * run of the same command has put right; n when there is none.
 */
size_t journal_open(const struct journal_list *l);

/* A backup of that time was brought back: what came after it is undone. */
int journal_undone(const char *folder, const struct wire_database *d,
	int64_t since, struct err *e);

#endif
