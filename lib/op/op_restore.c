/* op_restore: back by a verified backup. */
#include "op/op_restore.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/journal.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc.h"
#include "doc/doc_rollback.h"
#include "op/op_db.h"
#include "op/op_only.h"
#include "os/file.h"
#include "os/lock.h"

int
op_restore_rebuild(struct restore *r, const char *beside, struct err *e)
{
	struct verify_options v = { 0 };
	const struct manifest *m = &r->proof.read.manifest;
	char *folder = file_dir(beside), *prefix, *out, id[ID_TEXT];
	int result = -1;

	prefix = mem_printf(".%s.mig-new-", file_base(beside));
	if (!r->p->dry_run)
		file_sweep(folder, prefix, "");
	if (id_new(id, e) == -1)
		goto out;
	out = mem_printf("%s%.8s", prefix, id);
	r->scratch = file_join(folder, out);
	free(out);
	v.path = r->archive;
	v.keep = r->scratch;
	v.level = VERIFY_DEFAULT;
	v.no_check = r->p->no_check;
	v.jobs = r->o->jobs;
	v.report = r->o->report;
	result = verify_run(&r->proof, &v, e);
	if (result == 0) {
		r->raw_bytes = m->raw_bytes;
		r->out->archive = mem_alloc(sizeof(*r->out->archive));
		r->out->archive->path = file_real(r->archive, e);
		r->out->archive->bytes = r->proof.read.bytes;
		r->out->archive->manifest = mem_dup(m->digest);
	}
out:
	free(prefix);
	free(folder);
	return result;
}

struct db_rebuilt
op_restore_from(const struct restore *r)
{
	struct db_rebuilt from = { r->scratch, &r->proof.read.tables,
		r->o->jobs };

	return from;
}

/* The live database after the restore is what the manifest says. */
static int
check_after(struct restore *r, struct err *e)
{
	const struct reader_result *was = &r->proof.read;
	const struct wire_table *want = was->tables.items, *have;
	struct shape_list tables;
	char found[512], fingerprint[65];
	size_t i, k;
	int written = 0;

	if (r->p->no_check)
		return 0;
	if (db_check(r->db, 0, found, sizeof(found), e) == -1 ||
		db_fingerprint(r->db, fingerprint, e) == -1 ||
		db_tables(r->db, &tables, e) == -1)
		return -1;
	have = tables.items;
	for (i = 0; i < was->tables.n && !written; i++) {
		if (db_is_ours(want[i].name))
			continue;
		for (k = 0; k < tables.n; k++)
			if (strcmp(have[k].name, want[i].name) == 0)
				break;
		written = k < tables.n && have[k].rows != want[i].rows;
	}
	db_tables_free(&tables);
	/*
	 * The copy was proved, and is in place as a whole: other rows are those of
	 * whoever waited for the lock, and has written since.
	 */
	if (strcmp(found, "ok") == 0 &&
		strcmp(fingerprint, was->manifest.fingerprint) == 0) {
		if (written)
			report_say(r->o->report, REPORT_WARN, "somebody has "
				"written to '%s' since it was restored: it has "
				"other rows than the archive by now",
				want[i - 1].name);
		return 0;
	}
	err_set(e, ERR_LEFT, "restore",
		"the restored database is not what the archive holds (%s)",
		found);
	return err_next(e, "stop the application and use --offline, or go "
			   "back to the safety backup");
}

/*
 * An empty file is a database without pages, but SQLite copies pages: give it
 * its first one.
 */
static int
give_page(struct restore *r, struct err *e)
{
	struct db_options o = { .url = r->scratch,
		.mode = DB_SCRATCH_WRITE, .report = r->o->report };
	struct db *d;
	int result;

	if (db_open(&d, &o, e) == -1)
		return -1;
	result = db_exec(d, "PRAGMA user_version = 1; PRAGMA user_version = 0",
		e);
	db_close(d);
	return result;
}

/* The connection knows the old database: its encoding, its schema. */
static int
open_again(struct restore *r, struct err *e)
{
	struct db_options d = op_db(r->o, DB_READ);

	db_close(r->db);
	r->db = NULL;
	return db_open(&r->db, &d, e);
}

static int
live(struct restore *r, struct err *e)
{
	struct db_restore way = { .arg = r, .ready = op_restore_unchanged };
	struct db_rebuilt from;

	if (op_restore_rebuild(r, r->target, e) == -1 ||
		op_restore_identity(r, e) == -1 || op_restore_gap(r, e) == -1)
		return -1;
	if (r->p->dry_run) {
		r->out->result = "planned";
		return 0;
	}
	if (op_restore_confirm(r, e) == -1 || op_restore_safety(r, e) == -1)
		return -1;
	if ((r->raw_bytes == 0 && give_page(r, e) == -1) ||
		op_history_carry(r, e) == -1 ||
		file_need_space(r->target, r->raw_bytes, "the restore", e) ==
			-1)
		return -1;
	from = op_restore_from(r);
	if (db_restore(r->db, &from, &way, e) == -1)
		return -1;
	if (open_again(r, e) == -1 || check_after(r, e) == -1) {
		if (e->code != ERR_LEFT)
			err_wrap(e, "the restore is committed, but could not "
				    "be checked");
		e->code = ERR_LEFT;
		return -1;
	}
	r->out->result = "done";
	return 0;
}

