/*
 * format_prisma: Prisma Migrate (schema-engine/connectors): a folder TIME_name
 * for each migration, with migration.sql; no way down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "os/file.h"

/* Its times are milliseconds on SQLite, and may hold no percent sign here. */
static const char *
now(const struct history *h)
{
	return db_rules(h->db) == LEX_POSTGRESQL ? "now()" : "CAST(("
		"julianday('now') - 2440587.5) * 86400000 AS integer)";
}

static int
parse_prisma(const char *file, struct format_file *out, struct err *e)
{
	const char *cut = strchr(file, '_');

	(void)e;
	out->version = mem_dup(file);
	out->name = mem_dup(cut == NULL ? file : cut + 1);
	return 1;
}

static int
list_prisma(struct format_files *f, struct err *e)
{
	return format_folders(f, parse_prisma, "migration.sql", NULL, e);
}

static void
sum_prisma(const struct migration *m, const char *raw, size_t n,
	struct buf *out)
{
	char text[SHA256_TEXT];

	(void)m;
	sha256_of(raw, n, text);
	buf_text(out, text);
}

/* A row that has not ended is a failure; one that was rolled back is none. */
static int
load_prisma(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	(void)s;
	return history_rows(h, out, e, "SELECT migration_name, NULL, "
		"max(checksum), CASE WHEN count(*) = count(finished_at) THEN "
		"'applied' ELSE 'failed' END FROM %s WHERE rolled_back_at IS "
		"NULL GROUP BY migration_name");
}

static int
put_prisma(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	char id[ID_TEXT], uuid[40], *sql;
	int result;

	(void)done;
	if (id_new(id, e) == -1)
		return -1;
	/* RFC 9562: version 4, variant 8. */
	snprintf(uuid, sizeof(uuid), "%.8s-%.4s-4%.3s-8%.3s-%.12s", id, id + 8,
		id + 13, id + 17, id + 20);
	sql = mem_printf("UPDATE %%s SET rolled_back_at = %s WHERE "
		"migration_name = ?1 AND finished_at IS NULL AND "
		"rolled_back_at IS NULL", now(h));
	result = history_exec(h, e, sql, "s", m->version);
	free(sql);
	if (result == -1)
		return -1;
	sql = mem_printf("INSERT INTO %%s (id, checksum, finished_at, "
		"migration_name, started_at, applied_steps_count) VALUES (?1, "
		"?2, %s, ?3, %s, 1)", now(h), now(h));
	result = history_exec(h, e, sql, "sss", uuid, m->sum, m->version);
	free(sql);
	return result;
}

/* Prisma has no way down: what is taken back was rolled back. */
static int
remove_prisma(struct history *h, const struct migration *m, const char *before,
	struct err *e)
{
	char *sql = mem_printf("UPDATE %%s SET rolled_back_at = %s WHERE "
		"migration_name = ?1 AND rolled_back_at IS NULL",
		now(h));
	int result = history_exec(h, e, sql, "s", m->version);

	(void)before;
	free(sql);
	return result;
}

static int
restamp_prisma(struct history *h, const struct migration *m, struct err *e)
{
	return history_exec(h, e, "UPDATE %s SET checksum = ?2 WHERE "
		"migration_name = ?1 AND rolled_back_at IS NULL", "ss",
		m->version, m->sum);
}

static void
write_prisma(struct format_text *t)
{
	t->folder = mem_printf("%s_%s", t->version, t->name);
	t->made = mem_dup(t->folder);
	t->files[0] = file_join(t->folder, "migration.sql");
	buf_text(&t->texts[0], t->up);
}

static const char *const prisma_columns[] = { "migration_name",
	"rolled_back_at", "applied_steps_count", NULL };

#define PRISMA(key, sum, time, name, now, count) \
	"CREATE TABLE _prisma_migrations (id " key " PRIMARY KEY NOT NULL, " \
	"checksum " sum " NOT NULL, finished_at " time ", migration_name " \
	name " NOT NULL, logs TEXT, rolled_back_at " time ", started_at " \
	time " NOT NULL DEFAULT " now ", applied_steps_count " count \
	" NOT NULL DEFAULT 0)"

static const struct format_history prisma_history = {
	.table = "_prisma_migrations", .columns = prisma_columns,
	.create = { PRISMA("TEXT", "TEXT", "DATETIME", "TEXT",
		"current_timestamp", "INTEGER UNSIGNED"),
		PRISMA("VARCHAR(36)", "VARCHAR(64)", "TIMESTAMPTZ",
		"VARCHAR(255)", "now()", "INTEGER") },
	.load = load_prisma, .put = put_prisma, .restamp = restamp_prisma, .remove = remove_prisma,
	.lock = 72707369,
};

const struct format format_prisma = { .name = "prisma", .shown = "Prisma",
	.rule = VERSION_BYTES, .detect = MIGRATION_ALONE, .own_transaction = 1,
	.list = list_prisma, .read = format_whole,
	.sum = sum_prisma, .write = write_prisma, .history = &prisma_history };
