/* set: the migrations of a folder. */
#include "migration/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "os/file.h"

static int
by_version(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return num_compare_digits(x->version, y->version);
}

/* A name met: the file that holds it, for pairs and doubles. */
struct entry {
	char *version, *name, *file;
	char side;
};

static int
by_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = num_compare_digits(x->version, y->version);

	/* 'u' before 'd', so that a pair is read up first. */
	return order != 0 ? order : (int)y->side - (int)x->side;
}

static int
twice(struct err *e, const struct entry *a, const struct entry *b)
{
	err_set(e, ERR_USAGE, "migration",
		"two migrations have the version %s: '%s' and '%s'",
		a->version, a->file, b->file);
	return err_next(e, "give one of them another version");
}

/* One version's entries become one migration. */
static int
join(struct set *out, const struct entry *v, size_t n, struct err *e)
{
	struct migration *m;
	char *path;
	size_t i;
	int result = 0;

	if (n > 2 || (n == 2 && (v[0].side != 'u' || v[1].side != 'd' ||
		strcmp(v[0].name, v[1].name) != 0)))
		return twice(e, &v[0], &v[1]);
	if (n == 1 && v[0].side == 'd') {
		err_set(e, ERR_USAGE, "migration",
			"'%s' has no .up.sql beside it", v[0].file);
		return err_next(e, "add the up file or remove this one");
	}
	m = &out->v[out->n++];
	m->version = mem_dup(v[0].version);
	m->name = mem_dup(v[0].name);
	for (i = 0; i < n && result == 0; i++) {
		path = file_join(out->folder, v[i].file);
		result = migration_read(m, path, v[i].side, e);
		free(path);
	}
	return result;
}

static int
join_all(struct set *out, struct entry *v, size_t n, struct err *e)
{
	size_t i, k;

	out->v = mem_array(n, sizeof(*out->v));
	if (n > 0)
		qsort(v, n, sizeof(*v), by_entry);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && num_compare_digits(v[i].version,
			v[k].version) == 0; k++)
			;
		if (join(out, v + i, k - i, e) == -1)
			return -1;
	}
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_version);
	return 0;
}

int
set_read(struct set *out, const char *folder, struct err *e)
{
	struct strs names = { 0 };
	struct entry *v = NULL;
	size_t i, n = 0;
	int result = -1;

	memset(out, 0, sizeof(*out));
	out->folder = mem_dup(folder);
	if (!file_is_dir(folder)) {
		err_set(e, ERR_USAGE, "no-folder",
			"no migrations folder at '%s'", folder);
		err_next(e, "check the working folder, or use --migrations "
			    "FOLDER or MIG_MIGRATIONS; mig-gen makes one");
		goto out;
	}
	if (file_list(folder, &names, e) == -1)
		goto out;
	v = mem_array(names.n, sizeof(*v));
	for (i = 0; i < names.n; i++) {
		const char *file = names.v[i];

		if (file[0] == '.' || !strs_ends(file, ".sql"))
			continue;
		if (migration_parse_name(file, &v[n].version, &v[n].name,
			    &v[n].side))
			v[n++].file = names.v[i];
		else
			strs_add(&out->ignored, file);
	}
	result = join_all(out, v, n, e);
out:
	for (i = 0; i < n; i++) {
		free(v[i].version);
		free(v[i].name);
	}
	free(v);
	strs_free(&names);
	if (result == -1)
		set_free(out);
	return result;
}

void
set_free(struct set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		migration_free(&s->v[i]);
	free(s->v);
	free(s->folder);
	strs_free(&s->ignored);
	memset(s, 0, sizeof(*s));
}

const struct migration *
set_find(const struct set *s, const char *version)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = num_compare_digits(s->v[mid].version, version);

		if (order == 0)
			return &s->v[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
