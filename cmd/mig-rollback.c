/* mig-rollback: go back, by down scripts or by a verified backup. */
#include <string.h>

#include "cli/cli.h"
#include "doc/doc.h"
#include "doc/doc_rollback.h"
#include "op/op_restore.h"
#include "op/op_rollback.h"

enum {
	OPT_TO = 1, OPT_STEPS, OPT_RESTORE, OPT_INTO, OPT_OFFLINE,
	OPT_ASSUME_STOPPED, OPT_NO_SAFETY, OPT_ACCEPT_LOSS, OPT_DRY_RUN,
	OPT_WAIT, OPT_YES, OPT_JOBS, OPT_NO_CHECK, OPT_OTHER, OPT_UNDO,
	OPT_RESUME, OPT_ONLY
};

static const struct opt options[] = {
	{ 's', "steps", "N", "undo the newest N migrations by their downs",
		OPT_STEPS, 0 },
	{ 't', "to", "VERSION", "undo all after this one; 0 undoes all",
		OPT_TO, 0 },
	{ 'r', "restore", NULL, "bring a verified backup back", OPT_RESTORE,
		0 },
	{ 0, "into", "PATH", "with --restore: into a new file beside",
		OPT_INTO, 0 },
	{ 0, "only", "NAMES", "with --restore: these tables, beside the live "
		"ones", OPT_ONLY, 1 },
	{ 0, "offline", NULL, "with --restore: replace a damaged file",
		OPT_OFFLINE, 0 },
	{ 0, "assume-stopped", NULL, "with --offline: nobody who cannot be "
		"seen uses the file", OPT_ASSUME_STOPPED, 0 },
	{ 0, "no-safety-backup", NULL, "with --restore: take none before",
		OPT_NO_SAFETY, 0 },
	{ 0, "no-check", NULL, "with --restore: do not check the database",
		OPT_NO_CHECK, 0 },
	{ 0, "other-database", NULL, "with --restore: take an archive of "
		"another database", OPT_OTHER, 0 },
	{ 0, "undo", NULL, "with --restore: back to the database before it",
		OPT_UNDO, 0 },
	{ 0, "resume", NULL, "with --restore: finish one that was killed",
		OPT_RESUME, 0 },
	{ 0, "accept-loss", NULL, "accept the loss that was stated",
		OPT_ACCEPT_LOSS, 0 },
	{ 'n', "dry-run", NULL, "say what would be done, write nothing",
		OPT_DRY_RUN, 0 },
	{ 'w', "wait", "TIME", "wait so long for another runner", OPT_WAIT,
		0 },
	{ 'y', "yes", NULL, "ask nothing", OPT_YES, 0 },
	{ 'j', "jobs", "N", "work with N threads", OPT_JOBS, 0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const char *const alone[] = { "into", NULL };

static const struct opt_program program = { .name = "mig-rollback",
	.synopsis = "[ARCHIVE | -]",
	.purpose = "Go back, by down scripts or by a verified backup.",
	.options = options, .values = 1, .jobs = 1, .many = 1,
	.alone = alone };

struct rollback {
	struct op_rollback_options down;
	struct op_restore_options back;
	struct strs only;
	int restore, dry_run, accept, yes;
	int64_t steps, wait, jobs;
};

static void
add_name(struct strs *only, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < only->n; i++)
		if (strlen(only->v[i]) == n && memcmp(only->v[i], name, n) == 0)
			return;
	strs_add_n(only, name, n);
}

/* "a,b.c": names, which may hold a comma only where they are said alone. */
static void
split(struct strs *only, const char *names)
{
	const char *comma;

	for (; (comma = strchr(names, ',')) != NULL; names = comma + 1)
		add_name(only, names, (size_t)(comma - names));
	add_name(only, names, strlen(names));
}

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct rollback *r = arg;

	switch (id) {
	case OPT_TO:
		r->down.to = value;
		break;
	case OPT_STEPS:
		return cli_number("steps", value, 1, 1000000, &r->steps, e);
	case OPT_RESTORE:
		r->restore = 1;
		break;
	case OPT_INTO:
		r->back.into = value;
		break;
	case OPT_ONLY:
		split(&r->only, value);
		break;
	case OPT_OFFLINE:
		r->back.offline = 1;
		break;
	case OPT_ASSUME_STOPPED:
		r->back.assume_stopped = 1;
		break;
	case OPT_NO_SAFETY:
		r->back.no_safety_backup = 1;
		break;
	case OPT_NO_CHECK:
		r->back.no_check = 1;
		break;
	case OPT_OTHER:
		r->back.other_database = 1;
		break;
	case OPT_UNDO:
		r->back.undo = 1;
		break;
	case OPT_RESUME:
		r->back.resume = 1;
		break;
	case OPT_ACCEPT_LOSS:
		r->accept = 1;
		break;
	case OPT_DRY_RUN:
		r->dry_run = 1;
		break;
	case OPT_WAIT:
		return cli_span("wait", value, &r->wait, e);
	case OPT_YES:
		r->yes = 1;
		break;
	case OPT_JOBS:
		return cli_jobs(value, &r->jobs, e);
	}
	return 0;
}

