/* run: one migration, up or down. */
#include "op/run.h"

#include <inttypes.h>
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
#include "migration/ledger.h"
#include "migration/script.h"

#define LOCK_TRIES 5

/* A rebuilt table, as it was just before its DROP. */
struct rebuilt {
	char *table;
	struct db_census before;
};

struct running {
	const struct run *r;
	const struct migration *m;
	const struct migration_part *part;
	struct script script;
	struct strs rebuilds, allow;
	struct rebuilt *rebuilt;
	size_t rebuilt_n;
	int64_t dangling; /* before; only for a rebuild */
	struct part_done *done;
	const char *failure; /* why, for the ledger */
};

static int
at_statement(const struct running *x, const struct script_statement *s,
	struct err *e)
{
	return err_wrap(e, "migration %s (%s), '%s' line %d", x->m->version,
		x->m->name, x->part->file == NULL ? "ledger" : x->part->file,
		s->line);
}

static int
at_migration(const struct running *x, struct err *e)
{
	return err_wrap(e, "migration %s (%s)", x->m->version, x->m->name);
}

/* What must be known before the statement runs. */
static int
before_statement(struct running *x, const struct script_statement *s,
	struct err *e)
{
	struct shape_list *losses = &x->done->losses;
	struct rebuilt *b;
	size_t i;

	if (loss_of_statement(losses, x->r->db, s, &x->rebuilds, e) == -1)
		return -1;
	if (loss_judge(losses, &x->allow) > 0 && !x->r->allow_all)
		return loss_refuse(losses, x->r->option, e);
	if (s->kind != SCRIPT_DROP_TABLE)
		return 0;
	if (strs_has(&x->rebuilds, s->table)) {
		x->rebuilt = mem_grow(x->rebuilt, x->rebuilt_n + 1,
			sizeof(*x->rebuilt));
		b = &x->rebuilt[x->rebuilt_n];
		if (db_census(x->r->db, s->table, 1, &b->before, e) == -1)
			return -1;
		b->table = mem_dup(s->table);
		x->rebuilt_n++;
	}
	for (i = 0; i < s->more.n; i++)
		if (db_watch_drop(x->r->db, s->more.v[i], e) == -1)
			return -1;
	return db_watch_drop(x->r->db, s->table, e);
}

static void
after_statement(struct running *x, const struct script_statement *s)
{
	if (s->kind == SCRIPT_RENAME_TABLE)
		db_watch_rename(x->r->db, s->table, s->to);
	else if (s->kind == SCRIPT_CREATE_TABLE)
		db_watch_create(x->r->db, s->table);
}

/* One statement, with what its words say that it is. */
static int
run_one(struct running *x, const struct script_statement *s, int how,
	struct err *e)
{
	struct db_statement one = { .sql = s->text, .n = s->n,
		.intent = DB_INTENT_OTHER, .table = s->table, .more = &s->more,
		.columns = &s->columns,
		.data = s->data, .data_n = s->data_n, .how = how };

	switch (s->kind) {
	case SCRIPT_DROP_TABLE:
		one.intent = DB_INTENT_DROP_TABLE;
		break;
	case SCRIPT_DROP_COLUMN:
		one.intent = DB_INTENT_DROP_COLUMN;
		break;
	case SCRIPT_UPDATE:
		one.intent = DB_INTENT_UPDATE;
		break;
	case SCRIPT_TRUNCATE:
		one.intent = DB_INTENT_TRUNCATE;
		break;
	case SCRIPT_DELETE:
	case SCRIPT_INSERT:
	case SCRIPT_REPLACE:
		one.intent = DB_INTENT_CHANGE;
		break;
	case SCRIPT_DROP:
	case SCRIPT_CREATE:
	case SCRIPT_CREATE_TABLE:
		one.intent = DB_INTENT_DEFINE;
		break;
	default:
		break;
	}
	return db_run(x->r->db, &one, e);
}

/* One that may lose values and no row is compared, before and after. */
static int
run_compared(struct running *x, const struct script_statement *s,
	struct err *e)
{
	struct db_census before, after;
	int result;

	if (!s->compare || s->table == NULL)
		return run_one(x, s, DB_RUN_PLAIN, e);
	if (db_census(x->r->db, s->table, 0, &before, e) == -1)
		return -1;
	result = run_one(x, s, DB_RUN_PLAIN, e);
	if (result == 0 && before.there) {
		result = db_census(x->r->db, s->table, 0, &after, e);
		if (result == 0) {
			loss_of_values(&x->done->losses, s, &before, &after);
			db_census_free(&after);
		}
	}
	db_census_free(&before);
	return result;
}

