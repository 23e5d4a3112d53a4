/* pg_trace_said: what the server said.  A copy speaks English, for it is ours. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/postgresql/pg_trace_part.h"

/* The word in the first, or the second, pair of quotes.  Gives; or NULL. */
static char *
quoted(const char *text, int which)
{
	const char *a = strchr(text, '"'), *b;

	for (;; which--) {
		b = a == NULL ? NULL : strchr(a + 1, '"');
		if (b == NULL)
			return NULL;
		if (which == 0)
			return mem_dup_n(a + 1, (size_t)(b - a - 1));
		a = strchr(b + 1, '"');
	}
}

static const struct pg_relation *
old_named(const struct pg_trace *t, const char *plain)
{
	size_t i;

	for (i = 0; i < t->n && plain != NULL; i++)
		if (t->v[i].old && strcmp(t->v[i].plain, plain) == 0)
			return &t->v[i];
	return NULL;
}

void
pg_trace_said(const struct pg_trace *t, const char *said,
	struct trace_statement *out)
{
	static const struct {
		const char *begins, *action;
	} known[] = {
		{ "rewriting table ", "rewritten" },
		{ "verifying table ", "scanned" },
		{ "building index ", "built" },
		{ "existing constraints on column ", "proved" },
		{ "partition constraint for table ", "proved" },
		{ "updated partition constraint for default partition ",
			"proved" },
	};
	const struct pg_relation *x;
	char *name, *dot;
	size_t i;

	if (strncmp(said, "validating foreign key constraint ", 34) == 0) {
		name = quoted(said, 0);
		trace_add_work(out, name == NULL ? "?" : name, "scanned", said);
		free(name);
		return;
	}
	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strncmp(said, known[i].begins, strlen(known[i].begins)) !=
			0)
			continue;
		name = quoted(said, 0);
		dot = name == NULL ? NULL : strchr(name, '.');
		if (dot != NULL && i == 3)
			*dot = '\0'; /* "table.column" */
		x = old_named(t, name);
		if (x == NULL && i == 2) { /* a new one, of an old table */
			free(name);
			name = quoted(said, 1);
			x = old_named(t, name);
		}
		if (x != NULL)
			trace_add_work(out, x->name, known[i].action, said);
		free(name);
	}
}
