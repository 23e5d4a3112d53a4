/* pg_driver: what the PostgreSQL driver gives. */
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_swap.h"
#include "db/postgresql/pg_tables.h"
#include "db/postgresql/pg_trace.h"
#include "db/postgresql/pg_url.h"
#include "db/postgresql/pg_watch.h"

static const char *
name(const struct db *d)
{
	return ((const struct pg *)d)->shown;
}

const struct db_driver pg_driver = {
	.engine = "postgresql",
	.schemes = pg_open_schemes,
	.is_words = pg_url_is_words,
	.caps = DB_CAP_TXN_DDL | DB_CAP_SERVER,
	.rules = LEX_POSTGRESQL,
	.checks = { "dump", "dump" },
	.open = pg_open_db,
	.close = pg_open_close,
	.locate = pg_open_locate,
	.label = pg_url_label,
	.name = name,
	.identity = pg_catalog_identity,
	.position = pg_written_position,
	.mark = pg_written_mark,
	.written = pg_written_ever,
	.fingerprint = pg_catalog_fingerprint,
	.fingerprint_ahead = pg_catalog_ahead,
	.schema = pg_catalog_schema,
	.copy_schema = pg_deep_copy_schema,
	.dump_sql = pg_statements_dump,
	.tables = pg_tables_count,
	.has_tables = pg_catalog_has_tables,
	.canonical = pg_catalog_canonical,
	.qualified = pg_catalog_qualified,
	.exec = pg_sql_exec,
	.query = pg_sql_query,
	.next = pg_sql_next,
	.text = pg_sql_text,
	.integer = pg_sql_int,
	.rows_free = pg_sql_free,
	.sql = pg_named_sql,
	.begin = pg_transaction_begin,
	.commit = pg_transaction_commit,
	.rollback = pg_transaction_rollback,
	.settle = pg_transaction_settle,
	.lock = pg_lock_take,
	.lock_other = pg_lock_other,
	.locked_by = pg_lock_by,
	.session = pg_lock_session,
	.watch_start = pg_watch_start,
	.watch_drop = pg_watch_drop,
	.watch_hold = pg_watch_hold,
	.watch_brief = pg_watch_brief,
	.watch_rename = pg_watch_rename,
	.watch_create = pg_watch_create,
	.watch_stop = pg_watch_stop,
	.watch_cancel = pg_watch_cancel,
	.run = pg_run_statement,
	.trace_migration = pg_trace_migration,
	.trace_before = pg_trace_before,
	.trace_after = pg_trace_after,
	.trace_cancel = pg_trace_cancel,
	.trace_written = pg_trace_written,
	.keep = pg_keep_values,
	.keep_query = pg_keep_query,
	.bring = pg_bring_table,
	.stage = pg_stage_open,
	.stage_url = pg_stage_url,
	.census = pg_census,
	.check = pg_catalog_check,
	.dangling = pg_catalog_dangling,
	.problems = pg_problems_each,
	.blocked = pg_problems_blocked,
	.backup = pg_backup_stream,
	.restore = pg_restore_into,
	.restore_may = pg_swap_allowed,
	.gap = pg_gap_count,
	.mend = pg_mend_run,
};
