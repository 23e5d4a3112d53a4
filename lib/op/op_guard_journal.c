/* op_guard_journal: what a guarded command is about to do, written down before. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "codec/sha256.h"
#include "op/op_guard_part.h"

/* The options that a run of the same kind needs again. */
static char *
options_of(const struct op_apply_options *p)
{
	struct buf b = { 0 };
	size_t i;

	if (p->rehearse)
		buf_text(&b, " --rehearse");
	if (p->url_env != NULL) {
		buf_text(&b, " --url-env ");
		buf_shell(&b, p->url_env);
	}
	if (p->restore_on_failure)
		buf_text(&b, " --restore-on-failure");
	for (i = 0; i < p->allow.n; i++) {
		buf_text(&b, " --allow-loss ");
		buf_shell(&b, p->allow.v[i]);
	}
	return buf_detach(&b);
}

/* Enough to know the same words again, and too little to find out what they are. */
static char *
mark_of(const char *const *argv)
{
	struct sha256 *h = sha256_new();
	char digest[65];

	for (; *argv != NULL; argv++)
		sha256_add_text(h, *argv);
	sha256_end_text(h, digest);
	sha256_free(h);
	return mem_dup_n(digest, 8);
}

int
op_guard_begin(struct guarded *g, struct err *e)
{
	const struct part_rehearsal *r = g->a->out->rehearsal;
	const struct part_rehearsed *m = r == NULL ? NULL :
		r->migrations.items;
	struct journal *j = &g->journal;

	if (g->a->out->backup == NULL)
		return 0;
	j->tool = mem_dup(g->a->o->tool);
	j->command = mem_dup(g->out->command);
	j->mark = mark_of(g->a->p->command);
	j->whole = strstr(j->command, "...") == NULL;
	j->options = options_of(g->a->p);
	j->state = "running";
	j->began = clock_now_ms(&j->began_ms);
	j->fingerprint = mem_dup(g->before.fingerprint);
	j->rehearsed = m == NULL || !r->comparable ? NULL :
		mem_dup(m->fingerprint);
	j->status = -1;
	if (shape_copy(&wire_database_shape, &g->a->out->database,
		&j->database, e) == -1 || db_position(g->a->s.db, &j->position,
		e) == -1)
		return -1;
	g->path = journal_new_path(g->a->out->backup->path);
	return journal_write(j, g->path, e);
}

/* The truth is in the document, too: a disk that is full now is only said. */
void
op_guard_end(struct guarded *g, const char *state)
{
	struct err e;

	if (g->path == NULL)
		return;
	g->journal.state = state;
	g->journal.ended = clock_now();
	g->journal.status = g->out->status;
	g->journal.changed = strcmp(state, "failed") == 0 && strcmp(
		g->out->left, "changed") == 0;
	if (journal_write(&g->journal, g->path, &e) == -1)
		report_say(g->a->o->report, REPORT_WARN, "%s", e.text);
}
