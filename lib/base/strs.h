/*
 * strs: a list of strings, and the few questions asked of text everywhere.
 * A zeroed struct strs is an empty list.
 */
#ifndef BASE_STRS_H
#define BASE_STRS_H

#include <stddef.h>

struct strs {
	char **v;
	size_t n;
};

/* Append a copy of s. */
void strs_add(struct strs *l, const char *s);

void strs_add_n(struct strs *l, const char *s, size_t n);

/* Append copies of all of from. */
void strs_add_all(struct strs *l, const struct strs *from);

/* Append s only if no string in the list equals it, letter case apart. */
void strs_add_once(struct strs *l, const char *s);

/* Whether a string in the list equals s, ASCII letter case apart. */
int strs_has(const struct strs *l, const char *s);

void strs_free(struct strs *l);

/* Compare, ASCII letter case apart, as SQLite compares names.  NULL: never. */
int strs_same(const char *a, const char *b);

/* Letters, digits, '-', '_' and what is in more stay; the rest becomes '_'. */
void strs_plain(char *s, const char *more);

int strs_starts(const char *s, const char *prefix);
int strs_ends(const char *s, const char *suffix);

/* Whether s, n bytes, is valid UTF-8 (no surrogates, no overlong forms). */
int strs_is_utf8(const char *s, size_t n);

#endif
