/* create: a backup taken. */
#include "backup/create.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/manifest.h"
#include "archive/reader.h"
#include "archive/writer.h"
#include "backup/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "base/strs.h"
#include "db/db_copy.h"
#include "os/file.h"

#define SPACE_RESERVE ((int64_t)16 << 20) /* left free beside a backup */

struct create {
	struct db *db;
	struct create_result *out;
	const struct create_options *o;
	struct file_stage *stage; /* NULL: a stream */
	struct writer *writer;
	struct shape_list tables; /* copied from the snapshot */
	char *space_dir;
	char fingerprint[65];
};

/* folder/app.db.20260131T235959Z.20260102.1a2b3c4d.migbak */
static char *
name_for(const struct create *c)
{
	const struct create_result *r = c->out;
	char stamp[CLOCK_STAMP], *db = store_name(&r->database), *name, *path;
	char *migration = mem_dup(r->migration == NULL ? "none" : r->migration);

	strs_plain(migration, "."); /* a change of Sqitch may have a slash */
	clock_stamp(r->created, stamp);
	name = mem_printf("%s.%s.%.40s.%.8s.migbak", db, stamp, migration, r->id);
	path = file_join(c->o->folder, name);
	free(name);
	free(migration);
	free(db);
	return path;
}

static int
make_folder(struct create *c, struct err *e)
{
	int made;

	if (file_make_dir(c->o->folder, 0700, &made, e) == -1)
		return err_wrap(e, "backups folder");
	if (made)
		report_say(c->o->report, REPORT_NOTE,
			"made the backups folder '%s' (mode 0700)",
			c->o->folder);
	return 0;
}

static int
check_source(struct create *c, struct db *d, struct err *e)
{
	char found[512];

	if (db_check(d, 0, found, sizeof(found), e) == -1)
		return -1;
	if (strcmp(found, "ok") != 0) {
		err_set(e, ERR_REFUSED, "database-damaged",
			"database '%s' is damaged: %s", db_name(d), found);
		return err_next(e, "restore an older backup, or back the "
				   "damaged state up with --no-check");
	}
	c->out->checked = 1;
	return 0;
}

/* Room for the worst case: content that does not compress at all. */
static int
check_space(struct create *c, int64_t raw_bytes, struct err *e)
{
	if (c->stage == NULL)
		return 0;
	return file_need_space(c->space_dir,
		raw_bytes + raw_bytes / 256 + SPACE_RESERVE, "the backup", e);
}

/* Of a damaged database, or one whose ledger is, what is left is saved all the same. */
static int
find_current(struct create *c, struct err *e)
{
	if (c->o->current(c->o->arg, c->db, &c->out->migration, e) == 0)
		return 0;
	if (c->o->check || stop_asked() != 0)
		return -1;
	c->out->migration = NULL;
	report_say(c->o->report, REPORT_WARN, "which migration it is at is not "
		"known: %s", e->text);
	return 0;
}

static int
begin(void *arg, const struct db_snapshot *s, struct err *e)
{
	struct create *c = arg;
	struct manifest_header h = { 0 };
	int fd = c->stage == NULL ? c->o->fd : file_stage_fd(c->stage);

	/* As of the snapshot: an apply may have gone on until now. */
	free(c->out->migration);
	c->out->migration = NULL;
	shape_release(&wire_database_shape, &c->out->database);
	if (db_identity(c->db, &c->out->database, e) == -1 ||
		find_current(c, e) == -1)
		return -1;
	memcpy(c->fingerprint, s->fingerprint, sizeof(c->fingerprint));
	if (shape_copy(&wire_position_shape, &s->position, &c->out->position,
		    e) == -1)
		return -1;
	if (check_space(c, s->estimate, e) == -1)
		return -1;
	h.tool = (char *)c->o->tool;
	h.id = c->out->id;
	h.created = c->out->created;
	h.database = c->out->database;
	h.raw_bytes = s->raw_bytes;
	return writer_open(&c->writer, fd, c->o->jobs, c->o->level, &h, e);
}

static int
put(void *arg, int64_t offset, const void *p, size_t n, struct err *e)
{
	return writer_put(((struct create *)arg)->writer, offset, p, n, e);
}

static int
end(void *arg, int64_t raw_bytes, const struct shape_list *tables,
	const char *globals, struct err *e)
{
	struct create *c = arg;
	const struct wire_table *t = tables->items;
	size_t i;

	c->out->raw_bytes = raw_bytes;
	if (globals != NULL)
		writer_globals(c->writer, globals);
	for (i = 0; i < tables->n; i++)
		if (!strs_is_utf8(t[i].name, strlen(t[i].name))) {
			err_set(e, ERR_REFUSED, "name",
				"a table's name is not UTF-8: '%s'",
				t[i].name);
			return err_next(e, "rename the table");
		}
	for (i = 0; i < tables->n; i++) {
		struct wire_table *copy = shape_list_add(&c->tables,
			&wire_table_shape);

		copy->name = mem_dup(t[i].name);
		copy->rows = t[i].rows;
		copy->bytes = t[i].bytes;
		copy->digest = mem_dup(t[i].digest);
	}
	return 0;
}

