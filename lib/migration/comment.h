/* comment: the words of comment lines, in which markers and directives stand. */
#ifndef MIGRATION_COMMENT_H
#define MIGRATION_COMMENT_H

#include <stddef.h>

/* The word after blanks; *p moves behind it.  Its length, 0 at line end. */
size_t comment_word(const char **p, const char *end, const char **out);

/* Whether n bytes at w are the word what. */
int comment_is(const char *w, size_t n, const char *what);

/*
 * A comment line "-- key..." or "--key...": the key, 0 if it is not one.
 * Only at the very start of a line, as dbmate wants it.
 */
size_t comment_key(const char **p, const char *end, const char **key);

#endif
