/* hide: passwords taken out of what people and programs read. */
#include "base/hide.h"

#include <string.h>
#include <strings.h>

#define STARS "***"

/* n bytes at p become stars, as many as there is room for.  Returns what follows. */
static char *
cover(char *p, size_t n)
{
	size_t k = n < sizeof(STARS) - 1 ? n : sizeof(STARS) - 1;

	memcpy(p, STARS, k);
	memmove(p + k, p + n, strlen(p + n) + 1);
	return p + k;
}

/* One word: its password, if it looks like having one.  Returns its end. */
static char *
cover_word(char *word, size_t n)
{
	char *end = word + n, *at = memrchr(word, '@', n), *colon;
	char *scheme = memmem(word, n, "://", 3), *from = scheme == NULL ? word :
		scheme + 3;

	if (at == NULL || at < from)
		return end;
	colon = memchr(from, ':', (size_t)(at - from));
	if (colon == NULL || colon + 1 >= at)
		return end;
	n = (size_t)(end - at);
	return cover(colon + 1, (size_t)(at - colon - 1)) + n;
}

static void
cover_values(char *text)
{
	static const char key[] = "password=";
	char *p = text;

	while ((p = strcasestr(p, key)) != NULL) {
		char quote = p[sizeof(key) - 1];

		p += sizeof(key) - 1;
		p = quote == '\'' ? cover(p + 1, strcspn(p + 1, "'")) :
			cover(p, strcspn(p, " &';,\""));
	}
}

void
hide_passwords(char *text)
{
	static const char between[] = " '\"\n\t";
	char *p = text;

	while (*p != '\0') {
		p += strspn(p, between);
		p = cover_word(p, strcspn(p, between));
	}
	cover_values(text);
}
