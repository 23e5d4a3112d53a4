/* db_copy: handed to the driver. */
#include "db/db_copy.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/driver.h"

int
db_backup(struct db *d, const struct db_backup *b, struct err *e)
{
	return d->driver->backup(d, b, e);
}

int
db_restore(struct db *d, const struct db_rebuilt *from,
	const struct db_restore *r, struct err *e)
{
	return d->driver->restore(d, from, r, e);
}

int
db_copy_schema(struct db *from, struct db *to, struct err *e)
{
	return from->driver->copy_schema(from, to, e);
}

int
db_deep(struct db *d, const char *scratch, const char *server, int jobs,
	const struct report *report, char *found, size_t room, struct err *e)
{
	return d->driver->deep(d, scratch, server, jobs, report, found, room,
		e);
}

int
db_mend(const char *url, const struct db_mend *how, char **said, char **kept,
	struct err *e)
{
	const struct db_driver *driver = db_driver_of(url, e);

	*said = *kept = NULL;
	if (driver == NULL)
		return -1;
	if (driver->mend == NULL) {
		err_set(e, ERR_USAGE, "driver", "%s needs no --undo and no "
			"--resume: a restore that was killed has changed "
			"nothing", driver->engine);
		return err_next(e, "run the restore again");
	}
	return driver->mend(url, how, said, kept, e);
}

int
db_stage(struct db **out, const struct db_stage *how, struct err *e)
{
	const struct db_driver *driver = db_driver_named(how->engine);

	*out = NULL;
	return driver == NULL ? err_bug(e, "no such engine") :
		driver->stage(out, how, e);
}

char *
db_stage_url(const struct db *d)
{
	return d->driver->stage_url(d);
}

int
db_restore_may(struct db *d, struct err *e)
{
	return d->driver->restore_may == NULL ? 0 :
		d->driver->restore_may(d, e);
}

int
db_mark(struct db *d, struct err *e)
{
	return d->driver->mark == NULL ? 0 : d->driver->mark(d, e);
}

int
db_gap(struct db *d, const struct db_rebuilt *from, struct db_gap **out,
	size_t *n, struct err *e)
{
	*out = NULL;
	*n = 0;
	return d->driver->gap(d, from, out, n, e);
}

void
db_gap_free(struct db_gap *g, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(g[i].table);
	free(g);
}

int
db_written(struct db *d, char **out, struct err *e)
{
	struct wire_position p;
	struct buf b = { 0 };

	if (d->driver->written != NULL)
		return d->driver->written(d, out, e);
	if (db_position(d, &p, e) == -1)
		return -1;
	shape_write(&wire_position_shape, &p, &b);
	shape_release(&wire_position_shape, &p);
	*out = buf_detach(&b);
	return 0;
}
