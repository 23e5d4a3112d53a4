/*
 * op_history: a restore brings back the ledger as it was.  What happened
 * since must not be forgotten: it is appended, with the restore itself, to
 * the copy that is about to become the database.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/db.h"
#include "doc/doc_rollback.h"
#include "migration/ledger.h"
#include "op/op_restore.h"
#include "os/file.h"

struct carry {
	struct db *to;
	int64_t skip; /* events that the copy has already */
};

static int
carry_event(void *arg, const struct ledger_event *event, struct err *e)
{
	struct carry *c = arg;
	struct ledger_event copy = *event;

	if (c->skip > 0) {
		c->skip--;
		return 0;
	}
	copy.fingerprint = NULL; /* true then, not of the restored schema */
	return ledger_note(c->to, &copy, e);
}

static int
count_event(void *arg, const struct ledger_event *event, struct err *e)
{
	(void)event;
	(void)e;
	(*(int64_t *)arg)++;
	return 0;
}

/* Each migration that the restore takes back gets its own line. */
static int
note_undone(struct db *to, const struct ledger *was, const struct ledger *now,
	const char *me, const char *backup, struct err *e)
{
	size_t i;

	for (i = now->n; i > 0; i--) {
		struct ledger_event note = { 0, "rollback",
			now->v[i - 1].version, me, backup, NULL,
			"by restore" };

		if (ledger_find(was, now->v[i - 1].version) == NULL &&
			ledger_note(to, &note, e) == -1)
			return -1;
	}
	return 0;
}

static int
append(struct restore *r, struct db *to, const struct ledger *was,
	const struct ledger *now, struct err *e)
{
	const struct manifest *m = &r->proof.read.manifest;
	struct carry carry = { to, 0 };
	struct ledger_event note = { 0, "restore", m->migration, NULL, m->id,
		m->fingerprint, NULL };
	char *me = ledger_me();
	int result = -1;

	note.by = me;
	note.detail = r->archive;
	if (ledger_ensure(to, r->out->database.id != NULL ?
		r->out->database.id : m->database.id, e) == 0 &&
		ledger_each(to, count_event, &carry.skip, e) == 0 &&
		(r->db == NULL || r->history_lost || ledger_each(r->db, carry_event, &carry, e) ==
			0) &&
		note_undone(to, was, now, me, m->id, e) == 0)
		result = ledger_note(to, &note, e);
	free(me);
	return result;
}

/*
 * The copy must be whole by itself, with nothing of it beside: it is opened
 * without its WAL from now on.
 */
static int
is_whole(struct restore *r, struct err *e)
{
	struct db_options o = { .url = r->scratch, .mode = DB_SCRATCH,
		.report = r->o->report };
	char *wal = mem_printf("%s-wal", r->scratch), found[256];
	struct db *d = NULL;
	int result = -1;

	if (file_exists(wal)) {
		err_set(e, ERR_ENV, "io", "'%s' is still there", wal);
	} else if (db_open(&d, &o, e) == 0 &&
		db_check(d, 0, found, sizeof(found), e) == 0) {
		if (strcmp(found, "ok") == 0)
			result = 0;
		else
			err_set(e, ERR_ENV, "io", "the copy is damaged: %s",
				found);
	}
	db_close(d);
	free(wal);
	return result;
}

/* 1: something was written; 0: there is nothing to carry; -1. */
int
op_history_append(struct restore *r, struct db *to, struct err *e)
{
	struct ledger was = { 0 }, now = { 0 };
	struct err why;
	int result = -1;

	if (ledger_load(&was, to, VERSION_NUMBER, e) == -1)
		goto out;
	/* A spoilt ledger must not stand in the way back. */
	if (r->db != NULL && ledger_load(&now, r->db, VERSION_NUMBER, &why) == -1) {
		report_say(r->o->report, REPORT_WARN,
			"the present history is not carried over: %s",
			why.text);
		r->history_lost = 1;
	}
	if (!was.there && !now.there) {
		result = 0; /* mig has written to neither: leave it so */
		goto out;
	}
	if (db_begin(to, 1, e) == -1)
		goto out;
	result = append(r, to, &was, &now, e);
	if (result == 0)
		result = db_commit(to, e);
	else
		db_rollback(to);
	if (result == 0)
		result = 1;
out:
	ledger_free(&was);
	ledger_free(&now);
	return result == -1 ? err_wrap(e, "carry the history over") : result;
}

int
op_history_carry(struct restore *r, struct err *e)
{
	struct db_options o = { .url = r->scratch,
		.mode = DB_SCRATCH_WRITE, .report = r->o->report };
	struct db *to = NULL;
	int result = -1;

	if (db_open(&to, &o, e) == 0)
		result = op_history_append(r, to, e);
	if (result == 1 && db_settle(to, e) == -1)
		result = -1;
	db_close(to);
	if (result == 1)
		result = is_whole(r, e);
	return result;
}
