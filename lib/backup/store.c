/* store: the archives in the backups folder. */
#include "backup/store.h"

#include <stdlib.h>
#include <string.h>

#include "archive/reader.h"
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
	struct err ignored;
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
			    &ignored) == -1) {
			item->damaged = 1;
			memset(&item->manifest, 0, sizeof(item->manifest));
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
		shape_release(&manifest_shape, &s->v[i].manifest);
	}
	free(s->v);
	memset(s, 0, sizeof(*s));
}
