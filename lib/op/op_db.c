/* op_db: how a verb opens the database that it was told. */
#include "op/op_db.h"

#include "base/err.h"

struct db_options
op_db(const struct op *o, enum db_mode mode)
{
	struct db_options d = { .url = o->url, .mode = mode,
		.busy_ms = o->busy_ms, .report = o->report, .role = o->role,
		.statement_ms = o->statement_ms };

	return d;
}

const char *
op_db_engine(const struct op *o)
{
	return o->url == NULL ? NULL : db_is_server(o->url) ? "postgresql" :
		"sqlite";
}

char *
op_db_label(const char *url)
{
	struct err ignored;

	return db_label(url, &ignored);
}
