/*
 * pg_load: the rows of plain tables out of a dump in a file, by COPY over
 * several connections, also of one table.  pg_restore gives each table to one
 * connection only.
 */
#ifndef DB_POSTGRESQL_PG_LOAD_H
#define DB_POSTGRESQL_PG_LOAD_H

#include "db/postgresql/pg.h"

/*
 * Into the tables of the database name of m's server, which are there and
 * empty.  left holds numbers of entries of the dump; those of the rows that are
 * loaded are taken out: the others remain for pg_restore, rows of extensions and
 * large objects among them.  *broken tells that it failed by rows that the
 * server did not take: a check may look at rows of another table, which
 * pg_restore would load before.
 */
int pg_load_rows(struct pg *m, const char *name, const char *path, int jobs,
	struct strs *left, int *broken, struct err *e);

#endif
