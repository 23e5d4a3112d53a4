/*
 * pg_url: what leads to a database: a url, a keyword string of libpq, the
 * service file and the environment.  Any may hold a password: none is shown.
 */
#ifndef DB_POSTGRESQL_PG_URL_H
#define DB_POSTGRESQL_PG_URL_H

#include "db/postgresql/pg.h"

/* Whether it is libpq's WORD=VALUE ..., by its first word. */
int pg_url_is_words(const char *url);

/* As libpq reads it.  Gives. */
char *pg_url_plain(const char *url);

/* ERR_USAGE "config" when libpq cannot read it, or an @ is misplaced. */
int pg_url_check(const char *url, struct err *e);

/* The database that it leads to, without connecting.  Gives, or NULL. */
char *pg_url_name(const char *url, struct err *e);

/* "HOST/NAME", "NAME" without a host.  Gives, or NULL. */
char *pg_url_label(const char *url, struct err *e);

/* dbname='NAME', where a name alone might be read as more than one.  Gives. */
char *pg_url_dbname(const char *name);

/*
 * The variables that lead a child process to the server of p, and to the
 * database name; NULL: p's own.  Gives strings.
 */
void pg_url_environment(const struct pg *p, const char *name,
	struct strs *out);

#endif
