/* mig-gen: write migrations, record a baseline, check a folder. */
#include <string.h>

#include "cli/cli.h"
#include "doc/doc.h"
#include "doc/doc_generation.h"
#include "op/op_gen.h"

enum {
	OPT_TEMPLATE = 1, OPT_TABLE, OPT_COLUMN, OPT_REFERENCES, OPT_ON_DELETE,
	OPT_UNIQUE, OPT_BASELINE, OPT_VALIDATE, OPT_MERGE,
	OPT_SQUASH, OPT_WAIT
};

static const struct opt options[] = {
	{ 't', "template", "NAME", "blank, add_table, add_column, add_index "
		"or add_foreign_key", OPT_TEMPLATE, 0 },
	{ 0, "table", "NAME", "the table of the template", OPT_TABLE, 0 },
	{ 'c', "column", "TEXT", "a column's name or definition", OPT_COLUMN,
		1 },
	{ 0, "references", "TABLE(COLUMN)", "what a foreign key points to",
		OPT_REFERENCES, 0 },
	{ 0, "on-delete", "ACTION", "cascade, restrict, set null, ...",
		OPT_ON_DELETE, 0 },
	{ 0, "unique", NULL, "a unique index", OPT_UNIQUE, 0 },
	{ 0, "baseline", "VERSION", "record the database as being there",
		OPT_BASELINE, 0 },
	{ 0, "validate", NULL, "check every file of the folder", OPT_VALIDATE,
		0 },
	{ 0, "merge", NULL, "write one that comes after all heads", OPT_MERGE,
		0 },
	{ 0, "squash", "VERSION", "make one of it and all that it stands on",
		OPT_SQUASH, 0 },
	{ 'w', "wait", "TIME", "wait so long for another runner", OPT_WAIT,
		0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const struct opt_program program = { .name = "mig-gen",
	.synopsis = "[TITLE]",
	.purpose = "Write a migration, record a baseline, or check a folder.",
	.options = options, .values = 1 };

struct gen {
	struct op_gen_options o;
	const char *baseline, *squash;
	int validate;
	int64_t wait;
};

static int
take(void *arg, int id, const char *value, struct err *e)
{
	struct gen *g = arg;

	switch (id) {
	case OPT_TEMPLATE:
		g->o.template = value;
		break;
	case OPT_TABLE:
		g->o.table = value;
		break;
	case OPT_COLUMN:
		strs_add(&g->o.columns, value);
		break;
	case OPT_REFERENCES:
		g->o.references = value;
		break;
	case OPT_ON_DELETE:
		g->o.on_delete = value;
		break;
	case OPT_UNIQUE:
		g->o.unique = 1;
		break;
	case OPT_BASELINE:
		g->baseline = value;
		break;
	case OPT_VALIDATE:
		g->validate = 1;
		break;
	case OPT_MERGE:
		g->o.merge = 1;
		break;
	case OPT_SQUASH:
		g->squash = value;
		break;
	case OPT_WAIT:
		return cli_span("wait", value, &g->wait, e);
	}
	return 0;
}

static int
settle(struct cli *c, struct gen *g)
{
	struct err *e = &c->err;
	int ways = ((c->operands.n > 0 && g->squash == NULL) || g->o.merge) +
		(g->baseline != NULL) + (g->squash != NULL) + g->validate;

	if (ways == 0) {
		err_set(e, ERR_USAGE, "usage", "say what to write");
		return err_next(e, "mig-gen \"add users table\", or --merge, "
			"or --baseline VERSION, or --validate");
	}
	if (ways > 1)
		return err_set(e, ERR_USAGE, "usage",
			"a title, --merge, --baseline, --squash and "
			"--validate are different things; name one");
	if (c->operands.n > 1) {
		err_set(e, ERR_USAGE, "usage", "more than one title: '%s'",
			c->operands.v[1]);
		return err_next(e, "put the title in quotes");
	}
	if (g->o.template == NULL)
		g->o.template = "blank";
	if (c->operands.n == 1)
		g->o.title = c->operands.v[0];
	c->op.wait_s = g->wait;
	return 0;
}

/* 1 (the answer is no) when a finding is an error. */
static int
answer(const struct doc_generation *d)
{
	const struct doc_generation_finding *f = d->findings.items;
	size_t i;

	for (i = 0; i < d->findings.n; i++)
		if (strcmp(f[i].level, "error") == 0)
			return ERR_NO;
	return 0;
}

static int
run(struct cli *c, const struct gen *g)
{
	struct doc *d = doc_new(&doc_generation_shape);
	struct doc_generation *body = d->body;
	int result, status;

	if (g->validate)
		result = op_validate(body, &c->op, &c->err);
	else if (g->squash != NULL)
		result = op_squash(body, &c->op, g->squash, g->o.title,
			&c->err);
	else if (g->baseline != NULL)
		result = op_baseline(body, &c->op, g->baseline, &c->err);
	else
		result = op_gen(body, &c->op, &g->o, &c->err);
	status = result == -1 ? cli_fail(c) : cli_write(c, d);
	if (status == 0)
		status = answer(body);
	doc_free(d);
	return status;
}

int
main(int argc, char **argv)
{
	struct gen g = { 0 };
	struct cli c;
	int status = cli_start(&c, &program, argc, argv, take, &g);

	if (status == -1)
		status = cli_end(&c, settle(&c, &g) == -1 ? cli_fail(&c) :
							   run(&c, &g));
	strs_free(&g.o.columns);
	return status;
}
