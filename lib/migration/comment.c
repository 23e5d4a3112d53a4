/* comment: the words of comment lines. */
#include "migration/comment.h"

#include <string.h>

size_t
comment_word(const char **p, const char *end, const char **out)
{
	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
	*out = *p;
	while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
		(*p)++;
	return (size_t)(*p - *out);
}

int
comment_is(const char *w, size_t n, const char *what)
{
	return strlen(what) == n && strncmp(w, what, n) == 0;
}

size_t
comment_key(const char **p, const char *end, const char **key)
{
	if (end - *p < 3 || (*p)[0] != '-' || (*p)[1] != '-')
		return 0;
	*p += 2;
	return comment_word(p, end, key);
}
