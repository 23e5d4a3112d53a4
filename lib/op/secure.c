/* secure: a verified backup of this database, or no. */
#include "op/secure.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/create.h"
#include "backup/verify.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/db.h"
#include "doc/part.h"
#include "guard/bind.h"
#include "op/op_state.h"

static void
fill(struct part_backup *part, const struct receipt *r, char *path,
	const char *source)
{
	part->id = mem_dup(r->id);
	part->path = path;
	part->source = source;
}

/* The archive that a document named. */
static int
named(struct part_backup *part, struct receipt *r, struct db *d,
	const struct secure *s, struct err *e)
{
	int have = receipt_read(r, s->archive, e);

	if (have == -1)
		return -1;
	if (have == 0) {
		err_set(e, ERR_REFUSED, "no-receipt",
			"the archive '%s' has no receipt", s->archive);
		err_next(e, "verify it: mig-verify");
		return err_next_word(e, s->archive);
	}
	if (s->manifest != NULL && strcmp(s->manifest, r->manifest) != 0) {
		err_set(e, ERR_REFUSED, "stale",
			"the archive '%s' is not the one of the document",
			s->archive);
		err_next(e, "verify it again: mig-verify");
		err_next_word(e, s->archive);
		goto fail;
	}
	if (bind_check(r, s->archive, d, s->max_age_s, e) == -1)
		goto fail;
	fill(part, r, mem_dup(s->archive), "document");
	return 0;
fail:
	shape_release(&receipt_shape, r);
	return -1;
}

/* Take one now, verify it, write its receipt. */
static int
taken(struct part_backup *part, struct receipt *r, const struct op *o,
	struct db *d, const struct secure *s, struct err *e)
{
	struct op asked = *o;
	struct create_options create = { 0 };
	struct verify_options verify = { 0 };
	struct create_result made;
	struct verify_result proof;
	char *receipt = NULL;
	int result = -1;

	create.tool = o->tool;
	create.folder = o->backups;
	create.fd = -1;
	create.jobs = o->jobs;
	create.level = o->level;
	create.check = !s->no_check;
	create.safety = s->safety;
	create.report = o->report;
	create.current = op_state_current;
	create.arg = &asked;
	if (create_run(&made, d, &create, e) == -1)
		return err_wrap(e, "backup before the change");
	verify.path = made.path;
	verify.level = VERIFY_DEFAULT;
	verify.jobs = o->jobs;
	verify.report = o->report;
	if (verify_run(&proof, &verify, e) == -1 ||
		verify_receipt(&proof, made.path, VERIFY_DEFAULT, o->tool,
			NULL, &receipt, e) == -1) {
		/* As the newest it would stand before those that are good. */
		if (e->code == ERR_DAMAGE)
			unlink(made.path);
		err_wrap(e, "verification of the backup before the change%s",
			e->code == ERR_DAMAGE ? ", which is not kept" : "");
		goto out;
	}
	if (receipt_read(r, made.path, e) != 1 ||
		bind_check(r, made.path, d, s->max_age_s, e) == -1)
		goto out;
	report_say(o->report, REPORT_NOTE, "backup '%s' taken and verified",
		made.path);
	fill(part, r, mem_dup(made.path), "taken");
	result = 0;
out:
	free(receipt);
	verify_result_free(&proof);
	create_result_free(&made);
	return result;
}

int
secure_backup(struct part_backup *part, struct receipt *r,
	const struct op *o, struct db *d, const struct secure *s,
	struct err *e)
{
	struct err why;
	char *path;
	int found;

	memset(r, 0, sizeof(*r));
	if (s->archive != NULL)
		return named(part, r, d, s, e);
	if (!s->fresh) {
		found = bind_newest(o->backups, d, s->max_age_s, &path, r,
			&why, e);
		if (found == -1)
			return -1;
		if (found == 1) {
			report_say(o->report, REPORT_NOTE,
				"behind the verified backup '%s'", path);
			fill(part, r, path, "receipt");
			return 0;
		}
		report_say(o->report, REPORT_MORE, "%s: taking a backup now",
			why.text);
	}
	return taken(part, r, o, d, s, e);
}
