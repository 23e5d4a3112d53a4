/*
 * format_pop: gobuffalo/pop (match.go, migrator.go, migration_info.go) and ory's popx
 * (match.go, migration_info.go, migrator.go), of which Ory's programs and Supabase's
 * auth are made: a pair of files, which may be of one database's dialect, and a table
 * of versions.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "migration/text.h"

#define LEGACY 14 /* characters that pop's own table holds of a version */

/* The dialects by all their names, as mig names the engine; others are not run. */
static const struct {
	const char *word, *engine;
} dialects[] = { { "postgres", "postgresql" }, { "postgresql", "postgresql" },
	{ "pg", "postgresql" }, { "pgx", "postgresql" }, { "sqlite", "sqlite" },
	{ "sqlite3", "sqlite" }, { "mysql", "mysql" }, { "mariadb", "mariadb" },
	{ "cockroach", "cockroach" }, { "cockroachdb", "cockroach" },
	{ "crdb", "cockroach" }, { "mssql", "mssql" },
	{ "sqlserver", "mssql" }, { "oracle", "oracle" } };

/* The next piece up to a dot; its length, 0 at the end. */
static size_t
piece(const char **at, const char **out)
{
	size_t n = strcspn(*at, ".");

	*out = *at;
	*at += n + ((*at)[n] == '.');
	return n;
}

static int
is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(s, word, n) == 0;
}

static const char *
dialect_of(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(dialects) / sizeof(*dialects); i++)
		if (is(s, n, dialects[i].word))
			return dialects[i].engine;
	return NULL;
}

/* ^(\d+)_([^.]+)(\.[a-z0-9]+)?(\.autocommit)?\.(up|down)\.(sql|fizz)$ */
static int
match(const char *file, struct format_file *out)
{
	size_t digits = strspn(file, "0123456789"), n, name_n;
	const char *at = file + digits + 1, *name, *s;

	if (digits == 0 || file[digits] != '_')
		return 0;
	name_n = piece(&at, &name);
	n = piece(&at, &s);
	if (name_n == 0)
		return 0;
	if (!is(s, n, "up") && !is(s, n, "down") && !is(s, n, "autocommit")) {
		out->dialect = dialect_of(s, n);
		if (out->dialect == NULL)
			return 0;
		n = piece(&at, &s);
	}
	if (is(s, n, "autocommit")) {
		out->outside = 1;
		n = piece(&at, &s);
	}
	if ((!is(s, n, "up") && !is(s, n, "down")) || (strcmp(at, "sql") != 0 &&
		strcmp(at, "fizz") != 0))
		return 0;
	out->side = *s;
	out->code = *at == 'f' ? "fizz" : NULL;
	out->version = mem_dup_n(file, digits);
	out->name = mem_dup_n(name, name_n);
	return 1;
}

/* What looks like a migration and is none would be left out without a word. */
static int
parse_pop(const char *file, struct format_file *out, struct err *e)
{
	if (match(file, out))
		return 1;
	if (strspn(file, "0123456789") == 0 || (!strs_ends(file, ".up.sql") &&
		!strs_ends(file, ".down.sql")))
		return 0;
	err_set(e, ERR_USAGE, "migration", "'%s' has no name of pop's: "
		"VERSION_name.up.sql, with .DIALECT or .autocommit before .up",
		file);
	return err_next(e, "rename it; or if these are not pop's, say so: "
		"--format");
}

int
format_pop_fits(const struct strs *names, int surely)
{
	size_t i, sure = 0, n = 0;

	for (i = 0; i < names->n; i++) {
		const char *s = names->v[i];
		struct format_file x = { 0 };

		if (strspn(s, "0123456789") == 0 || (!strs_ends(s, ".sql") &&
			!strs_ends(s, ".fizz")))
			continue;
		if (!match(s, &x))
			return 0;
		n++;
		sure += x.dialect != NULL || x.outside || x.code != NULL;
		free(x.version);
		free(x.name);
	}
	return surely ? sure > 0 : n > 0;
}

/* Of one version and side, the file of a dialect before the one for all. */
static int
by_dialect(const void *a, const void *b)
{
	const struct format_file *x = a, *y = b;
	int order = version_compare(VERSION_BYTES, x->version, y->version);

	if (order == 0)
		order = (int)y->side - (int)x->side;
	return order != 0 ? order : (x->dialect == NULL) - (y->dialect ==
		NULL);
}

/*
 * Which files of one version and side stay: one that is of this engine, or else the one
 * for all.  Where no engine is known, any of them tells the version.
 */
static void
keep(struct format_file *v, size_t n, const char *engine, char *stays)
{
	size_t i, own = 0, all = 0;

	for (i = 0; i < n; i++) {
		stays[i] = v[i].dialect != NULL && engine != NULL &&
			strcmp(v[i].dialect, engine) == 0;
		own += (size_t)stays[i];
		all += v[i].dialect == NULL;
	}
	/* Two of them are two migrations of one version, which is refused. */
	for (i = 0; i < n && own == 0; i++)
		stays[i] = v[i].dialect == NULL;
	if (own + all == 0 && engine == NULL)
		stays[0] = 1;
}

