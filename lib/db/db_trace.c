/* db_trace: what each statement of a migration does. */
#include "db/db_trace.h"

#include <string.h>

#include "base/err.h"
#include "db/driver.h"

int
db_trace_migration(struct db *d, struct err *e)
{
	return d->driver->trace_migration(d, e);
}

int
db_trace_before(struct db *d, int outside, struct err *e)
{
	return d->driver->trace_before(d, outside, e);
}

int
db_trace_after(struct db *d, struct trace_statement *out, struct err *e)
{
	return d->driver->trace_after(d, out, e);
}

void
db_trace_cancel(struct db *d)
{
	d->driver->trace_cancel(d);
}

int
db_trace_written(struct db *d, int64_t *bytes, struct err *e)
{
	return d->driver->trace_written(d, bytes, e);
}

int
db_trace_size(struct db *d, int64_t *bytes, struct err *e)
{
	struct db_rows *r;
	int more;

	*bytes = 0;
	if (db_query(&r, d, e, db_sql(d, "size"), "") == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1)
		*bytes = db_int(r, 0);
	db_rows_free(r);
	return more == -1 ? -1 : 0;
}
