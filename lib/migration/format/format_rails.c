/*
 * format_rails: Rails (activerecord/lib/active_record/migration.rb,
 * schema_migration.rb): db/migrate/VERSION_name.rb, which only Rails can run:
 * mig says where the database stands.
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"

/* \A([0-9]+)_([_a-z0-9]*)\.?([_a-z0-9]*)?\.rb\z */
static int
parse_rails(const char *file, struct format_file *out, struct err *e)
{
	static const char word[] = "_abcdefghijklmnopqrstuvwxyz0123456789";
	size_t digits = strspn(file, "0123456789"), n;
	const char *name = file + digits + 1;

	(void)e;
	if (digits == 0 || file[digits] != '_' || !strs_ends(file, ".rb"))
		return 0;
	n = strspn(name, word);
	if (name[n] == '.' && strcmp(name + n, ".rb") != 0)
		n += 1 + strspn(name + n + 1, word);
	if (strcmp(name + n, ".rb") != 0)
		return 0;
	out->version = mem_dup_n(file, digits);
	out->name = mem_dup_n(name, n);
	out->code = "Ruby";
	return 1;
}

static int
list_rails(struct format_files *f, struct err *e)
{
	return format_tree(f, parse_rails, e);
}

static const char *const rails_columns[] = { "version", NULL };

/* Rails makes its own tables: there is none without them. */
static const struct format_history rails_history = {
	.table = "schema_migrations", .columns = rails_columns,
	.without = "dirty", .with = "ar_internal_metadata",
	.load = format_load_versions, .put = format_put_version,
};

const struct format format_rails = { .name = "rails", .shown = "Rails",
	.status_only = 1, .list = list_rails, .read = format_whole, .history = &rails_history };
