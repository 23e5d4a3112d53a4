/* sqlite_driver: what the SQLite driver gives. */
#include "db/sqlite/sqlite.h"

static const char *
name(const struct db *d)
{
	return ((const struct sqlite *)d)->shown;
}

const struct db_driver sqlite_driver = {
	.engine = "sqlite",
	.schemes = sqlite_url_schemes,
	.caps = DB_CAP_TXN_DDL | DB_CAP_OFFLINE | DB_CAP_REBUILD,
	.rules = LEX_SQLITE,
	.checks = { "quick_check", "integrity_check" },
	.open = sqlite_open_db,
	.close = sqlite_open_close,
	.locate = sqlite_url_locate,
	.name = name,
	.identity = sqlite_catalog_identity,
	.position = sqlite_position_get,
	.fingerprint = sqlite_catalog_fingerprint,
	.copy_schema = sqlite_catalog_copy,
	.dump_sql = sqlite_dump_sql,
	.tables = sqlite_catalog_tables,
	.has_table = sqlite_catalog_has_table,
	.exec = sqlite_sql_exec,
	.query = sqlite_sql_query,
	.next = sqlite_sql_next,
	.text = sqlite_sql_text,
	.integer = sqlite_sql_int,
	.rows_free = sqlite_sql_free,
	.sql = sqlite_sql_named,
	.begin = sqlite_sql_begin,
	.commit = sqlite_sql_commit,
	.rollback = sqlite_sql_rollback,
	.settle = sqlite_sql_settle,
	.lock = sqlite_offline_lock,
	.locked_by = sqlite_offline_locked_by,
	.watch_start = sqlite_watch_start,
	.watch_drop = sqlite_watch_drop,
	.watch_rename = sqlite_watch_rename,
	.watch_create = sqlite_watch_create,
	.watch_stop = sqlite_watch_stop,
	.watch_cancel = sqlite_watch_cancel,
	.run = sqlite_run_statement,
	.census = sqlite_catalog_census,
	.check = sqlite_check_storage,
	.dangling = sqlite_check_dangling,
	.backup = sqlite_backup_stream,
	.restore = sqlite_restore_into,
	.gap = sqlite_gap_count,
	.prove_unused = sqlite_offline_prove,
	.companions = sqlite_offline_companions,
};
