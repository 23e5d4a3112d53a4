/*
 * rebuild: the statements that rebuild a SQLite table under a changed
 * definition: the procedure of sqlite.org/lang_altertable.html section 7,
 * written from the live table, so that nothing of it is lost: indexes,
 * triggers, views over it, AUTOINCREMENT's counter, generated columns,
 * WITHOUT ROWID, STRICT, rowids.
 */
#ifndef SCHEMA_REBUILD_H
#define SCHEMA_REBUILD_H

struct buf;
struct db;
struct err;

/* A foreign key to be added. */
struct rebuild_key {
	const char *table, *column;
	const char *parent, *parent_column; /* column NULL: its primary key */
	const char *on_delete; /* "CASCADE"...; NULL: nothing is said */
};

/*
 * Append to up the rebuild that adds the key, and to down the one that takes
 * it away again.  ERR_USAGE "not-found" when a table or column is not there.
 */
int rebuild_add_key(struct db *d, const struct rebuild_key *k,
	struct buf *up, struct buf *down, struct err *e);

/* Append a name in double quotes. */
void rebuild_quote(struct buf *out, const char *name);

/* Whether the table has the column: 1, 0, or -1. */
int rebuild_has_column(struct db *d, const char *table, const char *column,
	struct err *e);

#endif
