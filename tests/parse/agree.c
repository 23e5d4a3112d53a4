/*
 * agree: does mig cut a script of PostgreSQL into the statements that the
 * server's own grammar finds?  usage: agree FILE ...  A file that the grammar
 * cannot parse (psql's commands, the rows of COPY) is passed over.
 */
#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "migration/script.h"
#include "os/file.h"

/* Each of ours lies within its own one of theirs. */
static int
same(const char *path, const char *text, const struct script *s,
	const PgQuerySplitResult *r)
{
	size_t i;

	if (s->n != (size_t)r->n_stmts) {
		printf("%s: %zu statements, and the grammar has %d\n", path,
			s->n, r->n_stmts);
		return 0;
	}
	for (i = 0; i < s->n; i++) {
		size_t at = (size_t)(s->v[i].text - text);
		size_t from = (size_t)r->stmts[i]->stmt_location;
		size_t to = from + (size_t)r->stmts[i]->stmt_len;

		if (at < from || at + s->v[i].n > to) {
			printf("%s line %d: %zu to %zu, and the grammar has %zu to "
				"%zu\n", path, s->v[i].line, at,
				at + s->v[i].n, from, to);
			return 0;
		}
	}
	return 1;
}

int
main(int argc, char **argv)
{
	int i, compared = 0, passed_over = 0, different = 0;
	long statements = 0;

	for (i = 1; i < argc; i++) {
		struct buf b = { 0 };
		PgQuerySplitResult r;
		struct script s;
		struct err e;

		if (file_slurp(argv[i], (size_t)64 << 20, &b, &e) == -1) {
			printf("%s\n", e.text);
			return 2;
		}
		if (b.data == NULL)
			buf_text(&b, "");
		r = pg_query_split_with_parser(b.data);
		if (r.error != NULL) {
			passed_over++;
		} else if (script_scan(b.data, 1, LEX_POSTGRESQL, &s, &e) ==
			-1) {
			printf("%s: %s\n", argv[i], e.text);
			different++;
		} else {
			different += !same(argv[i], b.data, &s, &r);
			compared++;
			statements += (long)s.n;
			script_free(&s);
		}
		pg_query_free_split_result(r);
		buf_free(&b);
	}
	printf("%d files compared, %ld statements, %d not parsed, %d differ\n",
		compared, statements, passed_over, different);
	return different > 0;
}
