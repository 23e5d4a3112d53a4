/* op_restore_gap: what a restore would lose, in numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/report.h"
#include "db/db_copy.h"
#include "doc/doc_rollback.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "op/op_restore.h"

static void
describe_gap(const struct part_gap *g, char *out, size_t room)
{
	const struct part_gap_table *t = g->tables.items;
	char a[32], b[32], c[32];
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < g->tables.n && n < room; i++) {
		int k = snprintf(out + n, room - n, "%s'%s'",
			i == 0 ? "" : ", ", t[i].table);

		n += k > 0 ? (size_t)k : 0;
		if (n >= room)
			continue;
		if (t[i].added < 0) {
			k = t[i].rows_then < 0 ?
				snprintf(out + n, room - n,
					" (not there then, %s rows now)",
					num_commas(t[i].rows_now, a,
						sizeof(a))) :
				t[i].rows_now < 0 ?
				snprintf(out + n, room - n,
					" (%s rows then, gone now)",
					num_commas(t[i].rows_then, a,
						sizeof(a))) :
				snprintf(out + n, room - n,
					" (%s rows then, %s now)",
					num_commas(t[i].rows_then, a,
						sizeof(a)),
					num_commas(t[i].rows_now, b,
						sizeof(b)));
			n += k > 0 ? (size_t)k : 0;
			continue;
		}
		k = snprintf(out + n, room - n,
			" (%s rows added, %s changed, %s removed)",
			num_commas(t[i].added, a, sizeof(a)),
			num_commas(t[i].changed, b, sizeof(b)),
			num_commas(t[i].removed, c, sizeof(c)));
		n += k > 0 ? (size_t)k : 0;
	}
}

/*
 * Another tool's table of what is applied says what a restore is about, as mig's
 * own do: its rows are no loss.  Gives *out; NULL: there is none.
 */
static int
history_table(struct db *d, char **out, struct err *e)
{
	const struct format *f = history_format(d, e);

	*out = f == NULL ? NULL : db_canonical(d, f->history->table);
	return f == NULL && e->code != ERR_NONE ? -1 : 0;
}

static int
count_gap(struct restore *r, struct part_gap *g, struct err *e)
{
	const struct wire_position *now = &r->at;
	const struct db_rebuilt from = op_restore_from(r);
	struct db_gap *v;
	char *history;
	size_t n, i;
	int same;

	/* Before counting: what is written from here on will be noticed. */
	if (db_mark(r->db, e) == -1 || db_position(r->db, &r->at, e) == -1)
		return -1;
	same = wire_position_same(now, &r->proof.read.manifest.position);
	g->bytes = same ? 0 : now->wal_frames > 0 ?
		now->wal_frames * now->page_bytes :
		wire_position_bytes(&r->proof.read.manifest.position, now);
	g->written = "no";
	if (same)
		return 0;
	if (history_table(r->db, &history, e) == -1)
		return -1;
	if (db_gap(r->db, &from, &v, &n, e) == -1) {
		free(history);
		return -1;
	}
	for (i = 0; i < n; i++) {
		struct part_gap_table *t;

		if (history != NULL && strcmp(v[i].table, history) == 0)
			continue;
		t = shape_list_add(&g->tables, &part_gap_table_shape);
		t->table = mem_dup(v[i].table);
		t->rows_then = v[i].rows_then;
		t->rows_now = v[i].rows_now;
		t->added = v[i].added;
		t->changed = v[i].changed;
		t->removed = v[i].removed;
	}
	db_gap_free(v, n);
	free(history);
	if (g->tables.n > 0)
		g->written = "yes";
	else
		g->bytes = 0; /* every row was compared */
	return 0;
}

int
op_restore_gap(struct restore *r, struct err *e)
{
	struct part_gap *g = mem_alloc(sizeof(*g));
	char text[1200];

	r->out->gap = g;
	g->seconds = clock_now() - r->proof.read.manifest.created;
	g->written = "unknown";
	g->bytes = -1;
	if (r->db != NULL && count_gap(r, g, e) == -1) {
		if (!r->p->offline && strcmp(e->reason, "encoding") != 0)
			return -1;
		report_say(r->o->report, REPORT_WARN,
			"what was written since cannot be counted: %s",
			e->text);
		g->written = "unknown";
	}
	if (strcmp(g->written, "no") == 0 || r->p->accept_loss ||
		r->p->dry_run || r->resuming)
		return 0;
	if (strcmp(g->written, "yes") == 0) {
		describe_gap(g, text, sizeof(text));
		err_set(e, ERR_REFUSED, "loss",
			"the restore would lose what was written since the "
			"backup: %s", text);
	} else {
		err_set(e, ERR_REFUSED, "loss",
			"the restore loses what was written since the backup, "
			"which cannot be counted in the damaged database");
	}
	return err_next(e, "if that is meant, use --accept-loss");
}