static int
list_pop(struct format_files *f, struct err *e)
{
	size_t i, k, out = 0;
	char *stays;
	int up = 0; /* the ups before these stay */

	if (format_tree(f, parse_pop, e) == -1)
		return -1;
	if (f->n == 0)
		return 0;
	qsort(f->v, f->n, sizeof(*f->v), by_dialect);
	stays = mem_alloc(f->n);
	for (i = 0; i < f->n; i = k) {
		const struct format_file *x = &f->v[i];

		for (k = i + 1; k < f->n && f->v[k].side == x->side &&
			strcmp(f->v[k].version, x->version) == 0; k++)
			;
		keep(f->v + i, k - i, f->engine, stays + i);
		/* The way back of an up that only other dialects have. */
		if (x->side == 'd' && i > 0 && strcmp(f->v[i - 1].version,
			x->version) == 0 && !up)
			memset(stays + i, 0, k - i);
		up = x->side == 'u' && memchr(stays + i, 1, k - i) != NULL;
	}
	for (i = 0; i < f->n; i++) {
		if (stays[i]) {
			f->v[out++] = f->v[i];
			continue;
		}
		free(f->v[i].version);
		free(f->v[i].name);
		free(f->v[i].path);
	}
	f->n = out;
	free(stays);
	return 0;
}

static int
read_pop(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct migration_part *p = side == 'd' ? &m->down : &m->up;

	if (format_whole(m, path, raw, side, e) == -1)
		return -1;
	if (p->placeholders)
		return format_bad(e, path, 0, "'-- mig: placeholders' is for "
			"mig's own format, and this is pop");
	p->placeholders = text_has_placeholder(TEXT_BRACES, raw->data);
	return 0;
}

/*
 * A row may hold the beginning of a version only, from before popx, and stands for all
 * files of it.
 */
static int
load_pop(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct ledger rows = { .rule = VERSION_BYTES };
	struct ledger_row *row;
	size_t i, k;
	int result = format_load_versions(h, &rows, s, e);

	ledger_sort(&rows);
	for (i = 0; i < rows.n && result == 0; i++) {
		const char *version = rows.v[i].version;
		int stands = 0;

		for (k = 0; strlen(version) == LEGACY && set_find(s, version)
			== NULL && k < s->n; k++) {
			if (!strs_starts(s->v[k].version, version))
				continue;
			stands = 1;
			if (ledger_find(&rows, s->v[k].version) != NULL)
				continue;
			row = ledger_add(out);
			row->version = mem_dup(s->v[k].version);
			row->state = mem_dup("applied");
		}
		if (!stands) {
			row = ledger_add(out);
			row->version = mem_dup(version);
			row->state = mem_dup(rows.v[i].state);
		}
	}
	ledger_free(&rows);
	return result;
}

/* It would stand for the version, still. */
static int
remove_pop(struct history *h, const struct migration *m, const char *before,
	struct err *e)
{
	struct ledger rows = { .rule = VERSION_BYTES };
	char legacy[LEGACY + 1];
	int result = 0;

	if (strlen(m->version) > LEGACY) {
		memcpy(legacy, m->version, LEGACY);
		legacy[LEGACY] = '\0';
		result = format_load_versions(h, &rows, NULL, e);
		ledger_sort(&rows);
		if (result == 0 && ledger_find(&rows, legacy) != NULL) {
			err_set(e, ERR_REFUSED, "history", "the row '%s' of "
				"schema_migration, from before popx, stands "
				"for all versions that begin so", legacy);
			result = err_next(e, "give each of them a row of its "
				"own, as pop's own program does, and delete "
				"that one; then go on");
		}
		ledger_free(&rows);
	}
	return result == -1 ? -1 : format_remove_version(h, m, before, e);
}

static void
write_pop(struct format_text *t)
{
	format_write_pair(t);
	if (!t->outside)
		return;
	free(t->files[0]);
	t->files[0] = mem_printf("%s_%s.autocommit.up.sql", t->version, t->name);
}

static const char *const pop_columns[] = { "version", NULL };

#define CREATE \
	"CREATE TABLE schema_migration (version VARCHAR (48) NOT NULL, " \
	"version_self INT NOT NULL DEFAULT 0); CREATE UNIQUE INDEX " \
	"schema_migration_version_idx ON schema_migration (version); CREATE " \
	"INDEX schema_migration_version_self_idx ON schema_migration " \
	"(version_self)"

static const struct format_history pop_history = {
	.table = "schema_migration", .columns = pop_columns,
	.create = { CREATE, CREATE },
	.load = load_pop, .put = format_put_version,
	.remove = remove_pop,
};

const struct format format_pop = { .name = "pop", .shown = "pop",
	.rule = VERSION_BYTES, .placeholders = TEXT_BRACES,
	.own_transaction = 1, .list = list_pop, .read = read_pop,
	.write = write_pop, .history = &pop_history };
