/* pg_fill: a dump in a file into a database that is empty. */
#ifndef DB_POSTGRESQL_PG_FILL_H
#define DB_POSTGRESQL_PG_FILL_H

#include "db/postgresql/pg.h"

/* Into the database name of m's server, over that many connections at most. */
int pg_fill_database(struct pg *m, const char *name, const char *scratch,
	int jobs, struct err *e);

#endif
