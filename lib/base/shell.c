/* shell: a word as sh(1) reads it back, in the commands that mig prints. */
#include "base/shell.h"

#include <string.h>

#define PLAIN \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@+"

static size_t
add(char *to, size_t room, size_t at, const char *s, size_t n)
{
	if (at + n < room)
		memcpy(to + at, s, n);
	return at + n;
}

size_t
shell_quote(char *to, size_t room, const char *word)
{
	size_t n = strlen(word), at = 0;

	if (n > 0 && strspn(word, PLAIN) == n) {
		at = add(to, room, at, word, n);
	} else {
		at = add(to, room, at, "'", 1);
		for (; *word != '\0'; word++)
			at = *word == '\'' ?
				add(to, room, at, "'\\''", 4) :
				add(to, room, at, word, 1);
		at = add(to, room, at, "'", 1);
	}
	if (room > 0)
		to[at < room ? at : 0] = '\0';
	return at;
}
