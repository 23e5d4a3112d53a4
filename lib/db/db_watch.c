/* db_watch: what a migration does to an open database, and what that changes. */
#include "db/db_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/strs.h"
#include "db/driver.h"

int
db_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e)
{
	return d->driver->watch_start(d, expected, found, e);
}

int
db_watch_drop(struct db *d, const char *table, struct err *e)
{
	return d->driver->watch_drop(d, table, e);
}

int
db_watch_hold(struct db *d, const char *table, struct err *e)
{
	return d->driver->watch_hold == NULL ? 0 :
		d->driver->watch_hold(d, table, e);
}

int
db_watch_brief(struct db *d, int on, struct err *e)
{
	return d->driver->watch_brief == NULL ? 0 :
		d->driver->watch_brief(d, on, e);
}

void
db_watch_rename(struct db *d, const char *from, const char *to)
{
	d->driver->watch_rename(d, from, to);
}

void
db_watch_create(struct db *d, const char *table)
{
	d->driver->watch_create(d, table);
}

int
db_watch_stop(struct db *d, struct db_changes *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->watch_stop(d, out, e);
}

void
db_watch_cancel(struct db *d)
{
	d->driver->watch_cancel(d);
}

void
db_changes_free(struct db_changes *c)
{
	size_t i, k;

	for (i = 0; i < c->n; i++) {
		for (k = 0; k < c->v[i].nulled_n; k++)
			free(c->v[i].nulled[k].column);
		free(c->v[i].nulled);
		free(c->v[i].table);
	}
	free(c->v);
	strs_free(&c->undone);
	memset(c, 0, sizeof(*c));
}

int
db_run(struct db *d, const struct db_statement *s, struct err *e)
{
	return d->driver->run(d, s, e);
}

int
db_rewrites(struct db *d, const struct db_statement *s, struct err *e)
{
	return d->driver->rewrites == NULL ? 1 :
		d->driver->rewrites(d, s, e);
}

int
db_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->census(d, table, content, out, e);
}

void
db_census_free(struct db_census *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->columns[i]);
	free(c->name);
	free(c->columns);
	free(c->values);
	free(c->digests);
	memset(c, 0, sizeof(*c));
}

size_t
db_census_column(const struct db_census *c, const char *name)
{
	size_t i;

	/* "A" and a may be two. */
	for (i = 0; i < c->n; i++)
		if (strcmp(c->columns[i], name) == 0)
			return i;
	for (i = 0; i < c->n; i++)
		if (!c->exact && strs_same(c->columns[i], name))
			break;
	return i;
}
