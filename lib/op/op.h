/* op: what every verb is told. */
#ifndef OP_OP_H
#define OP_OP_H

#include <stdint.h>

struct err;
struct report;
struct values;

struct op {
	const char *tool; /* "mig 0.1.0" */
	const char *program; /* "mig-apply" */
	const char *url; /* of the database; may be NULL */
	const char *migrations; /* folder */
	const struct values *values; /* for placeholders; may be NULL */
	const char *format; /* of the migrations; NULL: found by themselves */
	const char *backups; /* folder */
	int64_t busy_ms; /* wait for others' transactions */
	int64_t wait_s; /* wait for the runner's lock */
	int jobs, level;
	const char *hooks; /* folder; NULL: none */
	const char *scratch; /* where copies are made: a folder, or a server's url */
	int64_t hook_s; /* how long a hook may take */
	const char *role; /* SET ROLE on a server; NULL: none */
	int64_t statement_ms; /* statement_timeout; 0: the server's own */
	const struct report *report;
	/*
	 * Ask a person: 0 for yes, -1 (ERR_REFUSED) for no.  NULL: nothing is
	 * to be asked.
	 */
	int (*confirm)(void *arg, const char *question, struct err *e);
	void *arg;
};

#endif
