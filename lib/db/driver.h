/*
 * driver: what an engine gives.  A driver is one static struct of functions,
 * listed in db_driver.c; each does what db.h says of the function of its name.  The
 * contract test in tests/unit/ is the definition of a driver.
 */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include <stdarg.h>

#include "db/db_bring.h"
#include "db/db_copy.h"
#include "db/db_keep.h"
#include "db/db_trace.h"
#include "db/lex.h"

#define DB_CAP_TXN_DDL 1u /* DDL rolls back */
#define DB_CAP_OFFLINE 2u /* a database is files that can be replaced */
#define DB_CAP_REBUILD 4u /* tables change by rebuild, keys off meanwhile */
#define DB_CAP_SERVER 8u /* a server: restore makes a new one and swaps */
#define DB_CAP_DUMP 16u /* no database, a dump that can only be asked */

/* The head of every driver's own struct. */
struct db {
	const struct db_driver *driver;
	const struct report *report;
	int64_t busy_ms;
	int hushed; /* notices are not passed on */
};

struct db_rows {
	struct db *db;
	void *own;
};

struct buf;

struct db_driver {
	const char *engine;
	const char *const *schemes; /* of urls; NULL at the end */
	int (*is_words)(const char *url); /* one without a scheme; or NULL */
	unsigned caps;
	enum lex_rules rules; /* of its SQL */
	const char *checks[2]; /* names of the plain and the deep check */
	int (*open)(struct db **out, const struct db_options *o,
		struct err *e);
	void (*close)(struct db *d);
	int (*locate)(const char *url, char **path, struct err *e);
	char *(*label)(const char *url, struct err *e); /* NULL: locate's */
	const char *(*name)(const struct db *d);
	int (*identity)(struct db *d, struct wire_database *out,
		struct err *e);
	int (*position)(struct db *d, struct wire_position *out,
		struct err *e);
	/* NULL: a position tells it, as it does for mark. */
	int (*written)(struct db *d, char **out, struct err *e);
	int (*mark)(struct db *d, struct err *e);
	int (*fingerprint)(struct db *d, char out[65], struct err *e);
	/* NULL: it cannot work beside us. */
	int (*fingerprint_ahead)(struct db *d, struct err *e);
	int (*schema)(struct db *d, struct strs *out, struct err *e);
	int (*copy_schema)(struct db *from, struct db *to, struct err *e);
	int (*dump_sql)(struct db *d, struct buf *out, struct err *e);
	int (*tables)(struct db *d, struct shape_list *out, struct err *e);
	int (*has_tables)(struct db *d, const char *const *names, size_t n,
		int *there, struct err *e);
	char *(*canonical)(struct db *d, const char *name);
	char *(*qualified)(struct db *d, const char *name); /* may be NULL */
	int (*exec)(struct db *d, const char *sql, struct err *e);
	int (*query)(struct db_rows *r, const char *sql, const char *args,
		va_list ap, struct err *e);
	int (*next)(struct db_rows *r, struct err *e);
	const char *(*text)(struct db_rows *r, int column);
	int64_t (*integer)(struct db_rows *r, int column);
	void (*rows_free)(struct db_rows *r);
	const char *(*sql)(const char *name);
	int (*begin)(struct db *d, int foreign_keys, struct err *e);
	int (*commit)(struct db *d, struct err *e);
	void (*rollback)(struct db *d);
	int (*settle)(struct db *d, struct err *e);
	int (*lock)(struct db *d, struct lock **out, int64_t wait_s,
		const char *who, struct err *e);
	/* May be NULL: there is no such thing. */
	int (*lock_other)(struct db *d, int64_t id, int64_t wait_s,
		const char *who, struct err *e);
	int (*locked_by)(struct db *d, char *out, size_t room);
	/* The descriptor of a session that holds the lock; NULL: a file does. */
	int (*session)(const struct db *d);
	int (*watch_start)(struct db *d, const struct strs *expected,
		const struct strs *found, struct err *e);
	int (*watch_drop)(struct db *d, const char *table, struct err *e);
	/* NULL: nobody else can write while a migration runs. */
	int (*watch_hold)(struct db *d, const char *table, struct err *e);
	int (*watch_brief)(struct db *d, int on, struct err *e);
	void (*watch_rename)(struct db *d, const char *from, const char *to);
	void (*watch_create)(struct db *d, const char *table);
	int (*watch_stop)(struct db *d, struct db_changes *out,
		struct err *e);
	void (*watch_cancel)(struct db *d);
	int (*run)(struct db *d, const struct db_statement *s,
		struct err *e);
	/* NULL: every change of a type does. */
	int (*rewrites)(struct db *d, const struct db_statement *s,
		struct err *e);
	int (*trace_migration)(struct db *d, struct err *e);
	int (*trace_before)(struct db *d, int outside, struct err *e);
	int (*trace_after)(struct db *d, struct trace_statement *out,
		struct err *e);
	void (*trace_cancel)(struct db *d);
	int (*trace_written)(struct db *d, int64_t *bytes, struct err *e);
	/* db_keep.h.  A query "FROM ..." with the columns k, o (was) and w. */
	int (*keep)(struct db *d, const struct strs *columns, int64_t limit,
		struct db_keep *out, struct err *e);
	char *(*keep_query)(const struct db_keep *k, size_t column,
		const char *table_now, const char *now, int how);
	int (*stage)(struct db **out, const struct db_stage *how,
		struct err *e);
	char *(*stage_url)(const struct db *d);
	int (*bring)(struct db *d, const struct db_bring *b,
		struct db_brought *out, struct err *e);
	int (*census)(struct db *d, const char *table, int content,
		struct db_census *out, struct err *e);
	int (*check)(struct db *d, int deep, char *found, size_t room,
		struct err *e);
	int (*dangling)(struct db *d, int64_t *n, char *first, size_t room,
		struct err *e);
	/* Either may be NULL: the engine knows nothing of the kind. */
	int (*problems)(struct db *d, db_problem *found, void *arg,
		struct err *e);
	int (*blocked)(struct db *d, const struct strs *tables,
		struct err *e);
	int (*backup)(struct db *d, const struct db_backup *b, struct err *e);
	int (*restore)(struct db *d, const struct db_rebuilt *from,
		const struct db_restore *r, struct err *e);
	/* NULL: nothing is in its way. */
	int (*restore_may)(struct db *d, struct err *e);
	int (*gap)(struct db *d, const struct db_rebuilt *from,
		struct db_gap **out, size_t *n, struct err *e);
	/* Only with DB_CAP_DUMP. */
	int (*deep)(struct db *d, const char *scratch, const char *server,
		int jobs, const struct report *report, char *found,
		size_t room, struct err *e);
	/* Only with DB_CAP_SERVER. */
	int (*mend)(const char *url, const struct db_mend *how, char **said,
		char **kept, struct err *e);
	/* Only with DB_CAP_OFFLINE. */
	int (*prove_unused)(const char *path, struct err *e);
	const char *const *companions;
};

/* The driver of an engine, or NULL. */
const struct db_driver *db_driver_named(const char *engine);

/* The driver that a url is for; borrowed.  NULL is an ERR_USAGE. */
const struct db_driver *db_driver_of(const char *url, struct err *e);

#endif