/* Exactly one way back, and only the options that go with it. */
static int
settle(struct cli *c, struct rollback *r)
{
	struct err *e = &c->err;
	int ways = r->restore + (r->down.to != NULL) + (r->steps > 0);

	if (ways == 0) {
		err_set(e, ERR_USAGE, "usage", "say how to go back");
		return err_next(e, "--steps N or --to VERSION by down scripts, "
				   "--restore by the newest backup");
	}
	if (ways > 1)
		return err_set(e, ERR_USAGE, "usage",
			"--steps, --to and --restore are three ways; name "
			"one");
	if (!r->restore && (r->only.n > 0 || r->back.into != NULL || r->back.offline ||
		r->back.no_safety_backup || r->back.assume_stopped ||
		r->back.no_check || r->back.other_database || r->back.undo ||
		r->back.resume ||
		c->operands.n > 0))
		return err_set(e, ERR_USAGE, "usage",
			"an archive, --only, --into, --offline, --assume-stopped, "
			"--no-check, --other-database, --undo, --resume and "
			"--no-safety-backup "
			"go with --restore");
	if (r->back.undo + r->back.resume > 0 && (r->back.undo == r->back.resume ||
		r->back.into != NULL || r->back.offline || c->operands.n > 0 ||
		r->dry_run))
		return err_set(e, ERR_USAGE, "usage",
			"--undo or --resume stands alone with --restore");
	if (r->only.n > 0 && (r->back.into != NULL || r->back.offline ||
		r->back.undo || r->back.resume))
		return err_set(e, ERR_USAGE, "usage",
			"--only goes beside the live tables: not with --into, "
			"--offline, --undo or --resume");
	r->back.only = r->only.n > 0 ? &r->only : NULL;
	if (r->back.into != NULL && r->back.offline)
		return err_set(e, ERR_USAGE, "usage",
			"--into and --offline are two places; name one");
	if (r->back.assume_stopped && !r->back.offline)
		return err_set(e, ERR_USAGE, "usage",
			"--assume-stopped goes with --offline");
	if (c->operands.n > 1)
		return err_set(e, ERR_USAGE, "usage",
			"one archive at a time: '%s'", c->operands.v[1]);
	r->down.steps = (long)r->steps;
	r->down.dry_run = r->back.dry_run = r->dry_run;
	r->down.accept_loss = r->back.accept_loss = r->accept;
	c->op.wait_s = r->wait;
	if (r->jobs > 0)
		c->op.jobs = (int)r->jobs;
	c->yes = r->yes;
	cli_ask(c, CLI_STAGING);
	return 0;
}

static int
run(struct cli *c, struct rollback *r)
{
	struct doc *d = doc_new(&doc_rollback_shape);
	struct doc_rollback *body = d->body;
	int status, written, result;

	result = r->restore ? op_restore(body, &c->op, &r->back, &c->err) :
			      op_rollback(body, &c->op, &r->down, &c->err);
	if (result == 0) {
		status = cli_write(c, d);
	} else if (body->done.n == 0 && c->err.code != ERR_LEFT) {
		status = cli_fail(c);
	} else {
		body->error = cli_error_document(c);
		status = cli_complain(c);
		written = cli_write(c, d);
		status = written == 0 ? status : written;
	}
	doc_free(d);
	return status;
}

int
main(int argc, char **argv)
{
	struct rollback r = { 0 };
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &r);
	int passed = -1;

	if (status != -1)
		return status;
	if (settle(&c, &r) == -1 || (c.operands.n == 1 && strcmp(
		c.operands.v[0], "-") == 0 && cli_read(&c, &r.back.document,
		&passed) == -1))
		passed = cli_fail(&c);
	else if (c.operands.n == 1 && r.back.document == NULL)
		r.back.archive = c.operands.v[0];
	if (passed == -1)
		passed = run(&c, &r);
	strs_free(&r.only);
	return cli_end(&c, passed);
}
