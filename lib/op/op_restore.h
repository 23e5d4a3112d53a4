/* op_restore: back by a verified backup, with the loss stated in numbers. */
#ifndef OP_OP_RESTORE_H
#define OP_OP_RESTORE_H

#include "backup/verify.h"
#include "db/db_copy.h"
#include "op/op.h"

struct db;
struct doc;
struct doc_rollback;
struct err;
struct lock;
struct strs;

struct op_restore_options {
	const char *archive; /* NULL: the newest in the backups folder */
	struct doc *document; /* names the archive; NULL: none.  Taken. */
	const struct strs *only; /* tables and columns, beside; NULL: all */
	struct db *db; /* the live one, held by the caller; NULL: open it. */
	struct lock *lock; /* of it.  Both are taken */
	const char *into; /* a new file instead of the live database */
	int offline; /* replace the file; nobody may use it */
	int assume_stopped; /* processes that cannot be looked at do not use it */
	int dry_run;
	int accept_loss;
	int no_safety_backup;
	int no_check; /* of the rebuilt and of the restored database */
	int other_database; /* the archive may be of another one */
	int undo, resume; /* on a server: after a restore, no new one */
};

int op_restore(struct doc_rollback *out, const struct op *o,
	struct op_restore_options *p, struct err *e);

/* --- for the other files of this verb --- */

struct restore {
	struct doc_rollback *out;
	const struct op *o;
	const struct op_restore_options *p;
	char *archive;
	char *target; /* the live database's path */
	char *scratch; /* the rebuilt database; NULL: not yet */
	struct verify_result proof; /* of the archive */
	struct db *db; /* the live database; NULL: cannot be opened */
	int held; /* keeps the scratch file from a sweep; -1: not held */
	int64_t raw_bytes;
	struct wire_position at; /* of the live data, when the gap was counted */
	int history_lost; /* the present ledger cannot be read */
	int resuming; /* an offline restore that was interrupted */
};

/* Find the archive that was asked for, or the newest. */
int op_restore_find(struct restore *r, struct err *e);

/* Ask whether to replace the live database. */
int op_restore_confirm(struct restore *r, struct err *e);

/* Fill out->database with what the path alone tells, if it is empty. */
void op_restore_describe(struct restore *r);

/* Verify the archive into r->scratch, a file beside the target. */
int op_restore_rebuild(struct restore *r, const char *beside, struct err *e);

/* What op_restore_rebuild() made. */
struct db_rebuilt op_restore_from(const struct restore *r);

/* Fill the gap; ERR_REFUSED "loss" when it is not accepted. */
int op_restore_gap(struct restore *r, struct err *e);

/* ERR_REFUSED "other-database" unless the archive is of this one. */
int op_restore_identity(struct restore *r, struct err *e);

/*
 * ERR_ENV "written" when the live database (of arg, a struct restore) was
 * written to since its gap was counted.
 */
int op_restore_unchanged(void *arg, struct err *e);

/* The backup of what is about to be replaced. */
int op_restore_safety(struct restore *r, struct err *e);

/* op_restore_into.c: a new file instead of the live one. */
int op_restore_into(struct restore *r, struct err *e);

/*
 * op_offline_marker.c: say in the file marker what is under way, and how all is
 * left by now.
 */
int op_offline_mark(const struct restore *r, const char *marker, struct err *e);

/*
 * Set r->resuming: this very archive was being restored when a run was killed, and
 * nobody has written since.
 */
void op_offline_look(struct restore *r);

/* The archive that a killed offline restore was bringing back, or NULL.  Gives. */
char *op_offline_marked(const char *target);

/* Replace the file itself. */
int op_offline_replace(struct restore *r, struct err *e);

/*
 * Append the history that is rolled back to the ledger in the scratch file,
 * so that it arrives with the restored data in one piece.
 */
int op_history_carry(struct restore *r, struct err *e);

/* The same, to a database that is open: 1 written, 0 nothing to carry, -1. */
int op_history_append(struct restore *r, struct db *to, struct err *e);

/* Warn of a history beside a database of SQLite, which no restore brings back. */
void op_restore_beside(const struct op *o, const char *database);

/* Restore on a server: a new database, then a change of names. */
int op_server_restore(struct restore *r, struct err *e);

#endif