static int
run_statements(struct running *x, struct err *e)
{
	size_t i;

	for (i = 0; i < x->script.n; i++) {
		const struct script_statement *s = &x->script.v[i];

		if (stop_check(e) == -1 || before_statement(x, s, e) == -1 ||
			run_compared(x, s, e) == -1)
			return at_statement(x, s, e);
		after_statement(x, s);
	}
	return 0;
}

static void
report_delta(struct part_done *done, const struct db_changes *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct db_change *from = &c->v[i];
		struct part_delta *to;

		if (from->internal || db_is_ours(from->table))
			continue;
		to = shape_list_add(&done->delta, &part_delta_shape);
		to->table = mem_dup(from->table);
		to->before = from->before;
		to->after = from->after;
		to->inserted = from->inserted;
		to->updated = from->updated;
		to->deleted = from->deleted;
		to->cascaded = from->cascaded;
	}
}

static int
judge_rebuilds(struct running *x, struct err *e)
{
	struct db_census after;
	size_t i;

	for (i = 0; i < x->rebuilt_n; i++) {
		if (db_census(x->r->db, x->rebuilt[i].table, 1, &after,
			    e) == -1)
			return -1;
		loss_of_rebuild(&x->done->losses, x->rebuilt[i].table,
			&x->rebuilt[i].before, &after);
		db_census_free(&after);
	}
	return 0;
}

/* Foreign keys were off: they must lead where they led before. */
static int
judge_keys(struct running *x, struct err *e)
{
	char first[256];
	int64_t now;

	if (x->rebuilds.n == 0)
		return 0;
	if (db_dangling(x->r->db, &now, first, sizeof(first), e) == -1)
		return -1;
	if (now <= x->dangling)
		return 0;
	err_set(e, ERR_FAILED, "foreign-keys",
		"the rebuild leaves %" PRId64 " rows whose foreign key leads "
		"nowhere (%" PRId64 " before), the first in %s", now,
		x->dangling, first);
	return err_next(e, "carry every row over that others point to");
}

/* What really happened, before it is committed. */
static int
judge(struct running *x, struct err *e)
{
	struct shape_list *losses = &x->done->losses;
	struct db_changes changes;
	int result = 0;

	if (db_watch_stop(x->r->db, &changes, e) == -1)
		return -1;
	report_delta(x->done, &changes);
	loss_of_changes(losses, &changes, &x->script);
	db_changes_free(&changes);
	if (judge_rebuilds(x, e) == -1)
		return -1;
	if (loss_judge(losses, &x->allow) > 0 && !x->r->allow_all)
		result = loss_refuse(losses, x->r->option, e);
	return result == -1 ? -1 : judge_keys(x, e);
}

static int
record(struct running *x, const char *state, int64_t statements, int64_t start,
	const char *event, struct err *e)
{
	struct ledger_entry entry = { state, x->r->by, x->r->backup,
		x->r->tool, clock_ms() - start, statements };
	struct ledger_event note = { 0, event, x->m->version, x->r->by,
		x->r->backup, NULL,
		x->failure != NULL ? x->failure : x->r->note };
	char fingerprint[65];

	if (x->r->down) {
		if (ledger_remove(x->r->db, x->m->version, e) == -1)
			return -1;
	} else if (ledger_put(x->r->db, x->m, &entry,
		x->part->outside, e) == -1) {
		return -1;
	}
	if (event == NULL)
		return 0;
	/* Reading a whole schema after each of a thousand would tell. */
	if (x->r->last) {
		if (db_fingerprint(x->r->db, fingerprint, e) == -1)
			return -1;
		note.fingerprint = fingerprint;
	}
	return ledger_note(x->r->db, &note, e);
}

