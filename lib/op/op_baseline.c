/* op_baseline: an existing database is at a version already. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "doc/doc_generation.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "op/op_gen.h"
#include "os/lock.h"

/* Everything up to version, in one transaction. */
static int
record(struct doc_generation *out, const struct op *o, struct db *db,
	const struct set *set, const char *version, struct err *e)
{
	char *me = ledger_me(), fingerprint[65];
	struct ledger_entry entry = { "applied", me, NULL, o->tool, 0, 0 };
	struct ledger_event note = { 0, "baseline", version, me, NULL,
		fingerprint, NULL };
	size_t i;
	int result = -1;

	if (db_begin(db, 1, e) == -1)
		goto out;
	if (ledger_ensure(db, NULL, e) == -1 ||
		db_fingerprint(db, fingerprint, e) == -1)
		goto back;
	for (i = 0; i < set->n; i++) {
		if (num_compare_digits(set->v[i].version, version) > 0)
			break;
		if (ledger_put(db, &set->v[i], &entry, 0, e) == -1)
			goto back;
		strs_add(&out->files, set->v[i].up.file);
	}
	if (ledger_note(db, &note, e) == -1)
		goto back;
	result = db_commit(db, e);
	goto out;
back:
	db_rollback(db);
out:
	free(me);
	return result;
}

static int
work(struct doc_generation *out, const struct op *o, struct db *db,
	struct set *set, const char *version, struct err *e)
{
	struct ledger ledger;
	size_t n;

	if (ledger_load(&ledger, db, e) == -1 ||
		set_read(set, o->migrations, e) == -1)
		return -1;
	n = ledger.n;
	ledger_free(&ledger);
	if (n > 0) {
		err_set(e, ERR_REFUSED, "ledger",
			"the database has a ledger with %zu migrations", n);
		return err_next(e, "a baseline is for a database that mig has "
				   "not migrated yet: see mig-status");
	}
	if (set_find(set, version) == NULL) {
		err_set(e, ERR_USAGE, "version",
			"no migration has the version '%s'", version);
		return err_next(e, "name the newest one that the database has");
	}
	out->migration = mem_dup(version);
	return record(out, o, db, set, version, e);
}

int
op_baseline(struct doc_generation *out, const struct op *o,
	const char *version, struct err *e)
{
	struct db_options d = op_db(o, DB_WRITE);
	struct lock *lock = NULL;
	struct set set = { 0 };
	struct db *db = NULL;
	int result = -1;

	out->tool = mem_dup(o->tool);
	out->action = "baseline";
	out->folder = mem_dup(o->migrations);
	if (db_open(&db, &d, e) == -1 ||
		db_lock(db, &lock, o->wait_s, o->program, e) == -1)
		goto out;
	out->database = mem_alloc(sizeof(*out->database));
	result = work(out, o, db, &set, version, e);
	if (result == 0)
		result = db_identity(db, out->database, e);
	if (result == -1) {
		free(out->database);
		out->database = NULL;
	}
out:
	set_free(&set);
	lock_free(lock);
	db_close(db);
	return result;
}
