/*
 * call: another program run to its end, with a text as its standard input.  Both
 * of its outputs go to our standard error.
 */
#ifndef OS_CALL_H
#define OS_CALL_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct strs;

/*
 * Run argv[0], looked for in PATH, as call_run() does, with empty standard input
 * and without a terminal to ask on.  keep: a descriptor that it and its children
 * inherit, so that a lock lasts as long as they do; -1: none.  A signal that asks us
 * to stop is passed on, and what it leaves running of its group is ended.  *status is
 * its exit status, or 128 and the number of the signal that ended it.  -1: it could
 * not be run (ERR_ENV "program"), or "interrupted".
 */
int call_program(const char *const *argv, const struct strs *environment,
	int keep, int *status, struct err *e);

/*
 * Run the program at path, without arguments, in a process group of its own.
 * environment: as for child_start().  After limit_ms, or, with stoppable 1, when a
 * signal asks us to stop, the group is ended.  ERR_ENV "hook": it cannot be run, has ended with
 * another status than 0, or took too long; "interrupted".
 */
int call_run(const char *path, const struct strs *environment,
	const char *input, size_t n, int64_t limit_ms, int stoppable,
	struct err *e);

#endif
