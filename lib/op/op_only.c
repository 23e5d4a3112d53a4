/*
 * op_only: single tables and columns from a backup, as new tables beside the live
 * ones.  Nothing that is there is touched: a person puts them back where they belong.
 */
#include "op/op_only.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/db_bring.h"
#include "doc/doc_rollback.h"
#include "migration/ledger.h"
#include "op/op_db.h"
#include "op/op_restore.h"
#include "op/op_state.h"
#include "os/lock.h"

struct only {
	struct restore *r;
	struct db *copy;
	char stamp[CLOCK_STAMP];
	struct db_brought *v;
	size_t n;
	char before[65]; /* fingerprint */
};

/* "table", or, if the copy has no such table, "table.column". */
static int
bring(struct only *x, const char *name, struct err *e)
{
	struct db_bring b = { x->copy, name, NULL, x->stamp };
	const char *dot = strrchr(name, '.');
	struct db_brought *out = &x->v[x->n];
	char *table, *full;
	struct db_census c;
	int there, result;

	/* It knows names of every kind, and those that are none. */
	if (db_census(x->copy, name, 0, &c, e) == -1)
		return -1;
	there = c.there;
	db_census_free(&c);
	if (there || dot == NULL) {
		result = db_bring(x->r->db, &b, out, e);
	} else {
		/* The column as the copy has it: it may be in quotes here. */
		full = db_canonical(x->copy, name);
		b.table = table = mem_dup_n(name, (size_t)(dot - name));
		b.column = strrchr(full, '.') == NULL ? dot + 1 :
			strrchr(full, '.') + 1;
		result = db_bring(x->r->db, &b, out, e);
		free(table);
		free(full);
	}
	if (result == -1) {
		db_brought_free(out);
		return -1;
	}
	x->n++;
	report_say(x->r->o->report, REPORT_MORE, "'%s' is in %s", name,
		out->into);
	return 0;
}

/* All that was asked for, or nothing. */
static int
bring_all(struct only *x, struct err *e)
{
	const struct strs *only = x->r->p->only;
	struct err second;
	size_t i;

	x->v = mem_array(only->n, sizeof(*x->v));
	for (i = 0; i < only->n; i++)
		if (bring(x, only->v[i], e) == -1)
			break;
	if (i == only->n)
		return 0;
	while (x->n > 0) {
		struct db_brought *b = &x->v[--x->n];

		if (db_bring_undo(x->r->db, b, &second) == -1)
			report_say(x->r->o->report, REPORT_WARN, "%s is left: "
				"%s", b->into, second.text);
		db_brought_free(b);
	}
	return -1;
}

/* New tables are no change outside mig. */
static int
tell_ledger(struct only *x, struct err *e)
{
	struct ledger_event note = { .event = "only" };
	struct db *d = x->r->db;
	struct ledger l = { 0 };
	char now[65];
	int result = 0;

	if (ledger_load(&l, d, VERSION_NUMBER, e) == -1)
		return -1;
	if (l.there && db_fingerprint(d, now, e) == -1) {
		result = -1;
	} else if (l.there) {
		note.backup = x->r->proof.read.manifest.id;
		/* Only if it was known what the schema was. */
		note.fingerprint = l.fingerprint != NULL && strcmp(
			l.fingerprint, x->before) == 0 ? now : l.fingerprint;
		result = ledger_note_alone(d, &note, e);
	}
	ledger_free(&l);
	return result;
}

static int
use(void *arg, const struct db_rebuilt *from, const struct manifest *m,
	struct err *e)
{
	struct only *x = arg;
	struct strs notes = { 0 };
	struct db_stage stage = { .engine = m->database.engine, .from = *from,
		.server = x->r->o->scratch != NULL && db_is_server(
			x->r->o->scratch) ? x->r->o->scratch : NULL,
		.like = x->r->db, .report = x->r->o->report, .notes = &notes };
	int result = db_stage(&x->copy, &stage, e);

	strs_free(&notes);
	if (result == -1)
		return -1;
	result = bring_all(x, e);
	db_close(x->copy);
	return result;
}

static void
fill(struct only *x)
{
	struct doc_rollback *out = x->r->out;
	size_t i;

	for (i = 0; i < x->n; i++) {
		struct doc_rollback_brought *b = shape_list_add(&out->brought,
			&doc_rollback_brought_shape);

		b->name = mem_dup(x->r->p->only->v[i]);
		b->into = mem_dup(x->v[i].into);
		b->rows = x->v[i].rows;
		b->sql = mem_dup(x->v[i].sql);
	}
}

static int
check_names(const struct strs *only, struct err *e)
{
	size_t i;

	for (i = 0; i < only->n; i++)
		if (*only->v[i] == '\0')
			return err_set(e, ERR_USAGE, "usage", "--only: '' is "
				"no name of a table");
	return 0;
}

/* The archive is of this database, unless that was said to be meant. */
static int
use_checked(void *arg, const struct db_rebuilt *from, const struct manifest *m,
	struct err *e)
{
	struct only *x = arg;

	return op_restore_identity(x->r, e) == -1 ? -1 : use(arg, from, m, e);
}

static int
run(struct only *x, struct err *e)
{
	struct restore *r = x->r;
	struct verify_options v = { .path = r->archive,
		.scratch = r->o->scratch, .use = use_checked, .arg = x,
		.level = VERIFY_DEFAULT, .no_check = r->p->no_check,
		.jobs = r->o->jobs, .report = r->o->report };

	clock_stamp(clock_now(), x->stamp);
	if (check_names(r->p->only, e) == -1)
		return -1;
	if (db_fingerprint(r->db, x->before, e) == -1 ||
		verify_run(&r->proof, &v, e) == -1)
		return -1;
	r->out->archive = mem_alloc(sizeof(*r->out->archive));
	r->out->archive->path = mem_dup(r->archive);
	r->out->archive->bytes = r->proof.read.bytes;
	r->out->archive->manifest = mem_dup(r->proof.read.manifest.digest);
	fill(x);
	return tell_ledger(x, e);
}

int
op_only(struct restore *r, struct err *e)
{
	struct only x = { .r = r };
	struct op asked = *r->o;
	struct lock *lock = NULL;
	size_t i;
	int result = -1;

	if (op_db_open(&r->db, r->o, r->p->dry_run ? DB_READ : DB_WRITE, e) ==
		0 && db_identity(r->db, &r->out->database, e) == 0)
		result = 0;
	/* For the words of an error. */
	r->target = mem_dup(result == 0 ? r->out->database.name : "");
	if (result == 0)
		result = op_restore_find(r, e) == -1 || op_state_current(&asked,
			r->db, &r->out->current, e) == -1 ? -1 : 0;
	if (result == 0) {
		r->out->result = "planned";
		result = r->p->dry_run ? 0 : db_lock(r->db, &lock, r->o->wait_s,
			r->o->program, e);
		if (result == 0 && !r->p->dry_run) {
			r->out->result = "failed";
			result = run(&x, e);
			if (result == 0)
				r->out->result = "done";
		}
	}
	for (i = 0; i < x.n; i++)
		db_brought_free(&x.v[i]);
	free(x.v);
	lock_free(lock);
	return result;
}
