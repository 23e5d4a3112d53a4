/* op_scratch: migrations tried on an empty database. */
#include "op/op_scratch.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/strs.h"
#include "db/db.h"
#include "doc/part.h"
#include "op/op.h"
#include "op/op_db.h"
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

/* Not logged in with, and without rights: a migration only names them. */
static int
make_roles(struct db *d, struct db *like, struct err *e)
{
	struct db_rows *r;
	struct strs names = { 0 };
	size_t i;
	int more;

	if (db_query(&r, like, e, "SELECT pg_catalog.quote_ident(rolname) FROM "
		"pg_catalog.pg_roles WHERE rolname !~ '^pg_'", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		strs_add(&names, db_text(r, 0));
	db_rows_free(r);
	for (i = 0; i < names.n && more == 0; i++) {
		char *sql = mem_printf("DO $mig$BEGIN CREATE ROLE %s; EXCEPTION "
			"WHEN duplicate_object THEN NULL; END$mig$",
			names.v[i]);

		if (db_exec(d, sql, e) == -1)
			more = -1;
		free(sql);
	}
	strs_free(&names);
	return more;
}

int
op_scratch_roles(struct db *d, const struct op *o, struct err *e)
{
	struct db_options options = op_db(o, DB_READ);
	struct db *like;
	struct err why;
	int result;

	if (o->url == NULL || !db_is_server(o->url))
		return 0;
	if (db_open(&like, &options, &why) == -1) {
		report_say(o->report, REPORT_NOTE, "the roles of the database's "
			"server are not known on the scratch server: %s",
			why.text);
		return 0;
	}
	result = make_roles(d, like, e);
	db_close(like);
	return result;
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
