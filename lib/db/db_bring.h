/*
 * db_bring: one table, or one column by its key, brought from a copy into the live
 * database: as a new table beside those that are there, which are not touched.
 */
#ifndef DB_DB_BRING_H
#define DB_DB_BRING_H

#include <stdint.h>

struct db;
struct err;

struct db_bring {
	struct db *from; /* of db_stage() */
	const char *table; /* as the copy knows it */
	const char *column; /* only that, with the primary key; NULL: all */
	const char *stamp; /* for the name of the new table */
};

struct db_brought {
	char *into; /* the new table */
	int64_t rows;
	char *sql; /* what a person may run to put them back */
};

/*
 * Bring it, in a transaction of its own.  ERR_USAGE "not-found": the copy has no such
 * table or column; ERR_REFUSED "no-key": a column of a table without a primary key.
 * Gives out's contents: db_brought_free().
 */
int db_bring(struct db *d, const struct db_bring *b, struct db_brought *out,
	struct err *e);

/* Drop it again, when another could not be brought. */
int db_bring_undo(struct db *d, const struct db_brought *b, struct err *e);
void db_brought_free(struct db_brought *b);

/* For the drivers: the errors. */
int db_bring_absent(const struct db_bring *b, struct err *e);
int db_bring_keyless(const struct db_bring *b, struct err *e);

#endif
