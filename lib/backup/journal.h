/*
 * journal: what a guarded command was about to do, in a small file beside the
 * backup that leads back: after a crash mig-status reads it.  mig-archive(5)
 * describes the file.
 */
#ifndef BACKUP_JOURNAL_H
#define BACKUP_JOURNAL_H

#include <stdint.h>

#include "json/wire.h"

struct err;

struct journal {
	char *tool;
	char *command; /* as it may be shown */
	const char *state; /* running, done, failed, restored */
	int64_t began, ended; /* ended 0 (null): it did not */
	char *fingerprint; /* of the schema before */
	char *rehearsed; /* of the schema to come; NULL: not known */
	struct wire_position position; /* before */
	int64_t status; /* of the command; -1 (null): not known */
	int changed; /* it failed, and what it changed was left */
};

extern const struct shape journal_shape;

/* Where the journal of an archive stands.  Gives. */
char *journal_path(const char *archive);

int journal_write(const struct journal *j, const char *archive,
	struct err *e);

/* 1, 0 when there is none, -1.  Gives j's contents when 1. */
int journal_read(struct journal *j, const char *archive, struct err *e);

/* The archive was brought back: what the journal says is undone, if there is one. */
int journal_restored(const char *archive, struct err *e);

#endif
