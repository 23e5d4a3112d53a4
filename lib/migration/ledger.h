/*
 * ledger: mig's history in the target database: what is applied, with the
 * texts that undo it, and an append-only list of events beside it.
 * mig-migration(5) describes the tables.
 */
#ifndef MIGRATION_LEDGER_H
#define MIGRATION_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "migration/version.h"

struct db;
struct err;
struct migration;

struct ledger_row {
	char *version;
	char *name;
	char *checksum;
	char *state; /* applied, running, failed */
	int64_t statements; /* done, of one that runs outside a transaction */
	char *backup; /* id; may be NULL */
	char *tool; /* that wrote it; NULL: not in mig's ledger */
	char *sum; /* checksum of the host's own; may be NULL */
	int base; /* of the host, and stands for something that mig has no file of */
	int taken; /* private to history.c */
};

/*
 * With a host, the tool whose migrations these are (history.h), its table is
 * right about what is applied: v holds its rows, with what mig knows of them,
 * and those that mig knows as failed or interrupted.  What only mig knows as
 * applied is in stale.
 */
struct ledger {
	int there; /* mig has written to this database */
	enum version_rule rule;
	const char *host; /* the other tool's name; NULL: none */
	int host_there; /* and its table is */
	int newest_only; /* which holds one row, for all up to it */
	struct ledger_row *v; /* by version */
	size_t n;
	/* The first and the last of mig's own among them; by ledger_sort(). */
	const struct ledger_row *first_own, *last_own;
	struct ledger_row *stale;
	size_t stale_n;
	char *fingerprint; /* of the schema as mig last left it; NULL: not known */
};

struct ledger_event {
	int64_t at;
	const char *event, *version, *by, *backup, *fingerprint, *detail;
};

/* Read it; a database without one is an empty ledger, and stays as it is. */
int ledger_load(struct ledger *out, struct db *d, enum version_rule rule,
	struct err *e);
void ledger_free(struct ledger *l);

/* A new row, zeroed; borrowed until the next.  Then ledger_sort(). */
struct ledger_row *ledger_add(struct ledger *l);
struct ledger_row *ledger_add_stale(struct ledger *l);
void ledger_sort(struct ledger *l);

/* The row of that version, by the rule, or NULL.  Borrowed. */
struct ledger_row *ledger_find(const struct ledger *l, const char *version);

/* Whether it is one of the stale; and whether the host was ever told of it. */
const struct ledger_row *ledger_find_stale(const struct ledger *l,
	const char *version);
int ledger_was_told(const struct ledger_row *row, const char *host);

#define LEDGER_TOLD " for " /* "mig 0.1.0 for goose": its table was written, too */

/* Another tool that was told of a row; NULL: none was.  Borrowed. */
const char *ledger_told(const struct ledger_row *row);

/*
 * Whether mig applied those before and after it, and not this one: the other
 * tool did, or it came late and never ran; a table of one row cannot tell.
 */
int ledger_may_be_late(const struct ledger *l, const struct ledger_row *row);

/* The newest applied version, or NULL.  Borrowed. */
const char *ledger_current(const struct ledger *l);

/*
 * ledger_write.c.  Make the tables, and this database's id, if they are not there.  id NULL: a
 * new one.  In the caller's transaction or in its own.
 */
int ledger_ensure(struct db *d, const char *id, struct err *e);

/* What a row is written with; host: the tool that is told of it, or NULL. */
struct ledger_entry {
	const char *state, *by, *backup, *tool, *host;
	int64_t duration_ms, statements;
};

/*
 * Write the row of m.  again 0: it must not be there, so that no migration is
 * ever recorded twice; 1: it may be, from an earlier step of the same one.
 */
int ledger_put(struct db *d, const struct migration *m,
	const struct ledger_entry *entry, int again, struct err *e);
/* That the row was told to entry->host, by entry->tool. */
int ledger_tell(struct db *d, const char *version,
	const struct ledger_entry *entry, struct err *e);

/* The texts and the checksum of m in its row, if it has one. */
int ledger_restamp(struct db *d, const struct migration *m, struct err *e);
int ledger_remove(struct db *d, const char *version, struct err *e);

/* The recorded texts.  Gives both; *down may be NULL. */
int ledger_texts(struct db *d, const char *version, char **up, char **down,
	struct err *e);

/* Append an event; at 0 means now.  What is NULL is not known. */
int ledger_note(struct db *d, const struct ledger_event *event,
	struct err *e);

/* The same, by us, in a transaction of its own. */
int ledger_note_alone(struct db *d, const struct ledger_event *event,
	struct err *e);

/* Every event, oldest first. */
int ledger_each(struct db *d,
	int (*each)(void *arg, const struct ledger_event *event,
		struct err *e),
	void *arg, struct err *e);

/* Who we are, for the ledger: "user@host".  Gives. */
char *ledger_me(void);

#endif
