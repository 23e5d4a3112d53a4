/*
 * db_keep: values of a table kept aside before a migration, to be compared, row by
 * row, with what has become of them.  In the session's own temporary tables: the
 * schema does not change.
 */
#ifndef DB_DB_KEEP_H
#define DB_DB_KEEP_H

#include <stdint.h>

#include "base/strs.h"

struct db;
struct err;

struct db_keep {
	char *table; /* as it was asked for */
	char *aside; /* the temporary table; NULL: there is no key to find rows by */
	char *key; /* SQL of a row's key; the row is n */
	struct strs columns, types;
	int64_t rows; /* that were kept */
};

#define DB_KEEP_SAMPLES 5

/*
 * Keep those columns (n 0: all) of at most limit rows.  No transaction may be
 * open.  A table that is not there, or has no key, keeps nothing.  Gives out's
 * contents: db_keep_free().
 */
int db_keep(struct db *d, const char *table, const struct strs *columns,
	int64_t limit, struct db_keep *out, struct err *e);

/*
 * How many of the values of a column do not lead back to what they were, with a few
 * of them; table_now and now are its names now.  -1 in *lossy: it cannot be asked,
 * as when its key is gone.
 */
int db_keep_compare(struct db *d, const struct db_keep *k, size_t column,
	const char *table_now, const char *now, int64_t *lossy,
	struct strs *samples, struct err *e);

void db_keep_free(struct db *d, struct db_keep *k);

#endif
