/* doc_status: mig.status, where a database stands. */
#ifndef DOC_DOC_STATUS_H
#define DOC_DOC_STATUS_H

#include <stdint.h>

#include "base/strs.h"
#include "doc/part.h"

struct doc_status_pending {
	char *migration;
	char *name;
	char *file;
};

/* One migration of the graph, with what it comes after. */
struct doc_status_node {
	char *migration;
	char *name;
	const char *state; /* applied, pending, failed, running */
	struct strs after; /* versions; empty: nothing */
};

/* Something that a person should look at; apply refuses the serious ones. */
struct doc_status_problem {
	char *reason; /* checksum, missing, order, failed, ... */
	char *migration; /* may be NULL */
	char *text;
	char *next;
};

struct doc_status_backup {
	char *path;
	char *id;
	int64_t created;
	int64_t age_s;
	int64_t bytes;
	const char *receipt; /* none, quick, default, deep, stale */
	int fresh; /* good for mig-apply now */
	char *why; /* why it is not fresh; NULL: it is */
};

struct doc_status_event {
	int64_t at;
	char *event;
	char *migration; /* may be NULL */
	char *by;
	char *backup; /* id; may be NULL */
	char *detail; /* may be NULL */
};

/* What a run that crashed or failed has left, and the two ways from there. */
struct doc_status_triage {
	char *what; /* a migration, or a command */
	const char *state; /* not-applied, applied-up-to, ... */
	int64_t statement; /* done so far; -1 (null): not known */
	char *text;
	char *forward, *back; /* the commands */
};

struct doc_status {
	char *tool;
	struct wire_database database;
	char *folder; /* of the migrations */
	char *format; /* of the migrations: mig, goose, ... */
	int up_to_date; /* nothing pending, no problem */
	int ledger; /* mig has written to this database */
	char *current, *head; /* versions; may be NULL */
	struct strs heads; /* versions that nothing comes after */
	int64_t applied;
	struct shape_list pending;
	struct shape_list problems;
	struct strs ignored; /* .sql files that are not migrations */
	const char *schema; /* same, changed, unknown */
	struct doc_status_triage *triage; /* NULL: nothing has crashed */
	char *running; /* who holds the lock; NULL: nobody */
	struct doc_status_backup *backup; /* the newest; NULL: none */
	struct shape_list backups; /* under --backups, newest first */
	struct shape_list history; /* under --history, oldest first */
	struct shape_list repairs; /* struct part_repair, under --repair-plan */
	struct shape_list graph; /* under --graph, parents first */
};

extern const struct shape doc_status_shape;
extern const struct shape doc_status_pending_shape;
extern const struct shape doc_status_node_shape;
extern const struct shape doc_status_problem_shape;
extern const struct shape doc_status_backup_shape;
extern const struct shape doc_status_event_shape;
extern const struct shape doc_status_triage_shape;

#endif
