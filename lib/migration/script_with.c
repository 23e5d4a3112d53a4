/* script_with: the statements inside a WITH, which may change data of their own. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "migration/script.h"
#include "migration/script_classify.h"
#include "migration/script_words.h"

/* What stands in brackets: a statement, or the names of columns. */
static void
read_inner(struct script_statement *s, const char *text, size_t n, int line,
	enum lex_rules rules)
{
	struct script_statement x;

	memset(&x, 0, sizeof(x));
	x.text = text;
	x.n = n;
	x.line = line;
	x.kind = SCRIPT_OTHER;
	x.nested = 1;
	script_classify(&x, rules);
	if (x.kind != SCRIPT_DELETE && x.kind != SCRIPT_UPDATE &&
		x.kind != SCRIPT_INSERT) {
		script_release(&x);
		return;
	}
	s->inner = mem_grow(s->inner, s->inner_n + 1, sizeof(*s->inner));
	s->inner[s->inner_n++] = x;
}

/* The word that begins the statement proper. */
static int
is_main(const struct lex_token *t)
{
	static const char *const words[] = { "INSERT", "UPDATE", "DELETE",
		"REPLACE", "MERGE", "SELECT", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (lex_is(t, *w))
			return 1;
	return 0;
}

void
script_read_with(struct script_words *w, struct script_statement *s)
{
	int depth = 0, closed = 0, line = 0;
	const char *open = NULL;

	/* Only what follows a closing bracket: a name may be "replace". */
	for (; w->t.kind != LEX_END; script_step(w)) {
		if (lex_is_char(&w->t, '(')) {
			if (depth++ == 0) {
				open = w->t.text + 1;
				line = w->t.line;
			}
		} else if (lex_is_char(&w->t, ')')) {
			closed = --depth == 0;
			/* PostgreSQL takes them at the top only. */
			if (closed && w->lex.rules == LEX_POSTGRESQL &&
				!s->nested)
				read_inner(s, open, (size_t)(w->t.text - open),
					line, w->lex.rules);
			continue;
		} else if (depth == 0 && closed && is_main(&w->t)) {
			return;
		}
		closed = 0;
	}
}
