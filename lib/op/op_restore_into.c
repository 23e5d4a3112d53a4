/* op_restore_into: a new file, and nothing of an old one beside it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "doc/doc_rollback.h"
#include "op/op_restore.h"
#include "os/file.h"

/* A -wal of another database would be played back into the new one. */
static int
into_is_free(const struct restore *r, struct err *e)
{
	const char *const *c = db_companions(r->out->database.engine);
	char *path;
	int there = 0;

	if (file_exists(r->p->into)) {
		err_set(e, ERR_REFUSED, "exists", "'%s' exists", r->p->into);
		return err_next(e, "name another path");
	}
	for (; *c != NULL && !there; c++) {
		path = mem_printf("%s%s", r->p->into, *c);
		there = file_exists(path);
		if (there) {
			err_set(e, ERR_REFUSED, "exists", "'%s' is there, of "
				"another database, and would change the new "
				"one", path);
			err_next(e, "move it away, or name another path");
		}
		free(path);
	}
	return there ? -1 : 0;
}

int
op_restore_into(struct restore *r, struct err *e)
{
	if (into_is_free(r, e) == -1)
		return -1;
	if (op_restore_rebuild(r, r->p->into, e) == -1)
		return -1;
	r->out->into = file_real(r->p->into, e);
	if (r->out->into == NULL)
		return -1;
	r->out->result = "planned";
	if (r->p->dry_run)
		return 0;
	if (file_sync(r->scratch, e) == -1 || into_is_free(r, e) == -1)
		return -1;
	if (link(r->scratch, r->p->into) == -1)
		return err_sys(e, "publish '%s'", r->p->into);
	if (file_sync_dir_of(r->p->into, e) == -1)
		return -1;
	r->out->result = "done";
	return 0;
}
