/*
 * pg: what the files of the PostgreSQL driver share.  Servers 13 and later.
 *
 * Names of tables are written the same way everywhere: without the schema when
 * that is public, each part quoted unless it is lower case letters, digits and
 * underscores.  PG_NAME makes it in SQL, pg_name() in C.
 */
#ifndef DB_POSTGRESQL_PG_H
#define DB_POSTGRESQL_PG_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/strs.h"
#include "db/driver.h"

/* Our advisory lock: the bytes of "mig" and a 1.  Per database. */
#define PG_LOCK_CLASS "7170407"
#define PG_LOCK_OBJECT "1"
#define PG_LOCK_HELD(l) /* a row of pg_locks: it is ours, and we have it */ \
	l ".pid = pg_catalog.pg_backend_pid() AND " l ".locktype = " \
	"'advisory' AND " l ".classid = " PG_LOCK_CLASS " AND " l ".objid = " \
	PG_LOCK_OBJECT " AND " l ".objsubid = 2 AND " l ".mode = " \
	"'ExclusiveLock' AND " l ".granted"
#define PG_OLDEST 130000 /* server_version_num */
#define PG_QUOTED(x) \
	"CASE WHEN " x " ~ '^[a-z_][a-z0-9_]*$' THEN " x "::text ELSE '\"' || " \
	"pg_catalog.replace(" x "::text, '\"', '\"\"') || '\"' END"
#define PG_NAME(n, c) \
	"CASE WHEN " n ".nspname = 'public' THEN '' ELSE " \
	PG_QUOTED(n ".nspname") " || '.' END || " PG_QUOTED(c ".relname")

#define PG_TOO_MANY "too many are connected: end sessions, or raise the limit " \
	"of the role, the database or the server"

struct pg_dump_result;
struct pg_server;
struct pg_trace;
struct pg_watch;
struct pg_dump;

struct pg {
	struct db base;
	PGconn *c;
	enum db_mode mode;
	char *url; /* holds the password: never shown */
	char *shown; /* "NAME on HOST:PORT" */
	char *name; /* of the database */
	int version; /* of the server, server_version_num */
	char *oid; /* of the database */
	char *role; /* SET ROLE; NULL: none */
	int64_t statement_ms; /* statement_timeout; 0: as it is */
	int reset_role; /* a statement of a migration may have set it */
	char *mark; /* counters of writes, when the gap was counted */
	int locked, held; /* we hold the lock; and did behind a migration's statement */
	int backend; /* our process on the server */
	int standby;
	int uncounted; /* track_counts is off */
	int spoilt; /* rolled back inside a watch: must not commit */
	struct pg_watch *watch;
	struct pg *observer; /* sees what is committed; NULL: not open */
	struct strs asked, prepared; /* SQL of mig's own: once; twice */
	int generation; /* of their names: a migration may deallocate all */
	int ahead; /* the schema was asked for, and not taken */
	struct strs touched; /* oids that this session has written to */
	int own_known; /* those of mig's own tables are in it */
	struct pg_server *server; /* a throw-away one; NULL: none */
	struct pg_trace *trace; /* NULL: nothing is traced */
	int staged; /* 1: a copy on a server that goes on; 2: on its own */
	struct pg_dump *dump; /* a file of a dump instead of a server */
};

static inline struct pg *
pg_of(struct db *d)
{
	return (struct pg *)d;
}
extern const struct db_driver pg_driver;
/* pg_open.c */
extern const char *const pg_open_schemes[];
int pg_open_db(struct db **out, const struct db_options *o, struct err *e);
void pg_open_close(struct db *d);
int pg_open_locate(const char *url, char **path, struct err *e);
/* The settings that options ask for; again after RESET ALL. */
int pg_open_settle(struct pg *p, struct err *e);
/* Another connection with the same url, to another database if not NULL. */
int pg_open_beside(struct pg **out, const struct pg *like, const char *name,
	struct err *e);
/*
 * For a connection that another thread works with: notices are thrown away,
 * and text comes and goes in that encoding.
 */
int pg_open_for_thread(struct pg *p, const char *encoding, struct err *e);
/*
 * A connection to another database of live's server, which holds the lock of
 * restores of live: ERR_LOCKED.
 */
int pg_open_maintenance(struct pg **out, const char *live,
	const struct db_options *o, struct err *e);
/* pg_error.c: what should not be: the next step for e; returns -1. */
int pg_error_odd(struct err *e);
/* Fill e from a result or a connection; returns -1. */
int pg_error(struct pg *p, const PGresult *r, struct err *e,
	const char *doing);

/* pg_sql.c */
int pg_sql_exec(struct db *d, const char *sql, struct err *e);
int pg_sql_query(struct db_rows *r, const char *sql, const char *args,
	va_list ap, struct err *e);
