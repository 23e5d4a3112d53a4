/* op_squash_file: the file of a squash: written, read back, put in its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/set.h"
#include "op/op_gen_write.h"
#include "op/op_squash_part.h"
#include "os/file.h"

static void
put_version(struct buf *b, const char *version, size_t *column, size_t *n)
{
	if (*column > 60)
		*column = 0;
	if (*column == 0)
		buf_text(b, *n == 0 ? "-- mig: replaces" :
			"\n-- mig: replaces");
	buf_printf(b, "%s %s", *column == 0 ? "" : ",", version);
	*column += strlen(version) + 2;
	(*n)++;
}

/* A database may have been made by an earlier squashed one, which is no more. */
static void
put_squashed(struct squash *q, struct buf *b, const struct migration *m)
{
	const struct strs *l = &m->up.replaces;
	size_t i, column = 0;

	for (i = 0; i < m->up.squashed.n; i++)
		buf_printf(b, "\n-- mig: squashed %s", m->up.squashed.v[i]);
	q->squashed += m->up.squashed.n;
	for (i = 0; i < l->n; i++) {
		if (column == 0)
			buf_printf(b, "\n-- mig: squashed %s %s: %s", m->version,
				m->name, l->v[i]);
		else
			buf_printf(b, ", %s", l->v[i]);
		q->squashed += column == 0;
		column += strlen(l->v[i]) + 2;
		column = column > 60 ? 0 : column;
	}
}

void
op_squash_write_text(struct squash *q, const char *sql)
{
	struct buf b = { 0 };
	size_t i, k, column = 0;

	buf_printf(&b, "-- Written by mig-gen --squash: makes what the "
		"migrations up to %s made.\n", q->last->version);
	for (i = 0; i < q->set.n; i++) {
		/* One that is squashed itself stands for all of its own. */
		const struct strs *l = &q->set.v[i].up.replaces;

		if (q->marks[i] && l->n == 0)
			put_version(&b, q->set.v[i].version, &column,
				&q->replaced);
		for (k = 0; k < l->n && q->marks[i]; k++)
			put_version(&b, l->v[k], &column, &q->replaced);
	}
	for (i = 0; i < q->set.n; i++)
		if (q->marks[i])
			put_squashed(q, &b, &q->set.v[i]);
	buf_text(&b, "\n\n-- migrate:up\n\n");
	buf_text(&b, sql);
	q->text = buf_detach(&b);
}

int
op_squash_read_back(struct squash *q, struct set *set, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	const struct migration_part *p;
	char *folder, *path;
	int result;

	if (file_make_temp_dir(tmp == NULL || *tmp == '\0' ? "/tmp" : tmp,
		"mig-squash-", &folder, e) == -1)
		return -1;
	path = file_join(folder, q->name);
	result = op_gen_write_file(path, q->text, strlen(q->text), e);
	if (result == 0 && set_read(set, folder, &format_mig, NULL, NULL, e) == -1)
		result = op_squash_not_possible(e, "the squashed migration");
	if (result == 0) {
		p = set->n == 1 ? &set->v[0].up : NULL;
		if (p == NULL || set->v[0].down.text != NULL ||
			p->allow_loss.n + p->rebuilds.n + p->after.n > 0 ||
			p->include || p->placeholders || p->repeatable ||
			p->replaces.n != q->replaced ||
			p->squashed.n != q->squashed) {
			err_set(e, ERR_REFUSED, "squash", "a row or a "
				"definition has a line that mig would take for "
				"a marker or a directive");
			result = err_next(e, "squash up to an older version; no "
				"file was touched");
		}
	}
	if (result == -1)
		set_free(set);
	file_remove_tree(folder);
	free(path);
	free(folder);
	return result;
}

static int
move(const char *from, const char *to, struct err *e)
{
	return rename(from, to) == 0 ? 0 : err_sys(e, "move '%s' to '%s'", from,
		to);
}

/* One side of a migration into the folder. */
static int
move_part(const struct squash *q, const struct migration_part *p,
	const char *except, struct err *e)
{
	char *to;
	int result;

	if (p->file == NULL || (except != NULL && strcmp(p->file, except) == 0))
		return 0;
	to = file_join(q->folder, file_base(p->file));
	result = move(p->file, to, e);
	free(to);
	return result;
}

int
op_squash_exchange(struct squash *q, struct err *e)
{
	char *ready = file_join(q->folder, "new.sql");
	char *path = file_join(q->set.folder, q->name);
	size_t i;
	int made, result = file_make_dir(q->folder, 0777, &made, e);

	if (result == 0 && !made) {
		err_set(e, ERR_REFUSED, "exists", "'%s' exists", q->folder);
		result = err_next(e, "an earlier squash has left it; when every "
			"database has what is in it, move it away");
	}
	if (result == 0)
		result = op_gen_write_file(ready, q->text, strlen(q->text), e);
	for (i = 0; i < q->set.n && result == 0; i++)
		if (q->marks[i] && (move_part(q, &q->set.v[i].up, NULL, e) ==
			-1 || move_part(q, &q->set.v[i].down,
			q->set.v[i].up.file, e) == -1))
			result = err_next(e, "the files are in '%s' as far as "
				"they were moved: move them back", q->folder);
	if (result == 0)
		result = move(ready, path, e);
	if (result == 0)
		result = file_sync_dir_of(path, e);
	if (result == 0)
		strs_add(&q->out->files, path);
	free(ready);
	free(path);
	return result;
}
