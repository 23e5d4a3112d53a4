/* mig-verify: prove an archive, and write its receipt. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/html.h"
#include "doc/doc.h"
#include "doc/doc_backup.h"
#include "doc/doc_verification.h"
#include "op/op_apply.h"
#include "op/op_verify.h"

enum {
	OPT_QUICK = 1, OPT_DEEP, OPT_LATEST, OPT_ARCHIVE, OPT_SCRATCH,
	OPT_REHEARSE, OPT_TO, OPT_ALLOW_LOSS, OPT_SAMPLE, OPT_REPORT, OPT_JOBS
};

static const struct opt options[] = {
	{ 0, "quick", NULL, "only digests, offsets, sizes and the end",
		OPT_QUICK, 0 },
	{ 0, "deep", NULL, "also integrity_check, or restore and compare",
		OPT_DEEP, 0 },
	{ 0, "latest", NULL, "the newest archive of the database",
		OPT_LATEST, 0 },
	{ 0, "archive", "PATH", "this archive; - is standard input",
		OPT_ARCHIVE, 0 },
	{ 0, "scratch", "PLACE", "rebuild it in this folder, or on this "
		"server", OPT_SCRATCH, 0 },
	{ 0, "rehearse", NULL, "run the pending migrations on the restored copy",
		OPT_REHEARSE, 0 },
	{ 't', "to", "VERSION", "rehearse up to this migration", OPT_TO, 0 },
	{ 0, "allow-loss", "NAME", "in the rehearsal: table or table.column",
		OPT_ALLOW_LOSS, 1 },
	{ 0, "report", "FILE", "write the rehearsal as a page of HTML",
		OPT_REPORT, 0 },
	{ 0, "sample", "N", "compare the values of N rows per table",
		OPT_SAMPLE, 0 },
	{ 'j', "jobs", "N", "check with N threads", OPT_JOBS, 0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const struct opt_program program = { .name = "mig-verify",
	.synopsis = "[ARCHIVE ...]",
	.purpose = "Prove that an archive is whole and can be restored.",
	.options = options, .values = 1, .jobs = 1 };

struct verify {
	struct op_verify_options o;
	struct op_apply_options plan; /* for a rehearsal */
	int quick, deep, latest, rehearse;
	const char *archive, *report;
	int64_t jobs;
};

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct verify *v = arg;

	switch (id) {
	case OPT_QUICK:
		v->quick = 1;
		break;
	case OPT_DEEP:
		v->deep = 1;
		break;
	case OPT_LATEST:
		v->latest = 1;
		break;
	case OPT_ARCHIVE:
		v->archive = value;
		break;
	case OPT_SCRATCH:
		v->o.scratch = value;
		break;
	case OPT_REHEARSE:
		v->rehearse = 1;
		break;
	case OPT_TO:
		v->plan.to = value;
		break;
	case OPT_ALLOW_LOSS:
		strs_add_once(&v->plan.allow, value);
		break;
	case OPT_REPORT:
		v->report = value;
		break;
	case OPT_SAMPLE:
		return cli_number("sample", value, 1, (int64_t)1 << 40,
			&v->o.sample, e);
	case OPT_JOBS:
		return cli_jobs(value, &v->jobs, e);
	}
	return 0;
}

/* One archive, one document on one line. */
static int
one(struct cli *c, struct verify *v)
{
	struct doc *d = doc_new(&doc_verification_shape);
	struct doc_verification *body = d->body;
	struct html_page page = { 0 };
	int status, written;

	if (op_verify(body, &c->op, &v->o, &c->err) == 0) {
		status = cli_write(c, d);
	} else if (body->result != NULL) {
		status = cli_complain(c);
		written = cli_write(c, d);
		status = written == 0 ? status : written;
	} else {
		status = cli_fail(c);
	}
	page.database = body->database == NULL ? "" : body->database->path;
	page.archive = body->path;
	page.verdict = body->result;
	status = cli_report(c, v->report, &page, body->rehearsal, status);
	doc_free(d);
	return status;
}

