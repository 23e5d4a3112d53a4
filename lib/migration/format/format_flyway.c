/*
 * format_flyway: Flyway 13 (flyway-core: ResourceNameParser, MigrationVersion,
 * ChecksumCalculator, JdbcTableSchemaHistory): V1_2__words.sql, its undo
 * U1_2__words.sql, and R__words.sql, which runs again when it changes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/digest.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/text.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "os/file.h"

#define LOCK 0x466C79776179 /* "Flyway" */

static int
parse_flyway(const char *file, struct format_file *out, struct err *e)
{
	size_t n = strlen(file);
	const char *cut = strstr(file, "__");
	char *p;

	if (n < 5 || strcasecmp(file + n - 4, ".sql") != 0 ||
		strchr("VUBR", *file) == NULL)
		return 0;
	/* "V2.sql" has no description, and is one all the same. */
	if (cut == NULL && *file != 'R' && strspn(file + 1, "0123456789._") >=
		n - 5 && n > 5)
		cut = file + n - 4;
	if (cut == NULL)
		return 0;
	n = strcmp(cut, file + n - 4) == 0 ? 0 : n - 4 - (size_t)(cut + 2 -
		file);
	if (*file == 'R') {
		if (cut != file + 1)
			return 0;
		out->name = format_words(cut + 2, n);
		out->version = mem_printf(VERSION_REPEATABLE "%s", out->name);
		out->side = 'u';
		return 1;
	}
	if (cut == file + 1 || strspn(file + 1, "0123456789._") <
		(size_t)(cut - file - 1))
		return 0;
	if (*file == 'B') {
		err_set(e, ERR_USAGE, "migration", "'%s' is a baseline "
			"migration of Flyway, which mig does not run", file);
		return err_next(e, "make the new database with Flyway, and "
			"leave B files out of the folder for mig");
	}
	out->version = mem_dup_n(file + 1, (size_t)(cut - file - 1));
	for (p = out->version; *p != '\0'; p++)
		if (*p == '_')
			*p = '.';
	out->name = n == 0 ? mem_dup("") : format_words(cut + 2, n);
	out->side = *file == 'U' ? 'd' : 'u';
	return 1;
}

static int
list_flyway(struct format_files *f, struct err *e)
{
	return format_tree(f, parse_flyway, e);
}

/* "key=value" of FILE.conf: -1 not said, 0 false, 1 true. */
static int
setting(const char *text, const char *key)
{
	const char *at;

	for (at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at ==
		'\n') {
		const char *p = at + strspn(at, " \t");

		if (!strs_starts(p, key))
			continue;
		p += strlen(key);
		p += strspn(p, " \t");
		if (*p++ != '=')
			continue;
		p += strspn(p, " \t");
		return strncasecmp(p, "true", 4) == 0;
	}
	return -1;
}

static int
read_flyway(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct migration_part *p = side == 'd' ? &m->down : &m->up;
	char *beside = mem_printf("%s.conf", path);
	struct buf b = { 0 };
	int result = 0, replace = 1;

	if (file_exists(beside)) {
		result = file_slurp(beside, 1 << 20, &b, e);
		if (result == 0) {
			replace = setting(b.data, "placeholderReplacement") !=
				0;
			p->outside = setting(b.data, "executeInTransaction") ==
				0;
		}
	}
	if (replace)
		p->placeholders = text_has_placeholder(TEXT_DOLLAR,
			raw->data);
	if (result == 0)
		result = format_whole(m, path, raw, side, e);
	buf_free(&b);
	free(beside);
	return result;
}

/* Each line without its end; a lone \r ends one, too. */
static void
sum_flyway(const struct migration *m, const char *raw, size_t n,
	struct buf *out)
{
	const char *at = raw, *end = raw + n;
	uint32_t crc = 0;

	(void)m;
	if (n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (; at < end; at++) {
		size_t k = strcspn(at, "\r\n");

		crc = digest_crc32(crc, at, k);
		at += k;
	}
	buf_printf(out, "%ld", (long)(int32_t)crc);
}

/* All files up to the baseline count as applied, and have no way back. */
static void
add_below(struct ledger *out, const struct ledger *all, const struct set *s,
	const char *baseline)
{
	struct ledger_row *row;
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		const char *version = s->v[i].version;

		if (version_is_repeatable(version) || version_compare(
			VERSION_NUMBER, version, baseline) > 0)
			continue;
		for (k = 0; k < all->n; k++)
			if (version_compare(VERSION_NUMBER, all->v[k].version,
				version) == 0 &&
				strcmp(all->v[k].state, "baseline") != 0)
				break;
		if (k < all->n)
			continue; /* it has a row of its own */
		row = ledger_add(out);
		row->version = mem_dup(version);
		row->name = mem_dup(s->v[i].name);
		row->state = mem_dup("applied");
		row->base = 1;
	}
}

/*
 * Rows in the order of their rank: the last of a version counts; one that
 * undoes or deletes takes the version out.
 */
