/* verify: an archive proved. */
#include "backup/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/receipt.h"
#include "backup/scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/strs.h"
#include "db/driver.h"
#include "os/file.h"

struct verify {
	struct verify_result *out;
	const struct verify_options *o;
	struct scratch *scratch; /* NULL at the quick level */
};

const char *
verify_level_word(enum verify_level level)
{
	static const char *const words[] = { "quick", "default", "deep" };

	return words[level];
}

/* Note a check; takes both texts.  0 if it passed, else -1 with e filled. */
static int
check(struct verify *v, const char *name, char *expected, char *found,
	struct err *e)
{
	struct verify_check *c;

	v->out->checks = mem_grow(v->out->checks, v->out->n + 1,
		sizeof(*v->out->checks));
	c = &v->out->checks[v->out->n++];
	c->name = mem_dup(name);
	c->expected = expected;
	c->found = found;
	c->passed = strcmp(expected, found) == 0;
	if (c->passed)
		return 0;
	return err_set(e, ERR_DAMAGE, "damage", "%s: expected %s, found %s",
		name, expected, found);
}

/* How much room the rebuilt file takes; of a stream the end tells. */
static int64_t
room_for(const struct verify *v, const struct manifest_header *h)
{
	struct manifest m;
	struct err ignored;
	int64_t bytes, raw = h->raw_bytes;

	if (raw != -1)
		return raw;
	if (v->o->path == NULL || reader_manifest(v->o->path, &m, &bytes,
		&ignored) == -1)
		return 0;
	raw = m.raw_bytes;
	shape_release(&manifest_shape, &m);
	return raw;
}

static int
begin(void *arg, const struct manifest_header *h, struct err *e)
{
	struct verify *v = arg;
	int64_t room = room_for(v, h);

	if (v->o->level == VERIFY_QUICK)
		return 0;
	if (scratch_open(&v->scratch, v->o->keep,
		v->o->scratch != NULL && db_is_server(v->o->scratch) ? NULL :
			v->o->scratch, v->o->path, room, e) == -1)
		return -1;
	/*
	 * A stream is only as long as what is written.  A file that is made
	 * empty again would be written out by ext4 when it is closed.
	 */
	return h->raw_bytes > 0 && ftruncate(scratch_fd(v->scratch),
		(off_t)h->raw_bytes) == -1 ?
		err_sys(e, "prepare the scratch file") : 0;
}

static int
block(void *arg, int64_t offset, const void *p, size_t n, struct err *e)
{
	struct verify *v = arg;

	return file_write_at(scratch_fd(v->scratch), p, n, offset, e);
}

/* Pass over the archive: digests, offsets, sizes, the end. */
static int
read_archive(struct verify *v, int fd, struct err *e)
{
	const struct reader_result *r = &v->out->read;
	struct reader_options o = { 0 };
	struct stat st;
	int deeper = v->o->level != VERIFY_QUICK;

	o.jobs = v->o->jobs;
	o.inflate = deeper;
	o.begin = begin;
	o.block = deeper ? block : NULL;
	o.arg = v;
	o.report = v->o->report;
	o.what = "verify";
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		o.total = st.st_size;
	if (reader_run(fd, &o, &v->out->read, e) == -1) {
		if (e->code == ERR_DAMAGE) {
			struct err full = *e;

			check(v, "members", mem_dup("every digest, offset and "
				"size as written"), mem_dup(full.text), e);
			*e = full;
		}
		return -1;
	}
	return check(v, "members",
		mem_printf("%" PRId64 " as listed, then the end",
			r->manifest.members),
		mem_printf("%" PRId64 " as listed, then the end",
			r->members), e);
}

