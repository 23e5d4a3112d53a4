/* op_baseline: an existing database is at a version already. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "op/op_gen.h"
#include "op/op_state.h"

/* The version and all that it stands on, in one transaction. */
static int
record(struct doc_generation *out, const struct op *o, struct op_state *s,
	const struct migration *last, struct err *e)
{
	const struct format *format = s->history.format;
	struct db *db = s->db;
	char *me = ledger_me(), fingerprint[65];
	struct ledger_entry entry = { "applied", me, NULL, o->tool,
		format->history == NULL ? NULL : format->shown, 0, 0 };
	struct ledger_event note = { 0, "baseline", last->version, me, NULL,
		fingerprint, NULL };
	char *wanted = mem_array(s->set.n, 1);
	size_t i;
	int result = -1;

	graph_mark(&s->set, last, wanted);
	if (db_begin(db, 1, e) == -1)
		goto out;
	if (ledger_ensure(db, NULL, e) == -1 ||
		history_ensure(&s->history, e) == -1)
		goto back;
	for (i = 0; i < s->set.n; i++) {
		const struct migration *m = &s->set.v[i];

		if (!wanted[i])
			continue;
		if (ledger_put(db, m, &entry, 0, e) == -1 ||
			(ledger_find(&s->ledger, m->version) == NULL &&
			history_put(&s->history, m, 0, me, e) == -1))
			goto back;
		strs_add(&out->files, m->up.file);
	}
	if (db_fingerprint(db, fingerprint, e) == -1 || ledger_note(db, &note, e) == -1)
		goto back;
	result = db_commit(db, e);
	goto out;
back:
	db_rollback(db);
out:
	free(wanted);
	free(me);
	return result;
}

static int
work(struct doc_generation *out, const struct op *o, struct op_state *s,
	const char *version, struct err *e)
{
	const struct migration *last;
	struct ledger own;
	size_t n;

	if (s->history.format->status_only) {
		err_set(e, ERR_REFUSED, "history", "mig reads the history of "
			"%s, and does not write it", s->history.format->shown);
		return err_next(e, "record it with that tool");
	}
	if (ledger_load(&own, s->db, s->ledger.rule, e) == -1)
		return -1;
	n = own.n;
	ledger_free(&own);
	if (n > 0) {
		err_set(e, ERR_REFUSED, "ledger",
			"the database has a ledger with %zu migrations", n);
		return err_next(e, "a baseline is for a database that mig has "
				   "not migrated yet: see mig-status");
	}
	last = set_named(&s->set, version, e);
	if (last == NULL)
		return -1;
	out->migration = mem_dup(version);
	return record(out, o, s, last, e);
}

int
op_baseline(struct doc_generation *out, const struct op *o,
	const char *version, struct err *e)
{
	struct op_state s = { 0 };
	int result;

	out->tool = mem_dup(o->tool);
	out->action = "baseline";
	out->folder = mem_dup(o->migrations);
	out->database = mem_alloc(sizeof(*out->database));
	result = op_state_open(&s, o, DB_WRITE, 1, out->database, e);
	if (result == 0)
		result = work(out, o, &s, version, e);
	/* It has an id only now. */
	if (result == 0) {
		shape_release(&wire_database_shape, out->database);
		result = db_identity(s.db, out->database, e);
	}
	if (result == -1) {
		shape_release(&wire_database_shape, out->database);
		free(out->database);
		out->database = NULL;
	}
	op_state_close(&s);
	return result;
}
