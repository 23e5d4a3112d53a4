/* op_gen_write: a new migration into its folder. */
#include "op/op_gen_write.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/history.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "os/file.h"

int
op_gen_write_slug(const char *title, struct buf *out, struct err *e)
{
	/* It would stand in a file's name, with its password. */
	if (strstr(title, "://") != NULL) {
		err_set(e, ERR_USAGE, "usage", "a url is no title");
		return err_next(e, "name the database with --database URL");
	}
	for (; *title != '\0' && out->len < 100; title++) {
		char c = *title;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			buf_char(out, c);
		else if (out->len > 0 && out->data[out->len - 1] != '_')
			buf_char(out, '_');
	}
	while (out->len > 0 && out->data[out->len - 1] == '_')
		out->data[--out->len] = '\0';
	if (out->len == 0)
		return err_set(e, ERR_USAGE, "usage",
			"the title has no letter (a to z) or digit for a file name");
	return 0;
}

/*
 * The next version: as the folder counts (0001, 0002), else the UTC time; in
 * any case after the newest there is.
 */
static char *
next_version(const struct set *s)
{
	const struct migration *last = set_newest(s);
	const char *version = last == NULL ? "" : last->version;
	/* Prisma's is TIME_name. */
	char *head = mem_dup_n(version, strspn(version, "0123456789."));
	char stamp[CLOCK_STAMP], digits[CLOCK_STAMP];
	size_t i, n = 0;
	int64_t number;
	char *out;

	clock_stamp(clock_now(), stamp);
	for (i = 0; stamp[i] != '\0'; i++)
		if (stamp[i] >= '0' && stamp[i] <= '9')
			digits[n++] = stamp[i];
	digits[n] = '\0';
	if (s->n == 0 && s->format->first != NULL)
		out = mem_dup(s->format->first);
	else if (s->n == 0 || (strlen(head) >= 12 &&
		version_compare(VERSION_NUMBER, digits, head) > 0) ||
		num_parse(head, 0, NUM_SAFE, &number) == -1)
		out = mem_dup(digits);
	else
		out = mem_printf("%0*lld", (int)strlen(head),
			(long long)number + 1);
	free(head);
	return out;
}

int
op_gen_write_file(const char *path, const char *text, size_t n,
	struct err *e)
{
	struct file_stage *stage;
	mode_t mask;
	int result;

	if (file_stage_open(&stage, path, e) == -1)
		return -1;
	result = file_write(file_stage_fd(stage), text, n, e);
	umask(mask = umask(0));
	if (result == 0 && fchmod(file_stage_fd(stage), 0666 & ~mask) == -1)
		result = err_sys(e, "set the mode of '%s'", path);
	if (result == -1)
		file_stage_abort(stage);
	else
		result = file_stage_commit(stage, e);
	return result;
}

/* All of its files, or none. */
static int
write_files(struct doc_generation *out, const struct set *set,
	const struct format_text *t, struct err *e)
{
	char *folder = t->folder == NULL ? NULL : file_join(set->folder,
		t->folder), *paths[FORMAT_TEXTS] = { NULL };
	int result = 0, made = 0, i, n = 0;

	if (folder != NULL)
		result = file_make_dir(folder, 0777, &made, e);
	for (i = 0; i < FORMAT_TEXTS && t->files[i] != NULL && result == 0;
		i++) {
		paths[i] = file_join(set->folder, t->files[i]);
		result = op_gen_write_file(paths[i], t->texts[i].data,
			t->texts[i].len, e);
		n += result == 0;
	}
	for (i = 0; i < n; i++) {
		if (result == 0)
			strs_add(&out->files, paths[i]);
		else
			unlink(paths[i]);
	}
	if (result == -1 && made)
		rmdir(folder);
	for (i = 0; i < FORMAT_TEXTS; i++)
		free(paths[i]);
	free(folder);
	return result;
}

/* "4, 5": what the new one comes after.  NULL: nothing.  Gives. */
static char *
name_heads(const struct set *s)
{
	const struct migration **heads = graph_heads(s);
	struct buf b = { 0 };
	size_t i;

	for (i = 0; heads[i] != NULL && s->format->graph == FORMAT_LINE; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : ", ", heads[i]->version);
	free(heads);
	return b.data == NULL ? NULL : buf_detach(&b);
}

int
op_gen_write(struct doc_generation *out, const struct set *set,
	const char *title, const char *suffix, const struct buf *up,
	const struct buf *down, int outside, struct err *e)
{
	struct buf name = { 0 };
	char *version = next_version(set), *after = name_heads(set);
	struct format_text t = { .version = version, .up = up->data,
		.down = down->data, .after = after, .outside = outside };
	int result = -1, i;

	if (set->format->write == NULL) {
		err_set(e, ERR_USAGE, "format", "mig writes no migrations of "
			"%s", set->format->shown);
		err_next(e, "write it with that tool");
	} else if (outside && set->format->unmarked) {
		err_set(e, ERR_USAGE, "format", "%s runs every file in a "
			"transaction, in which this cannot be done",
			set->format->shown);
		err_next(e, "write it without CONCURRENTLY, which keeps writers "
			"waiting: --template blank");
	} else if (op_gen_write_slug(title, &name, e) == 0) {
		buf_text(&name, suffix);
		t.name = name.data;
		set->format->write(&t);
		result = write_files(out, set, &t, e);
	}
	if (result == 0) {
		free(out->migration);
		out->migration = mem_dup(t.made != NULL ? t.made : version);
	}
	for (i = 0; i < FORMAT_TEXTS; i++) {
		free(t.files[i]);
		buf_free(&t.texts[i]);
	}
	free(t.made);
	free(t.folder);
	free(version);
	free(after);
	buf_free(&name);
	return result;
}

int
op_gen_format(const struct op *o, const struct format **out, struct err *e)
{
	struct db_options d = op_db(o, DB_READ);
	struct history h = { 0 };
	struct db *db = NULL;
	struct err ignored;
	int result;

	if (o->format == NULL && o->url != NULL && db_open(&db, &d, &ignored) ==
		-1)
		db = NULL;
	result = history_open(&h, db, o->format, o->migrations, e);
	*out = h.format;
	history_close(&h);
	db_close(db);
	return result;
}
