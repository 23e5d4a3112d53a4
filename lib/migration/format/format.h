/*
 * format: how a tool names and writes its migrations, and the table in which it
 * keeps what is applied.  A format is one static struct, listed in format.c,
 * with a small file of its own; mig-migration(5) describes them for people.
 * The rules are those of the tools' own sources and documents.
 */
#ifndef MIGRATION_FORMAT_FORMAT_H
#define MIGRATION_FORMAT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strs.h"
#include "migration/migration.h"
#include "migration/text.h"
#include "migration/version.h"

struct db;
struct err;
struct history;
struct ledger;
struct set;

/* A file that belongs to a migration. */
struct format_file {
	char *version, *name;
	char *path; /* within the folder */
	char side; /* 'u' up, 'd' down, 'b' both */
	struct strs after; /* versions, where not the file's text says it */
	const char *code; /* a language that mig cannot run; NULL: SQL */
	const char *dialect; /* the engine that it is for; NULL: any */
	int outside; /* its name says: in no transaction */
};

struct format_files {
	const char *folder;
	const char *engine; /* that it is read for; NULL: not known */
	struct format_file *v;
	size_t n;
	struct strs *ignored; /* what looks like one and is none */
	struct strs squashed; /* folders of mig-gen --squash */
};

/* What a file's name says; 1: it is one, 0: it is not, -1: it should be. */
typedef int format_parse(const char *name, struct format_file *out,
	struct err *e);

/* One row of a host's table, for ledger_row. */
struct format_done {
	int64_t duration_ms;
	const char *by;
};

/* The table of a tool.  SQL for SQLite, for PostgreSQL; %s: the table. */
struct format_history {
	const char *table; /* on a server also SCHEMA.TABLE */
	const char *file; /* SQLite: beside the database; NULL: in it */
	const char *const *columns; /* that tell it from others; NULL at the end */
	int only; /* and it has no other columns */
	const char *without; /* a column that only another tool's has; or NULL */
	const char *with; /* a table that is beside it; or NULL */
	const char *not_with; /* a table beside which it is another tool's */
	const char *create[2];
	/* Rows into out, whose rule is set; in any order. */
	int (*load)(struct history *h, struct ledger *out,
		const struct set *s, struct err *e);
	/* Record m as applied, whatever was there of it; NULL: mig does not. */
	int (*put)(struct history *h, const struct migration *m,
		const struct format_done *done, struct err *e);
	/* Take it out; before: the version that is applied then; NULL: never. */
	int (*remove)(struct history *h, const struct migration *m,
		const char *before, struct err *e);
	/* Write the checksum of m's file as it is now; NULL: it keeps none. */
	int (*restamp)(struct history *h, const struct migration *m,
		struct err *e);
	int newest_only; /* it holds one row, for all up to it */
	/* Before a migration that runs in no transaction; may be NULL. */
	int (*begin)(struct history *h, const struct migration *m,
		struct err *e);
	/*
	 * On a server, the number of the advisory lock that the tool takes; 0:
	 * none, or locks gives the numbers: how many, at most 2.
	 */
	int64_t lock;
	int (*locks)(struct history *h, int64_t out[2], struct err *e);
};

/* A new migration: how a format writes it. */
#define FORMAT_TEXTS 3
struct format_text {
	const char *version, *name; /* "add_users" */
	const char *up, *down;
	const char *after; /* "4, 5": versions; NULL: none is named */
	int outside; /* in no transaction */
	char *made; /* the version, if it is another one; gives, or NULL */
	char *folder; /* to be made; gives, may be NULL */
	char *files[FORMAT_TEXTS]; /* within the folder of all; gives */
	struct buf texts[FORMAT_TEXTS];
};

/* What comes after what (graph.h). */
enum format_graph {
	FORMAT_ORDER, /* the format's order, and nothing else */
	FORMAT_LINE, /* as a file says, else the version before it */
	FORMAT_NAMED /* as a file says, else nothing: a root */
};

struct format {
	const char *name; /* for --format */
	const char *shown; /* the tool's own name */
	enum version_rule rule;
	int by_file; /* ordered by the names of the files */
	enum format_graph graph;
	enum text_open placeholders; /* that are filled in, unless a file says no */
	int status_only; /* only the tool itself can run them */
	enum migration_detect detect; /* what runs in no transaction unmarked */
	int unmarked; /* no file can say that it runs in no transaction */
	int own_transaction; /* files may bring what mig sees to itself */
	int (*list)(struct format_files *f, struct err *e);
	/* One file; raw is text with a NUL behind it. */
	int (*read)(struct migration *m, const char *path,
		const struct buf *raw, char side, struct err *e);
	/* The tool's own checksum of the file; NULL: it has none. */
	void (*sum)(const struct migration *m, const char *raw, size_t n,
		struct buf *out);
	const struct format_history *history; /* NULL: mig's ledger only */
	void (*write)(struct format_text *t); /* NULL: mig writes none */
	const char *first; /* version of the first; NULL: the time */
};

extern const struct format format_mig, format_dbmate, format_goose,
	format_golang, format_sqlx, format_flyway, format_diesel,
	format_refinery, format_prisma, format_plain, format_pop, format_rails,
	format_alembic, format_sqitch;

/* All of them; NULL at the end. */
#define FORMATS_MAX 24
extern const struct format *const format_all[FORMATS_MAX + 1];

/* By name; ERR_USAGE lists the names. */
const struct format *format_named(const char *name, struct err *e);

/* What the format says of each part, whether of a file or of the ledger. */
void format_settle(const struct format *f, struct migration *m);

/* What the folder looks like; ERR_USAGE when two fit. */
const struct format *format_of_folder(const char *folder, struct err *e);

/* --- for the formats ------------------------------------------------------ */

/* List the files of a folder, or of those in it too, by their names. */
int format_flat(struct format_files *f, format_parse *parse, struct err *e);
int format_tree(struct format_files *f, format_parse *parse, struct err *e);

/* The folders in it; each is a migration when parse takes its name. */
int format_folders(struct format_files *f, format_parse *parse,
	const char *up, const char *down, struct err *e);

/*
 * Add one.  Takes version and name.  Borrowed until the next: for what else is
 * known of it.
 */
struct format_file *format_add(struct format_files *f, char *version,
	char *name, const char *path, char side);

/* Read a file of the folder; path within it.  ERR_USAGE "migration": a NUL. */
int format_slurp(const char *folder, const char *path, struct buf *out,
	struct err *e);

/* "add_users" to "add users".  Gives. */
char *format_words(const char *s, size_t n);

/*
 * Whether all numbered files have names as pop gives them; surely: and one of them a name
 * that only pop gives, of a dialect or with autocommit.
 */
int format_pop_fits(const struct strs *names, int surely);

/* VERSION_name.up.sql and .down.sql. */
void format_write_pair(struct format_text *t);

/* load, put and remove of a table whose rows are versions. */
int format_load_versions(struct history *h, struct ledger *out,
	const struct set *s, struct err *e);
int format_put_version(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e);
int format_remove_version(struct history *h, const struct migration *m,
	const char *before, struct err *e);

/* The whole file is the up, or the down. */
int format_whole(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e);

/* ERR_USAGE "migration" with the place. */
int format_bad(struct err *e, const char *path, int line, const char *what);

#endif
