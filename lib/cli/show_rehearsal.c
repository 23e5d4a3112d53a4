/* show_rehearsal: what a rehearsal saw, as text. */
#include "cli/show_rehearsal.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "doc/part.h"
#include "doc/part_rehearsal.h"

const char *
show_rehearsal_time(int64_t us, char *out, size_t room)
{
	if (us >= 10000)
		return num_time(us / 1000, out, room);
	snprintf(out, room, "%lld.%lld ms", (long long)(us / 1000),
		(long long)(us % 1000 / 100));
	return out;
}

static void
statement(const struct trace_statement *s, struct buf *out)
{
	const struct trace_lock *l = s->locks.items;
	const struct trace_work *w = s->works.items;
	char a[32], b[32];
	size_t i;

	buf_printf(out, "      line %lld  %s  %.70s%s\n", (long long)s->line,
		show_rehearsal_time(s->duration_us, a, sizeof(a)), s->text,
		strlen(s->text) > 70 ? "..." : "");
	for (i = 0; i < s->works.n; i++)
		buf_printf(out, "        %s: %s%s%s%s\n", w[i].relation,
			w[i].action, w[i].why == NULL ? "" : " (",
			w[i].why == NULL ? "" : w[i].why,
			w[i].why == NULL ? "" : ")");
	for (i = 0; i < s->locks.n; i++)
		buf_printf(out, "        %s: locked %s for %s\n",
			l[i].relation, l[i].mode, show_rehearsal_time(
			l[i].held_us, a, sizeof(a)));
	if (s->read > 0)
		buf_printf(out, "        %s row%s read", num_commas(s->read, a,
			sizeof(a)), s->read == 1 ? "" : "s");
	if (s->read > 0 && s->wal_bytes > 0)
		buf_printf(out, ", %s of WAL", num_bytes(s->wal_bytes, b,
			sizeof(b)));
	if (s->read > 0)
		buf_char(out, '\n');
}

static void
column(const struct part_column *c, struct buf *out)
{
	char a[32], b[32];
	size_t i;

	buf_printf(out, "      %s %s", c->column, c->change);
	if (c->was != NULL)
		buf_printf(out, " from %s", c->was);
	buf_printf(out, ": %s -> %s values", c->before == -1 ? "no" :
		num_commas(c->before, a, sizeof(a)), c->after == -1 ? "no" :
		num_commas(c->after, b, sizeof(b)));
	if (c->lossy > 0)
		buf_printf(out, ", %s of them other ones", num_commas(c->lossy,
			a, sizeof(a)));
	buf_char(out, '\n');
	for (i = 0; i < c->samples.n; i++)
		buf_printf(out, "        %s\n", c->samples.v[i]);
}

static void
effect(const struct part_effect *f, struct buf *out)
{
	const struct part_column *c = f->columns.items;
	char a[32];
	size_t i;

	buf_printf(out, "    %s: rows %s", f->table, f->before == -1 ? "none" :
		num_commas(f->before, a, sizeof(a)));
	buf_printf(out, " -> %s", f->after == -1 ? "none" :
		num_commas(f->after, a, sizeof(a)));
	if (f->inserted > 0)
		buf_printf(out, ", %s inserted", num_commas(f->inserted, a,
			sizeof(a)));
	if (f->updated > 0)
		buf_printf(out, ", %s updated", num_commas(f->updated, a,
			sizeof(a)));
	if (f->deleted > 0)
		buf_printf(out, ", %s deleted", num_commas(f->deleted, a,
			sizeof(a)));
	if (f->cascaded > 0)
		buf_printf(out, " (%s by a foreign key or trigger)",
			num_commas(f->cascaded, a, sizeof(a)));
	if (!f->named && f->inserted + f->updated + f->deleted > 0)
		buf_text(out, "; the file does not name it");
	if (f->sampled >= 0)
		buf_printf(out, "; values of %s rows compared", num_commas(
			f->sampled, a, sizeof(a)));
	buf_char(out, '\n');
	for (i = 0; i < f->columns.n; i++)
		column(&c[i], out);
}

void
show_rehearsal_losses(const struct shape_list *losses, struct buf *out)
{
	const struct part_loss *l = losses->items;
	char n[32];
	size_t i;

	for (i = 0; i < losses->n; i++)
		buf_printf(out, "    loses '%s': %s %s (%s)%s\n", l[i].name,
			num_commas(l[i].amount, n, sizeof(n)),
			part_loss_unit(&l[i]), l[i].action, l[i].allowed ?
			", allowed" : "");
}

void
show_rehearsal_effects(const struct shape_list *effects,
	const struct shape_list *losses, struct buf *out)
{
	const struct part_effect *f = effects->items;
	size_t i;

	for (i = 0; i < effects->n; i++)
		effect(&f[i], out);
	show_rehearsal_losses(losses, out);
}

static void
migration(const struct part_rehearsed *m, struct buf *out)
{
	const struct trace_statement *s = m->statements.items;
	char a[32], b[32], c[32], d[32];
	size_t i;

	buf_printf(out, "  rehearsed %s%s%s  (%s", m->migration,
		*m->migration == '\0' ? "" : "  ", m->name,
		show_rehearsal_time(m->duration_us, a, sizeof(a)));
	if (m->wal_bytes >= 0)
		buf_printf(out, ", %s written", num_bytes(m->wal_bytes, b,
			sizeof(b)));
	if (m->size_after >= 0)
		buf_printf(out, ", %s -> %s", num_bytes(m->size_before, c,
			sizeof(c)), num_bytes(m->size_after, d, sizeof(d)));
	buf_text(out, m->size_after >= 0 ? ")\n" : ", did not end well)\n");
	for (i = 0; i < m->statements.n; i++)
		statement(&s[i], out);
	show_rehearsal_effects(&m->effects, &m->losses, out);
	for (i = 0; i < m->sequences.n; i++)
		buf_printf(out, "    sequence goes back: %s\n",
			m->sequences.v[i]);
	for (i = 0; i < m->left.n; i++)
		buf_printf(out, "    leaves: %s\n", m->left.v[i]);
	if (*m->migration != '\0')
		buf_printf(out, "    down: %s%s%s%s\n", m->down, m->down_text == NULL ?
		"" : " (", m->down_text == NULL ? "" : m->down_text,
		m->down_text == NULL ? "" : ")");
}

void
show_rehearsal(const struct part_rehearsal *r, struct buf *out)
{
	const struct part_rehearsed *m = r->migrations.items;
	char a[32], b[32];
	size_t i;

	buf_printf(out, "rehearsal %s in %s, %s of it for the restore\n",
		r->result, num_time(r->duration_ms, a, sizeof(a)),
		num_time(r->restore_ms, b, sizeof(b)));
	for (i = 0; i < r->migrations.n; i++)
		migration(&m[i], out);
	for (i = 0; i < r->notes.n; i++)
		buf_printf(out, "  note: %s\n", r->notes.v[i]);
	if (r->error != NULL)
		buf_printf(out, "  NOT passed: %s\n", r->error->text);
}
