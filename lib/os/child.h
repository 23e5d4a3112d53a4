/*
 * child: another program run as a child process, its output read from a pipe.
 * Secrets go to it by its environment, never by its arguments.  What it says
 * on standard error is kept for the error text.
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child; /* opaque: a child that runs */
struct buf;
struct err;
struct report;
struct strs;

/*
 * Start argv[0], looked for in PATH, with standard input from /dev/null and
 * standard output in a pipe.  environment: "NAME=value" strings that replace
 * or add to ours, "NAME" alone takes it away; may be NULL.  user: who it runs
 * as when we are root, for a program that refuses to; NULL: as ourselves.  The
 * child dies with us.  Gives *out: child_end() or child_free().  ERR_ENV "program" when it cannot
 * be run.
 */
int child_start(struct child **out, const char *const *argv,
	const struct strs *environment, const char *user, struct err *e);

/*
 * All that it still prints is added to out, or thrown away if that is NULL.
 * Then as child_end(): takes c.
 */
int child_collect(struct child *c, struct buf *out, struct err *e);

/* child_start() and child_collect(). */
int child_run(const char *const *argv, const struct strs *environment,
	const char *user, struct buf *out, struct err *e);

/* Up to n bytes of its output: the count, 0 at its end, or -1. */
ssize_t child_read(struct child *c, void *p, size_t n, struct err *e);

/*
 * Of what it says on standard error only what stands before the marker may be
 * told.  Borrows it.
 */
void child_hide(struct child *c, const char *marker);

/* What it says although it ends well goes there, as a warning.  Borrows it. */
void child_report(struct child *c, const struct report *r);

/*
 * Wait for it.  Takes c.  -1 unless it ended with status 0: ERR_ENV
 * "program", with its first and last words.
 */
int child_end(struct child *c, struct err *e);

void child_signal(struct child *c, int number);

/*
 * Our environment, with the variables of child_start().  Borrows all strings.
 * Gives the list: free() it.
 */
char **child_environment(const struct strs *environment);

/* End it if it runs.  Takes c; NULL is allowed. */
void child_free(struct child *c);

#endif
