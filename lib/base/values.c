/* values: names with a value each. */
#include "base/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
values_add(struct values *l, const char *name, size_t n, const char *text,
	int secret)
{
	struct value *x;

	l->v = mem_more(l->v, l->n, sizeof(*l->v));
	x = &l->v[l->n++];
	x->name = mem_dup_n(name, n);
	x->text = mem_dup(text);
	x->secret = secret;
}

void
values_free(struct values *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].text);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

const struct value *
values_find(const struct values *l, const char *name, size_t n)
{
	size_t i;

	for (i = l == NULL ? 0 : l->n; i > 0; i--)
		if (strlen(l->v[i - 1].name) == n &&
			strncmp(l->v[i - 1].name, name, n) == 0)
			return &l->v[i - 1];
	return NULL;
}
