/* op_restore_gate: what must be so before a restore, and is said behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_rollback.h"
#include "migration/history.h"
#include "op/op_restore.h"
#include "op/secure.h"

/* The archive must be of this database, or go elsewhere. */
int
op_restore_identity(struct restore *r, struct err *e)
{
	const struct wire_database *of = &r->proof.read.manifest.database;
	const struct wire_database *now = &r->out->database;
	int same = strcmp(of->path, now->path) == 0;

	if (of->id != NULL && now->id != NULL)
		same = strcmp(of->id, now->id) == 0;
	if (same || r->p->other_database)
		return 0;
	err_set(e, ERR_REFUSED, "other-database",
		"the archive is of another database: '%s', not '%s'", of->path,
		now->path);
	return err_next(e, "restore it beside with --into %s, or use "
		"--other-database", strcmp(now->engine, "sqlite") == 0 ? "PATH" :
		"NAME");
}

int
op_restore_safety(struct restore *r, struct err *e)
{
	struct secure s = { .max_age_s = 3600, .fresh = 1, .safety = 1,
		.no_check = r->p->offline };
	struct receipt receipt;

	if (r->p->no_safety_backup)
		return 0;
	r->out->safety = mem_alloc(sizeof(*r->out->safety));
	if (secure_backup(r->out->safety, &receipt, r->o, r->db, &s, e) ==
		-1) {
		free(r->out->safety);
		r->out->safety = NULL;
		err_wrap(e, "the safety backup of what is to be replaced");
		/* A damaged database, or ledger: a restore is what mends it. */
		if (strcmp(e->reason, "database-damaged") == 0 || strcmp(e->reason,
			"ledger") == 0)
			return err_next(e, "run it again with "
				"--no-safety-backup");
		/* Of another folder it would find another backup by itself. */
		if (strcmp(e->reason, "no-space") == 0) {
			err_next(e, "free some space there, or have it taken to "
				"another folder: mig-rollback --restore --backups "
				"FOLDER");
			return err_next_word(e, r->archive);
		}
		return e->next[0] == '\0' ? err_next(e,
			"--no-safety-backup goes without it") : -1;
	}
	strs_add(&r->out->kept, r->out->safety->path);
	shape_release(&receipt_shape, &receipt);
	return 0;
}

int
op_restore_unchanged(void *arg, struct err *e)
{
	struct restore *r = arg;
	struct wire_position now;
	int same;

	if (db_position(r->db, &now, e) == -1)
		return -1;
	same = wire_position_same(&r->at, &now);
	shape_release(&wire_position_shape, &now);
	if (same)
		return 0;
	err_set(e, ERR_ENV, "written",
		"the database was written to while the restore was prepared; "
		"nothing was changed");
	return err_next(e, "stop the application, then run it again");
}

int
op_restore_confirm(struct restore *r, struct err *e)
{
	char text[512], when[CLOCK_TEXT];

	if (r->o->confirm == NULL)
		return 0;
	clock_text(r->proof.read.manifest.created, when);
	snprintf(text, sizeof(text), "Replace '%.200s' by its backup of %s?",
		r->target, when);
	return r->o->confirm(r->o->arg, text, e);
}

void
op_restore_beside(const struct op *o, const char *database)
{
	char *path;
	const char *tool = history_beside(database, &path);

	if (tool != NULL)
		report_say(o->report, REPORT_WARN, "'%s', where %s keeps what is "
			"applied, is no part of a backup of '%s': behind a "
			"restore it says more than is there; bring back a copy "
			"of it, too, or let %s take it back in its log alone "
			"(sqitch revert --log-only)", path, tool, database,
			tool);
	free(path);
}
