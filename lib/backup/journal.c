/* journal: what a guarded command was about to do. */
#include "backup/journal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/store.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "os/file.h"

#define JOURNAL_MAX ((size_t)1 << 20)
#define SUFFIX ".journal.json"
#define ARCHIVE ".migbak."

static const char *const states[] = { "running", "done", "failed", "restored",
	NULL };

static const struct shape_field fields[] = {
	SHAPE_AT(journal, tool, TEXT),
	SHAPE_OF(journal, database, PART, &wire_database_shape),
	SHAPE_AT(journal, command, TEXT),
	SHAPE_AT(journal, mark, TEXT),
	SHAPE_AT(journal, whole, BOOL),
	SHAPE_AT(journal, options, TEXT),
	SHAPE_ONE_OF(journal, state, states),
	SHAPE_AT(journal, began, TIME),
	SHAPE_AT(journal, began_ms, INT),
	SHAPE_MAY(journal, ended, TIME),
	SHAPE_AT(journal, fingerprint, DIGEST),
	SHAPE_MAY(journal, rehearsed, DIGEST),
	SHAPE_OF(journal, position, PART, &wire_position_shape),
	SHAPE_MAY(journal, status, INT),
	SHAPE_AT(journal, changed, BOOL),
	SHAPE_END,
};

const struct shape journal_shape = { "mig.journal", 1, sizeof(struct journal),
	fields };

char *
journal_new_path(const char *archive)
{
	char stamp[CLOCK_STAMP];

	clock_stamp(clock_now(), stamp);
	return mem_printf("%s.%s-%ld" SUFFIX, archive, stamp, (long)getpid());
}

int
journal_write(const struct journal *j, const char *path, struct err *e)
{
	struct buf b = { 0 };
	int result;

	shape_write(&journal_shape, j, &b);
	buf_char(&b, '\n');
	result = file_replace(path, b.data, b.len, 0600, e);
	buf_free(&b);
	return result == -1 ? err_wrap(e, "write the journal '%s'", path) : 0;
}

/* One file: 1 when it is of that database. */
static int
take(struct journal_list *l, char *path, const struct wire_database *d,
	struct err *e)
{
	struct journal *j;
	struct buf b = { 0 };
	const char *at, *more, *end = path;
	int result;

	l->v = mem_grow(l->v, l->n + 1, sizeof(*l->v));
	l->paths = mem_grow(l->paths, l->n + 1, sizeof(*l->paths));
	l->archives = mem_grow(l->archives, l->n + 1, sizeof(*l->archives));
	j = &l->v[l->n];
	result = file_slurp(path, JOURNAL_MAX, &b, e);
	if (result == 0)
		result = shape_read(&journal_shape, b.data, b.len, j, e);
	buf_free(&b);
	if (result == -1) {
		err_wrap(e, "journal '%s'", path);
		return err_next(e, "if you know what came of that run, move "
			"the file away");
	}
	if (!store_is_of(&j->database, d)) {
		shape_release(&journal_shape, j);
		return 0;
	}
	l->paths[l->n] = path;
	/* The last: a folder, or a database, may have it in its name. */
	for (at = path; (more = strstr(at, ARCHIVE)) != NULL; at = more + 1)
		end = more + strlen(ARCHIVE) - 1;
	l->archives[l->n++] = mem_dup_n(path, (size_t)(end - path));
	return 1;
}

static int
by_begin(const struct journal_list *l, size_t a, size_t b)
{
	return l->v[a].began < l->v[b].began || (l->v[a].began ==
		l->v[b].began && l->v[a].began_ms < l->v[b].began_ms);
}

static void
swap(struct journal_list *l, size_t a, size_t b)
{
	struct journal j = l->v[a];
	char *p = l->paths[a], *x = l->archives[a];

	l->v[a] = l->v[b];
	l->paths[a] = l->paths[b];
	l->archives[a] = l->archives[b];
	l->v[b] = j;
	l->paths[b] = p;
	l->archives[b] = x;
}

int
journal_list(struct journal_list *out, const char *folder,
	const struct wire_database *d, struct err *e)
{
	struct strs names = { 0 };
	size_t i, k;
	int result = 0;

	memset(out, 0, sizeof(*out));
	if (!file_is_dir(folder))
		return 0;
	if (file_list(folder, &names, e) == -1)
		return -1;
	for (i = 0; i < names.n && result != -1; i++) {
		char *path;

		if (!strs_ends(names.v[i], SUFFIX) || strstr(names.v[i],
			ARCHIVE) == NULL || names.v[i][0] == '.')
			continue;
		path = file_join(folder, names.v[i]);
		result = take(out, path, d, e);
		if (result != 1)
			free(path);
	}
	strs_free(&names);
	if (result == -1) {
		journal_list_free(out);
		return -1;
	}
	for (i = 1; i < out->n; i++)
		for (k = i; k > 0 && by_begin(out, k, k - 1); k--)
			swap(out, k, k - 1);
	return 0;
}

void
journal_list_free(struct journal_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		shape_release(&journal_shape, &l->v[i]);
		free(l->paths[i]);
		free(l->archives[i]);
	}
	free(l->v);
	free(l->paths);
	free(l->archives);
	memset(l, 0, sizeof(*l));
}

size_t
journal_open(const struct journal_list *l)
{
	size_t i, k;

	for (i = l->n; i-- > 0;) {
		if (strcmp(l->v[i].state, "running") != 0 && !l->v[i].changed)
			continue;
		for (k = i + 1; k < l->n; k++)
			if (strcmp(l->v[k].state, "done") == 0 && strcmp(
				l->v[k].mark, l->v[i].mark) == 0)
				break;
		if (k == l->n)
			return i;
	}
	return l->n;
}

int
journal_undone(const char *folder, const struct wire_database *d,
	int64_t since, struct err *e)
{
	struct journal_list l;
	size_t i;
	int result = journal_list(&l, folder, d, e);

	if (result == -1)
		return -1;
	for (i = 0; i < l.n && result == 0; i++) {
		struct journal *j = &l.v[i];

		if (j->began < since || (strcmp(j->state, "running") != 0 &&
			!j->changed))
			continue;
		j->state = "restored";
		j->changed = 0;
		result = journal_write(j, l.paths[i], e);
	}
	journal_list_free(&l);
	return result;
}
