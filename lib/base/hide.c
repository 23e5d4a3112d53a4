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

/* Behind "password=", with blanks as libpq allows them, and quotes. */
static void
cover_values(char *text)
{
	static const char key[] = "password";
	char *p = text;
	size_t n;

	while ((p = strcasestr(p, key)) != NULL) {
		p += sizeof(key) - 1;
		n = strspn(p, " ");
		if (p[n] != '=')
			continue;
		p += n + 1;
		p += strspn(p, " ");
		n = 0;
		if (*p == '\'') {
			for (p++; p[n] != '\0' && p[n] != '\''; n++)
				n += p[n] == '\\' && p[n + 1] != '\0';
		} else {
			n = strcspn(p, " &';,\"");
		}
		p = cover(p, n);
	}
}

void
hide_passwords(char *text, int words)
{
	static const char between[] = " '\"\n\t", blanks[] = " \n\t";
	char *p = text;

	while (*p != '\0') {
		size_t n, whole;

		p += strspn(p, between);
		n = strcspn(p, between);
		whole = strcspn(p, blanks); /* a password may have quotes in it */
		if (memmem(p, whole, "://", 3) != NULL)
			p = cover_word(p, whole);
		else
			p = words ? cover_word(p, n) : p + n;
	}
	cover_values(text);
}
