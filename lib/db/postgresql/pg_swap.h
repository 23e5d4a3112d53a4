/*
 * pg_swap: two databases change their names, and the way out of a crash in
 * between.  Where a restore stands is kept on the server itself, as the
 * comment of the new database, so that any host can go on:
 *
 *	filling: made, not yet proved	nothing to resume; --undo drops it
 *	ready: proved, facts replayed	--resume swaps, --undo drops it
 *
 * and a live database that does not allow connections was being swapped.
 */
#ifndef DB_POSTGRESQL_PG_SWAP_H
#define DB_POSTGRESQL_PG_SWAP_H

#include <stdint.h>

#include "db/postgresql/pg.h"

#define PG_SWAP_NOTE "mig restore: "
#define PG_SWAP_FILLING "filling"
#define PG_SWAP_READY "ready"

/* The new databases of a live one, and where each stands. */
#define PG_SWAP_FRESH \
	"SELECT datname, CASE WHEN c IS NULL OR c LIKE '" PG_SWAP_NOTE \
	"filling%' THEN 'filling' ELSE 'ready' END, pg_catalog.right(c, 16) " \
	"FROM (SELECT d.datname, pg_catalog.shobj_description(d.oid, " \
	"'pg_database') AS c FROM pg_catalog.pg_database d WHERE " \
	"pg_catalog.starts_with(d.datname, $2) AND pg_catalog.substr(" \
	"d.datname, pg_catalog.length($2) + 1) ~ '^[0-9]{8}T[0-9]{6}Z$') AS " \
	"x WHERE c IS NULL OR c = '" PG_SWAP_NOTE "filling ' || $1 OR " \
	"(pg_catalog.starts_with(c, '" PG_SWAP_NOTE "ready ' || $1 || ' ') AND " \
	"pg_catalog.length(c) = pg_catalog.length('" PG_SWAP_NOTE \
	"ready ' || $1) + 17) ORDER BY 1 DESC"

struct swap_names {
	char *live; /* APP */
	char *fresh; /* APP_mig_new_20260131T235959Z */
	char *old; /* APP_mig_old_..., from before a restore */
	char *off; /* APP_mig_off_..., what an --undo takes away */
};

/*
 * pg_swap_names.c: names that no database has: within a second of another restore it
 * waits for the next.  Gives n's contents on success.
 */
int pg_swap_names(struct swap_names *n, struct pg *m, const char *live,
	struct err *e);
void pg_swap_names_free(struct swap_names *n);

/* ERR_REFUSED for what a new database would leave behind: slots and such. */
int pg_swap_may(struct pg *p, struct err *e);
/* The same, and whether the role can make a database; as db_restore_may(). */
int pg_swap_allowed(struct db *d, struct err *e);

/* ERR_REFUSED "exists" if there is a database of that name. */
int pg_swap_free_name(struct pg *m, const char *name, struct err *e);

/* Drop what killed restores of live have left; its lock is ours. */
int pg_swap_sweep(struct pg *m, const char *live, struct err *e);

/* Note where the restore stands, on the new database. */
int pg_swap_mark(struct pg *m, const char *name, const char *step,
	struct err *e);
int pg_swap_unmark(struct pg *m, const char *name, struct err *e);

/*
 * Owner, privileges, settings, comment, connection limit: what belongs to a
 * database and not into it.  Replayed from live to fresh, then compared.
 */
int pg_facts_replay(struct pg *m, const char *live, const char *fresh,
	struct err *e);
/* Whether that may be done: it is, and taken back. */
int pg_facts_try(struct pg *m, const char *live, const char *fresh,
	struct err *e);

/*
 * pg_facts_archived.c: the same from the dump at path, if p, the database itself, is as
 * CREATE DATABASE leaves it: 1, and 0 if it is not.  try: it is taken back; without, it
 * has been found to be so.
 */
int pg_facts_archived(struct pg *p, struct pg *m, const char *path,
	const char *fresh, int try, struct err *e);

/* Note that the new database is proved: --resume can finish from here. */
int pg_swap_ready(struct pg *p, struct pg *m, const struct swap_names *n,
	struct err *e);

/*
 * Close the live database, end its sessions and ours, change the names in one
 * transaction, open it.  Closes p's connection.
 */
int pg_swap_run(struct pg *p, struct pg *m, const struct swap_names *n,
	const struct db_restore *r, struct err *e);

/*
 * Run what a query makes: SQL of one value per row, from one or two texts (b
 * may be NULL), on the maintenance connection.
 */
int pg_swap_runf(struct pg *m, struct err *e, const char *format,
	const char *a, const char *b);

/* Whether connections to a database are allowed. */
int pg_swap_allow(struct pg *m, const char *name, int yes, struct err *e);

/* End every session but the one of process except; wait for their end. */
int pg_swap_end_sessions(struct pg *m, const char *name, int except,
	struct err *e);

/*
 * live becomes `to` and fresh becomes live, in one transaction; marked: the
 * comment of fresh was ours.
 */
int pg_swap_rename(struct pg *m, const char *live, const char *to,
	const char *fresh, int marked, struct err *e);

/* After a crash or a change of mind: see db_mend(). */
int pg_mend_run(const char *url, const struct db_mend *how, char **said,
	char **kept, struct err *e);

/* What tells whether anything was written since a mark was taken. */
void pg_swap_digest(const char *mark, char out[17]);

/* "APP_mig_new_", to which the time is added.  Gives. */
char *pg_swap_prefix(const char *live, int fresh);

#endif