/* The archive of the document on standard input. */
static int
piped(struct cli *c, struct verify *v)
{
	struct doc_backup *backup;
	struct doc *d;
	int passed, status;

	if (cli_read(c, &d, &passed) == -1)
		return cli_fail(c);
	if (passed != -1)
		return passed;
	if (d->shape != &doc_backup_shape) {
		err_set(&c->err, ERR_USAGE, "document",
			"standard input: the document is a %s, not a "
			"mig.backup", d->shape->kind);
		doc_free(d);
		return cli_fail(c);
	}
	backup = d->body;
	if (backup->archive.path == NULL) {
		err_set(&c->err, ERR_USAGE, "document",
			"standard input: the document is of a backup that was "
			"written as a stream");
		err_next(&c->err, "name the archive's path, or pipe the "
				  "archive itself to --archive -");
		doc_free(d);
		return cli_fail(c);
	}
	v->o.path = backup->archive.path;
	v->o.backup = backup;
	status = one(c, v);
	doc_free(d);
	return status;
}

static int
latest(struct cli *c, struct verify *v)
{
	char *path;
	int status;

	if (op_verify_latest(&c->op, &path, &c->err) == -1)
		return cli_fail(c);
	v->o.path = path;
	status = one(c, v);
	free(path);
	return status;
}

static int
settle(struct cli *c, struct verify *v)
{
	int named = (c->operands.n > 0) + v->latest + (v->archive != NULL);

	if (v->quick && v->deep)
		return err_set(&c->err, ERR_USAGE, "usage",
			"--quick and --deep are two levels; name one");
	if (v->quick && v->rehearse)
		return err_set(&c->err, ERR_USAGE, "usage", "--quick restores "
			"nothing: there is no copy to rehearse on");
	if (!v->rehearse && (v->plan.to != NULL || v->plan.allow.n > 0 ||
		v->o.sample > 0 || v->report != NULL))
		return err_set(&c->err, ERR_USAGE, "usage", "--to, --allow-loss, "
			"--sample and --report are for a rehearsal: --rehearse");
	if (v->report != NULL && c->operands.n > 1)
		return err_set(&c->err, ERR_USAGE, "usage", "--report is of one "
			"archive, and several are named");
	if (v->o.scratch == NULL)
		v->o.scratch = c->op.scratch;
	if (cli_report_check(c, v->report) == -1)
		return -1;
	v->o.rehearse = v->rehearse ? &v->plan : NULL;
	if (named > 1) {
		err_set(&c->err, ERR_USAGE, "usage",
			"archives are named in more than one way");
		return err_next(&c->err, "name paths, or --latest, or "
					 "--archive");
	}
	if (c->operands.n > 0 && strcmp(c->operands.v[0], "-") == 0) {
		err_set(&c->err, ERR_USAGE, "usage",
			"'-' is a document, which is read when nothing is "
			"named");
		return err_next(&c->err, "leave it away; an archive on "
			"standard input is --archive -");
	}
	if (v->jobs > 0)
		c->op.jobs = (int)v->jobs;
	v->o.fd = -1;
	v->o.level = v->quick ? VERIFY_QUICK :
		v->deep ? VERIFY_DEEP : VERIFY_DEFAULT;
	return 0;
}

int
main(int argc, char **argv)
{
	struct verify v = { 0 };
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &v), each;
	size_t i;

	if (status != -1)
		return status;
	if (settle(&c, &v) == -1)
		return cli_end(&c, cli_fail(&c));
	if (v.latest) {
		status = latest(&c, &v);
	} else if (v.archive != NULL && strcmp(v.archive, "-") == 0) {
		v.o.fd = STDIN_FILENO;
		status = one(&c, &v);
	} else if (v.archive != NULL) {
		v.o.path = v.archive;
		status = one(&c, &v);
	} else if (c.operands.n == 0) {
		status = piped(&c, &v);
	} else {
		/* The worst status is the answer; 5 is worse than 4. */
		for (status = 0, i = 0; i < c.operands.n; i++) {
			v.o.path = c.operands.v[i];
			each = one(&c, &v);
			if (each == ERR_DAMAGE || status == 0)
				status = each;
		}
	}
	strs_free(&v.plan.allow);
	return cli_end(&c, status);
}
