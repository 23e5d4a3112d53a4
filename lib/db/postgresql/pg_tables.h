/* pg_tables: the tables whose rows a dump holds. */
#ifndef DB_POSTGRESQL_PG_TABLES_H
#define DB_POSTGRESQL_PG_TABLES_H

#include "db/postgresql/pg.h"

/* Their rows, counted; as a dump names them. */
int pg_tables_count(struct db *d, struct shape_list *out, struct err *e);
/*
 * Lock them, at once or not at all: who waits for a lock in front of us may
 * wait for pg_dump, which waits for us.  1; 0: a lock is held, or a table is
 * gone; -1.  names: for SQL, with ", ONLY " between them.
 */
int pg_tables_lock(struct pg *p, const char *names, struct err *e);
int pg_tables_lock_all(struct pg *p, struct err *e);
/* TRUNCATE them all, in a database that is being filled. */
int pg_tables_empty(struct pg *p, struct err *e);

/* pg_statements.c: by pg_dump. */
int pg_statements_dump(struct db *d, struct buf *out, struct err *e);

#endif
