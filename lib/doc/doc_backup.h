/* doc_backup: mig.backup, a backup that was taken. */
#ifndef DOC_DOC_BACKUP_H
#define DOC_DOC_BACKUP_H

#include <stdint.h>

#include "doc/part.h"

struct doc_backup {
	char *tool;
	char *id;
	int64_t created;
	struct wire_database database;
	struct part_archive archive;
	int64_t level; /* of zstd */
	int64_t jobs;
	int64_t raw_bytes; /* of the database */
	int64_t tables;
	int64_t rows;
	char *migration; /* newest applied; NULL: none */
	char *fingerprint; /* of the schema */
	struct wire_position position;
	int checked; /* the source passed its quick check */
	int spooled;
	int read_back; /* the archive was read back and matched */
	int64_t duration_ms;
};

extern const struct shape doc_backup_shape;

#endif
