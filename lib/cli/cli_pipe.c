/* cli: the document in and the document out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/show_graph.h"
#include "doc/doc.h"
#include "doc/doc_error.h"
#include "doc/doc_status.h"
#include "os/file.h"

static int
slurp(struct cli *c, struct buf *b)
{
	char chunk[16384];
	ssize_t n;

	while ((n = file_read(STDIN_FILENO, chunk, sizeof(chunk), &c->err)) >
		0) {
		if (b->len + (size_t)n > DOC_MAX)
			return err_set(&c->err, ERR_USAGE, "document",
				"the document is larger than %zu bytes",
				DOC_MAX);
		buf_add(b, chunk, (size_t)n);
	}
	return n == -1 ? -1 : 0;
}

/* An error from upstream is said again and goes on down the pipe. */
static int
pass_on(struct cli *c, struct doc *d)
{
	const struct doc_error *x = d->body;
	int status = (int)x->status;

	fprintf(stderr, "%s: %s before it in the pipe failed: %s [%s]\n",
		c->program->name, x->program, x->text, x->reason);
	if (cli_write(c, d) != 0)
		return ERR_ENV;
	return status < 1 || status > 127 ? ERR_BUG : status;
}

int
cli_read(struct cli *c, struct doc **out, int *passed)
{
	struct buf b = { 0 };
	int result = -1;

	*out = NULL;
	*passed = -1;
	if (isatty(STDIN_FILENO)) {
		err_set(&c->err, ERR_USAGE, "usage",
			"standard input is a terminal, not a document");
		err_next(&c->err, strcmp(c->program->name, "mig-verify") == 0 ?
			"pipe a document in, name an archive, or use --latest" :
			"pipe a document in");
	} else if (slurp(c, &b) == 0) {
		result = doc_read(out, b.data == NULL ? "" : b.data, b.len,
			&c->err);
		if (result == -1)
			err_wrap(&c->err, "standard input");
	}
	buf_free(&b);
	if (result == 0 && (*out)->shape == &doc_error_shape) {
		*passed = pass_on(c, *out);
		doc_free(*out);
		*out = NULL;
	}
	return result;
}

static int
write_out(struct cli *c, const struct buf *b)
{
	struct err e;

	if (file_write(c->out_fd, b->data == NULL ? "" : b->data, b->len,
		    &e) == 0)
		return 0;
	fprintf(stderr, "%s: the document could not be written: %s; what was "
		"done is done: see mig-status [output]\n", c->program->name,
		e.text);
	return ERR_ENV;
}

/* Names come from files and databases: they must not steer a terminal. */
static void
tame(struct buf *b)
{
	size_t i;

	for (i = 0; i < b->len; i++) {
		unsigned char *c = (unsigned char *)b->data + i;

		if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
		/* U+0080 to U+009F, of which one is as ESC [. */
		if (*c == 0xc2 && i + 1 < b->len && c[1] < 0xa0)
			*c = c[1] = '?';
	}
}

int
cli_write(struct cli *c, const struct doc *d)
{
	struct buf b = { 0 };
	int status;

	if (c->silent)
		return 0;
	if (c->json)
		doc_write(d, &b);
	else
		show_doc(d, &b);
	if (!c->json)
		tame(&b);
	status = write_out(c, &b);
	buf_free(&b);
	return status;
}

int
cli_write_only(struct cli *c, const struct doc *d, const char *list)
{
	const struct doc_status *s = d->body;
	const struct doc_status_pending *p = s->pending.items;
	struct buf b = { 0 };
	size_t i;
	int status;

	if (c->json || c->silent)
		return cli_write(c, d);
	if (strcmp(list, "graph") == 0)
		show_graph(s, &b);
	for (i = 0; strcmp(list, "pending") == 0 && i < s->pending.n; i++)
		buf_printf(&b, "%s  %s\n", p[i].migration, p[i].file);
	for (i = 0; strcmp(list, "heads") == 0 && i < s->heads.n; i++)
		buf_printf(&b, "%s\n", s->heads.v[i]);
	tame(&b);
	status = write_out(c, &b);
	buf_free(&b);
	return status;
}

int
cli_document_to(struct cli *c, const char *where)
{
	int64_t fd;

	if (num_parse(where, 0, 1000000, &fd) == 0) {
		int flags = fcntl((int)fd, F_GETFL);

		if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY ||
			fd == c->out_fd)
			return err_set(&c->err, ERR_USAGE, "usage",
				"--document: the descriptor %s cannot take "
				"the document", where);
		c->out_fd = (int)fd;
	} else {
		c->out_fd = open(where, O_WRONLY | O_CREAT | O_TRUNC |
			O_CLOEXEC, 0600);
		if (c->out_fd == -1)
			return err_sys(&c->err, "--document: create '%s'",
				where);
	}
	c->json = !c->silent && (c->output == NULL ||
		strcmp(c->output, "text") != 0);
	return 0;
}

/* Nobody is left without a next step: the words of a program are in its --help. */
static void
point_to_help(struct cli *c)
{
	if (c->err.next[0] == '\0' && strcmp(c->err.reason, "usage") == 0)
		err_next(&c->err, "%s --help lists the options",
			c->program->name);
}

struct doc_error *
cli_error_document(struct cli *c)
{
	struct doc_error *d = mem_alloc(sizeof(*d));

	point_to_help(c);
	doc_error_fill(d, CLI_TOOL, c->program->name, &c->err);
	return d;
}

int
cli_complain(struct cli *c)
{
	const struct err *e = &c->err;

	point_to_help(c);
	if (c->report.progress != NULL)
		c->report.progress(c->report.arg, "", 0, 0);
	fprintf(stderr, "%s: %s%s%s [%s]\n", c->program->name, e->text,
		e->next[0] == '\0' ? "" : "; ", e->next, e->reason);
	return e->code;
}

int
cli_fail(struct cli *c)
{
	int status = cli_complain(c);
	struct doc *d;

	if (!c->json || c->silent)
		return status;
	d = doc_new(&doc_error_shape);
	doc_error_fill(d->body, CLI_TOOL, c->program->name, &c->err);
	cli_write(c, d);
	doc_free(d);
	return status;
}
