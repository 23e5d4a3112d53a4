/* show: documents as text for people. */
#include "cli/show.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "cli/show_rehearsal.h"
#include "cli/show_run.h"
#include "cli/show_status.h"
#include "doc/doc.h"
#include "doc/doc_backup.h"
#include "doc/doc_error.h"
#include "doc/doc_generation.h"
#include "doc/doc_verification.h"

static void
backup(const void *body, struct buf *out)
{
	const struct doc_backup *d = body;
	char a[32], b[32], c[32];

	if (d->archive.path == NULL)
		buf_printf(out, "backup %s written as a stream, not read "
			"back\n", d->id);
	else
		buf_printf(out, "backup %s\n", d->archive.path);
	buf_printf(out, "  %s tables, %s rows, %s in %s\n",
		num_commas(d->tables, a, sizeof(a)),
		num_commas(d->rows, b, sizeof(b)),
		num_bytes(d->archive.bytes, c, sizeof(c)),
		num_time(d->duration_ms, (char[32]){ 0 }, 32));
	buf_printf(out, "  at migration %s; %s, %s\n",
		d->migration == NULL ? "none" : d->migration,
		d->checked ? "source checked" : "source not checked",
		d->read_back ? "read back" : "not read back");
	if (d->archive.path != NULL) {
		buf_text(out, "  next: mig-verify ");
		buf_shell(out, d->archive.path);
		buf_char(out, '\n');
	}
}

/* A digest that matched need not be read to its end. */
static void
shortened(const char *s, int cut, struct buf *out)
{
	if (cut && strlen(s) == 64)
		buf_printf(out, "%.12s...", s);
	else
		buf_text(out, s);
}

static void
verification(const void *body, struct buf *out)
{
	const struct doc_verification *d = body;
	const struct doc_verification_check *c = d->checks.items;
	size_t i;
	char a[32];

	buf_printf(out, "%s %s (%s level, %s)\n",
		strcmp(d->result, "passed") == 0 ? "verified" : "NOT verified",
		d->path == NULL ? "the stream" : d->path, d->level,
		num_time(d->duration_ms, a, sizeof(a)));
	for (i = 0; i < d->checks.n; i++) {
		buf_printf(out, "  %-4s %-18s expected ",
			c[i].passed ? "ok" : "BAD", c[i].name);
		shortened(c[i].expected, c[i].passed, out);
		buf_text(out, ", found ");
		shortened(c[i].found, c[i].passed, out);
		buf_char(out, '\n');
	}
	if (d->rehearsal != NULL)
		show_rehearsal(d->rehearsal, out);
	if (d->receipt != NULL)
		buf_printf(out, "  receipt %s\n", d->receipt);
}

static void
generation(const void *body, struct buf *out)
{
	const struct doc_generation *d = body;
	const struct doc_generation_finding *f = d->findings.items;
	size_t i;

	if (strcmp(d->action, "generate") == 0) {
		for (i = 0; i < d->files.n; i++)
			buf_printf(out, "wrote %s\n", d->files.v[i]);
	} else if (strcmp(d->action, "baseline") == 0) {
		buf_printf(out, "recorded %zu migration%s as applied, up to "
			"%s\n", d->files.n, d->files.n == 1 ? "" : "s",
			d->migration == NULL ? "none" : d->migration);
	} else if (strcmp(d->action, "squash") == 0) {
		buf_printf(out, "squashed up to %s: %s\n", d->migration == NULL ?
			"none" : d->migration, d->files.n == 0 ? "" :
			d->files.v[0]);
	} else {
		buf_printf(out, "%zu file%s checked, %zu finding%s\n",
			d->files.n, d->files.n == 1 ? "" : "s", d->findings.n,
			d->findings.n == 1 ? "" : "s");
	}
	for (i = 0; i < d->findings.n; i++)
		buf_printf(out, "  %s: %s: %s\n", f[i].level, f[i].file,
			f[i].text);
}

static void
error(const void *body, struct buf *out)
{
	const struct doc_error *d = body;

	buf_printf(out, "%s failed: %s%s%s [%s]\n", d->program, d->text,
		d->next == NULL ? "" : "; ", d->next == NULL ? "" : d->next,
		d->reason);
}

void
show_doc(const struct doc *d, struct buf *out)
{
	static const struct {
		const char *kind;
		void (*show)(const void *body, struct buf *out);
	} kinds[] = {
		{ "mig.status", show_status },
		{ "mig.backup", backup },
		{ "mig.verification", verification },
		{ "mig.apply", show_run_apply },
		{ "mig.rollback", show_run_rollback },
		{ "mig.generation", generation },
		{ "mig.error", error },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].kind, d->shape->kind) == 0)
			kinds[i].show(d->body, out);
}
