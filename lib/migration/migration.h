/*
 * migration: one versioned change, read from its file or pair of files by its
 * format (migration/format/).  mig-migration(5) describes the formats.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include <stddef.h>

#include "base/strs.h"
#include "migration/expect.h"
#include "migration/text.h"

struct err;

#define MIGRATION_MAX ((size_t)64 << 20) /* bytes of one file */

/* Which statements run in no transaction without a marker that says so. */
enum migration_detect {
	MIGRATION_NEVER,
	MIGRATION_ALONE, /* one that is alone in its file */
	MIGRATION_ALL /* a file that holds nothing but such */
};

/* Lines of a part's text, from the first on, up to the next piece. */
struct migration_piece {
	char *file;
	int first, line; /* as the part counts them, as the file does */
};

/* One direction of a migration. */
struct migration_part {
	char *text; /* NULL: there is none */
	char *file; /* where it stands; NULL: in the ledger */
	int line; /* of the text's first line in the file */
	int outside; /* transaction:false */
	enum migration_detect detect;
	int of_other; /* another tool's: its marker may be superfluous */
	/* May bring BEGIN and COMMIT, and PRAGMA foreign_keys: left out. */
	int own_transaction;
	struct strs allow_loss; /* -- mig: allow-loss NAME */
	struct strs rebuilds; /* -- mig: rebuild TABLE */
	struct strs after; /* -- mig: after VERSION, of the up only */
	struct strs replaces; /* -- mig: replaces VERSION, of the up only */
	/* "VERSION NAME: VERSION, ...": what an earlier squashed one stood for. */
	struct strs squashed;
	struct expect_list expects; /* -- mig: expect ... */
	int repeatable; /* -- mig: repeatable, of the up only */
	/* What is open in it, and how it was filled: text.h. */
	int include;
	enum text_open placeholders;
	struct migration_piece *pieces; /* NULL: all of it is of one file */
	size_t piece_n;
	char *run; /* the text with the values; NULL: as it is */
	char *unfilled; /* a placeholder without a value; NULL: none */
	struct strs secrets; /* values that no message may show */
};

struct migration {
	char *version;
	char *name;
	char *checksum; /* of up's text, line ends made equal */
	char *sum; /* of its file, as the format's own tool has it; or NULL */
	char *script; /* its file's path within the folder */
	const char *code; /* a language that mig cannot run; NULL: SQL */
	struct migration_part up, down;
	const struct migration **parents; /* in a graph (graph.h) */
	size_t parent_n;
};

/* Fill a part: n bytes of text, from that line of the file at path. */
int migration_set_part(struct migration_part *p, const char *path,
	const char *text, size_t n, int line, struct err *e);

/* Read directives and markers of a part whose text is set (ledger texts). */
int migration_prepare(struct migration_part *p, struct err *e);

/*
 * The directive of a line that stands before both directions, from behind
 * "-- mig:".  Only some are for the whole of a migration.
 */
int migration_directive(struct migration_part *up, const char *at,
	const char *end, int line, struct err *e);

/* SHA-256 of the text with line ends as LF and no byte order mark. */
void migration_checksum(const char *text, char out[65]);

void migration_free(struct migration *m);
void migration_free_part(struct migration_part *p);

#endif
