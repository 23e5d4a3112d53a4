/* pg_watch: what a migration changes; and for the files of the watch. */
#ifndef DB_POSTGRESQL_PG_WATCH_H
#define DB_POSTGRESQL_PG_WATCH_H

#include "db/postgresql/pg.h"

int pg_watch_start(struct db *d, const struct strs *expected,
	const struct strs *found, struct err *e);
/* Locks a table that is to go: db_watch_hold(). */
int pg_watch_hold(struct db *d, const char *table, struct err *e);
/* A limit for what is counted under a lock: db_watch_brief(). */
int pg_watch_brief(struct db *d, int on, struct err *e);
/* pg_rewrite.c: db_rewrites(). */
int pg_rewrites(struct db *d, const struct db_statement *s, struct err *e);
int pg_watch_drop(struct db *d, const char *table, struct err *e);
void pg_watch_rename(struct db *d, const char *from, const char *to);
void pg_watch_create(struct db *d, const char *table);
int pg_watch_stop(struct db *d, struct db_changes *out, struct err *e);
void pg_watch_cancel(struct db *d);
/* Before a statement: the tables that it names. */
int pg_watch_named(struct pg *p, const struct db_statement *s, struct err *e);
/* After it: what it did, and to which tables that it does not name. */
int pg_watch_after(struct pg *p, const struct db_statement *s,
	struct err *e);

/* One relation that we have written to. */
struct pg_touched {
	char *oid;
	int seen; /* in this transaction */
	int old; /* was there before the transaction */
	int there; /* is there now */
	char *name; /* now, or before it was dropped */
	char *was; /* before the transaction, if it was there */
	int lost; /* all its rows went by what does not name it */
	char *filenode; /* where its rows are, after the last statement */
	int64_t base[3]; /* inserted, updated, deleted: before the watch */
	int64_t last[3]; /* after the last statement */
	int64_t size; /* bytes of rows, after the last statement */
	int64_t gone; /* deleted by the last statement */
	int64_t cascaded; /* deleted by a statement that does not name it */
	struct db_nulled *nulled;
	size_t nulled_n;
};

/*
 * Rows of a table, or values of a column, that may all go.  By number: a name may be
 * another table's by then.
 */
struct pg_counted {
	char *key; /* "OID", or "OID.column" as it was then called */
	int64_t amount;
};

struct pg_watch {
	struct pg_touched *v;
	size_t n;
	struct pg_counted *counted;
	size_t counted_n;
	struct strs now; /* oids that the present statement names */
	int alone; /* it has a WITH, and nothing can take more of them along */
	char tag[16]; /* what the server called the statement; for how many rows */
	int64_t tuples;
	int64_t came, went; /* rows of the tables that it names */
	struct strs columns; /* "OID.column" that a statement drops by name */
};

/* Rows that this transaction has inserted, updated and deleted, as columns. */
#define PG_WATCH_COUNTS(oid) \
	"pg_catalog.pg_stat_get_xact_tuples_inserted(" oid "), " \
	"pg_catalog.pg_stat_get_xact_tuples_updated(" oid "), " \
	"pg_catalog.pg_stat_get_xact_tuples_deleted(" oid ")"

/* A number in a result. */
int64_t pg_watch_number(const PGresult *r, int row, int column);

/* The entry of a table, made if there is none.  Lives until the next call. */
struct pg_touched *pg_watch_find(struct pg_watch *w, const char *oid);

/* Run a query of mig's own; value may be NULL. */
PGresult *pg_watch_ask(struct pg *p, const char *sql, const char *value,
	struct err *e);

/*
 * pg_watch_count.c: count a table, and its columns, before it may lose them; a name that
 * is none is left out.  _found: what db_changes.undone says, which is locked, too.
 */
int pg_watch_note(struct pg *p, const char *table, struct err *e);
int pg_watch_note_found(struct pg *p, const char *key, struct err *e);

/* content of pg_census(): the rows alone, and no column. */
#define PG_CENSUS_ROWS (-1)

/* Rows of a table that is there: 0 and *rows, -1 when it is not. */
int pg_watch_count(struct pg *p, const char *table, int64_t *rows,
	struct err *e);

/* What was counted beforehand; column NULL: the rows.  Or -1. */
int64_t pg_watch_counted(const struct pg_watch *w, const char *oid,
	const char *column);

/* "OID.column".  Gives. */
char *pg_watch_key(const char *oid, const char *column);

/* A second connection, which sees what is committed. */
int pg_watch_observer(struct pg *p, struct err *e);

#endif