static int
load_flyway(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct ledger all = { 0 };
	size_t i, k;

	if (history_rows(h, &all, e, "SELECT CASE WHEN version IS NULL THEN '"
		VERSION_REPEATABLE "' || description ELSE version END, "
		"description, checksum, CASE WHEN type LIKE 'UNDO%' OR type = "
		"'DELETE' THEN 'undone' WHEN type LIKE '%BASELINE' THEN "
		"'baseline' WHEN NOT success THEN 'failed' WHEN type <> 'SQL' "
		"THEN 'base' ELSE 'applied' END FROM %s WHERE type <> 'SCHEMA' ORDER BY "
		"installed_rank") == -1) {
		ledger_free(&all);
		return -1;
	}
	for (i = 0; i < all.n; i++) {
		for (k = i + 1; k < all.n; k++)
			if (version_compare(VERSION_NUMBER, all.v[k].version,
				all.v[i].version) == 0)
				break;
		if (strcmp(all.v[i].state, "baseline") == 0)
			add_below(out, &all, s, all.v[i].version);
		if (k < all.n || strcmp(all.v[i].state, "undone") == 0 ||
			strcmp(all.v[i].state, "baseline") == 0)
			continue;
		*ledger_add(out) = all.v[i];
		memset(&all.v[i], 0, sizeof(all.v[i]));
	}
	ledger_free(&all);
	return 0;
}

static int
put_flyway(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	int again = version_is_repeatable(m->version);
	int server = db_rules(h->db) == LEX_POSTGRESQL;
	const char *script = m->script == NULL ? "" : m->script;
	char *sql;
	int result = 0;

	if (!again)
		result = history_exec(h, e, "DELETE FROM %s WHERE version = "
			"?1 AND NOT success", "s", m->version);
	if (result == -1)
		return -1;
	sql = mem_printf("INSERT INTO %%s (installed_rank, version, "
		"description, type, script, checksum, installed_by, "
		"execution_time, success) SELECT coalesce(max(installed_rank), "
		"0) + 1, ?1, ?2, 'SQL', ?3, %s, %s, %lld, TRUE FROM %s",
		m->sum == NULL ? "NULL" : m->sum,
		server ? "current_user" : "''", (long long)done->duration_ms,
		h->table);
	result = history_exec(h, e, sql, "sss", again ? NULL : m->version,
		m->name, script);
	free(sql);
	return result;
}

static int
restamp_flyway(struct history *h, const struct migration *m, struct err *e)
{
	char *sql = mem_printf("UPDATE %%s SET checksum = %s WHERE version = ?1 "
		"AND success", m->sum == NULL ? "NULL" : m->sum);
	int result = history_exec(h, e, sql, "s", m->version);

	free(sql);
	return result;
}

/* "Flyway" and Java's String.hashCode() of the table's quoted name. */
static int
locks_flyway(struct history *h, int64_t out[2], struct err *e)
{
	struct db_rows *r;
	const char *p;
	uint32_t hash = 0;
	char *name;
	int more;

	if (db_query(&r, h->db, e, "SELECT coalesce((SELECT n.nspname FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
		"n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass("
		"'flyway_schema_history')), current_schema(), 'public')",
		"") == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1) {
		name = mem_printf("\"%s\".\"flyway_schema_history\"",
			db_text(r, 0));
		for (p = name; *p != '\0'; p++)
			hash = hash * 31 + (unsigned char)*p;
		free(name);
		out[0] = LOCK + (int64_t)(int32_t)hash;
	}
	db_rows_free(r);
	return more == 1 ? 1 : -1;
}

static void
write_flyway(struct format_text *t)
{
	t->files[0] = mem_printf("V%s__%s.sql", t->version, t->name);
	buf_text(&t->texts[0], t->up);
}

static const char *const flyway_columns[] = { "installed_rank", "checksum",
	"success", NULL };

#define FLYWAY(key, checksum, time, now, milliseconds) \
	"CREATE TABLE flyway_schema_history (\"installed_rank\" INT NOT NULL" \
	key ", \"version\" VARCHAR(50), \"description\" VARCHAR(200) NOT " \
	"NULL, \"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT " \
	"NULL, \"checksum\" " checksum ", \"installed_by\" VARCHAR(100) NOT " \
	"NULL, \"installed_on\" " time " NOT NULL DEFAULT " now \
	", \"execution_time\" " milliseconds " NOT NULL, \"success\" BOOLEAN " \
	"NOT NULL); "

#define INDEX \
	"CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history " \
	"(\"success\")"

static const struct format_history flyway_history = {
	.table = "flyway_schema_history", .columns = flyway_columns,
	.create = { FLYWAY(" PRIMARY KEY", "INT", "TEXT",
		"(strftime('%Y-%m-%d %H:%M:%f','now'))", "INT") INDEX,
		FLYWAY("", "INTEGER", "TIMESTAMP", "now()", "INTEGER")
		"ALTER TABLE flyway_schema_history ADD CONSTRAINT "
		"flyway_schema_history_pk PRIMARY KEY (installed_rank); "
		INDEX },
	.load = load_flyway, .put = put_flyway, .remove = format_remove_version,
	.restamp = restamp_flyway,
	.locks = locks_flyway,
};

const struct format format_flyway = { .name = "flyway", .shown = "Flyway",
	.detect = MIGRATION_ALL, .placeholders = TEXT_DOLLAR,
	.list = list_flyway, .read = read_flyway, .sum = sum_flyway, .write = write_flyway,
	.history = &flyway_history };
