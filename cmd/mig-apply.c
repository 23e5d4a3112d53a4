/* mig-apply: run the pending migrations behind a verified backup. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/html.h"
#include "doc/doc.h"
#include "doc/doc_apply.h"
#include "op/op_apply.h"

enum {
	OPT_TO = 1, OPT_STEPS, OPT_DRY_RUN, OPT_ALLOW_LOSS, OPT_MAX_AGE,
	OPT_NO_BACKUP, OPT_FORCE_NO_BACKUP, OPT_REHEARSE, OPT_NO_REHEARSE,
	OPT_FORCE_NO_REHEARSE, OPT_URL_ENV, OPT_RESTORE, OPT_REPORT,
	OPT_SCRATCH, OPT_SAMPLE, OPT_ALLOW_MISSING,
	OPT_ALLOW_ORDER, OPT_RESUME, OPT_REPAIR, OPT_REPAIR_APPLIED,
	OPT_HOOKS, OPT_HOOK_TIMEOUT, OPT_WAIT, OPT_YES, OPT_JOBS
};

static const struct opt options[] = {
	{ 't', "to", "VERSION", "stop after this migration", OPT_TO, 0 },
	{ 's', "steps", "N", "apply at most N migrations", OPT_STEPS, 0 },
	{ 'n', "dry-run", NULL, "print the plan, write nothing", OPT_DRY_RUN, 0 },
	{ 0, "allow-loss", "NAME", "allow the loss of table or table.column",
		OPT_ALLOW_LOSS, 1 },
	{ 0, "max-backup-age", "TIME", "how old the backup may be",
		OPT_MAX_AGE, 0 },
	{ 0, "no-backup", NULL, "go without a backup: loud, and recorded",
		OPT_NO_BACKUP, 0 },
	{ 0, "force-no-backup", NULL, "the same, in production too",
		OPT_FORCE_NO_BACKUP, 0 },
	{ 0, "rehearse", NULL, "run the plan on the restored backup first",
		OPT_REHEARSE, 0 },
	{ 0, "no-rehearse", NULL, "not even where the policy asks for it",
		OPT_NO_REHEARSE, 0 },
	{ 0, "force-no-rehearse", NULL, "the same, in production too",
		OPT_FORCE_NO_REHEARSE, 0 },
	{ 0, "report", "FILE", "write the rehearsal as a page of HTML",
		OPT_REPORT, 0 },
	{ 0, "url-env", "NAME", "the variable with the command's database",
		OPT_URL_ENV, 0 },
	{ 0, "restore-on-failure", NULL, "bring the backup back if the command "
		"fails", OPT_RESTORE, 0 },
	{ 0, "scratch", "PLACE", "rehearse in this folder, or on this server",
		OPT_SCRATCH, 0 },
	{ 0, "sample", "N", "compare the values of N rows per table",
		OPT_SAMPLE, 0 },
	{ 0, "allow-missing", NULL, "go on though applied files are gone",
		OPT_ALLOW_MISSING, 0 },
	{ 0, "allow-out-of-order", NULL, "apply late ones with old versions",
		OPT_ALLOW_ORDER, 0 },
	{ 0, "resume", NULL, "finish a migration that was interrupted",
		OPT_RESUME, 0 },
	{ 0, "repair", NULL, "mend what is recorded, run nothing", OPT_REPAIR,
		0 },
	{ 0, "repair-applied", "VERSION", "the same; this failed one is done",
		OPT_REPAIR_APPLIED, 1 },
	{ 0, "hooks", "FOLDER", "run the hooks that are there", OPT_HOOKS, 0 },
	{ 0, "hook-timeout", "TIME", "how long each of them may take",
		OPT_HOOK_TIMEOUT, 0 },
	{ 'w', "wait", "TIME", "wait so long for another runner", OPT_WAIT,
		0 },
	{ 'y', "yes", NULL, "ask nothing", OPT_YES, 0 },
	{ 'j', "jobs", "N", "threads for a backup taken now", OPT_JOBS, 0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const struct opt_program program = { .name = "mig-apply",
	.synopsis = "[-] [-- COMMAND ...]",
	.purpose = "Run the pending migrations, or a command, behind a verified "
		"backup.",
	.options = options, .values = 1, .jobs = 1, .command = 1, .many = 1,
	.alone = (const char *const[]){ "report", NULL } };

struct apply {
	struct op_apply_options o;
	const char *hooks, *report;
	char **words; /* of the command */
	int yes, no_backup, force, rehearse, force_rehearse;
	int64_t hook_s, steps, wait, max_age, jobs;
};

