/*
 * db: one open database, whatever its engine.  The functions here check and
 * forward to the engine's driver (db/driver.h); nothing above this room knows
 * an engine.  Opening never creates a database.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db_lock.h"
#include "db/db_watch.h"
#include "db/lex.h"
#include "json/wire.h"

struct strs;
struct db; /* opaque: an open database */
struct db_rows; /* opaque: the rows of a query */
struct buf;
struct err;
struct lock;
struct report;

enum db_mode {
	DB_READ, /* cannot write, not even by mistake */
	DB_WRITE,
	DB_SCRATCH, /* a file of ours: read only, no lock, no journal */
	DB_SCRATCH_WRITE, /* a file of ours, to be changed */
	DB_SCRATCH_SHARED, /* the same, and by other programs */
	DB_MEMORY /* a new empty one of the engine, gone when it is closed */
};

struct db_options {
	const char *url;
	enum db_mode mode;
	int64_t busy_ms; /* how long to wait for others' transactions */
	const struct report *report; /* kept */
	const char *engine; /* of a scratch file; NULL: SQLite */
	const char *role; /* PostgreSQL: SET ROLE; NULL: none */
	int64_t statement_ms; /* PostgreSQL: statement_timeout; 0: as it is */
};

/*
 * Open.  Gives *out: db_close().  ERR_USAGE: the url cannot be read, or names
 * a folder or a file that is not a database; ERR_ENV: not there, or not
 * allowed.  Error texts never hold a secret.
 */
int db_open(struct db **out, const struct db_options *o, struct err *e);
void db_close(struct db *d);

/*
 * The place that the url names, without opening it: for a restore when the
 * database is damaged or gone.  Gives *path: free().
 */
int db_locate(const char *url, char **path, struct err *e);

/*
 * What to call it without opening it and without a secret: its path, or
 * HOST/NAME.  Gives, or NULL.
 */
char *db_label(const char *url, struct err *e);

/* Whether the url leads to a server, which has no file to replace. */
int db_is_server(const char *url);

/* The place, for messages.  Borrowed. */
const char *db_name(const struct db *d);

/* The rules of its SQL, and the names of its checks.  Static. */
enum lex_rules db_rules(const struct db *d);
const char *db_check_name(const struct db *d, int deep);

/*
 * The name of a table, or of table.column, as changes and losses are written
 * by this engine; one that is not there stays as it is.  Gives.
 */
char *db_canonical(struct db *d, const char *name);

/* The name of a table as SQL needs it from anywhere in the session.  Gives. */
char *db_qualified(struct db *d, const char *name);

/* Whether to pass on what the server has to say while it runs: not secrets. */
void db_hush(struct db *d, int on);

/* Whether the driver has a capability; caps of db/driver.h. */
int db_can(const struct db *d, unsigned cap);

/* Engine, name, path and id.  Gives out's contents: shape_release(). */
int db_identity(struct db *d, struct wire_database *out, struct err *e);

/* The state of the data.  Gives out's contents. */
int db_position(struct db *d, struct wire_position *out, struct err *e);

/*
 * The statements that make the database again, schema and rows, mig's own tables
 * left out; for a small one.  What a program of the engine adds stands in it.
 */
int db_dump_sql(struct db *d, struct buf *out, struct err *e);

/* A digest of the schema, mig's own tables left out: 64 digits and a NUL. */
int db_fingerprint(struct db *d, char out[65], struct err *e);

/*
 * Have a server begin on it while the caller does something else: 1, and then
 * db_fingerprint() is the next thing that is asked of d; 0: this engine, or d
 * inside a transaction, does not.
 */
int db_fingerprint_ahead(struct db *d, struct err *e);

/*
 * The same as lines, in any order, without the quotes that SQLite's RENAME leaves: for
 * comparing at once, never stored.
 */
int db_schema(struct db *d, struct strs *out, struct err *e);

/* Every table and its rows.  Gives out's items (struct wire_table). */
int db_tables(struct db *d, struct shape_list *out, struct err *e);
void db_tables_free(struct shape_list *l);

/* Whether a table is one of mig's own, which deltas and gaps leave out. */
int db_is_ours(const char *table);

/* Whether a table (not a view) of that name is there: 1, 0 or -1. */
int db_has_table(struct db *d, const char *name, struct err *e);
/* The same for n names at once: there[i] is 1 or 0. */
int db_has_tables(struct db *d, const char *const *names, size_t n, int *there,
	struct err *e);

/* SQL of mig's own.  args: one letter each, 's' text (NULL allowed), 'i' */
int db_exec(struct db *d, const char *sql, struct err *e);
int db_execf(struct db *d, struct err *e, const char *sql, const char *args,
	...);
int db_execv(struct db *d, struct err *e, const char *sql, const char *args,
	va_list ap);
