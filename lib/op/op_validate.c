/*
 * op_validate: does every up run, does every down lead back?  Tried in
 * memory, on an empty database, or on an empty copy of the schema when the
 * database is older than its first migration.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "op/op_gen.h"
#include "op/op_scratch.h"

struct validate {
	struct doc_generation *out;
	const struct op *o;
	struct db *scratch;
	struct history history;
	struct set set;
	char (*before)[65]; /* fingerprint before each up */
	char *skip; /* applied already, under what is tried */
	char *done; /* its up ran */
	struct strs roles; /* of the server that they are for */
};

static void
found(struct validate *v, const char *file, int level, const char *text)
{
	struct doc_generation_finding *f = shape_list_add(&v->out->findings,
		&doc_generation_finding_shape);

	f->file = mem_dup(file);
	f->level = doc_generation_levels[level];
	f->text = mem_dup(text);
}

/* Those with a version, with all findings. */
static int
all_up(struct validate *v, struct err *e)
{
	struct err bad;
	size_t i;

	for (i = 0; i < v->set.n; i++) {
		const struct migration *m = &v->set.v[i];

		if (v->skip[i] || version_is_repeatable(m->version))
			continue;
		if (stop_check(e) == -1 ||
			db_fingerprint(v->scratch, v->before[i], e) == -1)
			return -1;
		strs_add(&v->out->files, m->up.file);
		if (m->code != NULL) {
			found(v, m->up.file, 0, "is not SQL: mig cannot run it, "
				"nor what stands on it");
			return 0;
		}
		if (op_scratch_run(v->scratch, v->o, m, 0, &bad) == -1) {
			found(v, m->up.file, 0, bad.text);
			return 0; /* what follows stands on it */
		}
		v->done[i] = 1;
		if (m->down.text == NULL)
			found(v, m->up.file, 1, "has no down script");
	}
	return 0;
}

static int
all_down(struct validate *v, struct err *e)
{
	char now[65];
	struct err bad;
	size_t i;

	for (i = v->set.n; i > 0; i--) {
		const struct migration *m = &v->set.v[i - 1];

		if (!v->done[i - 1])
			continue;
		if (m->down.text == NULL)
			return 0; /* there is no way further back */
		if (stop_check(e) == -1)
			return -1;
		if (op_scratch_run(v->scratch, v->o, m, 1, &bad) == -1) {
			found(v, m->down.file, 0, bad.text);
			return 0;
		}
		if (db_fingerprint(v->scratch, now, e) == -1)
			return -1;
		if (strcmp(now, v->before[i - 1]) != 0) {
			found(v, m->down.file, 1, "its down script does not "
				"lead back to the schema before its up");
			return 0; /* those before it would differ too */
		}
	}
	return 0;
}

/* Where to begin: after the applied ones, if a baseline stands before them. */
static int
base(struct validate *v, struct db *live, struct err *e)
{
	struct ledger ledger;
	struct db_rows *r;
	size_t i;
	int more;

	if (ledger_load(&ledger, live, v->set.format->rule, e) == -1)
		return -1;
	more = ledger.there;
	ledger_free(&ledger);
	/*
	 * Made before mig: what is pending stands on what is there.  With the
	 * history of another tool, all of its migrations are tried from the
	 * first.
	 */
	if (v->history.table != NULL)
		return 0;
	if (!more)
		return db_copy_schema(live, v->scratch, e);
	if (db_query(&r, live, e,
		    "SELECT 1 FROM mig_event WHERE event = 'baseline'", "") ==
		-1)
		return -1;
	more = db_next(r, e);
	db_rows_free(r);
	if (more != 1)
		return more;
	if (db_copy_schema(live, v->scratch, e) == -1 ||
		ledger_load(&ledger, live, v->set.format->rule, e) == -1)
		return -1;
	for (i = 0; i < v->set.n; i++)
		v->skip[i] = ledger_find(&ledger, v->set.v[i].version) != NULL;
	ledger_free(&ledger);
	return 0;
}

