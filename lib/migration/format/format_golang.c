/*
 * format_golang: golang-migrate (source/parse.go, database/postgres,
 * database/sqlite3, database/util.go): a pair of files, each sent as one
 * command; its table holds one row, the newest version.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/digest.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"

/* ^([0-9]+)_(.*)\.(down|up)\.(.*)$ */
static int
parse_golang(const char *file, struct format_file *out, struct err *e)
{
	size_t digits = strspn(file, "0123456789");
	const char *p, *cut = NULL;
	int64_t value;

	if (digits == 0 || file[digits] != '_')
		return 0;
	for (p = file + digits + 1; *p != '\0'; p++)
		if (strs_starts(p, ".up.") || strs_starts(p, ".down."))
			cut = p; /* the last: the pattern is greedy */
	if (cut == NULL)
		return 0;
	out->side = cut[1];
	out->version = mem_dup_n(file, digits);
	out->name = mem_dup_n(file + digits + 1,
		(size_t)(cut - file) - digits - 1);
	if (num_parse(out->version, 0, INT64_MAX, &value) == -1) {
		err_set(e, ERR_USAGE, "migration", "'%s': the version is more "
			"than its table can hold", file);
		return err_next(e, "rename the file");
	}
	return 1;
}

static int
list_golang(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_golang, e);
}

/* The newest version stands for all files up to it. */
static int
load_golang(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct ledger one = { 0 };
	struct ledger_row *row;
	const char *at;
	size_t i;

	if (history_rows(h, &one, e, "SELECT version, NULL, NULL, CASE WHEN "
		"CAST(dirty AS integer) = 1 THEN 'failed' ELSE 'applied' END "
		"FROM %s") == -1) {
		ledger_free(&one);
		return -1;
	}
	/* -1, dirty: the down of the first one failed. */
	at = one.n == 0 || *one.v[0].version == '-' ? NULL :
		one.v[0].version;
	for (i = 0; at != NULL && i < s->n && version_compare(VERSION_NUMBER,
		s->v[i].version, at) < 0; i++) {
		row = ledger_add(out);
		row->version = mem_dup(s->v[i].version);
		row->state = mem_dup("applied");
	}
	if (one.n > 0) {
		row = ledger_add(out);
		*row = one.v[0];
		memset(&one.v[0], 0, sizeof(one.v[0]));
		if (at == NULL && s->n > 0) {
			free(row->version);
			row->version = mem_dup(s->v[0].version);
		}
	}
	ledger_free(&one);
	return 0;
}

static int
set_version(struct history *h, const char *version, const char *dirty,
	struct err *e)
{
	char *sql = mem_printf("INSERT INTO %%s (version, dirty) VALUES (?1, "
		"%s)", dirty);
	int result = history_exec(h, e, "DELETE FROM %s", "");

	if (result == 0 && version != NULL)
		result = history_exec(h, e, sql, "s", version);
	free(sql);
	return result;
}

/* A late one does not take the others out. */
static int
newest(struct history *h, const struct migration *m, char **out,
	struct err *e)
{
	struct ledger one = { 0 };
	int result = history_rows(h, &one, e, "SELECT version, NULL, NULL, "
		"'applied' FROM %s");

	*out = mem_dup(m->version);
	if (result == 0 && one.n > 0 && *one.v[0].version != '-' &&
		version_compare(VERSION_NUMBER, one.v[0].version,
			m->version) > 0) {
		free(*out);
		*out = mem_dup(one.v[0].version);
	}
	ledger_free(&one);
	return result;
}

static int
put(struct history *h, const struct migration *m, const char *dirty,
	struct err *e)
{
	char *version;
	int result = newest(h, m, &version, e);

	if (result == 0)
		result = set_version(h, version, dirty, e);
	free(version);
	return result;
}

static int
put_golang(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	(void)done;
	return put(h, m, "FALSE", e);
}

static int
begin_golang(struct history *h, const struct migration *m, struct err *e)
{
	return put(h, m, "TRUE", e);
}

static int
remove_golang(struct history *h, const struct migration *m, const char *before,
	struct err *e)
{
	(void)m;
	return set_version(h, before, "FALSE", e);
}

/* As its program takes it, and as its library does. */
static int
locks_golang(struct history *h, int64_t out[2], struct err *e)
{
	const char *slash;
	struct db_rows *r;
	int i, more;

	if (db_query(&r, h->db, e, "SELECT current_schema(), "
		"current_database()", "") == -1)
		return -1;
	more = db_next(r, e);
	for (i = 0, slash = "/"; more == 1 && i < 2; i++, slash = "") {
		const char *schema = db_text(r, 0);
		uint32_t crc = digest_crc32(0, schema == NULL ? "" : schema,
			schema == NULL ? 0 : strlen(schema));

		crc = digest_crc32(crc, "\0schema_migrations\0", 19);
		crc = digest_crc32(crc, slash, strlen(slash));
		crc = digest_crc32(crc, db_text(r, 1), strlen(db_text(r, 1)));
		out[i] = (int64_t)(uint32_t)(crc * 1486364155u);
	}
	db_rows_free(r);
	return more == 1 ? 2 : -1;
}

static const char *const golang_columns[] = { "version", "dirty", NULL };

static const struct format_history golang_history = {
	.table = "schema_migrations", .columns = golang_columns,
	.create = { "CREATE TABLE schema_migrations (version uint64, dirty "
		"bool); CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON "
		"schema_migrations (version)",
		"CREATE TABLE schema_migrations (version bigint not null "
		"primary key, dirty boolean not null)" },
	.load = load_golang, .put = put_golang, .remove = remove_golang,
	.newest_only = 1, .begin = begin_golang, .locks = locks_golang,
};

const struct format format_golang = { .name = "golang-migrate",
	.shown = "golang-migrate", .detect = MIGRATION_ALONE,
	.own_transaction = 1, .list = list_golang, .read = format_whole,
	.write = format_write_pair, .history = &golang_history };