int db_query(struct db_rows **out, struct db *d, struct err *e,
	const char *sql, const char *args, ...);
int db_next(struct db_rows *r, struct err *e); /* 1: a row, 0: end, -1 */
const char *db_text(struct db_rows *r, int column); /* NULL: null */
int64_t db_int(struct db_rows *r, int column);
void db_rows_free(struct db_rows *r);

/* The engine's own SQL, by name: "ledger" makes mig's tables. */
const char *db_sql(const struct db *d, const char *name);

/*
 * A transaction that writes.  foreign_keys 0: not enforced in it (asked for
 * by a table rebuild).  Every way out is db_commit() or db_rollback().
 */
int db_begin(struct db *d, int foreign_keys, struct err *e);
int db_commit(struct db *d, struct err *e);
void db_rollback(struct db *d);

/* Move what is written beside the database (a WAL) into it, all of it. */
int db_settle(struct db *d, struct err *e);

/* --- what a migration does; what it changes: db/db_watch.h ------------- */

/* What a statement of a migration may do beyond the ordinary. */
#define DB_RUN_PLAIN 0
#define DB_RUN_OUTSIDE 1 /* no transaction: VACUUM and PRAGMA only */

/*
 * What the words of a statement say that it is.  The engine's own view must
 * agree, or the losses were counted for another statement than the one that
 * runs.
 */
enum db_intent {
	DB_INTENT_OTHER, /* changes no row and drops no table or column */
	DB_INTENT_DEFINE, /* CREATE; DROP of what holds no rows */
	DB_INTENT_DROP_TABLE, /* of that name */
	DB_INTENT_DROP_COLUMN,
	DB_INTENT_UPDATE,
	DB_INTENT_TRUNCATE,
	DB_INTENT_CHANGE /* INSERT, REPLACE, DELETE */
};

struct db_statement {
	const char *sql;
	size_t n;
	enum db_intent intent;
	const char *table; /* that it is about; NULL: not known */
	const struct strs *more; /* further ones; may be NULL */
	const struct strs *inner; /* that statements inside its WITH change; or NULL */
	const struct strs *columns; /* of DROP_COLUMN */
	const char *data; /* the lines after COPY FROM stdin; or NULL */
	size_t data_n;
	int how; /* DB_RUN_... */
};

/*
 * Run exactly one statement of a script, its rows thrown away.  Refused with
 * ERR_REFUSED "forbidden": what would leave the transaction or the database;
 * ERR_FAILED "scan": what is not what its words say.
 */
int db_run(struct db *d, const struct db_statement *s, struct err *e);

/* Rows of a table, and per column the values that are not null. */
struct db_census {
	int there; /* 0: no such table, the rest is empty */
	int fresh; /* of the transaction that is open, or temporary */
	int exact; /* "A" and a are two columns */
	int view; /* what is deleted from it goes from a table */
	char *name; /* as the engine writes it; NULL: as it was asked */
	int64_t rows;
	char **columns;
	int64_t *values;
	int64_t *digests; /* of the values, whatever their order; see below */
	int64_t row_digest; /* of whole rows, likewise */
	size_t n;
};

/*
 * Count.  content 1: also a 64-bit digest of each column's values, in which the
 * number 1 and the text '1' are the same, as a change of type leaves them; 2: and of
 * whole rows.  Against accidents, not against malice.
 */
int db_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e);
void db_census_free(struct db_census *c);

/* The column of that name, letter case apart if that is no other; or c->n. */
size_t db_census_column(const struct db_census *c, const char *name);

/* --- checks ------------------------------------------------------------ */

/* The engine's check of the storage; found: "ok" or the first complaint. */
int db_check(struct db *d, int deep, char *found, size_t room, struct err *e);

/* Rows whose foreign key points nowhere; first describes one. */
int db_dangling(struct db *d, int64_t *n, char *first, size_t room,
	struct err *e);

/* Something in the database that a person should look at. */
typedef void db_problem(void *arg, const char *reason, const char *text,
	const char *next);
int db_problems(struct db *d, db_problem *found, void *arg, struct err *e);

/*
 * ERR_REFUSED "blocked" when a dump or an old transaction holds one of the
 * tables, which a migration would have to wait for.
 */
int db_blocked(struct db *d, const struct strs *tables, struct err *e);

/* --- files of a database ------------------------------------------------ */

/*
 * Prove that nobody uses the database at path, which may be too damaged to
 * open: ERR_REFUSED "in-use" names who does.
 */
int db_prove_unused(const char *url, struct err *e);

/* While an offline restore runs, a file of this name plus suffix says so. */
#define DB_RESTORING ".mig-restoring"

/* What stands beside a file of that engine and belongs to it: "-wal"..., then NULL. */
const char *const *db_companions(const char *engine);

#endif