static int
finish_archive(struct create *c, struct err *e)
{
	struct create_result *r = c->out;
	struct manifest m = { 0 };
	int result;

	m.tool = mem_dup(c->o->tool);
	m.id = mem_dup(r->id);
	m.created = r->created;
	m.database = r->database;
	m.raw_bytes = r->raw_bytes;
	m.migration = r->migration;
	m.fingerprint = c->fingerprint;
	m.position = r->position;
	m.checked = r->checked;
	m.purpose = manifest_purposes[c->o->safety != 0];
	result = writer_finish(c->writer, &c->tables, &m, &r->bytes, e);
	if (result == 0) {
		memcpy(r->manifest, m.digest, sizeof(r->manifest));
		memcpy(r->fingerprint, c->fingerprint,
			sizeof(r->fingerprint));
		r->tables = m.tables;
		r->rows = m.rows;
	}
	free(m.tool);
	free(m.id);
	free(m.members_sha256);
	free(m.digest);
	return result;
}

/*
 * Read back what the disk has, not what the cache remembers: synced first,
 * and the cache asked to forget.
 */
static int
read_back(struct create *c, struct err *e)
{
	struct reader_options o = { 0 };
	struct reader_result r;
	int fd, result;

	if (file_stage_sync(c->stage, e) == -1)
		return -1;
	fd = open(file_stage_partial(c->stage), O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_sys(e, "open the new archive");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	o.jobs = c->o->jobs;
	o.inflate = 1;
	o.total = c->out->bytes;
	o.report = c->o->report;
	o.what = "read back";
	result = reader_run(fd, &o, &r, e);
	if (result == 0 && strcmp(r.manifest.digest, c->out->manifest) != 0)
		result = err_set(e, ERR_DAMAGE, "damage",
			"the manifest read back is not the one written");
	if (result == -1) {
		err_wrap(e, "the new archive reads back wrong");
		if (e->code == ERR_DAMAGE)
			err_next(e, "it was removed; check the disk under it");
	}
	reader_result_free(&r);
	close(fd);
	c->out->read_back = result == 0;
	return result;
}

static int
open_target(struct create *c, struct err *e)
{
	c->out->created = clock_now();
	if (id_new(c->out->id, e) == -1)
		return -1;
	if (c->o->fd != -1)
		return c->o->spool ? make_folder(c, e) : 0;
	if (c->o->to == NULL && make_folder(c, e) == -1)
		return -1;
	c->out->path = c->o->to == NULL ? name_for(c) : mem_dup(c->o->to);
	c->space_dir = file_dir(c->out->path);
	file_sweep(c->space_dir, ".", ".migbak.partial");
	return file_stage_open(&c->stage, c->out->path, e);
}

/* The path as documents carry it: absolute and in UTF-8. */
static int
real_path(struct create_result *r, struct err *e)
{
	char *real;

	if (r->path == NULL)
		return 0;
	real = file_real(r->path, e);
	if (real == NULL)
		return -1;
	free(r->path);
	r->path = real;
	return 0;
}

int
create_run(struct create_result *out, struct db *d,
	const struct create_options *o, struct err *e)
{
	struct create c = { .db = d, .out = out, .o = o };
	struct db_backup b = { .arg = &c, .begin = begin, .put = put,
		.end = end, .check = o->check, .tolerant = !o->check,
		.jobs = o->jobs };
	int64_t start = clock_ms();
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (db_identity(d, &out->database, e) == -1 ||
		find_current(&c, e) == -1 || open_target(&c, e) == -1 ||
		(o->check && check_source(&c, d, e) == -1))
		goto out;
	if (o->spool)
		b.spool_dir = c.space_dir == NULL ? o->folder : c.space_dir;
	if (db_backup(d, &b, e) == -1 || finish_archive(&c, e) == -1)
		goto out;
	out->spooled = o->spool;
	if (c.stage != NULL && read_back(&c, e) == -1)
		goto out;
	if (c.stage != NULL) {
		result = file_stage_commit(c.stage, e);
		c.stage = NULL;
		if (result == 0)
			result = real_path(out, e);
	} else {
		result = 0;
	}
	out->duration_ms = clock_ms() - start;
out:
	writer_free(c.writer);
	file_stage_abort(c.stage);
	db_tables_free(&c.tables);
	free(c.space_dir);
	if (result == -1)
		create_result_free(out);
	return result;
}

void
create_result_free(struct create_result *r)
{
	free(r->path);
	free(r->migration);
	shape_release(&wire_database_shape, &r->database);
	shape_release(&wire_position_shape, &r->position);
	memset(r, 0, sizeof(*r));
}
