/* op_verify: one archive, proved, with its receipt. */
#include "op/op_verify.h"

#include <stdlib.h>
#include <string.h>

#include "backup/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "doc/doc_verification.h"
#include "op/op_db.h"
#include "op/op_rehearse.h"
#include "os/file.h"

static int
copy_database(struct doc_verification *out, const struct wire_database *from,
	struct err *e)
{
	out->database = mem_alloc(sizeof(*out->database));
	return shape_copy(&wire_database_shape, from, out->database, e);
}

static void
copy_checks(struct doc_verification *out, const struct verify_result *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct doc_verification_check *c = shape_list_add(&out->checks,
			&doc_verification_check_shape);

		c->name = mem_dup(r->checks[i].name);
		c->expected = mem_dup(r->checks[i].expected);
		c->found = mem_dup(r->checks[i].found);
		c->passed = r->checks[i].passed;
	}
}

/* The document that was handed in must be of this very archive. */
static int
same_archive(const struct doc_backup *b, const struct verify_result *r,
	struct err *e)
{
	const struct manifest *m = &r->read.manifest;

	if (b == NULL || (strcmp(b->archive.manifest, m->digest) == 0 &&
		strcmp(b->id, m->id) == 0))
		return 0;
	err_set(e, ERR_DAMAGE, "damage",
		"the archive is not the one of the document: it has become "
		"another since the backup");
	return err_next(e, "take a new backup");
}

static int
fill(struct doc_verification *out, const struct op *o,
	const struct op_verify_options *p, const struct verify_result *r,
	int passed, struct err *e)
{
	const struct manifest *m = &r->read.manifest;

	out->tool = mem_dup(o->tool);
	out->level = verify_level_word(p->level);
	out->verified = clock_now();
	out->duration_ms = r->duration_ms;
	copy_checks(out, r);
	if (p->path != NULL) {
		out->path = file_real(p->path, e);
		if (out->path == NULL)
			return -1;
	}
	out->result = passed ? "passed" : "failed";
	if (m->digest == NULL)
		return 0;
	out->archive = mem_alloc(sizeof(*out->archive));
	out->archive->path = mem_dup(out->path);
	out->archive->bytes = r->read.bytes;
	out->archive->manifest = mem_dup(m->digest);
	out->id = mem_dup(m->id);
	out->created = m->created;
	return copy_database(out, &m->database, e);
}

struct rehearsing {
	struct doc_verification *out;
	const struct op *o;
	const struct op_verify_options *p;
	struct err why; /* it could not be made */
	int failed;
	int64_t restored_ms; /* when it began, then how long it took */
};

/* The archive is good, whatever comes of the rehearsal. */
static int
rehearse(void *arg, const struct db_rebuilt *from, const struct manifest *m,
	struct err *e)
{
	struct rehearsing *x = arg;
	struct op_rehearse r = { .o = x->o, .p = x->p->rehearse,
		.scratch = x->p->scratch, .sample = x->p->sample };
	struct db_options d = op_db(x->o, DB_READ);
	struct err ignored;
	struct db *like = NULL;

	(void)e;
	if (x->o->url != NULL && db_is_server(x->o->url) == (strcmp(
		m->database.engine, "postgresql") == 0) && db_open(&like, &d,
		&ignored) == 0)
		r.like = like;
	x->restored_ms = clock_ms() - x->restored_ms;
	x->out->rehearsal = mem_alloc(sizeof(*x->out->rehearsal));
	x->failed = op_rehearse_copy(x->out->rehearsal, &r, m->database.engine,
		from, m->fingerprint, &x->why);
	db_close(like);
	x->out->rehearsal->restore_ms += x->restored_ms;
	x->out->rehearsal->duration_ms += x->restored_ms;
	if (x->failed) {
		shape_release(&part_rehearsal_shape, x->out->rehearsal);
		free(x->out->rehearsal);
		x->out->rehearsal = NULL;
	}
	return 0;
}

int
op_verify(struct doc_verification *out, const struct op *o,
	const struct op_verify_options *p, struct err *e)
{
	struct rehearsing x = { .out = out, .o = o, .p = p,
		.restored_ms = clock_ms() };
	struct verify_options v = { .path = p->path, .fd = p->fd,
		.level = p->level, .scratch = p->scratch, .jobs = o->jobs,
		.use = p->rehearse == NULL ? NULL : rehearse, .arg = &x,
		.report = o->report };
	struct verify_result r;
	struct err why, second;
	int result = verify_run(&r, &v, e);

	if (result == 0)
		result = same_archive(p->backup, &r, e);
	if (result == -1 && e->code != ERR_DAMAGE)
		goto out;
	why = *e;
	if (fill(out, o, p, &r, result == 0, &second) == -1) {
		*e = second;
		goto out;
	}
	if (p->backup != NULL) {
		out->backup = mem_alloc(sizeof(*out->backup));
		if (shape_copy(&doc_backup_shape, p->backup, out->backup,
			    &second) == -1) {
			*e = second;
			goto out;
		}
	}
	if (result == 0 && p->path != NULL)
		result = verify_receipt(&r, out->path, p->level, o->tool,
			out->rehearsal, &out->receipt, e);
	else if (result == -1)
		*e = why;
	verify_result_free(&r);
	if (result == 0 && x.failed) {
		*e = x.why;
		return -1;
	}
	if (result == 0)
		return out->rehearsal == NULL ? 0 :
			op_rehearse_refuse(out->rehearsal, e);
	if (e->code != ERR_DAMAGE) {
		/* The archive is good, its receipt cannot be written. */
		out->result = NULL;
		return -1;
	}
	out->result = "failed";
	out->error = mem_alloc(sizeof(*out->error));
	doc_error_fill(out->error, o->tool, o->program, e);
	return -1;
out:
	verify_result_free(&r);
	return -1;
}

int
op_verify_latest(const struct op *o, char **path, struct err *e)
{
	struct db_options d = op_db(o, DB_READ);
	struct wire_database identity;
	struct store s;
	struct db *db;
	int result = -1;

	*path = NULL;
	if (db_open(&db, &d, e) == -1)
		return -1;
	if (db_identity(db, &identity, e) == 0) {
		result = store_list(&s, o->backups, &identity, e);
		shape_release(&wire_database_shape, &identity);
	}
	db_close(db);
	if (result == -1)
		return -1;
	if (s.n > 0)
		*path = mem_dup(s.v[0].path);
	store_free(&s);
	if (*path != NULL)
		return 0;
	err_set(e, ERR_REFUSED, "no-backup",
		"there is no backup of it in '%s'", o->backups);
	return err_next(e, "take one: mig-backup");
}
