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

int
op_scratch_roles(struct strs *out, const struct op *o, struct err *e)
{
	struct db_options options = op_db(o, DB_READ);
	struct db_rows *r;
	struct db *like;
	struct err why;
	int more;

	if (o->url == NULL || !db_is_server(o->url))
		return 0;
	if (db_open(&like, &options, &why) == -1) {
		report_say(o->report, REPORT_NOTE, "the roles of the database's "
			"server are not known on the scratch server: %s",
			why.text);
		return 0;
	}
	more = db_query(&r, like, e, "SELECT pg_catalog.quote_ident(rolname) "
		"FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'", "");
	if (more == 0) {
		while ((more = db_next(r, e)) == 1)
			strs_add(out, db_text(r, 0));
		db_rows_free(r);
	}
	db_close(like);
	return more;
}

/* Not logged in with, and without rights: a migration only names them. */
int
op_scratch_make(struct db *d, const struct strs *roles, struct err *e)
{
	size_t i;
	int result = 0;

	for (i = 0; i < roles->n && result == 0; i++) {
		char *sql = mem_printf("DO $mig$BEGIN CREATE ROLE %s; EXCEPTION "
			"WHEN duplicate_object THEN NULL; END$mig$",
			roles->v[i]);

		result = db_exec(d, sql, e);
		free(sql);
	}
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
