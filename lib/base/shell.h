/* shell: a word as sh(1) reads it back, in the commands that mig prints. */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

#include <stddef.h>

/*
 * Write word into to, in single quotes where it needs them, as long as room, with
 * its NUL, is enough.  Returns the length that it has, or would have.
 */
size_t shell_quote(char *to, size_t room, const char *word);

#endif