/* Of the rehearsal, and of a command. */
static int
take_copy(struct apply *a, int id, const char *value, struct err *e)
{
	switch (id) {
	case OPT_REHEARSE:
		a->rehearse = 1;
		break;
	case OPT_FORCE_NO_REHEARSE:
		a->force_rehearse = 1;
		/* FALLTHROUGH */
	case OPT_NO_REHEARSE:
		a->o.no_rehearse = 1;
		break;
	case OPT_REPORT:
		a->report = value;
		break;
	case OPT_URL_ENV:
		a->o.url_env = value;
		break;
	case OPT_RESTORE:
		a->o.restore_on_failure = 1;
		break;
	case OPT_SCRATCH:
		a->o.scratch = value;
		break;
	case OPT_SAMPLE:
		return cli_number("sample", value, 1, (int64_t)1 << 40,
			&a->o.sample, e);
	}
	return 0;
}

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct apply *a = arg;

	switch (id) {
	case OPT_TO:
		a->o.to = value;
		break;
	case OPT_STEPS:
		return cli_number("steps", value, 1, 1000000, &a->steps, e);
	case OPT_DRY_RUN:
		a->o.dry_run = 1;
		break;
	case OPT_ALLOW_LOSS:
		strs_add_once(&a->o.allow, value);
		break;
	case OPT_MAX_AGE:
		return cli_span("max-backup-age", value, &a->max_age, e);
	case OPT_FORCE_NO_BACKUP:
		a->force = 1;
		/* FALLTHROUGH */
	case OPT_NO_BACKUP:
		a->no_backup = 1;
		break;
	case OPT_ALLOW_MISSING:
		a->o.allow_problems |= SANITY_ALLOW_MISSING;
		break;
	case OPT_ALLOW_ORDER:
		a->o.allow_problems |= SANITY_ALLOW_ORDER;
		break;
	case OPT_RESUME:
		a->o.resume = 1;
		break;
	case OPT_REPAIR_APPLIED:
		strs_add_once(&a->o.repair_applied, value);
		/* FALLTHROUGH */
	case OPT_REPAIR:
		a->o.repair = 1;
		break;
	case OPT_HOOKS:
		a->hooks = value;
		break;
	case OPT_HOOK_TIMEOUT:
		return cli_span("hook-timeout", value, &a->hook_s, e) == -1 ? -1 :
			a->hook_s > 0 ? 0 : err_set(e, ERR_USAGE, "usage",
			"--hook-timeout: 0 leaves a hook no time");
	case OPT_WAIT:
		return cli_span("wait", value, &a->wait, e);
	case OPT_YES:
		a->yes = 1;
		break;
	case OPT_JOBS:
		return cli_jobs(value, &a->jobs, e);
	default:
		return take_copy(a, id, value, e);
	}
	return 0;
}

/* Production rehearses; it takes two words to leave it away there. */
static int
settle_rehearsal(struct cli *c, struct apply *a)
{
	struct err *e = &c->err;

	if (a->rehearse && a->o.no_rehearse)
		return err_set(e, ERR_USAGE, "usage",
			"--rehearse and --no-rehearse: name one");
	if (a->rehearse && a->no_backup)
		return err_set(e, ERR_USAGE, "usage", "--rehearse runs on the "
			"restored backup, --no-backup wants none");
	if (a->o.no_rehearse && !a->force_rehearse && c->policy ==
		CLI_PRODUCTION) {
		err_set(e, ERR_REFUSED, "rehearsal",
			"--no-rehearse is refused in production");
		return err_next(e, "leave it away; if it must be, "
			"--force-no-rehearse");
	}
	a->o.rehearse = a->rehearse || (c->policy == CLI_PRODUCTION &&
		!a->o.no_rehearse && !a->no_backup);
	return 0;
}