int pg_sql_next(struct db_rows *r, struct err *e);
const char *pg_sql_text(struct db_rows *r, int column);
int64_t pg_sql_int(struct db_rows *r, int column);
void pg_sql_free(struct db_rows *r);
const char *pg_named_sql(const char *name);
/*
 * One command by the extended protocol, which takes exactly one.  Can be
 * interrupted by a signal.  Gives *out: PQclear(); NULL on failure.
 */
PGresult *pg_sql_one(struct pg *p, const char *sql, int n,
	const char *const *values, struct err *e);
/* The last result of what was sent, but a COPY at once.  Gives; or NULL. */
PGresult *pg_sql_collect(struct pg *p, struct err *e);
/* One command of mig's own that can be interrupted. */
int pg_sql_long(struct pg *p, const char *sql, struct err *e);
/*
 * The same for SQL of mig's own, which is prepared when it comes again: a run of a thousand
 * migrations asks the same few questions a thousand times.
 */
PGresult *pg_sql_own(struct pg *p, const char *sql, int n,
	const char *const *values, struct err *e);
/* The words as a text[].  Gives. */
char *pg_sql_array(const struct strs *l);
/* One value of one row, as text.  Gives *out, NULL for null or no row. */
int pg_sql_value(struct pg *p, char **out, struct err *e, const char *sql,
	const char *value);

/* pg_transaction.c */
int pg_transaction_begin(struct db *d, int foreign_keys, struct err *e);
/* The limit of waits, as begin has set it; nothing outside a transaction. */
int pg_transaction_limit(struct pg *p, struct err *e);
int pg_transaction_commit(struct db *d, struct err *e);
void pg_transaction_rollback(struct db *d);
int pg_transaction_settle(struct db *d, struct err *e);

/* pg_lock.c */
int pg_lock_take(struct db *d, struct lock **out, int64_t wait_s,
	const char *who, struct err *e);
int pg_lock_other(struct db *d, int64_t id, int64_t wait_s, const char *who,
	struct err *e);
int pg_lock_by(struct db *d, char *out, size_t room);
int pg_lock_session(const struct db *d);

/* pg_catalog.c */
int pg_catalog_identity(struct db *d, struct wire_database *out,
	struct err *e);
int pg_written_position(struct db *d, struct wire_position *out,
	struct err *e);
/* What the counters of the database say was written to its tables.  Gives. */
int pg_written(struct pg *p, char **out, struct err *e);
/* The same when other sessions have just ended. */
int pg_written_at_end(struct pg *p, char **out, struct err *e);
int pg_written_mark(struct db *d, struct err *e);
int pg_catalog_fingerprint(struct db *d, char out[65], struct err *e);
int pg_catalog_ahead(struct db *d, struct err *e);
/*
 * Whether to_regclass() can take it: one or two parts, well quoted.  Anything
 * else would be an error, and end the transaction.
 */
int pg_catalog_is_name(const char *name);
/* A name of PG_NAME, for any search_path.  Gives. */
char *pg_catalog_full(const char *name);
int pg_catalog_has_tables(struct db *d, const char *const *names, size_t n,
	int *there, struct err *e);
int pg_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e);
int pg_catalog_check(struct db *d, int deep, char *found, size_t room,
	struct err *e);
int pg_catalog_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e);
char *pg_catalog_canonical(struct db *d, const char *name);
char *pg_catalog_qualified(struct db *d, const char *name);

/* pg_run.c */
int pg_run_statement(struct db *d, const struct db_statement *s,
	struct err *e);

/* A list of names (or numbers) as the server reads an array.  Gives. */
char *pg_watch_array(const struct strs *l);

int pg_problems_each(struct db *d, db_problem *found, void *arg,
	struct err *e);
int pg_problems_blocked(struct db *d, const struct strs *tables,
	struct err *e);
/* Who lets nobody read a table, and which.  Gives *out; NULL: nobody. */
int pg_problems_locker(struct pg *p, char **out, struct err *e);

/* pg_backup.c */
int pg_backup_stream(struct db *d, const struct db_backup *b, struct err *e);

/* pg_restore.c and pg_swap.c */
/*
 * Dumped again, the database must be the dump that it was made from.
 * elsewhere: on another server, where owners and privileges differ.
 */
int pg_restore_prove(struct pg *m, const char *name,
	const struct pg_dump_result *want, int jobs, int elsewhere,
	struct err *e);
int pg_restore_into(struct db *d, const struct db_rebuilt *from,
	const struct db_restore *r, struct err *e);

/* pg_gap.c */
int pg_gap_count(struct db *d, const struct db_rebuilt *from,
	struct db_gap **out, size_t *n, struct err *e);

#endif
