/* op_db: how a verb opens the database that it was told. */
#include "op/op_db.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/stop.h"

struct db_options
op_db(const struct op *o, enum db_mode mode)
{
	struct db_options d = { .url = o->url, .mode = mode,
		.busy_ms = o->busy_ms, .report = o->report, .role = o->role,
		.statement_ms = o->statement_ms };

	return d;
}

int
op_db_open(struct db **out, const struct op *o, enum db_mode mode, struct err *e)
{
	struct db_options d = op_db(o, mode);
	int64_t end = clock_ms() + o->wait_s * 1000;

	while (db_open(out, &d, e) == -1) {
		if (e->code != ERR_LOCKED || clock_ms() >= end ||
			stop_asked() != 0)
			return -1;
		clock_pause_ms(50);
	}
	return 0;
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
