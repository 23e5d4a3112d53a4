/* repair: what would make the records agree again. */
#include "migration/repair.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/plan.h"
#include "migration/set.h"

const char *
repair_word(enum repair_kind kind)
{
	static const char *const words[] = { "restamp", "forget", "record",
		"tell" };

	return words[kind];
}

/* Takes text. */
static void
add(struct repair *r, enum repair_kind kind, const char *version, char *text)
{
	r->v = mem_more(r->v, r->n, sizeof(*r->v));
	r->v[r->n].kind = kind;
	r->v[r->n].version = mem_dup(version);
	r->v[r->n++].text = text;
}

/* 7 is 007. */
static int
is_in(const struct strs *list, const struct ledger *l, const char *version)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (version_compare(l->rule, list->v[i], version) == 0)
			return 1;
	return 0;
}

/* Of a failure a person says what came of it. */
static void
failed(struct repair *r, const struct ledger *l, const char *version,
	const struct strs *done)
{
	if (is_in(done, l, version))
		add(r, REPAIR_RECORD, version, mem_printf("record migration "
			"%s as applied: what it does was finished by hand",
			version));
	else
		add(r, REPAIR_FORGET, version, mem_printf("forget the record "
			"of the failed migration %s: it is pending again, from "
			"its first statement; what it left is to be taken away "
			"by hand first", version));
}

/*
 * A table of one row that is dirty: the up of that version failed, or the down of
 * the one after it.  Only a person can say where the database is.
 */
static int
ask_where(struct repair *r, const struct plan_problem *x, const struct set *s,
	const struct ledger *l, const struct strs *done, struct err *e)
{
	const char *version = done->n == 0 ? NULL : done->v[0];
	const struct migration *m = NULL;

	if (version == NULL)
		return 0;
	if (done->n > 1)
		return err_set(e, ERR_USAGE, "version", "the table of %s holds "
			"one version: name one", l->host);
	if (strcmp(version, "0") != 0 && (m = set_named(s, version, e)) == NULL)
		return -1;
	if (m == NULL)
		add(r, REPAIR_FORGET, x->version, mem_printf("take the failed "
			"migration %s out of the table of %s: nothing is "
			"applied", x->version, l->host));
	else
		add(r, REPAIR_RECORD, m->version, mem_printf("record migration %s "
			"as the one that the database is at, in the table of "
			"%s, too: what comes after it is not applied", m->version,
			l->host));
	return 0;
}

static int
look_at(struct repair *r, const struct plan_problem *x, const struct set *s,
	const struct ledger *l, const struct strs *done, struct err *e)
{
	const struct migration *m = set_find(s, x->version);
	const struct ledger_row *stale;

	switch (x->kind) {
	case PLAN_CHECKSUM:
		add(r, REPAIR_RESTAMP, x->version, mem_printf("record the "
			"checksum and the texts of '%s' as it is now: it "
			"counts as the file that was applied", m->up.file));
		break;
	case PLAN_LINES:
		add(r, REPAIR_RESTAMP, x->version, mem_printf("record the "
			"checksum of '%s' with the line ends that it has now, "
			"for %s", m->up.file, l->host));
		break;
	case PLAN_HOST:
		if (l->newest_only)
			return ask_where(r, x, s, l, done, e);
		/* FALLTHROUGH */
	case PLAN_FAILED:
	case PLAN_RUNNING:
		if (m == NULL && is_in(done, l, x->version)) {
			err_set(e, ERR_REFUSED, "missing", "migration %s cannot "
				"be recorded as applied: its file is gone",
				x->version);
			return err_next(e, "bring the file back");
		}
		failed(r, l, x->version, done);
		break;
	case PLAN_UNTOLD:
		/* Of a table that is gone nobody knows what else it held. */
		stale = ledger_find_stale(l, x->version);
		if (m != NULL && (l->host_there || stale == NULL ||
			!ledger_was_told(stale, l->host)))
			add(r, REPAIR_TELL, x->version, mem_printf("write "
				"migration %s, which mig has applied, into the "
				"table of %s", x->version, l->host));
		break;
	case PLAN_UNDONE:
		/* After a failure that table does not say what is applied. */
		if (!r->asks)
			add(r, REPAIR_FORGET, x->version, mem_printf("forget mig's "
			"record of migration %s, which %s has taken back",
			x->version, l->host));
		break;
	default: /* nothing that a record could mend */
		break;
	}
	return 0;
}

