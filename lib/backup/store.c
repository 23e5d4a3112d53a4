/* store: the archives in the backups folder. */
#include "backup/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/reader.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "os/file.h"

int
store_is_of(const struct wire_database *a, const struct wire_database *d)
{
	if (a->id != NULL && d->id != NULL)
		return strcmp(a->id, d->id) == 0 &&
			strcmp(a->path, d->path) == 0;
	return strcmp(a->path, d->path) == 0;
}

char *
store_name(const struct wire_database *d)
{
	char *name = mem_dup_n(d->name, strnlen(d->name, 80));

	strs_plain(name, ".");
	return name;
}

/* "20260131T235959Z." as a time; 0: it is none. */
static int64_t
stamp(const char *s)
{
	static const char shape[] = "ddddddddTddddddZ.";
	char text[CLOCK_TEXT];
	int64_t when;
	size_t i;

	for (i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' :
			s[i] != shape[i])
			return 0;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s, s + 4,
		s + 6, s + 9, s + 11, s + 13);
	return clock_parse(text, &when) == 0 ? when : 0;
}

/* When one was taken whose manifest cannot be read, if its name tells that it is d's. */
static int64_t
created_by_name(const char *file, const struct wire_database *d)
{
	char *name = d == NULL || d->name == NULL ? NULL : store_name(d);
	size_t n = name == NULL ? 0 : strlen(name);
	int64_t when = 0;

	for (; name == NULL && when == 0 && file[n] != '\0'; n++)
		when = file[n] == '.' ? stamp(file + n + 1) : 0;
	if (name != NULL && strs_starts(file, name) && file[n] == '.')
		when = stamp(file + n + 1);
	free(name);
	return when;
}

/* Newest first; of one second, by when the file was written. */
static int
by_age(const void *a, const void *b)
{
	const struct store_item *x = a, *y = b;

	if (x->manifest.created != y->manifest.created)
		return x->manifest.created < y->manifest.created ? 1 : -1;
	if (x->modified_s != y->modified_s)
		return x->modified_s < y->modified_s ? 1 : -1;
	return x->modified_ns < y->modified_ns ? 1 : -1;
}

int
store_list(struct store *out, const char *folder,
	const struct wire_database *d, struct err *e)
{
	struct strs names = { 0 };
	struct file_times times;
	struct err why, ignored;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (!file_exists(folder))
		return 0;
	if (file_list(folder, &names, e) == -1)
		return err_wrap(e, "backups folder");
	out->v = mem_array(names.n, sizeof(*out->v));
	for (i = 0; i < names.n; i++) {
		struct store_item *item = &out->v[out->n];

		if (names.v[i][0] == '.' || !strs_ends(names.v[i], ".migbak"))
			continue;
		item->path = file_join(folder, names.v[i]);
		if (reader_manifest(item->path, &item->manifest, &item->bytes,
			    &why) == -1) {
			item->unread = mem_alloc(sizeof(why));
			*item->unread = why;
			memset(&item->manifest, 0, sizeof(item->manifest));
			item->manifest.created = created_by_name(names.v[i], d);
		} else if (d != NULL &&
			!store_is_of(&item->manifest.database, d)) {
			shape_release(&manifest_shape, &item->manifest);
			free(item->path);
			continue;
		}
		if (file_times(item->path, &times, &ignored) == 0) {
			item->modified_s = times.modified_s;
			item->modified_ns = times.modified_ns;
		}
		out->n++;
	}
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_age);
	strs_free(&names);
	return 0;
}

void
store_free(struct store *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->v[i].path);
		free(s->v[i].unread);
		shape_release(&manifest_shape, &s->v[i].manifest);
	}
	free(s->v);
	memset(s, 0, sizeof(*s));
}