static int
try_inside(struct running *x, struct err *e)
{
	struct db *d = x->r->db;
	int64_t start = clock_ms();
	char first[256];

	if (x->rebuilds.n > 0 && db_dangling(d, &x->dangling, first,
		sizeof(first), e) == -1)
		return -1;
	if (db_begin(d, x->rebuilds.n == 0, e) == -1)
		return at_migration(x, e);
	if ((!x->r->ledger && ledger_ensure(d, NULL, e) == -1) ||
		db_watch_start(d, &x->allow, e) == -1 ||
		run_statements(x, e) == -1)
		goto fail;
	if (judge(x, e) == -1) {
		at_migration(x, e);
		goto fail;
	}
	if (record(x, "applied", (int64_t)x->script.n, start,
		    x->r->down ? "rollback" : "apply", e) == -1)
		goto fail;
	if (db_commit(d, e) == -1) {
		/* Deferred foreign keys speak up here. */
		if (e->code == ERR_ENV && strcmp(e->reason, "database") == 0)
			e->code = ERR_FAILED;
		at_migration(x, e);
		goto fail;
	}
	x->done->duration_ms = clock_ms() - start;
	return 0;
fail:
	db_watch_cancel(d);
	db_rollback(d);
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

/* One step of an outside migration's own record. */
static int
note_step(struct running *x, const char *state, int64_t statements,
	int64_t start, const char *event, struct err *e)
{
	if (db_begin(x->r->db, 1, e) == -1)
		return -1;
	if (ledger_ensure(x->r->db, NULL, e) == -1 ||
		record(x, state, statements, start, event, e) == -1) {
		db_rollback(x->r->db);
		return -1;
	}
	return db_commit(x->r->db, e);
}

/* An index that is invalid now is in the way of the next try. */
static void
left_behind(void *arg, const char *reason, const char *text, const char *next)
{
	struct err *e = arg;

	if (strcmp(reason, "invalid-index") == 0)
		err_next(e, "%s: %s; and run mig-apply --resume, or go back "
			    "with mig-rollback --restore", text, next);
}

/* transaction:false: statement by statement, the ledger keeping the place. */
static int
outside(struct running *x, struct err *e)
{
	int64_t start = clock_ms(), i = x->r->skip;
	struct err second;

	if (x->r->down) {
		err_set(e, ERR_REFUSED, "forbidden",
			"migration %s: a down script marked "
			"transaction:false is not supported", x->m->version);
		return err_next(e, "go back with mig-rollback --restore");
	}
	if (note_step(x, "running", i, start, NULL, e) == -1)
		return at_migration(x, e);
	for (; i < (int64_t)x->script.n; i++) {
		const struct script_statement *s = &x->script.v[i];

		if (stop_check(e) == -1 ||
			run_one(x, s, DB_RUN_OUTSIDE, e) == -1)
			goto fail;
		if (i + 1 < (int64_t)x->script.n &&
			note_step(x, "running", i + 1, start, NULL, e) == -1)
			goto fail;
	}
	if (note_step(x, "applied", i, start, "apply", e) == -1)
		return at_migration(x, e);
	x->done->duration_ms = clock_ms() - start;
	return 0;
fail:
	at_statement(x, &x->script.v[i], e);
	x->failure = e->text;
	if (note_step(x, "failed", i, start, "fail", &second) == -1)
		err_wrap(e, "and the ledger could not be written");
	e->code = ERR_LEFT;
	err_next(e, strstr(e->text, "already exists") == NULL ?
		"mend the cause and run mig-apply --resume, or go back with "
		"mig-rollback --restore" :
		"if a run was killed, the statement may have been done: look "
		"at what is there, drop it, and run mig-apply --resume");
	db_problems(x->r->db, left_behind, e, &second);
	return -1;
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
	if (script_scan(x.part->text, x.part->line, db_rules(r->db), &x.script,
		    e) == -1)
		return at_migration(&x, e);
	if (db_can(r->db, DB_CAP_REBUILD))
		script_rebuilds(&x.script, &x.rebuilds);
	for (i = 0; i < x.part->rebuilds.n && db_can(r->db, DB_CAP_REBUILD);
		i++)
		strs_add_once(&x.rebuilds, x.part->rebuilds.v[i]);
	loss_allow(&x.allow, r->db, r->allow);
	loss_allow(&x.allow, r->db, &x.part->allow_loss);
	result = sanity_script(x.part, &x.script, db_rules(r->db), e);
	if (result == 0)
		result = x.part->outside ? outside(&x, e) : inside(&x, e);
	for (i = 0; i < x.rebuilt_n; i++) {
		free(x.rebuilt[i].table);
		db_census_free(&x.rebuilt[i].before);
	}
	free(x.rebuilt);
	strs_free(&x.rebuilds);
	strs_free(&x.allow);
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