static int
check_counts(struct verify *v, struct db *d, struct err *e)
{
	const struct reader_result *r = &v->out->read;
	const struct wire_table *want = r->tables.items, *have;
	struct shape_list tables;
	size_t i;
	int64_t rows = 0;
	int result = 0;

	if (db_tables(d, &tables, e) == -1)
		return -1;
	have = tables.items;
	result = check(v, "tables", mem_printf("%zu", r->tables.n),
		mem_printf("%zu", tables.n), e);
	for (i = 0; i < tables.n && result == 0; i++) {
		rows += have[i].rows > 0 ? have[i].rows : 0;
		if (strcmp(have[i].name, want[i].name) == 0 &&
			have[i].rows == want[i].rows &&
			(want[i].digest == NULL || (have[i].digest != NULL &&
				strcmp(have[i].digest, want[i].digest) == 0)))
			continue;
		result = check(v, "rows",
			mem_printf("'%s' with %" PRId64, want[i].name,
				want[i].rows),
			mem_printf("'%s' with %" PRId64, have[i].name,
				have[i].rows), e);
	}
	if (result == 0)
		result = check(v, "rows",
			mem_printf("%" PRId64 ", each table as listed",
				r->manifest.rows),
			mem_printf("%" PRId64 ", each table as listed", rows),
			e);
	db_tables_free(&tables);
	return result;
}

/*
 * Rows whose foreign keys lead nowhere are the source's own: the archive is
 * bit for bit what was there.  They are stated, and are no damage.
 */
static int
check_keys(struct verify *v, struct db *d, struct err *e)
{
	char first[256], text[400];

	if (db_dangling(d, &v->out->dangling, first, sizeof(first), e) == -1)
		return -1;
	if (v->out->dangling == 0)
		return check(v, "foreign_key_check", mem_dup("0 dangling rows"),
			mem_dup("0 dangling rows"), e);
	snprintf(text, sizeof(text), "%" PRId64 " dangling rows as in the "
		"source, the first in %s", v->out->dangling, first);
	report_say(v->o->report, REPORT_NOTE, "the backed-up database has %s",
		text);
	return check(v, "foreign_key_check", mem_dup(text), mem_dup(text), e);
}

static int
check_schema(struct verify *v, struct db *d, struct err *e)
{
	char fingerprint[65];

	if (db_fingerprint(d, fingerprint, e) == -1 ||
		check(v, "schema", mem_dup(v->out->read.manifest.fingerprint),
			mem_dup(fingerprint), e) == -1)
		return -1;
	return check_keys(v, d, e);
}

static int
check_restore(struct verify *v, struct db *d, struct err *e)
{
	const char *server = v->o->scratch != NULL &&
			db_is_server(v->o->scratch) ? v->o->scratch : NULL;
	char found[512];

	return db_deep(d, scratch_path(v->scratch), server, v->o->jobs,
		v->o->report, found, sizeof(found), e) == -1 ? -1 :
		check(v, "restored", mem_dup("ok"), mem_dup(found), e);
}

static int
check_database(struct verify *v, struct err *e)
{
	struct db_options o = { .url = scratch_path(v->scratch),
		.mode = DB_SCRATCH, .report = v->o->report,
		.engine = v->out->read.manifest.database.engine };
	int deep = v->o->level == VERIFY_DEEP, result = -1;
	struct db *d = NULL;
	char found[512];

	if (db_open(&d, &o, e) == -1) {
		e->code = ERR_DAMAGE;
		return err_wrap(e, "the rebuilt database");
	}
	if (db_check(d, deep, found, sizeof(found), e) == 0 &&
		check(v, db_check_name(d, deep),
			mem_dup("ok"), mem_dup(found), e) == 0 &&
		check_counts(v, d, e) == 0)
		result = !db_can(d, DB_CAP_DUMP) ? check_schema(v, d, e) :
			!deep ? 0 : check_restore(v, d, e);
	db_close(d);
	return result;
}

/* The file that was read is the one that the receipt will name. */
static int
still_same(int fd, const struct file_times *was, struct err *e)
{
	struct file_times now;

	if (file_times_of(fd, &now, e) == -1)
		return -1;
	if (file_same(was, &now))
		return 0;
	err_set(e, ERR_ENV, "changed", "it was touched while it was read");
	return err_next(e, "verify it again when nobody writes it");
}

static int
use_it(struct verify *v, int fd, int64_t start, struct err *e)
{
	const struct reader_result *r = &v->out->read;
	const struct db_rebuilt from = { scratch_path(v->scratch), &r->tables,
		v->o->jobs };
	int result;

	v->out->duration_ms = clock_ms() - start;
	result = v->o->use(v->o->arg, &from, &r->manifest, e);
	scratch_free(v->scratch);
	if (v->o->path != NULL)
		close(fd);
	return result;
}