/*
 * Repeatable ones, behind all others, on a database of their own: what they leave
 * there would be in the way of every down.
 */
static int
all_repeatable(struct validate *v, struct db *live, struct err *e)
{
	struct err bad;
	size_t i;
	int any = 0;

	for (i = 0; i < v->set.n; i++) {
		const struct migration *m = &v->set.v[i];

		if (version_is_repeatable(m->version))
			any = 1;
		else if (!v->done[i] && !v->skip[i])
			return 0; /* what they stand on does not run */
	}
	if (!any)
		return 0;
	db_close(v->scratch);
	v->scratch = NULL;
	if (op_scratch_open(&v->scratch, v->o, e) == -1 ||
		op_scratch_make(v->scratch, &v->roles, e) == -1 || (live != NULL && base(v, live, e) == -1))
		return -1;
	for (i = 0; i < v->set.n; i++) {
		const struct migration *m = &v->set.v[i];

		if (v->skip[i])
			continue;
		if (stop_check(e) == -1)
			return -1;
		if (version_is_repeatable(m->version))
			strs_add(&v->out->files, m->up.file);
		if (op_scratch_run(v->scratch, v->o, m, 0, &bad) == -1) {
			found(v, m->up.file, 0, bad.text);
			return 0;
		}
	}
	return 0;
}

/* What comes after a version that is nowhere. */
static int
judge_parents(struct validate *v, struct db *live, struct err *e)
{
	struct ledger l = { 0 };
	struct err bad;

	if (live != NULL && ledger_load(&l, live, v->set.format->rule, e) == -1)
		return -1;
	if (graph_judge(&v->set, live == NULL ? NULL : &l, &bad) == -1)
		found(v, v->o->migrations, 0, bad.text);
	ledger_free(&l);
	return 0;
}

/* Why a folder cannot be read: what a validation is to find. */
static int
is_of_files(const char *reason)
{
	static const char *const words[] = { "migration", "duplicate",
		"parent", "cycle", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strcmp(*w, reason) == 0)
			return 1;
	return 0;
}

static int
work(struct validate *v, struct err *e)
{
	struct db_options l = op_db(v->o, DB_READ);
	struct db *live = NULL;
	struct err bad;
	int result = 0;

	if (v->o->url != NULL && db_open(&live, &l, &bad) == -1)
		live = NULL; /* a folder can be checked without one */
	if (history_open(&v->history, live, v->o->format, v->o->migrations,
		e) == -1) {
		db_close(live);
		return -1;
	}
	if (set_read(&v->set, v->o->migrations, v->history.format,
		op_db_engine(v->o), v->o->values, &bad) == -1) {
		db_close(live);
		if (!is_of_files(bad.reason)) {
			*e = bad;
			return -1;
		}
		found(v, v->o->migrations, 0, bad.text);
		return 0;
	}
	v->before = mem_array(v->set.n, sizeof(*v->before));
	v->done = mem_array(v->set.n, 1);
	v->skip = mem_array(v->set.n, 1);
	result = live == NULL ? 0 : op_scratch_roles(&v->roles, v->o, e);
	if (result == 0)
		result = op_scratch_open(&v->scratch, v->o, e);
	if (result == 0)
		result = op_scratch_make(v->scratch, &v->roles, e);
	if (result == 0 && live != NULL)
		result = base(v, live, e);
	if (result == 0)
		result = judge_parents(v, live, e);
	if (result == 0)
		result = all_up(v, e);
	if (result == 0)
		result = all_down(v, e);
	if (result == 0)
		result = all_repeatable(v, live, e);
	db_close(live);
	return result;
}

int
op_validate(struct doc_generation *out, const struct op *o, struct err *e)
{
	struct validate v = { .out = out, .o = o };
	int result;

	out->tool = mem_dup(o->tool);
	out->action = "validate";
	out->folder = mem_dup(o->migrations);
	result = work(&v, e);
	db_close(v.scratch);
	history_close(&v.history);
	set_free(&v.set);
	free(v.before);
	free(v.done);
	free(v.skip);
	strs_free(&v.roles);
	return result;
}
