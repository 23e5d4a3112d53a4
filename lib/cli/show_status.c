/* show_status: mig.status as text. */
#include "cli/show_status.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "doc/doc_status.h"

static const char *
or_none(const char *s)
{
	return s == NULL ? "none" : s;
}

static void
one_backup(const struct doc_status_backup *b, struct buf *out)
{
	char age[32], size[32];

	buf_printf(out, "%s\n              %s old, %s, receipt: %s, %s%s%s\n",
		b->path, num_time(b->age_s * 1000, age, sizeof(age)),
		num_bytes(b->bytes, size, sizeof(size)), b->receipt,
		b->fresh ? "fresh" : "not fresh",
		b->why == NULL ? "" : ": ", b->why == NULL ? "" : b->why);
}

static void
lists(const struct doc_status *d, struct buf *out)
{
	const struct doc_status_pending *p = d->pending.items;
	const struct doc_status_problem *x = d->problems.items;
	const struct doc_status_backup *b = d->backups.items;
	const struct doc_status_event *h = d->history.items;
	const struct part_repair *r = d->repairs.items;
	char when[CLOCK_TEXT];
	size_t i;

	if (d->triage != NULL)
		buf_printf(out, "  UNFINISHED  %s: %s\n              %s\n"
			"    go on     %s\n    go back   %s\n",
			d->triage->what, d->triage->state, d->triage->text,
			d->triage->forward, d->triage->back);
	for (i = 0; i < d->pending.n; i++)
		buf_printf(out, "  pending     %s  %s\n", p[i].migration,
			p[i].name);
	for (i = 0; i < d->problems.n; i++)
		buf_printf(out, "  PROBLEM     %s [%s]\n              %s\n",
			x[i].text, x[i].reason, x[i].next);
	for (i = 0; i < d->repairs.n; i++)
		buf_printf(out, "  repair      %s\n", r[i].text);
	for (i = 0; i < d->ignored.n; i++)
		buf_printf(out, "  ignored     %s (not VERSION_name.sql)\n",
			d->ignored.v[i]);
	for (i = 0; i < d->backups.n; i++) {
		buf_text(out, "  archive     ");
		one_backup(&b[i], out);
	}
	for (i = 0; i < d->history.n; i++) {
		clock_text(h[i].at, when);
		buf_printf(out, "  %s  %-9s %s  %s%s%s\n", when, h[i].event,
			h[i].migration == NULL ? "-" : h[i].migration, h[i].by,
			h[i].detail == NULL ? "" : "  ",
			h[i].detail == NULL ? "" : h[i].detail);
	}
}

void
show_status(const void *body, struct buf *out)
{
	const struct doc_status *d = body;
	size_t i;

	buf_printf(out, "%s: %s\n", d->database.path,
		d->up_to_date ? "up to date" :
		d->problems.n > 0 || d->triage != NULL ? "needs attention" : "migrations pending");
	buf_printf(out, "  current     %s\n", or_none(d->current));
	if (d->heads.n == 0)
		buf_text(out, "  head        none\n");
	for (i = 0; i < d->heads.n; i++)
		buf_printf(out, "  head        %s\n", d->heads.v[i]);
	buf_printf(out, "  applied     %lld, pending %zu\n",
		(long long)d->applied, d->pending.n);
	if (strcmp(d->format, "mig") != 0)
		buf_printf(out, "  format      %s\n", d->format);
	if (!d->ledger)
		buf_text(out, "  ledger      none: mig has not written to "
			      "this database\n");
	if (d->running != NULL)
		buf_printf(out, "  running     %s\n", d->running);
	if (d->backup == NULL) {
		buf_text(out, "  backup      none: run mig-backup | "
			      "mig-verify\n");
	} else {
		buf_text(out, "  backup      ");
		one_backup(d->backup, out);
	}
	lists(d, out);
}
