/* mig-status: say where a database stands. */
#include "cli/cli.h"
#include "doc/doc.h"
#include "doc/doc_status.h"
#include "op/op_status.h"

enum {
	OPT_CHECK = 1, OPT_HISTORY, OPT_PENDING, OPT_HEADS, OPT_GRAPH,
	OPT_REPAIRS, OPT_LIST_BACKUPS, OPT_MAX_AGE, OPT_JOBS
};

static const struct opt options[] = {
	{ 0, "check", NULL, "exit 1 unless up to date", OPT_CHECK, 0 },
	{ 0, "history", NULL, "also list every event", OPT_HISTORY, 0 },
	{ 0, "pending", NULL, "print only what is pending", OPT_PENDING, 0 },
	{ 0, "heads", NULL, "print only what nothing comes after", OPT_HEADS,
		0 },
	{ 0, "graph", NULL, "draw what comes after what", OPT_GRAPH, 0 },
	{ 0, "repair-plan", NULL, "also list what mig-apply --repair would do",
		OPT_REPAIRS, 0 },
	{ 0, "all-backups", NULL, "also list every backup of it",
		OPT_LIST_BACKUPS, 0 },
	{ 0, "max-backup-age", "TIME", "call an older backup not fresh",
		OPT_MAX_AGE, 0 },
	{ 'j', "jobs", "N", "of several databases: N at once", OPT_JOBS, 0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const struct opt_program program = { .name = "mig-status",
	.synopsis = "",
	.purpose = "Say where a database stands. Writes nothing.",
	.options = options, .jobs = 1, .many = 1,
	.alone = (const char *const[]){ "pending", "heads", "graph", NULL } };

struct status {
	struct op_status_options o;
	int check;
	const char *only; /* a list to print alone; NULL: all */
	int64_t max_age_s; /* -1: not given */
	int64_t jobs; /* of one database there is nothing to divide */
};

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct status *s = arg;

	switch (id) {
	case OPT_CHECK:
		s->check = s->o.check = 1;
		break;
	case OPT_HISTORY:
		s->o.history = 1;
		break;
	case OPT_PENDING:
		s->only = "pending";
		break;
	case OPT_HEADS:
		s->only = "heads";
		break;
	case OPT_GRAPH:
		s->o.graph = 1;
		s->only = "graph";
		break;
	case OPT_REPAIRS:
		s->o.repairs = 1;
		break;
	case OPT_LIST_BACKUPS:
		s->o.backups = 1;
		break;
	case OPT_JOBS:
		return cli_jobs(value, &s->jobs, e);
	case OPT_MAX_AGE:
		return cli_span("max-backup-age", value, &s->max_age_s, e);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct status s = { .max_age_s = -1 };
	struct doc_status *body;
	struct doc *d;
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &s);

	if (status != -1)
		return status;
	if (c.operands.n > 0) {
		err_set(&c.err, ERR_USAGE, "usage", "it takes no operand: '%s'",
			c.operands.v[0]);
		return cli_end(&c, cli_fail(&c));
	}
	s.o.max_age_s = s.max_age_s == -1 ? c.max_age_s : s.max_age_s;
	d = doc_new(&doc_status_shape);
	body = d->body;
	if (op_status(body, &c.op, &s.o, &c.err) == -1) {
		status = cli_fail(&c);
	} else {
		status = s.only != NULL ? cli_write_only(&c, d, s.only) :
					  cli_write(&c, d);
		if (status == 0 && s.check && !body->up_to_date)
			status = ERR_NO;
	}
	doc_free(d);
	return cli_end(&c, status);
}
