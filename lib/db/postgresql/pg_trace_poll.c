/* pg_trace_poll: the locks of a statement that runs in no transaction. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/postgresql/pg_trace_part.h"

#define POLL_MS 20 /* at most; a short statement is looked at sooner */

const char *
pg_trace_mode(int rank)
{
	static const char *const modes[] = { "", "AccessShare", "RowShare",
		"RowExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive",
		"Exclusive", "AccessExclusive" };

	return modes[rank];
}

static void
note_seen(struct pg_trace *t, const PGresult *r)
{
	int64_t now = clock_us();
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		struct pg_relation *x = pg_trace_find(t, pg_trace_number(r, i, 0));
		int rank = (int)pg_trace_number(r, i, 1);

		if (x == NULL)
			continue;
		if (rank > x->seen) {
			x->seen = rank;
			x->first_us = now;
		}
		if (rank == x->seen)
			x->last_us = now;
	}
}

static void *
poll_locks(void *arg)
{
	struct pg *p = arg;
	struct pg_trace *t = p->trace;
	char pid[24];
	const char *values[] = { pid };

	snprintf(pid, sizeof(pid), "%d", p->backend);
	while (!atomic_load(&t->stop)) {
		PGresult *r = PQexecParams(t->poller->c, "SELECT l.relation, "
			PG_TRACE_RANK " FROM pg_catalog.pg_locks l WHERE l.pid = $1 AND "
			PG_TRACE_RELATIONS " GROUP BY 1", 1, NULL, values, NULL, NULL,
			0);

		if (PQresultStatus(r) != PGRES_TUPLES_OK) {
			err_set(&t->failed, ERR_ENV, "database", "look at the "
				"locks: %s", PQerrorMessage(t->poller->c));
			PQclear(r);
			return NULL;
		}
		note_seen(t, r);
		PQclear(r);
		clock_pause_ms(t->pause_ms);
		t->pause_ms = t->pause_ms * 2 < POLL_MS ? t->pause_ms * 2 :
			POLL_MS;
	}
	return NULL;
}

int
pg_trace_poll(struct pg *p, struct err *e)
{
	struct pg_trace *t = p->trace;

	atomic_store(&t->stop, 0);
	t->pause_ms = 1;
	memset(&t->failed, 0, sizeof(t->failed));
	if (pthread_create(&t->thread, NULL, poll_locks, p) != 0)
		return err_sys(e, "start a thread");
	t->polling = 1;
	return 0;
}

int
pg_trace_poll_end(struct pg_trace *t, struct err *e)
{
	if (!t->polling)
		return 0;
	atomic_store(&t->stop, 1);
	pthread_join(t->thread, NULL);
	t->polling = 0;
	if (t->failed.code == ERR_NONE)
		return 0;
	*e = t->failed;
	return -1;
}

void
pg_trace_polled(const struct pg_trace *t, struct trace_statement *out)
{
	struct trace_lock *l;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!t->v[i].old || t->v[i].seen == 0)
			continue;
		trace_add_lock(out, t->v[i].name, pg_trace_mode(t->v[i].seen));
		l = out->locks.items;
		l[out->locks.n - 1].held_us = t->v[i].last_us -
			t->v[i].first_us + t->pause_ms * 1000;
	}
}
