/*
 * err: one failure, as a value.  Every function that can fail takes a
 * struct err as its last argument, returns 0 or -1 (or NULL), and fills it.
 * The library never prints: the command prints the error once, at the end.
 *
 * text says what and where, lower case, no final stop.  next says what a
 * person does about it.  reason is a stable word for programs; the words are
 * listed in mig-documents(5).  Filling an err never allocates.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* The exit statuses of every program: mig(7) lists them. */
enum err_code {
	ERR_NONE = 0, /* no failure */
	ERR_NO = 1, /* the answer is no */
	ERR_USAGE = 2, /* usage, configuration, unreadable input document */
	ERR_REFUSED = 3, /* refused by a gate; nothing was changed */
	ERR_ENV = 4, /* unreachable, no space, I/O: a retry may help */
	ERR_DAMAGE = 5, /* a stored archive does not match */
	ERR_FAILED = 6, /* a migration failed and was rolled back */
	ERR_LEFT = 7, /* a migration failed and left changes */
	ERR_LOCKED = 8, /* another runner holds the lock */
	ERR_BUG = 70 /* a bug in mig */
};

struct err {
	enum err_code code;
	char reason[32];
	char text[2048];
	char next[768];
};

/* Forget what e holds. */
void err_clear(struct err *e);

/* Fill e.  Returns -1, so that a caller can return it. */
int err_set(struct err *e, enum err_code code, const char *reason,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Fill e from errno: ERR_ENV, the text ends in strerror's words. */
int err_sys(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put words in front of e's text, with a colon: outermost context first. */
int err_wrap(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Say what to do next, replacing what was said. */
int err_next(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Put word behind what is said to be done next, as sh(1) reads it.  One that does not
 * fit is left out, with "..." in its place: half a command is none.
 */
int err_next_word(struct err *e, const char *word);

/* A programming error: fill e with ERR_BUG and the place. */
#define err_bug(e, what) \
	err_set((e), ERR_BUG, "bug", "%s:%d: %s", __FILE__, __LINE__, (what))

#endif
