/*
 * op_server: a restore on a server.  A new database is filled and proved
 * beside the live one, then the two change names; the old one is kept.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_rollback.h"
#include "op/op_db.h"
#include "op/op_restore.h"
#include "op/op_state.h"
#include "os/file.h"
#include "os/lock.h"

/* The dump needs a place of its own, on this machine. */
static char *
place(const struct restore *r)
{
	const char *tmp = getenv("TMPDIR");
	const char *folder = file_is_dir(r->o->backups) &&
			access(r->o->backups, W_OK) == 0 ? r->o->backups :
		tmp != NULL && *tmp != '\0' ? tmp : "/tmp";

	char *name = mem_dup(r->out->database.name), *path;

	strs_plain(name, "");
	path = file_join(folder, name);
	free(name);
	return path;
}

/* In the new database, before it changes names with the live one. */
static int
prepare(void *arg, struct db *fresh, struct err *e)
{
	struct restore *r = arg;
	char fingerprint[65];

	if (!r->p->no_check) {
		if (db_fingerprint(fresh, fingerprint, e) == -1)
			return -1;
		if (strcmp(fingerprint, r->proof.read.manifest.fingerprint) !=
			0) {
			err_set(e, ERR_ENV, "restore", "the schema of the new "
				"database is not the one of the archive");
			return err_next(e, "nothing was changed; report it");
		}
	}
	if (r->p->into != NULL)
		return 0;
	return op_history_append(r, fresh, e) == -1 ? -1 : 0;
}

static int
open_server(struct restore *r, struct lock **lock, struct err *e)
{
	int reads = r->p->dry_run;
	struct db_options d = op_db(r->o, reads ? DB_READ : DB_WRITE);

	*lock = r->p->lock;
	r->db = r->p->db;
	if (r->db == NULL && db_open(&r->db, &d, e) == -1) {
		if (strcmp(e->reason, "unreachable") == 0 &&
			strstr(e->text, "not currently accepting") != NULL)
			err_next(e, "a restore was killed in its last step: "
				"mig-rollback --restore --undo, or --resume");
		return -1;
	}
	if (db_identity(r->db, &r->out->database, e) == -1)
		return -1;
	r->target = mem_dup(r->out->database.name);
	return reads || r->p->into != NULL || *lock != NULL ? 0 :
		db_lock(r->db, lock, r->o->wait_s, r->o->program, e);
}

/* After a restore: what stands there now is asked of the database itself. */
static int
mend(struct restore *r, struct err *e)
{
	const struct db_mend how = { r->p->undo, r->p->accept_loss,
		r->o->role, r->o->report };
	struct db_options d = op_db(r->o, DB_READ);
	struct op asked = *r->o;
	char *said, *kept;

	if (db_mend(r->o->url, &how, &said, &kept, e) == -1)
		return -1;
	report_say(r->o->report, REPORT_NOTE, "%s", said);
	if (kept != NULL)
		strs_add(&r->out->kept, kept);
	free(kept);
	r->out->result = "done";
	if (db_open(&r->db, &d, e) == -1 ||
		db_identity(r->db, &r->out->database, e) == -1 ||
		op_state_current(&asked, r->db, &r->out->current, e) == -1) {
		err_wrap(e, "%s; but to look at it afterwards failed", said);
		free(said);
		return err_next(e, "do not repeat it: mig-status says where "
			"the database stands");
	}
	free(said);
	return 0;
}

static int
run(struct restore *r, struct lock **lock, struct err *e)
{
	struct db_restore way = { .arg = r, .prepare = prepare,
		.check = !r->p->no_check,
		.into = r->p->into };
	struct db_rebuilt from;
	char *beside, *kept = NULL;
	int result;

	if (open_server(r, lock, e) == -1 || op_restore_find(r, e) == -1)
		return -1;
	beside = place(r);
	result = op_restore_rebuild(r, beside, e);
	free(beside);
	if (result == 0) {
		/* Another restore sweeps away what nobody has locked. */
		r->held = open(r->scratch, O_RDONLY | O_CLOEXEC);
		if (r->held != -1)
			flock(r->held, LOCK_EX | LOCK_NB);
	}
	if (result == -1 || (r->p->into == NULL &&
		(op_restore_identity(r, e) == -1 ||
			op_restore_gap(r, e) == -1)))
		return -1;
	r->out->result = "planned";
	if (r->p->dry_run)
		return 0;
	r->out->result = "failed";
	if (r->p->into == NULL && (op_restore_confirm(r, e) == -1 ||
		op_restore_safety(r, e) == -1))
		return -1;
	way.kept = &kept;
	from = op_restore_from(r);
	if (db_restore(r->db, &from, &way, e) == -1)
		return -1;
	if (kept != NULL) {
		strs_add(&r->out->kept, kept);
		report_say(r->o->report, REPORT_NOTE, "the old database is "
			"kept as '%s'; --undo --accept-loss brings it back", kept);
		free(kept);
	}
	if (r->p->into != NULL)
		r->out->into = mem_dup(r->p->into);
	r->out->result = "done";
	return 0;
}

int
op_server_restore(struct restore *r, struct err *e)
{
	struct lock *lock = NULL;
	int result;

	if (r->p->offline) {
		err_set(e, ERR_USAGE, "driver", "--offline replaces a file; "
			"a server has none");
		return err_next(e, "leave it out: a restore makes a new "
			"database beside the old one");
	}
	if (r->p->undo || r->p->resume) {
		r->target = mem_dup("");
		return mend(r, e);
	}
	result = run(r, &lock, e);
	lock_free(lock);
	return result;
}
