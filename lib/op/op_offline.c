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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/report.h"
#include "doc/doc_rollback.h"
#include "op/op_db.h"
#include "op/op_restore.h"
#include "os/file.h"
#include "os/lock.h"

static int
prove_stopped(struct restore *r, struct err *e)
{
	if (db_prove_unused(r->o->url, e) == 0)
		return 0;
	/* What can be seen is no assumption. */
	if (strcmp(e->reason, "in-use") == 0 &&
		strstr(e->text, "cannot see") != NULL &&
		r->p->assume_stopped)
		return 0;
	if (strcmp(e->reason, "in-use") == 0 &&
		strstr(e->text, "cannot see") != NULL)
		err_next(e, "run it as root, or use --assume-stopped if you "
			    "know that nothing uses it");
	return -1;
}

static int
give_away(int fd, const struct stat *like, const char *path, struct err *e)
{
	struct stat st;

	/* The folder may be somebody's who puts a name of his own there. */
	if (fstat(fd, &st) == -1)
		return err_sys(e, "look at '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
		return err_set(e, ERR_ENV, "permission", "'%s' is not the file that "
			"was made", path);
	if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
		fchown(fd, like->st_uid, like->st_gid) == -1) {
		err_sys(e, "give the new file the owner of the database, user "
			"%ld and group %ld", (long)like->st_uid,
			(long)like->st_gid);
		return err_next(e, "the application could not open it: run "
			"this as root, or as that user");
	}
	/* After the change of owner, which takes bits away. */
	return fchmod(fd, like->st_mode & 07777) == -1 ?
		err_sys(e, "set the mode of '%s'", path) : 0;
}

/* Give the new file the mode and owner of the old one. */
static int
look_alike(const char *like, const char *path, struct err *e)
{
	struct stat st;
	int fd, result;

	if (stat(like, &st) == -1)
		return errno == ENOENT ? 0 : err_sys(e, "look at '%s'", like);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return err_sys(e, "open '%s'", path);
	result = give_away(fd, &st, path, e);
	close(fd);
	return result;
}

/*
 * Nobody gets in between the last look and the new file: locked, as SQLite locks
 * a file for a writer.  The lock is of the open file, so that no close() of
 * another one lets it go.
 */
static int
lock_out(const struct restore *r, int *fd, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = 0x40000000, .l_len = 512 };
	int code;

	*fd = open(r->target, O_RDWR | O_CLOEXEC);
	if (*fd == -1)
		return 0; /* gone, or not to be written: nobody else can, too */
	if (fcntl(*fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	code = errno;
	close(*fd);
	*fd = -1;
	if (code != EAGAIN && code != EACCES)
		return 0; /* a file system without locks */
	err_set(e, ERR_REFUSED, "in-use", "'%s' is in use: somebody has just "
		"locked it", r->target);
	return err_next(e, "stop the application, then run it again");
}

/* What swap() has moved, so that an error can move it back. */
struct moved {
	char *name; /* for what is kept */
	char *old; /* the link that keeps the old file */
	struct strs from, to;
	int locked; /* the old file, against others; -1 */
	int again; /* another run's marker is there */
};

static int
keep_link(struct restore *r, struct moved *m, struct err *e)
{
	char stamp[CLOCK_STAMP], id[ID_TEXT];

	if (id_new(id, e) == -1)
		return -1;
	clock_stamp(clock_now(), stamp);
	m->name = mem_printf("%s.mig-old-%s-%.4s", r->target, stamp, id);
	if (link(r->target, m->name) == 0) {
		m->old = mem_dup(m->name);
		return 0;
	}
	if (errno == ENOENT)
		return 0; /* the database is gone: nothing to keep */
	err_sys(e, "keep '%s' aside as '%s'", r->target, m->name);
	return err_next(e, "where links cannot be had: move the database and "
			   "its -wal and -journal away by hand, then run it "
			   "again");
}

static int
move_companions(struct restore *r, struct moved *m, struct err *e)
{
	const char *const *c = db_companions(r->out->database.engine);
	int result = 0;

	for (; *c != NULL && result == 0; c++) {
		char *from = mem_printf("%s%s", r->target, *c);
		char *to = mem_printf("%s%s", m->name, *c);

		/* The -shm is only an index of the -wal: it is made anew. */
		if (strcmp(*c, "-shm") == 0) {
			unlink(from);
		} else if (rename(from, to) == 0) {
			strs_add(&m->from, from);
			strs_add(&m->to, to);
		} else if (errno != ENOENT) {
			result = err_sys(e, "keep '%s' aside", from);
		}
		free(from);
		free(to);
	}
	return result == -1 ? -1 : file_sync_dir_of(r->target, e);
}

/* An error before the new file is in place: all as it was. */
static void
move_back(struct restore *r, struct moved *m, const char *marker)
{
	struct err ignored;
	size_t i;
	int back = 1;

	for (i = 0; i < m->from.n; i++)
		back &= rename(m->to.v[i], m->from.v[i]) == 0;
	if (m->old != NULL)
		unlink(m->old);
	/* What that run has moved is not back: the marker still says so. */
	if (back && !m->again)
		unlink(marker);
	file_sync_dir_of(r->target, &ignored);
}

static int
replace(struct restore *r, struct moved *m, const char *marker,
	struct err *e)
{
	if (op_offline_mark(r, marker, e) == -1)
		return -1;
	if (move_companions(r, m, e) == -1)
		return -1;
	if (rename(r->scratch, r->target) == -1)
		return err_sys(e, "put the restored database in place");
	return 0;
}

static int
swap(struct restore *r, struct err *e)
{
	char *marker = mem_printf("%s" DB_RESTORING, r->target);
	struct moved m = { .locked = -1, .again = file_exists(marker) };
	size_t i;
	int result = -1;

	if (look_alike(r->target, r->scratch, e) == -1 ||
		file_sync(r->scratch, e) == -1 || prove_stopped(r, e) == -1 ||
		lock_out(r, &m.locked, e) == -1 || keep_link(r, &m, e) == -1)
		goto out;
	if (replace(r, &m, marker, e) == -1) {
		move_back(r, &m, marker);
		goto out;
	}
	if (m.old != NULL)
		strs_add(&r->out->kept, m.old);
	for (i = 0; i < m.to.n; i++)
		strs_add(&r->out->kept, m.to.v[i]);
	if (file_sync_dir_of(r->target, e) == -1)
		goto out;
	if (unlink(marker) == -1)
		err_sys(e, "remove '%s'", marker);
	else
		result = file_sync_dir_of(r->target, e);
out:
	if (m.locked != -1)
		close(m.locked);
	free(m.name);
	free(m.old);
	strs_free(&m.from);
	strs_free(&m.to);
	free(marker);
	return result;
}

/* The live database may still be readable; if so, its gap and a backup. */
static void
try_to_open(struct restore *r)
{
	struct db_options d = op_db(r->o, DB_READ);
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
		result = op_restore_safety(r, e);
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
	/* A position that could not be read is not compared. */
	if (r->db != NULL && r->at.journal != NULL &&
		op_restore_unchanged(r, e) == -1)
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
	op_offline_look(r);
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
