/* op_guard_fail: a command that was not as it should be, and the way back. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_rollback.h"
#include "op/op_guard_part.h"
#include "op/op_restore.h"

/*
 * With our lock and our connection: nobody comes between.  What others wrote meanwhile
 * goes with what the command did: that was asked for.
 */
static int
restore(struct guarded *g, struct err *e)
{
	struct doc_rollback done = { 0 };
	struct op_restore_options p = { .accept_loss = 1,
		.archive = g->a->out->backup->path, .db = g->a->s.db,
		.lock = g->a->s.lock };
	struct op o = *g->a->o;
	int result;

	g->a->s.db = NULL;
	g->a->s.lock = NULL;
	o.confirm = NULL;
	result = op_restore(&done, &o, &p, e);
	if (result == 0) {
		g->out->left = "restored";
		strs_add_all(&g->out->kept, &done.kept);
		report_say(o.report, REPORT_NOTE, "the backup '%s' is "
			"restored", p.archive);
		op_guard_end(g, "restored");
	}
	shape_release(&doc_rollback_shape, &done);
	return result;
}

int
op_guard_fail(struct guarded *g, const struct err *why, struct err *e)
{
	const struct apply *a = g->a;
	const char *how = a->s.db == NULL && !db_is_server(a->o->url) ?
		" --offline" : "";
	/* A loss says which options allow it. */
	const char *next = strcmp(why->reason, "loss") == 0 ||
		strcmp(why->reason, "rehearsal") == 0 ? why->next :
		"mend the cause and run it again";
	struct err second;

	*e = *why;
	if (strcmp(g->out->left, "unchanged") == 0) {
		op_guard_end(g, "failed");
		e->code = strcmp(e->reason, "interrupted") == 0 ? ERR_ENV :
			ERR_FAILED;
		err_wrap(e, "nothing was written to the database");
		return err_next(e, "%s", next);
	}
	e->code = ERR_LEFT;
	if (a->p->restore_on_failure && a->out->backup != NULL) {
		if (restore(g, &second) == 0) {
			e->code = ERR_FAILED;
			err_wrap(e, "the backup is restored");
			return err_next(e, "%s", next);
		}
		err_wrap(e, "and the backup could not be restored (%.300s)",
			second.text);
	}
	op_guard_end(g, "failed");
	if (a->out->backup == NULL)
		return err_next(e, "look at what it has changed: there is no "
			"backup to go back to");
	err_next(e, "%s, or go back with: mig-rollback --restore%s "
		"--accept-loss", next, how);
	return err_next_word(e, a->out->backup->path);
}

void
op_guard_escaped(struct apply *a, struct err *e)
{
	struct guarded g = { .a = a };
	const struct part_rehearsal *r = a->out->rehearsal;
	struct err why = *e, second;

	if (r == NULL || r->fingerprint == NULL)
		return;
	a->out->command = g.out = mem_alloc(sizeof(*g.out));
	g.out->command = op_guard_words(a->p->command);
	g.out->status = -1;
	g.out->left = "changed";
	g.out->before = mem_dup(r->fingerprint);
	memcpy(g.before.fingerprint, r->fingerprint, strlen(r->fingerprint) + 1);
	if (op_guard_begin(&g, &second) == -1)
		report_say(a->o->report, REPORT_WARN, "%s", second.text);
	op_guard_fail(&g, &why, e);
	free(g.path);
	shape_release(&journal_shape, &g.journal);
}