int
repair_make(struct repair *out, const struct plan *p, const struct set *s,
	const struct ledger *l, const struct strs *done, struct err *e)
{
	size_t i, k;

	memset(out, 0, sizeof(*out));
	/* Failures of another tool first: what else there is hangs on them. */
	for (i = 0; i < p->problem_n; i++)
		out->asks |= p->problems[i].kind == PLAN_HOST && l->newest_only;
	for (i = 0; i < p->problem_n; i++)
		if (look_at(out, &p->problems[i], s, l, done, e) == -1) {
			repair_free(out);
			return -1;
		}
	for (i = 0; i < done->n; i++) {
		for (k = 0; k < out->n; k++)
			if (out->v[k].kind == REPAIR_RECORD &&
				version_compare(l->rule, out->v[k].version,
					done->v[i]) == 0)
				break;
		if (k < out->n || out->asks)
			continue;
		repair_free(out);
		err_set(e, ERR_USAGE, "version", "no migration %s has failed "
			"or was interrupted", done->v[i]);
		return err_next(e, "mig-status lists those that have");
	}
	return 0;
}

void
repair_free(struct repair *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].version);
		free(r->v[i].text);
	}
	free(r->v);
	memset(r, 0, sizeof(*r));
}

/* What is applied when that one is not; NULL: nothing. */
static const char *
version_before(const struct ledger *l, const char *version)
{
	size_t i;

	for (i = l->n; i > 0; i--)
		if (strcmp(l->v[i - 1].state, "applied") == 0 &&
			!version_is_repeatable(l->v[i - 1].version) &&
			version_compare(l->rule, l->v[i - 1].version,
				version) < 0)
			return l->v[i - 1].version;
	return NULL;
}

static int
forget(const char *version, struct history *h, const struct ledger *l,
	struct err *e)
{
	const struct migration gone = { .version = mem_dup(version) };
	const struct ledger_row *stale = ledger_find_stale(l, version);
	const struct ledger_row *row = ledger_find(l, version);
	/* A failed row that only such a tool knows: a person said "0". */
	int none = l->newest_only && row != NULL && row->tool == NULL;
	int result = ledger_remove(h->db, version, e);

	/* What only mig knows, the other tool need not be told. */
	if (result == 0 && stale == NULL)
		result = history_remove(h, &gone, none ? NULL :
			version_before(l, version), e);
	free(gone.version);
	return result;
}

int
repair_step(const struct repair_step *x, struct history *h,
	const struct set *s, const struct ledger *l,
	const struct ledger_entry *who, struct err *e)
{
	const struct migration *m = set_find(s, x->version);
	const struct ledger_row *row = ledger_find(l, x->version);
	struct ledger_entry entry = *who;
	struct migration as = { 0 };

	/* In mig's ledger, as it stands there: 7 for the file 007. */
	if (m != NULL)
		as = *m;
	if (m != NULL && row != NULL)
		as.version = row->version;
	entry.state = "applied";
	switch (x->kind) {
	case REPAIR_RESTAMP:
		if (history_restamp(h, m, e) == -1)
			return -1;
		return ledger_restamp(h->db, &as, e);
	case REPAIR_FORGET:
		return forget(x->version, h, l, e);
	case REPAIR_RECORD:
		if (ledger_put(h->db, &as, &entry, 1, e) == -1)
			return -1;
		/* Of one row: back to that version, too. */
		return l->newest_only ? history_remove(h, m, m->version, e) :
			history_put(h, m, 0, who->by, e);
	case REPAIR_TELL:
		if (ledger_tell(h->db, m->version, &entry, e) == -1)
			return -1;
		return history_put(h, m, 0, who->by, e);
	}
	return 0;
}
