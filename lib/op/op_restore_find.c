/* op_restore_find: which archive is brought back. */
#include <string.h>

#include "backup/store.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc.h"
#include "doc/doc_rollback.h"
#include "doc/doc_verification.h"
#include "op/op_restore.h"

/* A document names the archive: a verification or a backup. */
static int
from_document(struct restore *r, struct err *e)
{
	const struct doc *d = r->p->document;
	const char *path = NULL;

	if (d->shape == &doc_verification_shape)
		path = ((struct doc_verification *)d->body)->path;
	else if (d->shape == &doc_backup_shape)
		path = ((struct doc_backup *)d->body)->archive.path;
	if (path == NULL) {
		err_set(e, ERR_USAGE, "document",
			"the document, a %s, names no archive",
			d->shape->kind);
		return err_next(e, "pipe from mig-verify, or name the archive");
	}
	r->archive = mem_dup(path);
	return 0;
}

/* The newest one that was not taken before a restore. */
static int
newest(struct restore *r, struct err *e)
{
	struct wire_database d = { "sqlite", (char *)file_base(r->target),
		r->target, NULL };
	struct store s;
	size_t i;
	int result = 0;

	if (store_list(&s, r->o->backups,
		    r->db == NULL ? &d : &r->out->database, e) == -1)
		return -1;
	for (i = 0; i < s.n && r->archive == NULL && result == 0; i++) {
		const struct err *why = s.v[i].unread;

		if (why != NULL && why->code == ERR_DAMAGE) {
			report_say(r->o->report, REPORT_WARN,
				"'%s' is damaged and was passed over",
				s.v[i].path);
		} else if (why != NULL) {
			*e = *why; /* it may be read when that is mended */
			result = -1;
		} else if (strcmp(s.v[i].manifest.purpose, "backup") == 0) {
			r->archive = mem_dup(s.v[i].path);
		}
	}
	store_free(&s);
	if (r->archive != NULL || result == -1)
		return result;
	err_set(e, ERR_REFUSED, "no-backup",
		"there is no backup of '%s' in '%s'", r->target,
		r->o->backups);
	return err_next(e, "name the archive, or the folder with --backups");
}

int
op_restore_find(struct restore *r, struct err *e)
{
	if (r->p->archive != NULL)
		r->archive = mem_dup(r->p->archive);
	else if (r->p->document != NULL)
		return from_document(r, e);
	else if (r->p->offline)
		r->archive = op_offline_marked(r->target);
	return r->archive != NULL ? 0 : newest(r, e);
}
