/* run: one migration, up or down. */
#include "op/run_part.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/driver.h"
#include "doc/part.h"
#include "guard/loss.h"
#include "guard/sanity.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/script.h"

#define LOCK_TRIES 5

/* The other tool's table: what is applied, and what has begun. */
static int
tell(struct running *x, const char *state, int64_t duration_ms, struct err *e)
{
	struct history *h = x->r->history;

	if (strcmp(state, "applied") == 0)
		return history_put(h, x->m, duration_ms, x->r->by, e);
	return strcmp(state, "running") == 0 ? history_begin(h, x->m, e) : 0;
}

/* mig's own tables, and the other tool's. */
int
run_ensure(struct running *x, struct err *e)
{
	if (!x->r->ledger && ledger_ensure(x->r->db, NULL, e) == -1)
		return -1;
	return x->r->history == NULL ? 0 : history_ensure(x->r->history, e);
}

void
run_settle(struct running *x, int committed)
{
	if (x->r->history != NULL)
		history_settle(x->r->history, committed);
}

/* What was proved on the copy is what happens here, or it does not happen. */
static int
as_rehearsed(const struct running *x, const char *fingerprint, struct err *e)
{
	if (x->r->rehearsed == NULL || strcmp(x->r->rehearsed, fingerprint) ==
		0)
		return 0;
	err_set(e, ERR_FAILED, "rehearsal", "migration %s (%s): the schema "
		"behind it is not the one that the rehearsal proved",
		x->m->version, x->m->name);
	return err_next(e, "see what it does here and not on the copy (names "
		"made from the time, a setting, a table that is only here); "
		"then take a new backup, or use --no-rehearse");
}

int
run_record(struct running *x, const char *state, int64_t statements, int64_t start,
	const char *event, struct err *e)
{
	struct history *h = x->r->history;
	struct ledger_entry entry = { state, x->r->by, x->r->backup,
		x->r->tool, h == NULL || h->format->history == NULL ? NULL :
		h->format->shown, clock_ms() - start, statements };
	struct ledger_event note = { 0, event, x->m->version, x->r->by,
		x->r->backup, NULL,
		x->failure != NULL ? x->failure : x->r->note };
	struct migration as = *x->m;
	char fingerprint[65];

	if (x->r->recorded != NULL)
		as.version = (char *)x->r->recorded;
	if (x->r->down) {
		if (ledger_remove(x->r->db, as.version, e) == -1 ||
			(h != NULL && history_remove(h, x->m, x->r->before,
				e) == -1))
			return -1;
	} else if (ledger_put(x->r->db, &as, &entry, x->script.outside ||
		x->r->again, e) == -1 || (h != NULL && tell(x, state,
		entry.duration_ms, e) == -1)) {
		return -1;
	}
	if (event == NULL)
		return 0;
	/* Reading a whole schema after each of a thousand would tell. */
	if (x->r->last || x->r->rehearsed != NULL) {
		if (db_fingerprint(x->r->db, fingerprint, e) == -1 ||
			(strcmp(state, "applied") == 0 && as_rehearsed(x,
				fingerprint, e) == -1))
			return -1;
		note.fingerprint = fingerprint;
	}
	return ledger_note(x->r->db, &note, e);
}

static int
try_inside(struct running *x, struct err *e)
{
	struct db *d = x->r->db;
	const struct run_trace *t = x->r->trace;
	const struct strs *expected = t != NULL && t->expected != NULL ?
		t->expected : &x->allow;
	int64_t start = clock_ms();
	char first[256];

	if (t != NULL && t->begin(t->arg, x->m, e) == -1)
		return -1;
	if (x->rebuilds.n > 0 && db_dangling(d, &x->dangling, first,
		sizeof(first), e) == -1)
		return -1;
	if (db_begin(d, x->rebuilds.n == 0, e) == -1)
		return run_at_migration(x, e);
	if (run_ensure(x, e) == -1 || run_expect_before(x, e) == -1 ||
		db_watch_start(d, expected, &x->found, e) == -1 ||
		run_statements(x, e) == -1)
		goto fail;
	if (run_judge(x, e) == -1) {
		run_at_migration(x, e);
		goto fail;
	}
	if (run_expect_after(x, e) == -1 ||
		(t != NULL && t->judge != NULL && t->judge(t->arg, x->done, e) == -1))
		goto fail;
	if (run_record(x, "applied", (int64_t)x->script.n, start,
		    x->r->down ? "rollback" : "apply", e) == -1)
		goto fail;
	if (db_commit(d, e) == -1) {
		/* Deferred foreign keys speak up here. */
		if (e->code == ERR_ENV && strcmp(e->reason, "database") == 0)
			e->code = ERR_FAILED;
		run_at_migration(x, e);
		goto fail;
	}
	run_settle(x, 1);
	x->done->duration_ms = clock_ms() - start;
	return 0;
fail:
	db_watch_cancel(d);
	db_rollback(d);
	run_settle(x, 0);
	return -1;
}

