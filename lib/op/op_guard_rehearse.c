/* op_guard_rehearse: another tool's command, first on the restored backup. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/driver.h"
#include "doc/doc_apply.h"
#include "guard/loss.h"
#include "op/op_apply_part.h"
#include "op/op_census.h"
#include "op/op_rehearse.h"
#include "op/op_rehearse_part.h"
#include "os/call.h"

struct command_run {
	struct part_rehearsal *out;
	const struct op_rehearse *r;
	struct db *copy;
	struct op_census before, after;
	struct strs allow; /* losses, by the names from before */
};

static int
run_command(struct command_run *x, struct part_rehearsed *m, struct err *e)
{
	const struct op_apply_options *p = x->r->p;
	char *plain = db_stage_url(x->copy), *url, *variable;
	const char *like = getenv(p->url_env);
	struct strs environment = { 0 };
	int64_t start = clock_us();
	int status, result;

	url = op_guard_url(plain, like != NULL && *like != '\0' ? like :
		x->r->o->url);
	variable = mem_printf("%s=%s", p->url_env, url);
	strs_add(&environment, variable);
	strs_add(&environment, "MIG_GUARD=rehearse");
	report_say(x->r->o->report, REPORT_NOTE, "rehearsing %s",
		x->out->command);
	result = call_program(p->command, &environment, -1,
		&status, e);
	m->duration_us = clock_us() - start;
	if (result == 0 && status != 0)
		result = err_set(e, ERR_FAILED, "command", "'%s' ended with "
			"status %d on the copy", x->out->command, status);
	if (result == -1 && strcmp(e->reason, "command") == 0)
		err_next(e, "see what it said");
	strs_free(&environment);
	free(variable);
	free(url);
	free(plain);
	return result;
}

/*
 * One that changed nothing may have nothing to do, as a second run has; whether it went
 * to the real database instead is looked at there.
 */
static int
judge(struct command_run *x, struct part_rehearsed *m, struct err *e)
{
	if (m->effects.n == 0 && strcmp(x->before.fingerprint,
		x->after.fingerprint) == 0) {
		strs_add(&x->out->notes, "The command has changed nothing on "
			"the copy: it has nothing to do, or it takes its url "
			"from somewhere else than the variable that was named.");
		report_say(x->r->o->report, REPORT_NOTE, "the command has "
			"changed nothing on the copy: it has nothing to do, or "
			"takes its url from somewhere else than %s",
			x->r->p->url_env);
	}
	return loss_judge(&m->losses, &x->allow, db_rules(x->copy)) == 0 ? 0 :
		loss_refuse(&m->losses, "--allow-loss", e);
}

static int
rehearse(struct command_run *x, struct err *e)
{
	struct part_rehearsed *m = shape_list_add(&x->out->migrations,
		&part_rehearsed_shape);
	int64_t before = 0, after = 0;

	m->migration = mem_dup("");
	m->name = mem_dup(x->out->command);
	m->checksum = mem_dup(x->before.fingerprint);
	m->down = "none";
	m->down_us = m->wal_bytes = m->size_after = -1;
	x->out->fingerprint = mem_dup(x->before.fingerprint);
	if (db_trace_size(x->copy, &m->size_before, e) == -1 ||
		db_trace_written(x->copy, &before, e) == -1 ||
		run_command(x, m, e) == -1 ||
		db_trace_written(x->copy, &after, e) == -1 ||
		db_trace_size(x->copy, &m->size_after, e) == -1 ||
		op_census_take(&x->after, x->copy, 1, e) == -1)
		return -1;
	/* SQLite counts by connection: what the command wrote is not seen. */
	if (db_can(x->copy, DB_CAP_SERVER))
		m->wal_bytes = after > before ? after - before : 0;
	m->fingerprint = mem_dup(x->after.fingerprint);
	op_census_compare(&m->effects, &m->losses, &x->before, &x->after, NULL);
	return judge(x, m, e);
}

int
op_rehearse_command(struct part_rehearsal *out, const struct op_rehearse *r,
	struct db *copy, struct err *e)
{
	struct command_run x = { .out = out, .r = r, .copy = copy };
	int result;

	out->command = op_guard_words(r->p->command);
	loss_allow(&x.allow, copy, &r->p->allow);
	result = op_census_take(&x.before, copy, 1, e) == -1 ? -1 :
		rehearse(&x, e);
	op_census_free(&x.before);
	op_census_free(&x.after);
	strs_free(&x.allow);
	return result;
}

/*
 * The one thing that a rehearsal must not do.  Others may have written meanwhile: it is
 * sure when the copy saw nothing of the command, or when the schema is another one.
 */
static int
still_there(struct apply *a, const char *before, struct err *e)
{
	const struct part_rehearsal *x = a->out->rehearsal;
	const struct part_rehearsed *m = x->migrations.items;
	char *now, fingerprint[65];
	int same, schema;

	if (db_written(a->s.db, &now, e) == -1 || db_fingerprint(a->s.db,
		fingerprint, e) == -1)
		return -1;
	same = strcmp(now, before) == 0;
	free(now);
	if (same)
		return 0;
	schema = x->fingerprint == NULL || !x->comparable || strcmp(
		fingerprint, x->fingerprint) == 0;
	if (schema && x->migrations.n > 0 && (x->error != NULL || m->effects.n >
		0 || m->fingerprint == NULL || strcmp(m->fingerprint,
		x->fingerprint) != 0)) {
		report_say(a->o->report, REPORT_WARN, "while the command ran "
			"on the copy, the real database was written to: by "
			"others, or by the command");
		return 0;
	}
	err_set(e, ERR_LEFT, "rehearsal", "while the command ran on the copy, "
		"the real database was written to, and %s: it seems that the "
		"command takes its url from somewhere else than %s", schema ?
		"the copy was not" : "its schema has changed", a->p->url_env);
	return err_next(e, "see what it did, and name the variable that it reads");
}

int
op_guard_rehearse(struct apply *a, struct receipt *r, struct err *e)
{
	char *before;
	int result;

	if (!a->p->rehearse)
		return 0;
	if (db_written(a->s.db, &before, e) == -1)
		return -1;
	result = op_apply_rehearse_now(a, e);
	if (result == 0)
		result = still_there(a, before, e);
	free(before);
	return result == -1 ? -1 : op_apply_rehearse_keep(a, r, e);
}