static int
open_live(struct restore *r, struct lock **lock, struct err *e)
{
	*lock = r->p->lock;
	r->db = r->p->db;
	if (r->db == NULL && op_db_open(&r->db, r->o, r->p->dry_run ||
		r->p->into != NULL ? DB_READ : DB_WRITE, e) == -1) {
		if (strcmp(e->reason, "not-a-database") == 0 ||
			strcmp(e->reason, "database-damaged") == 0 ||
			strcmp(e->reason, "not-found") == 0)
			err_next(e, "if the database is damaged or gone: stop "
				    "the application and use --offline");
		return -1;
	}
	if (db_identity(r->db, &r->out->database, e) == -1)
		return -1;
	return r->p->dry_run || *lock != NULL ? 0 :
		db_lock(r->db, lock, r->o->wait_s, r->o->program, e);
}

/* --into needs no database; it only helps to find the newest archive. */
void
op_restore_describe(struct restore *r)
{
	if (r->out->database.path != NULL)
		return;
	r->out->database.engine = "sqlite";
	r->out->database.path = mem_dup(r->target);
	r->out->database.name = mem_dup(file_base(r->target));
}

static int
work(struct restore *r, struct lock **lock, struct err *e)
{
	const struct db_mend how = { .undo = r->p->undo };
	struct err ignored;
	char *path = NULL;
	int result;

	if (r->p->only != NULL)
		return op_only(r, e);
	if (r->o->url != NULL && db_is_server(r->o->url))
		return op_server_restore(r, e);
	if (r->p->undo || r->p->resume)
		return db_mend(r->o->url, &how, &path, &path, e);
	if (r->o->url != NULL || r->p->into == NULL) {
		if (db_locate(r->o->url, &path, e) == -1)
			return -1;
		r->target = file_real(path, e);
		free(path);
		if (r->target == NULL)
			return -1;
	} else {
		r->target = mem_dup("");
	}
	if (r->p->into != NULL) {
		if (*r->target != '\0' && r->p->archive == NULL &&
			r->p->document == NULL &&
			open_live(r, lock, &ignored) == -1) {
			db_close(r->db);
			r->db = NULL;
		}
		op_restore_describe(r);
		return op_restore_find(r, e) == -1 ? -1 : op_restore_into(r, e);
	}
	if (!r->p->offline) {
		if (open_live(r, lock, e) == -1 || op_restore_find(r, e) == -1)
			return -1;
		return live(r, e);
	}
	op_restore_describe(r);
	result = op_restore_find(r, e);
	return result == -1 ? -1 : op_offline_replace(r, e);
}

/* The rebuilt file, and what SQLite may have left beside it. */
static void
remove_scratch(struct restore *r)
{
	static const char *const suffixes[] = { "", "-wal", "-journal", NULL };
	const char *const *s;

	for (s = suffixes; r->scratch != NULL && *s != NULL; s++) {
		char *path = mem_printf("%s%s", r->scratch, *s);

		unlink(path);
		free(path);
	}
}

int
op_restore(struct doc_rollback *out, const struct op *o,
	struct op_restore_options *p, struct err *e)
{
	struct restore r = { .out = out, .o = o, .p = p, .held = -1 };
	struct lock *lock = NULL;
	int64_t start = clock_ms();
	struct err ignored;
	int result;

	out->tool = mem_dup(o->tool);
	out->mode = p->undo ? "undo" : p->resume ? "resume" :
		p->only != NULL ? "only" : p->into != NULL ? "into" :
		p->offline ? "offline" : "restore";
	out->result = "failed";
	result = work(&r, &lock, e);
	if (result == -1 && !p->offline && p->into == NULL && p->only == NULL &&
		strcmp(e->reason, "database-damaged") == 0)
		err_next(e, "stop the application, then: mig-rollback --restore "
			"--offline --accept-loss --no-safety-backup; the damaged "
			"files are kept aside");
	out->duration_ms = clock_ms() - start;
	if (result == 0 && p->only == NULL && p->into == NULL && r.target !=
		NULL && *r.target != '\0' && strcmp(out->result, "done") == 0)
		op_restore_beside(o, r.target);
	if (result == 0 && p->only == NULL && r.proof.read.manifest.migration !=
		NULL)
		out->current = mem_dup(r.proof.read.manifest.migration);
	if (result == 0 && r.archive != NULL && strcmp(out->result, "done") ==
		0 && p->into == NULL && p->only == NULL && journal_undone(o->backups, &out->database,
		r.proof.read.manifest.created, &ignored) == -1)
		report_say(o->report, REPORT_WARN, "%s", ignored.text);
	remove_scratch(&r);
	if (r.held != -1)
		close(r.held);
	verify_result_free(&r.proof);
	shape_release(&wire_position_shape, &r.at);
	lock_free(lock);
	db_close(r.db);
	doc_free(p->document);
	p->document = NULL;
	free(r.archive);
	free(r.target);
	free(r.scratch);
	return result;
}
