/* strs: a list of strings. */
#include "base/strs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
strs_add_n(struct strs *l, const char *s, size_t n)
{
	l->v = mem_more(l->v, l->n, sizeof(*l->v));
	l->v[l->n++] = mem_dup_n(s, n);
}

void
strs_add(struct strs *l, const char *s)
{
	l->v = mem_more(l->v, l->n, sizeof(*l->v));
	l->v[l->n++] = mem_dup(s);
}

void
strs_add_all(struct strs *l, const struct strs *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		strs_add(l, from->v[i]);
}

void
strs_add_once(struct strs *l, const char *s)
{
	if (!strs_has(l, s))
		strs_add(l, s);
}

int
strs_has(const struct strs *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strs_same(l->v[i], s))
			return 1;
	return 0;
}

void
strs_free(struct strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

int
strs_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return 0;
	for (; *a != '\0' || *b != '\0'; a++, b++)
		if (lower((unsigned char)*a) != lower((unsigned char)*b))
			return 0;
	return 1;
}

int
strs_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int
strs_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

int
strs_is_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	while (p < end) {
		unsigned char c = *p++, low = 0x80, high = 0xbf;
		int more;

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			more = 1;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3;
		else
			return 0;
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		for (; more > 0; more--, low = 0x80, high = 0xbf)
			if (p == end || *p < low || *p++ > high)
				return 0;
	}
	return 1;
}

void
strs_plain(char *s, const char *more)
{
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || *s == '-' || *s == '_' ||
			strchr(more, *s) != NULL))
			*s = '_';
}
