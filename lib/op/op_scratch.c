/* op_scratch: migrations tried on an empty database. */
#include "op/op_scratch.h"

#include "base/strs.h"
#include "db/db.h"
#include "doc/part.h"
#include "op/op.h"
#include "op/run.h"

int
op_scratch_open(struct db **out, const struct op *o, struct err *e)
{
	int server = o->url != NULL && db_is_server(o->url);
	struct db_options m = { .url = "sqlite::memory:", .mode = DB_MEMORY,
		.engine = server ? "postgresql" : "sqlite",
		.report = o->report };

	return db_open(out, &m, e);
}

int
op_scratch_run(struct db *d, const struct op *o, const struct migration *m,
	int down, struct err *e)
{
	const struct strs none = { 0 };
	struct run r = { .db = d, .tool = o->tool, .by = "mig-gen",
		.allow = &none, .allow_all = 1, .option = "--allow-loss",
		.down = down, .last = 1, .empty = 1 };
	struct part_done done = { 0 };
	int result = run_migration(&done, m, &r, e);

	shape_release(&part_done_shape, &done);
	return result;
}
