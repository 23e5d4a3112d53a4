/* history_open: whose table a database has, and where it is. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "os/file.h"

/* The file of its own in which the tool keeps its tables.  NULL: none. */
static int
open_registry(struct db **out, struct db *d, const struct format_history *h,
	struct err *e)
{
	struct wire_database at = { 0 };
	struct db_options o = { .mode = DB_READ, .busy_ms = 5000 };
	char *folder, *path, *url;
	int result = 0;

	*out = NULL;
	if (h->file == NULL || db_rules(d) == LEX_POSTGRESQL)
		return 0;
	if (db_identity(d, &at, e) == -1)
		return -1;
	folder = file_dir(at.path);
	path = file_join(folder, h->file);
	url = mem_printf("sqlite:%s", path);
	o.url = url;
	if (*at.path == '/' && file_exists(path))
		result = db_open(out, &o, e);
	free(url);
	free(path);
	free(folder);
	shape_release(&wire_database_shape, &at);
	return result;
}

/* Its name there: a file has no schemas. */
static const char *
table_name(struct db *d, const struct format_history *h)
{
	const char *dot = strchr(h->table, '.');

	return dot != NULL && db_rules(d) != LEX_POSTGRESQL ? dot + 1 :
		h->table;
}

static int
has_columns_here(struct db *d, const struct format_history *h, struct err *e)
{
	struct db_census c;
	const char *const *column, *table = table_name(d, h);
	int there = db_has_table(d, table, e);

	if (there == 1 && h->with != NULL)
		there = db_has_table(d, h->with, e);
	if (there == 1 && h->not_with != NULL) {
		int other = db_has_table(d, h->not_with, e);

		there = other == -1 ? -1 : !other;
	}
	if (there != 1)
		return there;
	if (db_census(d, table, 0, &c, e) == -1)
		return -1;
	for (column = h->columns; *column != NULL && there; column++)
		there = db_census_column(&c, *column) < c.n;
	if (there && h->only)
		there = (size_t)(column - h->columns) == c.n;
	if (there && h->without != NULL)
		there = db_census_column(&c, h->without) == c.n;
	db_census_free(&c);
	return there;
}

/* Whether the table is there and has the columns of that tool. */
static int
has_columns(struct db *d, const struct format_history *h, struct err *e)
{
	struct db *registry;
	int there;

	if (open_registry(&registry, d, h, e) == -1)
		return -1;
	if (h->file != NULL && registry == NULL && db_rules(d) !=
		LEX_POSTGRESQL)
		return 0;
	there = has_columns_here(registry == NULL ? d : registry, h, e);
	db_close(registry);
	return there;
}

const char *
history_beside(const char *database, char **path)
{
	char *folder = file_dir(database);
	const struct format *const *f;
	const char *tool = NULL;

	*path = NULL;
	for (f = format_all; *f != NULL && tool == NULL; f++) {
		const struct format_history *h = (*f)->history;
		struct db_options o = { .mode = DB_READ };
		struct db *registry;
		struct err ignored;
		char *url;

		if (h == NULL || h->file == NULL)
			continue;
		free(*path);
		*path = file_join(folder, h->file);
		url = mem_printf("sqlite:%s", *path);
		o.url = url;
		if (file_exists(*path) && db_open(&registry, &o, &ignored) ==
			0) {
			if (has_columns_here(registry, h, &ignored) == 1)
				tool = (*f)->shown;
			db_close(registry);
		}
		free(url);
	}
	free(folder);
	if (tool == NULL) {
		free(*path);
		*path = NULL;
	}
	return tool;
}

