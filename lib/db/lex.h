/*
 * lex: SQL text cut into tokens, as SQLite does (sqlite.org/lang.html):
 * strings and names with doubled quotes, [names], `names`, comments to the end
 * of the line and between slash-stars (which do not nest); or as PostgreSQL
 * does (its manual, chapter 4.1): $tag$ strings $tag$, E'' with backslashes,
 * comments that nest, names that fold to lower case.
 */
#ifndef DB_LEX_H
#define DB_LEX_H

#include <stddef.h>

#include "base/strs.h"

struct buf;
struct err;

enum lex_rules { LEX_SQLITE, LEX_POSTGRESQL };

enum lex_kind {
	LEX_END,
	LEX_WORD, /* keyword or bare name */
	LEX_NAME, /* quoted name */
	LEX_STRING, /* 'text', which SQLite also takes for a name */
	LEX_NUMBER,
	LEX_PUNCTUATION /* one character */
};

struct lex {
	const char *at, *end;
	int line; /* of at */
	enum lex_rules rules;
};

struct lex_token {
	enum lex_kind kind;
	const char *text;
	size_t n;
	int line; /* where it begins */
};

void lex_open(struct lex *l, const char *text, size_t n, int line,
	enum lex_rules rules);

/* The next token; ERR_USAGE "scan" for a quote or comment without end. */
int lex_next(struct lex *l, struct lex_token *t, struct err *e);

/* Whether t is the word w (upper case), letter case apart. */
int lex_is(const struct lex_token *t, const char *w);
int lex_is_char(const struct lex_token *t, char c);

/* The name that t stands for, without quotes.  Gives. */
char *lex_name(const struct lex_token *t);

/* Whether two names are of one thing: with SQLite letter case apart.  NULL is none. */
int lex_same_name(enum lex_rules rules, const char *a, const char *b);
int lex_has_name(enum lex_rules rules, const struct strs *l, const char *name);

/* A name of n bytes for SQL, in double quotes. */
void lex_quote(struct buf *b, const char *name, size_t n);

/*
 * The same, without quotes if it is made of lower case letters, digits and
 * underscores and does not begin with a digit: how mig writes names of tables.
 */
void lex_put_name(struct buf *b, const char *name, size_t n);

#endif
