/*
 * fleet: this program, run several times at once as child processes, each with
 * arguments and an environment of its own.  Their standard input is empty, they
 * have no terminal, and they are asked to end when we do.
 */
#ifndef OS_FLEET_H
#define OS_FLEET_H

#include <stddef.h>

struct buf;
struct err;
struct strs;

/* How one is run.  All borrowed until it is started. */
struct fleet_job {
	const char *const *argv; /* [0]: what it calls itself; NULL at the end */
	const struct strs *environment; /* as for child_start() */
};

struct fleet {
	size_t n; /* jobs */
	size_t at_once;
	void *arg; /* for the functions */
	/* How to run job i; 0: start no more of them. */
	int (*job)(void *arg, size_t i, struct fleet_job *out);
	/* A line of its standard error, without its end. */
	void (*said)(void *arg, size_t i, const char *line);
	/* Its exit status, 128 and the signal that ended it; its output. */
	void (*ended)(void *arg, size_t i, int status, const struct buf *out);
};

/*
 * Run them, and wait for all that were started.  A signal that asks us to stop
 * is handed on to them.  ERR_ENV: one could not be started; the others have
 * ended.
 */
int fleet_run(const struct fleet *f, struct err *e);

#endif
