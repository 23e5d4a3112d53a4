/*
 * sqlite: the SQLite driver, private to its folder but for sqlite_driver.
 * One struct per open database; each file holds one duty of it.
 */
#ifndef DB_SQLITE_SQLITE_H
#define DB_SQLITE_SQLITE_H

#include <sqlite3.h>

#include "db/driver.h"

extern const struct db_driver sqlite_driver;

struct sqlite_watch;
struct sqlite_trace;

struct sqlite {
	struct db base;
	sqlite3 *h;
	char *path; /* without links; ":memory:" for none */
	char *shown; /* as the user named it */
	enum db_mode mode;
	char denied[256]; /* why the authorizer said no */
	int tolerant; /* a damaged table is not counted, and no error */
	const struct db_statement *running; /* by db_run(); NULL: none */
	int disagreed; /* the engine's view is not that of its words */
	int dropping; /* a virtual table, with what it holds */
	struct sqlite_watch *watch; /* NULL: nobody watches */
	struct sqlite_trace *trace; /* NULL: nothing is traced */
	int64_t waits_from; /* since when it waits for others */
};

static inline struct sqlite *
sqlite_of(struct db *d)
{
	return (struct sqlite *)d;
}

/* sqlite_error.c: an err from what SQLite says; what: "read the schema". */
int sqlite_error(struct sqlite *s, struct err *e, const char *what);
int sqlite_error_code(int code, const char *message, const char *name,
	struct err *e, const char *what);

/* sqlite_url.c */
extern const char *const sqlite_url_schemes[];
int sqlite_url_locate(const char *url, char **path, struct err *e);

/* sqlite_open.c */
/* "file:PATH?PARAMETERS", the path escaped.  Gives. */
char *sqlite_open_uri(const char *path, const char *parameters);
/* End long statements when the user asks, or never. */
void sqlite_open_interruptible(struct sqlite *s, int yes);
int sqlite_open_db(struct db **out, const struct db_options *o,
	struct err *e);
void sqlite_open_close(struct db *d);

/* sqlite_sql.c */
int sqlite_sql_exec(struct db *d, const char *sql, struct err *e);
int sqlite_sql_query(struct db_rows *r, const char *sql, const char *args,
	va_list ap, struct err *e);
int sqlite_sql_next(struct db_rows *r, struct err *e);
const char *sqlite_sql_text(struct db_rows *r, int column);
int64_t sqlite_sql_int(struct db_rows *r, int column);
void sqlite_sql_free(struct db_rows *r);
const char *sqlite_sql_named(const char *name);
int sqlite_sql_begin(struct db *d, int foreign_keys, struct err *e);
int sqlite_sql_commit(struct db *d, struct err *e);
void sqlite_sql_rollback(struct db *d);
int sqlite_sql_settle(struct db *d, struct err *e);
/* The first column of the first row; ERR as exec.  -1 if there is no row. */
int sqlite_sql_int_of(struct sqlite *s, const char *sql, int64_t *out,
	struct err *e);
/* "a ""name""" for use in SQL.  Gives. */
char *sqlite_sql_quote(const char *name);

/* sqlite_catalog.c */
int sqlite_catalog_identity(struct db *d, struct wire_database *out,
	struct err *e);
int sqlite_dump_sql(struct db *d, struct buf *out, struct err *e);
int sqlite_catalog_copy(struct db *from, struct db *to, struct err *e);
int sqlite_catalog_fingerprint(struct db *d, char out[65], struct err *e);
int sqlite_catalog_schema(struct db *d, struct strs *out, struct err *e);
int sqlite_catalog_tables(struct db *d, struct shape_list *out,
	struct err *e);
int sqlite_catalog_has_table(struct db *d, const char *name, struct err *e);
int sqlite_catalog_has_tables(struct db *d, const char *const *names, size_t n,
	int *there, struct err *e);
int sqlite_catalog_count(struct sqlite *s, const char *table, int64_t *out,
	struct err *e);
/* Whether the table belongs to a virtual one (its shadow). */
int sqlite_catalog_is_internal(struct sqlite *s, const char *table,
	int *out, struct err *e);

