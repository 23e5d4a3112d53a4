/* values: names with a value each, of which the last that was added counts. */
#ifndef BASE_VALUES_H
#define BASE_VALUES_H

#include <stddef.h>

/* What a name may consist of. */
#define VALUES_NAME \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"

struct value {
	char *name, *text;
	int secret; /* never shown */
};

/* Zeroed: empty. */
struct values {
	struct value *v;
	size_t n;
};

/* Append copies: n bytes of name. */
void values_add(struct values *l, const char *name, size_t n,
	const char *text, int secret);
void values_free(struct values *l);

/* The value of n bytes of name, or NULL.  l may be NULL.  Borrowed. */
const struct value *values_find(const struct values *l, const char *name,
	size_t n);

#endif