/* Everything that a try has noted is forgotten. */
static void
forget(struct running *x)
{
	size_t i;

	for (i = 0; i < x->rebuilt_n; i++) {
		free(x->rebuilt[i].table);
		db_census_free(&x->rebuilt[i].before);
	}
	free(x->rebuilt);
	x->rebuilt = NULL;
	x->rebuilt_n = 0;
	run_expect_forget(x);
	shape_list_clear(&x->done->losses, &part_loss_shape);
	shape_list_clear(&x->done->delta, &part_delta_shape);
}

/*
 * A lock that cannot be had soon is not waited for: others would queue behind
 * us.  The whole migration is rolled back and tried again after a while, of a
 * length that differs from everybody else's.
 */
static int
inside(struct running *x, struct err *e)
{
	int tries;

	for (tries = 1;; tries++) {
		if (try_inside(x, e) == 0)
			return 0;
		if (x->again) {
			if (stop_check(e) == -1)
				return -1;
			report_say(x->r->report, REPORT_MORE, "migration %s "
				"drops or empties what it does not name: it "
				"is rolled back, and run again with that "
				"counted before", x->m->version);
			x->again = 0;
			tries--;
			forget(x);
			continue;
		}
		if (strcmp(e->reason, "lock-timeout") != 0 ||
			tries == LOCK_TRIES || stop_asked())
			return -1;
		report_say(x->r->report, REPORT_NOTE, "migration %s waits for "
			"a lock: it is rolled back and tried again (%d of %d)",
			x->m->version, tries + 1, LOCK_TRIES);
		forget(x);
		clock_pause_ms(200 * tries + clock_ms() % 97 +
			getpid() % 211);
	}
}

int
run_migration(struct part_done *done, const struct migration *m,
	const struct run *r, struct err *e)
{
	struct running x = { 0 };
	size_t i;
	int result;

	x.r = r;
	x.m = m;
	x.part = r->down ? &m->down : &m->up;
	x.done = done;
	done->migration = mem_dup(m->version);
	done->name = mem_dup(m->name);
	if (script_of_part(x.part, db_rules(r->db), &x.script, e) == -1)
		return run_at_migration(&x, e);
	if (db_can(r->db, DB_CAP_REBUILD))
		script_rebuilds(&x.script, &x.rebuilds);
	for (i = 0; i < x.part->rebuilds.n && db_can(r->db, DB_CAP_REBUILD);
		i++)
		strs_add_once(&x.rebuilds, x.part->rebuilds.v[i]);
	loss_allow(&x.allow, r->db, r->allow);
	loss_allow(&x.allow, r->db, &x.part->allow_loss);
	result = sanity_script(x.part, &x.script, db_rules(r->db), e);
	db_hush(r->db, x.part->secrets.n > 0);
	if (result == 0)
		result = x.script.outside ? run_outside(&x, e) : inside(&x, e);
	db_hush(r->db, 0);
	if (result == 0 && r->trace != NULL)
		result = r->trace->end(r->trace->arg, m, done, e);
	for (i = 0; i < x.rebuilt_n; i++) {
		free(x.rebuilt[i].table);
		db_census_free(&x.rebuilt[i].before);
	}
	free(x.rebuilt);
	run_expect_forget(&x);
	strs_free(&x.rebuilds);
	strs_free(&x.allow);
	strs_free(&x.found);
	script_free(&x.script);
	return result;
}

int
run_note_failure(struct db *db, const struct migration *m,
	const struct run *r, const struct err *why, struct err *e)
{
	char fingerprint[65];
	struct ledger_event note = { 0, "fail", m->version, r->by, r->backup,
		fingerprint, why->text };

	if (db_begin(db, 1, e) == -1)
		return -1;
	if (ledger_ensure(db, NULL, e) == -1 ||
		db_fingerprint(db, fingerprint, e) == -1 ||
		ledger_note(db, &note, e) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}
