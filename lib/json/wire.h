/*
 * wire: the objects that stand both in documents and in archives: which
 * database, which state of it, which tables.  mig-documents(5) describes them.
 */
#ifndef JSON_WIRE_H
#define JSON_WIRE_H

#include <stdint.h>

#include "json/shape.h"

/* Which database: the path without links, and the id that mig keeps in it. */
struct wire_database {
	const char *engine; /* "sqlite" or "postgresql" */
	char *name; /* short, for people and file names */
	char *path;
	char *id; /* NULL until mig has written to the database */
};

/*
 * The state of a database's data.  Two equal positions mean that nothing was
 * written between them; unequal ones mean that something may have been.
 *
 * In rollback-journal mode every commit moves change_counter.  In WAL mode it
 * stands still, and the WAL's salt and frame count move instead; when the WAL
 * is empty the file's inode change time tells of a checkpoint.  What this
 * cannot see: who wrote, and whether a moved position changed any row.
 *
 * On PostgreSQL the snapshot moves with every transaction that writes, in any
 * database of the cluster; as long as it stands still nothing was written.
 */
struct wire_position {
	const char *journal; /* "rollback", "wal" or "server" */
	/* SQLite; -1 (null) with a server. */
	int64_t change_counter;
	int64_t pages;
	int64_t page_bytes;
	char *wal_salt; /* 16 hex digits; NULL without frames */
	int64_t wal_frames;
	/* The file's inode change time; 0 and -1 with a server. */
	int64_t changed_s, changed_ns;
	/* PostgreSQL; NULL with SQLite. */
	char *snapshot; /* pg_current_snapshot(): xmin:xmax:xip,... */
	char *wal_location; /* pg_current_wal_lsn(), of the whole cluster */
};

/* One table of a snapshot. */
struct wire_table {
	char *name;
	int64_t rows; /* -1 (null): has no rows of its own (virtual) */
	int64_t bytes; /* -1 (null): not measured */
	char *digest; /* order-free digest of the rows; NULL: not computed */
};

extern const struct shape wire_database_shape;
extern const struct shape wire_position_shape;
extern const struct shape wire_table_shape;

/* Whether nothing can have been written between a and b. */
int wire_position_same(const struct wire_position *a,
	const struct wire_position *b);

/* Bytes of write-ahead log from a to b; -1: they do not tell. */
int64_t wire_position_bytes(const struct wire_position *a,
	const struct wire_position *b);

#endif
