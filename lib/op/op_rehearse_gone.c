/*
 * op_rehearse_gone: what hung on a table and hangs there no more.  A rebuild that
 * forgets an index, a CASCADE that takes a view: no row is lost, and nobody is told.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"
#include "op/op_rehearse_part.h"

/* One per string: what it is, its name, its table, with tabs between. */
int
op_rehearse_attached(struct rehearse *x, struct strs *out, struct err *e)
{
	struct db *d = x->a.s.db;
	struct db_rows *r;
	int more;

	strs_free(out);
	if (db_query(&r, d, e, db_sql(d, "attached"), "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		char *line = mem_printf("%s\t%s\t%s", db_text(r, 0),
			db_text(r, 1), db_text(r, 2));

		strs_add(out, line);
		free(line);
	}
	db_rows_free(r);
	return more;
}

/* Whether a statement that drops or alters something has the name in it. */
static int
is_dropped(const struct script *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		char *text;
		int has;

		if (strncasecmp(s->v[i].text, "drop", 4) != 0 &&
			strncasecmp(s->v[i].text, "alter", 5) != 0)
			continue;
		text = mem_dup_n(s->v[i].text, s->v[i].n);
		has = strcasestr(text, name) != NULL;
		free(text);
		if (has)
			return 1;
	}
	return 0;
}

/* The same thing under the same name; its table may have got another one. */
static int
is_there(const struct strs *now, const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < now->n; i++)
		if (strncmp(now->v[i], line, n) == 0 && now->v[i][n] == '\t')
			return 1;
	return 0;
}

static int
judge(struct rehearse *x, const char *line, struct err *e)
{
	const char *name = strchr(line, '\t') + 1, *table = strchr(name, '\t');
	char *plain = mem_dup_n(name, (size_t)(table - name)), *said;
	int there = 1;

	table++;
	if (*table != '\0' && (there = db_has_table(x->a.s.db, table, e)) ==
		-1) {
		free(plain);
		return -1;
	}
	/* With its table it goes, which is known. */
	if (there && !is_dropped(&x->script, plain)) {
		said = mem_printf("%.*s %s%s%s is gone, and no statement drops "
			"it", (int)(name - 1 - line), line, plain, *table ==
			'\0' ? "" : " of ", table);
		strs_add(&x->now->left, said);
		free(said);
	}
	free(plain);
	return 0;
}

int
op_rehearse_gone(struct rehearse *x, struct err *e)
{
	struct strs now = { 0 };
	int result = op_rehearse_attached(x, &now, e);
	size_t i;

	for (i = 0; i < x->attached.n && result == 0; i++) {
		const char *line = x->attached.v[i];
		const char *table = strrchr(line, '\t');

		if (!is_there(&now, line, (size_t)(table - line)))
			result = judge(x, line, e);
	}
	strs_free(&now);
	return result;
}