static int
settle(struct cli *c, struct apply *a)
{
	struct err *e = &c->err;

	if (c->operands.n > 1 ||
		(c->operands.n == 1 && strcmp(c->operands.v[0], "-") != 0)) {
		err_set(e, ERR_USAGE, "usage",
			"the only operand is '-', a document on standard "
			"input: '%s'", c->operands.v[c->operands.n - 1]);
		return err_next(e, "name the migrations folder with "
				   "--migrations");
	}
	if (a->o.repair && (a->o.to != NULL || a->steps > 0 || a->o.resume)) {
		err_set(e, ERR_USAGE, "usage",
			"--repair runs no migration: it goes with no --to, "
			"--steps or --resume");
		return err_next(e, "repair first, then apply");
	}
	if (a->no_backup && c->operands.n == 1)
		return err_set(e, ERR_USAGE, "usage",
			"'-' brings a backup, --no-backup wants none");
	if (a->no_backup && !a->force && c->policy == CLI_PRODUCTION) {
		err_set(e, ERR_REFUSED, "no-backup",
			"--no-backup is refused in production");
		return err_next(e, "leave it away; if it must be, "
				   "--force-no-backup");
	}
	if (settle_rehearsal(c, a) == -1 || cli_report_check(c, a->report) == -1)
		return -1;
	a->words = mem_array(c->command.n + 1, sizeof(*a->words));
	if (c->command.n > 0)
		a->o.command = memcpy(a->words, c->command.v, c->command.n *
			sizeof(*a->words));
	a->o.scratch = a->o.scratch == NULL ? c->op.scratch : a->o.scratch;
	a->o.steps = (long)a->steps;
	a->o.no_backup = a->no_backup;
	a->o.max_age_s = a->max_age == -1 ? c->max_age_s : a->max_age;
	c->op.wait_s = a->wait;
	if (a->hooks != NULL)
		c->op.hooks = a->hooks;
	if (a->hook_s != -1)
		c->op.hook_s = a->hook_s;
	if (a->jobs > 0)
		c->op.jobs = (int)a->jobs;
	c->yes = a->yes;
	cli_ask(c, CLI_PRODUCTION);
	return 0;
}

static int
run(struct cli *c, struct apply *a)
{
	struct doc *d = doc_new(&doc_apply_shape);
	struct doc_apply *body = d->body;
	struct html_page page = { 0 };
	int status, written;

	if (op_apply(body, &c->op, &a->o, &c->err) == 0) {
		status = cli_write(c, d);
	} else if (body->applied.n == 0 && c->err.code != ERR_LEFT &&
		body->rehearsal == NULL && body->command == NULL) {
		status = cli_fail(c);
	} else {
		/* What was done must be told with the failure. */
		body->error = cli_error_document(c);
		status = cli_complain(c);
		written = cli_write(c, d);
		status = written == 0 ? status : written;
	}
	page.database = body->database.path;
	page.archive = body->backup == NULL ? NULL : body->backup->path;
	page.verdict = body->result;
	status = cli_report(c, a->report, &page, body->rehearsal, status);
	doc_free(d);
	return status;
}

int
main(int argc, char **argv)
{
	struct apply a = { .max_age = -1, .hook_s = -1 };
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &a), passed;

	if (status != -1)
		return status;
	if (settle(&c, &a) == -1 ||
		(c.operands.n == 1 &&
			cli_read(&c, &a.o.document, &passed) == -1))
		status = cli_fail(&c);
	else if (c.operands.n == 1 && passed != -1)
		status = passed;
	else
		status = run(&c, &a);
	strs_free(&a.o.allow);
	free(a.words);
	strs_free(&a.o.repair_applied);
	return cli_end(&c, status);
}
