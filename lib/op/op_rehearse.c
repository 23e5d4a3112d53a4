/* op_rehearse: the plan run on the restored backup. */
#include "op/op_rehearse.h"

#include <stdlib.h>
#include <string.h>

#include "backup/verify.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc_apply.h"
#include "op/op_rehearse_part.h"

static void
note(struct part_rehearsal *out, const char *text)
{
	strs_add(&out->notes, text);
}

/* What no copy can tell, said every time. */
static void
note_limits(const struct rehearse *x)
{
	note(x->out, "Nobody else uses the copy: how long a lock is waited for, "
		"and who waits behind it, only the real run tells.");
	note(x->out, "Times are of this machine, with what the restore has "
		"left in its cache.");
	if (db_can(x->a.s.db, DB_CAP_SERVER))
		note(x->out, "A function that reaches another database by "
			"itself, as dblink, reaches it from the copy, too.");
	if (db_can(x->a.s.db, DB_CAP_SERVER))
		note(x->out, "Replicas, subscriptions, archiving and jobs of "
			"the server are not on the copy; bytes of WAL are "
			"without full-page images.");
}

static void
conclude(struct part_rehearsal *out, const struct op *o, const struct err *why)
{
	out->result = why->code == ERR_REFUSED ? "refused" : "failed";
	out->error = mem_alloc(sizeof(*out->error));
	doc_error_fill(out->error, o->tool, o->program, why);
}

/* What says nothing of the migrations: a folder that is not there, a signal. */
static int
is_no_verdict(const struct err *why)
{
	return why->code == ERR_USAGE || why->code == ERR_ENV || why->code ==
		ERR_BUG || why->code == ERR_LOCKED;
}

/* The migrations of the folder, on the copy that is open. */
static int
rehearse(struct part_rehearsal *out, const struct op_rehearse *r,
	struct db *copy, const char *fingerprint, struct err *e)
{
	struct doc_apply scrap = { 0 };
	struct op quiet = *r->o;
	struct op_apply_options p = *r->p;
	struct rehearse x = { .out = out, .r = r };
	struct err why, ignored;
	int result = 0;

	quiet.hooks = NULL;
	quiet.confirm = NULL;
	p.document = NULL;
	x.a.out = &scrap;
	x.a.o = &quiet;
	x.a.p = &p;
	scrap.result = "planned";
	out->result = "passed";
	x.a.s.db = copy;
	if (p.command != NULL ? op_rehearse_command(out, r, copy, &why) == -1 :
		op_state_read(&x.a.s, copy, &quiet, 1, &scrap.database, &why)
		== -1 || op_rehearse_plan(&x, &why) == -1) {
		result = is_no_verdict(&why) ? -1 : 0;
		conclude(out, r->o, &why);
		/* It failed in the middle. */
		if (x.now != NULL)
			op_rehearse_left(&x, &ignored);
	}
	note_limits(&x);
	out->comparable = fingerprint != NULL && out->fingerprint != NULL &&
		strcmp(fingerprint, out->fingerprint) == 0;
	if (out->fingerprint != NULL && !out->comparable)
		note(out, "The copy's schema does not compare with the live "
			"one's: the real run is not held to it.");
	op_rehearse_forget(&x);
	plan_free(&x.a.plan);
	strs_free(&x.a.tables);
	op_state_release(&x.a.s);
	shape_release(&doc_apply_shape, &scrap);
	if (result == -1)
		*e = why;
	return result;
}

int
op_rehearse_copy(struct part_rehearsal *out, const struct op_rehearse *r,
	const char *engine, const struct db_rebuilt *from,
	const char *fingerprint, struct err *e)
{
	struct db_stage stage = { .engine = engine, .from = *from,
		.server = r->scratch != NULL && db_is_server(r->scratch) ?
			r->scratch : NULL,
		.alone = r->p->command == NULL, .like = r->like, .report = r->o->report, .notes = &out->notes };
	int64_t start = clock_ms();
	struct db *copy;
	int result;

	out->sample = r->sample > 0 ? r->sample : -1;
	if (db_stage(&copy, &stage, e) == -1)
		return err_wrap(e, "rehearsal");
	out->restore_ms = clock_ms() - start;
	report_say(r->o->report, REPORT_MORE, "rehearsing on the copy");
	result = rehearse(out, r, copy, fingerprint, e);
	db_close(copy);
	out->at = clock_now();
	out->duration_ms = clock_ms() - start;
	return result == -1 ? err_wrap(e, "rehearsal") : 0;
}

struct use {
	struct part_rehearsal *out;
	const struct op_rehearse *r;
};

static int
use(void *arg, const struct db_rebuilt *from, const struct manifest *m,
	struct err *e)
{
	const struct use *u = arg;

	return op_rehearse_copy(u->out, u->r, m->database.engine, from,
		m->fingerprint, e);
}

int
op_rehearse_archive(struct part_rehearsal *out, const struct op_rehearse *r,
	const char *archive, struct err *e)
{
	struct use u = { out, r };
	struct verify_options v = { .path = archive, .level = VERIFY_DEFAULT,
		.scratch = r->scratch, .no_check = 1, .use = use, .arg = &u,
		.jobs = r->o->jobs, .report = r->o->report };
	int64_t start = clock_ms();
	struct verify_result proof;
	int result = verify_run(&proof, &v, e);

	out->restore_ms += proof.duration_ms;
	out->duration_ms = clock_ms() - start;
	verify_result_free(&proof);
	return result;
}

int
op_rehearse_refuse(const struct part_rehearsal *out, struct err *e)
{
	if (out->error == NULL)
		return 0;
	err_set(e, ERR_REFUSED, "rehearsal", "the rehearsal on the restored "
		"backup did not pass: %s", out->error->text);
	return err_next(e, "%s%s", out->error->next == NULL ? "mend the file" :
		out->error->next, out->command == NULL ? "; nothing was "
		"applied" : "");
}
