/* mig-backup: take a backup and read it back. */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "doc/doc.h"
#include "doc/doc_backup.h"
#include "op/op_backup.h"

enum { OPT_TO = 1, OPT_DOCUMENT, OPT_JOBS, OPT_LEVEL, OPT_NO_CHECK, OPT_SPOOL };

static const struct opt options[] = {
	{ 't', "to", "PATH", "write the archive there; - is standard output",
		OPT_TO, 0 },
	{ 0, "document", "FILE", "with --to -: the document's file or open "
		"descriptor number", OPT_DOCUMENT, 0 },
	{ 'j', "jobs", "N", "compress with N threads", OPT_JOBS, 0 },
	{ 'l', "level", "N", "zstd level, 1 to 19", OPT_LEVEL, 0 },
	{ 0, "spool", NULL, "copy to disk first, compress afterwards",
		OPT_SPOOL, 0 },
	{ 0, "no-check", NULL, "do not check the source before", OPT_NO_CHECK,
		0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const char *const alone[] = { "to", "document", NULL };

static const struct opt_program program = { .name = "mig-backup",
	.synopsis = "",
	.purpose = "Take a backup of a database, read it back, and say so.",
	.options = options, .jobs = 1, .many = 1,
	.alone = alone };

struct backup {
	struct op_backup_options o;
	const char *to, *document;
	int64_t jobs, level;
};

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct backup *b = arg;

	switch (id) {
	case OPT_TO:
		b->to = value;
		break;
	case OPT_DOCUMENT:
		b->document = value;
		break;
	case OPT_JOBS:
		return cli_jobs(value, &b->jobs, e);
	case OPT_LEVEL:
		return cli_level(value, &b->level, e);
	case OPT_SPOOL:
		b->o.spool = 1;
		break;
	case OPT_NO_CHECK:
		b->o.no_check = 1;
		break;
	}
	return 0;
}

/* Where the archive and where the document go; checked before any work. */
static int
settle(struct cli *c, struct backup *b)
{
	struct err *e = &c->err;

	b->o.fd = -1;
	b->o.to = b->to;
	if (c->operands.n > 0) {
		err_set(e, ERR_USAGE, "usage", "it takes no operand: '%s'",
			c->operands.v[0]);
		return err_next(e, "name the archive with --to");
	}
	if (b->to != NULL && *b->to == '\0')
		return err_set(e, ERR_USAGE, "usage", "--to names no file");
	if (b->jobs > 0)
		c->op.jobs = (int)b->jobs;
	if (b->level > 0)
		c->op.level = (int)b->level;
	if (b->to == NULL || strcmp(b->to, "-") != 0)
		return b->document == NULL ? 0 : err_set(e, ERR_USAGE, "usage",
			"--document goes with --to - only");
	if (isatty(STDOUT_FILENO)) {
		err_set(e, ERR_USAGE, "usage",
			"an archive is not written to a terminal");
		return err_next(e, "pipe it on, or name a file with --to");
	}
	b->o.to = NULL;
	b->o.fd = STDOUT_FILENO;
	if (b->document == NULL) {
		err_set(e, ERR_USAGE, "usage",
			"with --to -, say where the document goes");
		return err_next(e, "use --document FILE");
	}
	return cli_document_to(c, b->document);
}

int
main(int argc, char **argv)
{
	struct backup b = { 0 };
	struct doc *d;
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &b);

	if (status != -1)
		return status;
	/* With --to - standard output is the archive's. */
	if (settle(&c, &b) == -1)
		return cli_end(&c, b.to != NULL && strcmp(b.to, "-") == 0 ?
			cli_complain(&c) : cli_fail(&c));
	d = doc_new(&doc_backup_shape);
	if (op_backup(d->body, &c.op, &b.o, &c.err) == -1)
		status = cli_fail(&c);
	else
		status = cli_write(&c, d);
	doc_free(d);
	return cli_end(&c, status);
}
