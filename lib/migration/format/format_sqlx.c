/*
 * format_sqlx: sqlx (sqlx-core/src/migrate, sqlx-postgres and sqlx-sqlite
 * src/migrate.rs): VERSION_words.sql, or a pair of .up.sql and .down.sql.
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

#define NO_TRANSACTION "-- no-transaction"

static int
parse_sqlx(const char *file, struct format_file *out, struct err *e)
{
	const char *cut = strchr(file, '_');
	size_t n = strlen(file);
	int64_t value;

	if (cut == NULL || !strs_ends(file, ".sql"))
		return 0;
	out->version = mem_dup_n(file, (size_t)(cut - file));
	if (num_parse(out->version, 0, INT64_MAX, &value) == -1) {
		err_set(e, ERR_USAGE, "migration", "'%s': '%s' is not a "
			"version of sqlx, which is a number", file,
			out->version);
		return err_next(e, "rename the file, or take it out of the "
				   "folder");
	}
	out->side = strs_ends(file, ".down.sql") ? 'd' : 'u';
	n -= strs_ends(file, ".up.sql") ? 7 : out->side == 'd' ? 9 : 4;
	out->name = format_words(cut + 1, n > (size_t)(cut + 1 - file) ?
		n - (size_t)(cut + 1 - file) : 0);
	return 1;
}

static int
list_sqlx(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_sqlx, e);
}

static int
read_sqlx(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct migration_part *p = side == 'd' ? &m->down : &m->up;

	p->outside = strs_starts(raw->data, NO_TRANSACTION);
	return format_whole(m, path, raw, side, e);
}

static void
sum_sqlx(const struct migration *m, const char *raw, size_t n, struct buf *out)
{
	char text[DIGEST_SHA384_TEXT];

	(void)m;
	digest_sha384(raw, n, text);
	buf_text(out, text);
}

static int
load_sqlx(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	(void)s;
	return history_rows(h, out, e, db_rules(h->db) == LEX_POSTGRESQL ?
		"SELECT version, description, encode(checksum, 'hex'), CASE "
		"WHEN success THEN 'applied' ELSE 'failed' END FROM %s" :
		"SELECT version, description, lower(hex(checksum)), CASE WHEN "
		"success THEN 'applied' ELSE 'failed' END FROM %s");
}

/* The checksum as a value of SQL: it is made of hexadecimal digits.  Gives. */
static char *
quote_sum(const struct history *h, const struct migration *m)
{
	return mem_printf("%s%s'", db_rules(h->db) == LEX_POSTGRESQL ?
		"'\\x" : "X'", m->sum == NULL ? "" : m->sum);
}

static int
restamp_sqlx(struct history *h, const struct migration *m, struct err *e)
{
	char *sum = quote_sum(h, m);
	char *sql = mem_printf("UPDATE %%s SET checksum = %s WHERE version = "
		"?1", sum);
	int result = history_exec(h, e, sql, "s", m->version);

	free(sql);
	free(sum);
	return result;
}

static int
put_sqlx(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	char *sql, *sum;
	int result;

	if (format_remove_version(h, m, NULL, e) == -1)
		return -1;
	sum = quote_sum(h, m);
	sql = mem_printf("INSERT INTO %%s (version, description, success, "
		"checksum, execution_time) VALUES (?1, ?2, TRUE, %s, ?3)", sum);
	result = history_exec(h, e, sql, "ssi", m->version, m->name,
		done->duration_ms * 1000000);
	free(sql);
	free(sum);
	return result;
}

/* 0x3d32ad9e * crc32(current_database()) */
static int
locks_sqlx(struct history *h, int64_t out[2], struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, h->db, e, "SELECT current_database()", "") == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1)
		out[0] = (int64_t)0x3d32ad9e * digest_crc32(0, db_text(r, 0),
			strlen(db_text(r, 0)));
	db_rows_free(r);
	return more == 1 ? 1 : -1;
}

static void
write_sqlx(struct format_text *t)
{
	if (t->outside)
		buf_text(&t->texts[0], NO_TRANSACTION "\n");
	format_write_pair(t);
}

static const char *const sqlx_columns[] = { "version", "checksum",
	"execution_time", NULL };

#define CREATE(time, now, bytes) \
	"CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, " \
	"description TEXT NOT NULL, installed_on " time " NOT NULL DEFAULT " \
	now ", success BOOLEAN NOT NULL, checksum " bytes " NOT NULL, " \
	"execution_time BIGINT NOT NULL)"

static const struct format_history sqlx_history = {
	.table = "_sqlx_migrations", .columns = sqlx_columns,
	.create = { CREATE("TIMESTAMP", "CURRENT_TIMESTAMP", "BLOB"),
		CREATE("TIMESTAMPTZ", "now()", "BYTEA") },
	.load = load_sqlx, .put = put_sqlx, .remove = format_remove_version,
	.restamp = restamp_sqlx,
	.locks = locks_sqlx,
};

const struct format format_sqlx = { .name = "sqlx", .shown = "sqlx",
	.list = list_sqlx, .read = read_sqlx, .sum = sum_sqlx, .write = write_sqlx,
	.history = &sqlx_history };
