/*
 * op_offline: replace the file of a database that may be too damaged to open.
 *
 * The old file and what belongs to it are kept aside.  The order matters: a
 * -wal left beside a new database would be played back into it and silently
 * undo the restore, so the companions go first; a marker file says meanwhile
 * that the database is not whole, and no mig program opens it until a second
 * run has finished the work.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/db.h"
#include "doc/doc_rollback.h"
#include "op/op_restore.h"
#include "os/file.h"
#include "os/lock.h"

static int
prove_stopped(struct restore *r, struct err *e)
{
	if (r->p->assume_stopped)
		return 0;
	if (db_prove_unused(r->o->url, e) == 0)
		return 0;
	if (strcmp(e->reason, "in-use") == 0 &&
		strstr(e->text, "cannot see") != NULL)
		err_next(e, "run it as root, or use --assume-stopped if you "
			    "know that nothing uses it");
	return -1;
}

/* Give the new file the mode and owner of the old one. */
static int
look_alike(const char *like, const char *path, struct err *e)
{
	struct stat st;

	if (stat(like, &st) == -1)
		return errno == ENOENT ? 0 : err_sys(e, "look at '%s'", like);
	if (chmod(path, st.st_mode & 07777) == -1 ||
		(geteuid() == 0 && chown(path, st.st_uid, st.st_gid) == -1))
		return err_sys(e, "set the mode and owner of '%s'", path);
	return 0;
}

static int
write_marker(const struct restore *r, const char *marker, struct err *e)
{
	char *text = mem_printf("%s\nAn offline restore of that archive was "
		"interrupted.\nRun it again: mig-rollback --restore --offline"
		"\n", r->out->archive->path);
	int result = file_replace(marker, text, strlen(text), 0644, e);

	free(text);
	return result;
}

static int
keep(struct restore *r, const char *from, const char *to, int copy,
	struct err *e)
{
	if ((copy ? link(from, to) : rename(from, to)) == -1) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, "keep '%s' aside as '%s'", from, to);
	}
	strs_add(&r->out->kept, to);
	return 0;
}

static int
keep_aside(struct restore *r, struct err *e)
{
	const char *const *c = db_companions(r->o->url);
	char stamp[CLOCK_STAMP], *old, *from, *to;
	int result;

	clock_stamp(clock_now(), stamp);
	old = mem_printf("%s.mig-old-%s", r->target, stamp);
	result = keep(r, r->target, old, 1, e);
	for (; *c != NULL && result == 0; c++) {
		from = mem_printf("%s%s", r->target, *c);
		to = mem_printf("%s%s", old, *c);
		/* The -shm is only an index of the -wal: it is made anew. */
		if (strcmp(*c, "-shm") == 0)
			unlink(from);
		else
			result = keep(r, from, to, 0, e);
		free(from);
		free(to);
	}
	free(old);
	return result == -1 ? -1 : file_sync_dir_of(r->target, e);
}

static int
swap(struct restore *r, struct err *e)
{
	char *marker = mem_printf("%s" DB_RESTORING, r->target);
	int result = -1;

	if (look_alike(r->target, r->scratch, e) == -1 ||
		prove_stopped(r, e) == -1 || write_marker(r, marker, e) == -1)
		goto out;
	if (keep_aside(r, e) == -1)
		goto out;
	if (rename(r->scratch, r->target) == -1) {
		err_sys(e, "put the restored database in place");
		goto out;
	}
	if (file_sync_dir_of(r->target, e) == -1)
		goto out;
	if (unlink(marker) == -1)
		err_sys(e, "remove '%s'", marker);
	else
		result = file_sync_dir_of(r->target, e);
out:
	free(marker);
	return result;
}

/* Whether this very archive was being restored when a run was killed. */
static void
look_for_marker(struct restore *r)
{
	char *path = op_offline_marked(r->target), *real;
	struct err ignored;

	real = file_real(r->archive, &ignored);
	r->resuming = path != NULL && real != NULL && strcmp(path, real) == 0;
	free(real);
	free(path);
}

char *
op_offline_marked(const char *target)
{
	char *marker = mem_printf("%s" DB_RESTORING, target), *out = NULL;
	struct buf b = { 0 };
	struct err ignored;

	if (file_exists(marker) &&
		file_slurp(marker, 65536, &b, &ignored) == 0)
		out = mem_dup_n(b.data, strcspn(b.data, "\n"));
	buf_free(&b);
	free(marker);
	return out;
}

/* The live database may still be readable; if so, its gap and a backup. */
static void
try_to_open(struct restore *r)
{
	struct db_options d = { r->o->url, DB_READ, r->o->busy_ms,
		r->o->report };
	struct err why;

	if (db_open(&r->db, &d, &why) == -1) {
		r->db = NULL;
		report_say(r->o->report, REPORT_WARN, "%s: %s",
			r->resuming ? "finishing it" :
				"the present database cannot be read",
			why.text);
		return;
	}
	shape_release(&wire_database_shape, &r->out->database);
	if (db_identity(r->db, &r->out->database, &why) == -1) {
		db_close(r->db);
		r->db = NULL;
		op_restore_describe(r);
	}
}

static int
safety(struct restore *r, struct err *e)
{
	struct wire_position at = { 0 };
	int result = 0;

	if (r->p->no_safety_backup || r->resuming)
		return 0;
	if (r->db == NULL && file_exists(r->target)) {
		err_set(e, ERR_REFUSED, "no-safety-backup",
			"no safety backup can be taken of '%s', which cannot "
			"be read", r->target);
		return err_next(e, "its files are kept aside all the same: "
				   "use --no-safety-backup");
	}
	if (r->db != NULL)
		result = op_restore_safety(r, &at, e);
	shape_release(&wire_position_shape, &at);
	if (result == -1)
		err_next(e, "its files are kept aside all the same: use "
			    "--no-safety-backup");
	return result;
}

static int
prepare(struct restore *r, struct err *e)
{
	char text[512];

	if (op_restore_rebuild(r, r->target, e) == -1 ||
		op_restore_identity(r, e) == -1 || op_restore_gap(r, e) == -1)
		return -1;
	if (r->p->dry_run) {
		r->out->result = "planned";
		return 0;
	}
	if (r->o->confirm != NULL) {
		snprintf(text, sizeof(text),
			"Replace the file '%.200s' by its backup?", r->target);
		if (r->o->confirm(r->o->arg, text, e) == -1)
			return -1;
	}
	if (safety(r, e) == -1 || op_history_carry(r, e) == -1)
		return -1;
	/* Our own connection must be closed before the file goes. */
	db_close(r->db);
	r->db = NULL;
	return swap(r, e);
}

int
op_offline_replace(struct restore *r, struct err *e)
{
	char *path = mem_printf("%s.mig-lock", r->target), *dir;
	struct lock *lock = NULL;
	int result = -1;

	dir = file_dir(r->target);
	if (!r->p->dry_run && lock_take(&lock, path,
		file_exists(r->target) ? r->target : dir, r->o->wait_s,
		r->o->program, e) == -1)
		goto out;
	if (prove_stopped(r, e) == -1)
		goto out;
	look_for_marker(r);
	if (file_exists(r->target))
		try_to_open(r);
	result = prepare(r, e);
	if (result == 0 && !r->p->dry_run)
		r->out->result = "done";
out:
	lock_free(lock);
	free(path);
	free(dir);
	return result;
}
