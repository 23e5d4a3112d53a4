/* expect: what a migration says that it does. */
#include "migration/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "migration/comment.h"

static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=" };

static int
bad(const char *file, int line, const char *what, struct err *e)
{
	err_set(e, ERR_USAGE, "migration", "'%s' line %d: expect: %s",
		file == NULL ? "ledger" : file, line, what);
	return err_next(e, "write: expect rows TABLE >= NUMBER, expect "
		"unchanged TABLE, or expect none QUERY");
}

static struct expect *
add(struct expect_list *l, enum expect_kind kind, const char *text, size_t n,
	int line)
{
	struct expect *x;

	l->v = mem_grow(l->v, l->n + 1, sizeof(*l->v));
	x = &l->v[l->n++];
	memset(x, 0, sizeof(*x));
	x->kind = kind;
	x->line = line;
	x->text = mem_dup_n(text, n);
	return x;
}

/* "TABLE >= 1000", from behind the table. */
static int
rows(struct expect *x, const char *at, const char *end, const char *file,
	struct err *e)
{
	const char *word;
	size_t n = comment_word(&at, end, &word), i;
	char *number;
	int result;

	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (comment_is(word, n, signs[i]))
			break;
	if (n == 0 || i == sizeof(signs) / sizeof(*signs))
		return bad(file, x->line, "no =, !=, <, <=, > or >= behind the "
			"table", e);
	x->operator = (enum expect_operator)i;
	n = comment_word(&at, end, &word);
	number = mem_dup_n(word, n);
	result = num_parse(number, 0, NUM_SAFE, &x->number);
	free(number);
	return result == -1 || comment_word(&at, end, &word) != 0 ? bad(file,
		x->line, "no number of rows, or more than that", e) : 0;
}

int
expect_parse(struct expect_list *l, const char *at, const char *end,
	const char *file, int line, struct err *e)
{
	const char *word, *rest;
	size_t n = comment_word(&at, end, &word);

	if (n == 0)
		return bad(file, line, "nothing is said", e);
	if (comment_is(word, n, "none")) {
		for (rest = end; rest > at && strchr(" \t\r;", rest[-1]) !=
			NULL; rest--)
			;
		while (at < rest && strchr(" \t", *at) != NULL)
			at++;
		if (at == rest)
			return bad(file, line, "no query behind none", e);
		add(l, EXPECT_NONE, at, (size_t)(rest - at), line);
		return 0;
	}
	if (comment_is(word, n, "unchanged")) {
		n = comment_word(&at, end, &word);
		if (n == 0)
			return bad(file, line, "no table behind unchanged", e);
		add(l, EXPECT_UNCHANGED, word, n, line);
		return comment_word(&at, end, &word) == 0 ? 0 : bad(file, line,
			"one table only; write a line for each", e);
	}
	if (comment_is(word, n, "rows"))
		n = comment_word(&at, end, &word);
	if (n == 0)
		return bad(file, line, "no table behind rows", e);
	return rows(add(l, EXPECT_ROWS, word, n, line), at, end, file, e);
}

int
expect_holds(const struct expect *x, int64_t n)
{
	switch (x->operator) {
	case EXPECT_EQUAL:
		return n == x->number;
	case EXPECT_OTHER:
		return n != x->number;
	case EXPECT_LESS:
		return n < x->number;
	case EXPECT_LESS_EQUAL:
		return n <= x->number;
	case EXPECT_MORE:
		return n > x->number;
	default:
		return n >= x->number;
	}
}

const char *
expect_sign(const struct expect *x)
{
	return signs[x->operator];
}

void
expect_free(struct expect_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
