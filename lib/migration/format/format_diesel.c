/*
 * format_diesel: diesel (migrations_internals, diesel/src/migration): a folder
 * VERSION_name for each migration, with up.sql, down.sql and metadata.toml.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "os/file.h"

/* The version is what precedes the first underscore, without dashes. */
static int
parse_diesel(const char *file, struct format_file *out, struct err *e)
{
	size_t n = strcspn(file, "_"), i;
	struct buf b = { 0 };

	(void)e;
	for (i = 0; i < n; i++)
		if (file[i] != '-')
			buf_char(&b, file[i]);
	if (b.len == 0) {
		buf_free(&b);
		return 0;
	}
	out->version = buf_detach(&b);
	out->name = mem_dup(file[n] == '_' ? file + n + 1 : "");
	return 1;
}

static int
list_diesel(struct format_files *f, struct err *e)
{
	return format_folders(f, parse_diesel, "up.sql", "down.sql", e);
}

/* A file without the key says false, as diesel reads it; no file: true. */
static int
runs_inside(const char *path, int *inside, struct err *e)
{
	char *folder = file_dir(path);
	char *metadata = file_join(folder, "metadata.toml");
	struct buf b = { 0 };
	const char *at;
	int result = 0;

	*inside = 1;
	if (file_exists(metadata)) {
		*inside = 0;
		result = file_slurp(metadata, 1 << 20, &b, e);
		at = result == -1 ? NULL : b.data;
		for (; at != NULL && *at != '\0'; at += strcspn(at, "\n"),
			at += *at == '\n') {
			const char *p = at + strspn(at, " \t");

			if (!strs_starts(p, "run_in_transaction"))
				continue;
			p += strlen("run_in_transaction");
			p += strspn(p, " \t=");
			*inside = strs_starts(p, "true");
		}
	}
	buf_free(&b);
	free(metadata);
	free(folder);
	return result;
}

static int
read_diesel(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct migration_part *p = side == 'd' ? &m->down : &m->up;
	int inside;

	if (runs_inside(path, &inside, e) == -1)
		return -1;
	p->outside = !inside;
	return format_whole(m, path, raw, side, e);
}

static void
write_diesel(struct format_text *t)
{
	t->folder = mem_printf("%s_%s", t->version, t->name);
	t->files[0] = file_join(t->folder, "up.sql");
	t->files[1] = file_join(t->folder, "down.sql");
	buf_text(&t->texts[0], t->up);
	buf_text(&t->texts[1], t->down);
	if (!t->outside)
		return;
	t->files[2] = file_join(t->folder, "metadata.toml");
	buf_text(&t->texts[2], "run_in_transaction = false\n");
}

static const char *const diesel_columns[] = { "version", "run_on", NULL };

#define DIESEL \
	"CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY " \
	"KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"

static const struct format_history diesel_history = {
	.table = "__diesel_schema_migrations", .columns = diesel_columns,
	.create = { DIESEL, DIESEL }, .load = format_load_versions, .put = format_put_version,
	.remove = format_remove_version,
};

const struct format format_diesel = { .name = "diesel", .shown = "diesel",
	.rule = VERSION_BYTES, .list = list_diesel, .read = read_diesel, .write = write_diesel,
	.history = &diesel_history };
