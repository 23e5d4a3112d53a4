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
 * Run the program at path, without arguments, in a process group of its own.
 * environment: as for child_start().  After limit_ms, or, with stoppable 1, when a
 * signal asks us to stop, the group is ended.  ERR_ENV "hook": it cannot be run, has ended with
 * another status than 0, or took too long; "interrupted".
 */
int call_run(const char *path, const struct strs *environment,
	const char *input, size_t n, int64_t limit_ms, int stoppable,
	struct err *e);

#endif
