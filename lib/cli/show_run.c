/* show_run: mig.apply and mig.rollback as text. */
#include "cli/show_run.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "cli/show_rehearsal.h"
#include "doc/doc_apply.h"
#include "doc/doc_rollback.h"

static void
plan(const struct shape_list *list, const char *verb, struct buf *out)
{
	const struct part_planned *p = list->items;
	size_t i;

	for (i = 0; i < list->n; i++) {
		buf_printf(out, "  would %s %s  %s  (%lld statement%s, from "
			"the %s)\n", verb, p[i].migration, p[i].name,
			(long long)p[i].statements,
			p[i].statements == 1 ? "" : "s", p[i].source);
		show_rehearsal_losses(&p[i].losses, out);
	}
}

static void
rows(int64_t n, struct buf *out)
{
	char text[32];

	buf_text(out, n == -1 ? "none" : num_commas(n, text, sizeof(text)));
}

static void
done(const struct shape_list *list, const char *verb, struct buf *out)
{
	const struct part_done *p = list->items;
	char ms[32];
	size_t i, k;

	for (i = 0; i < list->n; i++) {
		const struct part_delta *d = p[i].delta.items;

		buf_printf(out, "  %s %s  %s  (%s)\n", verb, p[i].migration,
			p[i].name,
			num_time(p[i].duration_ms, ms, sizeof(ms)));
		for (k = 0; k < p[i].delta.n; k++) {
			buf_printf(out, "    %s: rows ", d[k].table);
			if (d[k].counted) {
				rows(d[k].before, out);
				buf_text(out, " -> ");
				rows(d[k].after, out);
			} else {
				buf_printf(out, "not counted, %lld inserted, "
					"%lld deleted", (long long)d[k].inserted,
					(long long)d[k].deleted);
			}
			if (d[k].updated > 0)
				buf_printf(out, ", %lld updated",
					(long long)d[k].updated);
			buf_char(out, '\n');
		}
		show_rehearsal_losses(&p[i].losses, out);
	}
}

static void
gap(const struct part_gap *g, struct buf *out)
{
	const struct part_gap_table *t = g->tables.items;
	char age[32], a[32], b[32], c[32];
	size_t i;

	buf_printf(out, "  gap: the backup is %s old; written since: %s\n",
		num_time(g->seconds * 1000, age, sizeof(age)), g->written);
	if (g->bytes > 0)
		buf_printf(out, "    up to %s\n",
			num_bytes(g->bytes, a, sizeof(a)));
	for (i = 0; i < g->tables.n; i++) {
		buf_printf(out, "    %s: rows ", t[i].table);
		rows(t[i].rows_then, out);
		buf_text(out, " -> ");
		rows(t[i].rows_now, out);
		if (t[i].added >= 0)
			buf_printf(out, " (%s added, %s changed, %s removed)",
				num_commas(t[i].added, a, sizeof(a)),
				num_commas(t[i].changed, b, sizeof(b)),
				num_commas(t[i].removed, c, sizeof(c)));
		buf_char(out, '\n');
	}
}

static void
command(const struct part_command *c, struct buf *out)
{
	char ms[32];
	size_t i;

	buf_printf(out, "  ran         %s  (%s", c->command,
		num_time(c->duration_ms, ms, sizeof(ms)));
	if (c->status > 0)
		buf_printf(out, ", status %lld", (long long)c->status);
	buf_printf(out, ")\n  the database is %s\n", c->left);
	show_rehearsal_effects(&c->effects, &c->losses, out);
	for (i = 0; i < c->kept.n; i++)
		buf_printf(out, "  kept        %s\n", c->kept.v[i]);
}

void
show_run_apply(const void *body, struct buf *out)
{
	const struct doc_apply *d = body;

	buf_printf(out, "%s: ", d->database.path);
	if (d->repairs.n > 0)
		buf_printf(out, "%zu record%s %s\n", d->repairs.n,
			d->repairs.n == 1 ? "" : "s",
			strcmp(d->result, "repaired") == 0 ? "repaired" :
			"to repair, nothing was written");
	else if (strcmp(d->result, "nothing") == 0)
		buf_text(out, "nothing to do\n");
	else if (strcmp(d->result, "planned") == 0)
		buf_printf(out, "%zu pending, nothing was written\n",
			d->plan.n);
	else if (d->command == NULL && d->applied.n == 0 && d->rehearsal !=
		NULL && strcmp(d->rehearsal->result, "passed") != 0)
		buf_text(out, "nothing was done, for the rehearsal did not "
			"pass\n");
	else if (d->command != NULL)
		buf_printf(out, "the command %s\n", strcmp(d->result,
			"failed") == 0 ? "FAILED" : "ended well");
	else
		buf_printf(out, "%zu applied%s\n", d->applied.n,
			strcmp(d->result, "failed") == 0 ? ", then FAILED" :
							   "");
	if (strcmp(d->result, "planned") == 0)
		plan(&d->plan, "apply", out);
	if (d->rehearsal != NULL)
		show_rehearsal(d->rehearsal, out);
	done(&d->applied, "applied", out);
	if (d->command != NULL)
		command(d->command, out);
	if (d->backup != NULL)
		buf_printf(out, "  behind the backup %s\n", d->backup->path);
	if (d->no_backup)
		buf_text(out, "  WITHOUT A BACKUP\n");
	if (d->gap != NULL && strcmp(d->gap->written, "no") != 0)
		gap(d->gap, out);
	buf_printf(out, "  current     %s\n",
		d->current == NULL ? "none" : d->current);
}

void
show_run_rollback(const void *body, struct buf *out)
{
	const struct doc_rollback *d = body;
	const struct doc_rollback_brought *b = d->brought.items;
	int planned = strcmp(d->result, "planned") == 0;
	size_t i;

	buf_printf(out, "%s: ", d->into != NULL ? d->into : d->database.path);
	if (strcmp(d->result, "nothing") == 0)
		buf_text(out, "nothing to roll back\n");
	else if (strcmp(d->mode, "down") == 0)
		buf_printf(out, "%zu %s\n", planned ? d->plan.n : d->done.n,
			planned ? "to roll back, nothing was written" :
				  "rolled back");
	else if (strcmp(d->mode, "only") == 0)
		buf_printf(out, "%s from %s\n", planned ? "would be brought" :
			"brought", d->archive == NULL ? "the backup" :
			d->archive->path);
	else if (strcmp(d->mode, "undo") == 0)
		buf_text(out, "as it was before the restore\n");
	else if (strcmp(d->mode, "resume") == 0)
		buf_text(out, "the restore is finished\n");
	else
		buf_printf(out, "%s from %s\n",
			planned ? "would be restored" : "restored",
			d->archive == NULL ? "?" : d->archive->path);
	if (planned)
		plan(&d->plan, "roll back", out);
	done(&d->done, "rolled back", out);
	if (d->gap != NULL)
		gap(d->gap, out);
	for (i = 0; i < d->brought.n; i++)
		buf_printf(out, "  %s is in %s, %lld rows\n    to put it back: "
			"%s;\n", b[i].name, b[i].into, (long long)b[i].rows,
			b[i].sql);
	for (i = 0; i < d->kept.n; i++)
		buf_printf(out, "  kept        %s\n", d->kept.v[i]);
	if (d->safety != NULL && d->kept.n == 0)
		buf_printf(out, "  backup      %s\n", d->safety->path);
	buf_printf(out, "  current     %s\n",
		d->current == NULL ? "none" : d->current);
}