/* Which formats' tables may be there; asked of a server at once. */
static int
find_tables(struct db *d, int out[FORMATS_MAX], struct err *e)
{
	const char *names[FORMATS_MAX] = { 0 };
	int there[FORMATS_MAX];
	size_t i, n = 0;

	for (i = 0; format_all[i] != NULL; i++) {
		const struct format_history *h = format_all[i]->history;

		/* In a file of its own: has_columns() opens that. */
		out[i] = h != NULL && h->file != NULL && db_rules(d) !=
			LEX_POSTGRESQL;
		if (h != NULL && !out[i])
			names[n++] = table_name(d, h);
	}
	if (db_has_tables(d, names, n, there, e) == -1)
		return -1;
	for (i = n = 0; format_all[i] != NULL; i++)
		if (format_all[i]->history != NULL && !out[i])
			out[i] = there[n++];
	return 0;
}

const struct format *
history_format(struct db *d, struct err *e)
{
	const struct format *const *f;
	int there[FORMATS_MAX];

	err_clear(e);
	if (find_tables(d, there, e) == -1)
		return NULL;
	for (f = format_all; *f != NULL; f++) {
		int has = !there[f - format_all] ? 0 :
			has_columns(d, (*f)->history, e);

		if (has != 0)
			return has == 1 ? *f : NULL;
	}
	return NULL;
}

/* A name as schema_migration is soon left behind by something else. */
static int
may_be_pop(const char *folder)
{
	struct strs names = { 0 };
	struct err ignored;
	int fits = folder == NULL || (file_list(folder, &names, &ignored) == 0
		&& format_pop_fits(&names, 0));

	strs_free(&names);
	return fits;
}

/* Tables of several tools: the folder decides. */
static int
find(struct history *h, const char *folder, struct err *e)
{
	const struct format *const *f, *looks = NULL, *found = NULL;
	struct err why;
	int there[FORMATS_MAX], n = 0;

	err_clear(&why);
	if (folder != NULL)
		looks = format_of_folder(folder, &why);
	if (h->db != NULL && find_tables(h->db, there, e) == -1)
		return -1;
	for (f = format_all; h->db != NULL && *f != NULL; f++) {
		int has = !there[f - format_all] ? 0 :
			has_columns(h->db, (*f)->history, e);

		if (has == -1)
			return -1;
		if (has && *f == looks) {
			h->format = *f;
			return 0;
		}
		if (has && *f == &format_pop && !may_be_pop(folder))
			continue;
		/* Left behind, where the folder or mig's ledger says so. */
		if (has && (*f)->status_only && (looks != NULL ||
			db_has_table(h->db, "mig_ledger", e) == 1))
			continue;
		if (has) {
			found = *f;
			n++;
		}
	}
	if (n > 1) {
		err_set(e, ERR_USAGE, "format", "the database has the tables "
			"of more than one migration tool");
		return err_next(e, "say whose migrations these are: --format "
				   "NAME");
	}
	if (n == 0 && looks == NULL && why.code != ERR_NONE) {
		*e = why;
		return -1;
	}
	/* mig makes pop's table where it works for pop: it is not for pop here. */
	if (n == 0 && looks == &format_pop && h->db != NULL && db_has_table(
		h->db, "mig_ledger", e) == 1)
		looks = &format_mig;
	h->format = n == 1 ? found : looks != NULL ? looks : &format_mig;
	return 0;
}

int
history_open(struct history *h, struct db *d, const char *named,
	const char *folder, struct err *e)
{
	int has;

	memset(h, 0, sizeof(*h));
	h->db = d;
	if (named != NULL)
		h->format = format_named(named, e);
	else if (find(h, folder, e) == -1)
		h->format = NULL;
	if (h->format == NULL)
		return -1;
	if (d == NULL || h->format->history == NULL)
		return 0;
	has = has_columns(d, h->format->history, e);
	if (has == 1 && open_registry(&h->registry, d, h->format->history,
		e) == -1)
		return -1;
	if (has == 1)
		h->table = db_qualified(h->registry != NULL ? h->registry : d,
			table_name(d, h->format->history));
	return has == -1 ? -1 : 0;
}

void
history_close(struct history *h)
{
	free(h->table);
	db_close(h->registry);
	memset(h, 0, sizeof(*h));
}
