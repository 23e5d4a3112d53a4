/* db_driver: which engine a url is for. */
#include <string.h>

#include "base/err.h"
#include "db/driver.h"
#include "db/postgresql/pg.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

/* A third engine is one new folder and one line here. */
static const struct db_driver *const drivers[] = {
	&sqlite_driver,
	&pg_driver,
	NULL,
};

/* Whether url is "SCHEME:..." or "SCHEME+anything:...". */
static int
has_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncmp(url, scheme, n) != 0)
		return 0;
	return url[n] == ':' || (url[n] == '+' && strchr(url, ':') != NULL);
}

/* Refused without a word of it: it may hold a password. */
static const struct db_driver *
refuse(const char *what, const char *next, struct err *e)
{
	err_set(e, ERR_USAGE, "config", "the name of the database %s", what);
	err_next(e, "%s", next);
	return NULL;
}

const struct db_driver *
db_driver_of(const char *url, struct err *e)
{
	const struct db_driver *const *d;
	const char *const *s;
	size_t n;

	if (url == NULL || *url == '\0') {
		err_set(e, ERR_USAGE, "config", "no database is named");
		err_next(e, "set DATABASE_URL, or use --database URL");
		return NULL;
	}
	for (d = drivers; *d != NULL; d++)
		for (s = (*d)->schemes; *s != NULL; s++)
			if (has_scheme(url, *s))
				return *d;
	for (d = drivers; *d != NULL; d++)
		if ((*d)->is_words != NULL && (*d)->is_words(url))
			return *d;
	if (strchr(" \t\r\n", *url) != NULL)
		return refuse("begins with a blank", "take it out", e);
	n = strcspn(url, ":/?@ ");
	if (url[n] == ':') {
		err_set(e, ERR_USAGE, "driver", "no driver for '%.*s:' urls",
			(int)(n > 40 ? 40 : n), url);
		err_next(e, n == 4 && strncmp(url, "file", 4) == 0 ?
			"use sqlite:PATH; Prisma's path begins at the folder of "
			"its schema: file:./dev.db is sqlite:prisma/dev.db" :
			"use postgresql://..., sqlite:PATH or a plain path");
		return NULL;
	}
	if (strncmp(url, "postgres", 8) == 0 && strchr(url, '@') != NULL) {
		err_set(e, ERR_USAGE, "config", "the database url cannot be "
			"read: it begins as one of PostgreSQL, and has no ://");
		err_next(e, "write postgresql://USER@HOST:PORT/NAME; a file "
			"that is called so: sqlite:PATH");
		return NULL;
	}
	if (strchr(url, '=') != NULL && strchr("/.", *url) == NULL &&
		!file_exists(url))
		return refuse("has a =, but begins with no parameter of libpq",
			"write postgresql://USER@HOST:PORT/NAME, or host=...; a "
			"file that is called so: sqlite:PATH", e);
	return &sqlite_driver; /* a bare path */
}

const struct db_driver *
db_driver_named(const char *engine)
{
	const struct db_driver *const *x;

	for (x = drivers; *x != NULL; x++)
		if (strcmp((*x)->engine, engine) == 0)
			return *x;
	return NULL;
}