int
verify_run(struct verify_result *out, const struct verify_options *o,
	struct err *e)
{
	struct verify v = { out, o, NULL };
	int64_t start = clock_ms();
	int fd = o->fd, result = -1;

	memset(out, 0, sizeof(*out));
	if (o->path != NULL) {
		fd = open(o->path, O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			return err_sys(e, "open the archive '%s'", o->path);
		if (file_is_dir(o->path)) {
			err_set(e, ERR_USAGE, "not-a-file",
				"'%s' is a folder, not an archive", o->path);
			err_next(e, "name the .migbak file");
			goto out;
		}
	}
	if (o->path != NULL && file_times_of(fd, &out->times, e) == -1)
		goto out;
	if (read_archive(&v, fd, e) == 0)
		result = o->level == VERIFY_QUICK || o->no_check ? 0 :
			check_database(&v, e);
	if (result == 0 && o->path != NULL)
		result = still_same(fd, &out->times, e);
	if (result == 0 && o->use != NULL)
		return use_it(&v, fd, start, e);
	if (result == 0 && o->keep != NULL)
		scratch_keep(v.scratch);
	if (result == -1)
		err_wrap(e, "archive '%s'",
			o->path == NULL ? "(stream)" : o->path);
	if (result == -1 && e->code == ERR_DAMAGE)
		err_next(e, "do not restore it; take a new backup, or use an "
			    "older archive");
out:
	scratch_free(v.scratch);
	if (o->path != NULL)
		close(fd);
	out->duration_ms = clock_ms() - start;
	return result;
}

void
verify_result_free(struct verify_result *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->checks[i].name);
		free(r->checks[i].expected);
		free(r->checks[i].found);
	}
	free(r->checks);
	reader_result_free(&r->read);
	memset(r, 0, sizeof(*r));
}

/* The receipt that is there, if it is of this very archive: 1 or 0. */
static int
earlier(struct receipt *r, const char *archive, const char *digest)
{
	struct err ignored;

	if (receipt_read(r, archive, &ignored) != 1)
		return 0;
	if (strcmp(r->manifest, digest) == 0 && receipt_check(r, archive,
		&ignored) == 0)
		return 1;
	shape_release(&receipt_shape, r);
	return 0;
}

static enum verify_level
level_of(const char *word)
{
	enum verify_level l = VERIFY_QUICK;

	while (l < VERIFY_DEEP && strcmp(verify_level_word(l), word) != 0)
		l++;
	return l;
}

int
verify_receipt(const struct verify_result *r, const char *archive,
	enum verify_level level, const char *tool,
	const struct part_rehearsal *rehearsal, char **path, struct err *e)
{
	const struct manifest *m = &r->read.manifest;
	struct receipt receipt = { 0 }, before = { 0 };
	int had = earlier(&before, archive, m->digest), result;
	/* The deeper one counts, with its time. */
	int deeper = had && level_of(before.level) > level;

	if (deeper)
		level = level_of(before.level);
	/* All borrowed: the receipt is only written. */
	receipt.tool = (char *)tool;
	receipt.id = m->id;
	receipt.manifest = m->digest;
	receipt.level = verify_level_word(level);
	receipt.verified = deeper ? before.verified : clock_now();
	receipt.created = m->created;
	receipt.database = m->database;
	receipt.migration = m->migration;
	receipt.fingerprint = m->fingerprint;
	receipt.position = m->position;
	receipt.tables = r->read.tables;
	receipt.bytes = r->times.bytes;
	receipt.modified_s = r->times.modified_s;
	receipt.modified_ns = r->times.modified_ns;
	receipt.changed_s = r->times.changed_s;
	receipt.changed_ns = r->times.changed_ns;
	receipt.rehearsal = rehearsal != NULL ?
		(struct part_rehearsal *)rehearsal :
		had ? before.rehearsal : NULL;
	*path = NULL;
	result = receipt_write(&receipt, archive, e);
	if (result == 0)
		*path = receipt_path(archive);
	if (had)
		shape_release(&receipt_shape, &before);
	return result;
}