/*
 * sqlite_content.c: the SQL function mig_content(value, ...), an aggregate of that many
 * columns at most: a digest of the rows, then for each the count of its values and
 * their digest, as text.
 */
#define SQLITE_CONTENT_MAX 64
int sqlite_content_register(struct sqlite *s, struct err *e);

/* sqlite_census.c */
int sqlite_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e);

/* sqlite_position.c */
int sqlite_position_get(struct db *d, struct wire_position *out,
	struct err *e);
/* The 100 bytes of the database header, by SQLite's own file handle. */
int sqlite_position_header(struct sqlite *s, unsigned char out[100],
	struct err *e);

/* sqlite_check.c */
int sqlite_check_storage(struct db *d, int deep, char *found, size_t room,
	struct err *e);
int sqlite_check_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e);

/* sqlite_sink.c: a VFS that gives every page written to a function. */
struct sqlite_sink {
	int (*put)(void *arg, int64_t offset, const void *p, size_t n,
		struct err *e);
	void *arg;
	struct err *e; /* of the first failure */
	int failed;
	int64_t end; /* after the last byte */
	unsigned char patch[100]; /* header bytes to put back */
	int patch_counter, patch_cookie;
};

/* Register; name gets the VFS's name.  Keeps sink until unregistered. */
sqlite3_vfs *sqlite_sink_register(struct sqlite_sink *sink);
void sqlite_sink_unregister(sqlite3_vfs *vfs);

/* sqlite_backup.c, sqlite_restore.c, sqlite_gap.c */
int sqlite_backup_stream(struct db *d, const struct db_backup *b,
	struct err *e);
int sqlite_restore_into(struct db *d, const struct db_rebuilt *rebuilt,
	const struct db_restore *r, struct err *e);
int sqlite_gap_count(struct db *d, const struct db_rebuilt *from,
	struct db_gap **out, size_t *n, struct err *e);

/* sqlite_watch.c, sqlite_run.c */
int sqlite_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e);
/* Before a statement that may change rows: what the rows do not tell. */
int sqlite_watch_look(struct sqlite *s, struct err *e);
int sqlite_watch_drop(struct db *d, const char *table, struct err *e);
void sqlite_watch_rename(struct db *d, const char *from, const char *to);
void sqlite_watch_create(struct db *d, const char *table);
int sqlite_watch_stop(struct db *d, struct db_changes *out, struct err *e);
void sqlite_watch_cancel(struct db *d);
int sqlite_run_statement(struct db *d, const struct db_statement *x,
	struct err *e);

/* Rows inserted, updated and deleted since the watch began. */
void sqlite_watch_totals(const struct sqlite *s, int64_t out[3]);

/* sqlite_bring.c */
int sqlite_bring_table(struct db *d, const struct db_bring *b,
	struct db_brought *out, struct err *e);

/* sqlite_keep.c */
int sqlite_keep_values(struct db *d, const struct strs *columns,
	int64_t limit, struct db_keep *k, struct err *e);
char *sqlite_keep_query(const struct db_keep *k, size_t column,
	const char *table_now, const char *now, int how);

/* sqlite_trace.c */
int sqlite_trace_migration(struct db *d, struct err *e);
int sqlite_trace_before(struct db *d, int outside, struct err *e);
int sqlite_trace_after(struct db *d, struct trace_statement *out,
	struct err *e);
void sqlite_trace_cancel(struct db *d);
int sqlite_trace_written(struct db *d, int64_t *bytes, struct err *e);
void sqlite_trace_free(struct sqlite *s);
/* From the authorizer: the statement is about to do this. */
void sqlite_trace_note(struct sqlite *s, int action, const char *a,
	const char *b);
/* From the statement's own counter of rows that it stepped over. */
void sqlite_trace_read(struct sqlite *s, int64_t rows);
int sqlite_trace_stage(struct db **out, const struct db_stage *how,
	struct err *e);
char *sqlite_trace_url(const struct db *d);

/* sqlite_offline.c */
extern const char *const sqlite_offline_companions[];
int sqlite_offline_lock(struct db *d, struct lock **out, int64_t wait_s,
	const char *who, struct err *e);
int sqlite_offline_locked_by(struct db *d, char *out, size_t room);
int sqlite_offline_prove(const char *path, struct err *e);

#endif
