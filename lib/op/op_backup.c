/* op_backup: one backup, taken and read back. */
#include "op/op_backup.h"

#include <string.h>

#include "backup/create.h"
#include "base/err.h"
#include "base/mem.h"
#include "doc/doc_backup.h"
#include "op/op_db.h"
#include "op/op_state.h"

/* The result's texts move into the document. */
static void
fill(struct doc_backup *out, const struct op *o, struct create_result *r)
{
	out->tool = mem_dup(o->tool);
	out->id = mem_dup(r->id);
	out->created = r->created;
	out->database = r->database;
	out->archive.path = r->path;
	out->archive.bytes = r->bytes;
	out->archive.manifest = mem_dup(r->manifest);
	out->level = o->level;
	out->jobs = o->jobs;
	out->raw_bytes = r->raw_bytes;
	out->tables = r->tables;
	out->rows = r->rows;
	out->migration = r->migration;
	out->fingerprint = mem_dup(r->fingerprint);
	out->position = r->position;
	out->checked = r->checked;
	out->spooled = r->spooled;
	out->read_back = r->read_back;
	out->duration_ms = r->duration_ms;
	memset(r, 0, sizeof(*r));
}

int
op_backup(struct doc_backup *out, const struct op *o,
	const struct op_backup_options *p, struct err *e)
{
	struct db_options d = op_db(o, DB_READ);
	struct op asked = *o;
	struct create_options c = { .tool = o->tool, .folder = o->backups,
		.to = p->to, .fd = p->fd, .jobs = o->jobs, .level = o->level,
		.check = !p->no_check, .spool = p->spool, .report = o->report,
		.current = op_state_current, .arg = &asked };
	struct create_result r;
	struct db *db;
	int result;

	if (db_open(&db, &d, e) == -1)
		return -1;
	result = create_run(&r, db, &c, e);
	if (result == 0)
		fill(out, o, &r);
	db_close(db);
	return result;
}
