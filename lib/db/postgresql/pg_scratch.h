/*
 * pg_scratch: a dump outside its server: read from a file, or restored into a
 * server that is thrown away.
 */
#ifndef DB_POSTGRESQL_PG_SCRATCH_H
#define DB_POSTGRESQL_PG_SCRATCH_H

#include "db/postgresql/pg.h"
#include "db/postgresql/pg_dump.h"

/* pg_scratch.c: a dump in a file, as a database that can be asked. */
int pg_scratch_open(struct db **out, const struct db_options *o,
	struct err *e);
/* The contents of a dump in a file, without its data; item may be NULL. */
int pg_scratch_each(const char *path, void (*item)(void *arg,
	const struct pg_item *x), void *arg, struct pg_dump_result *out,
	struct err *e);
int pg_scratch_contents(const char *path, struct pg_dump_result *out,
	struct err *e);
/* The same, with the tables that the archive lists. */
int pg_scratch_archived(const struct db_rebuilt *from,
	struct pg_dump_result *out, struct err *e);
const struct pg_dump_result *pg_scratch_result(const struct pg *p);
void pg_scratch_free(struct pg_dump *s);

/* pg_server.c: a throw-away server on this machine, for a deep look. */
#define PG_SERVER_LOGGED 1 /* it keeps a log as a server in production does */
#define PG_SERVER_REACHED 2 /* by other programs, which may know no sockets */
/*
 * Start one of the given major version or later; how: PG_SERVER_...  *url leads to its
 * database postgres by its socket; borrowed.  ERR_ENV "program" when no server is
 * installed.
 */
int pg_server_start(struct pg_server **out, int major, int how,
	const char **url, struct err *e);
/* Where its socket is, and the port in its name.  Borrowed. */
const char *pg_server_folder(const struct pg_server *s);
int pg_server_port(const struct pg_server *s);
/* For whoever comes by 127.0.0.1 and that port; NULL: nobody can.  Borrowed. */
const char *pg_server_password(const struct pg_server *s);
void pg_server_free(struct pg_server *s);

/* pg_deep.c: restore a dump into a scratch server, dump it again, compare. */
int pg_deep_check(struct db *d, const char *scratch, const char *server,
	int jobs, const struct report *report, char *found, size_t room,
	struct err *e);

/* Roles by name, as superusers where they do no harm. */
int pg_deep_roles(struct pg *m, const struct strs *roles, int super,
	struct err *e);
int pg_deep_copy_schema(struct db *from, struct db *to, struct err *e);

#endif
