/* lex: SQL text cut into tokens. */
#include "db/lex.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

static int
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		c == '$' || (c >= '0' && c <= '9') || c >= 0x80;
}

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void
lex_open(struct lex *l, const char *text, size_t n, int line,
	enum lex_rules rules)
{
	l->rules = rules;
	l->at = text;
	l->end = text + n;
	l->line = line;
}

/* From a slash-star to its end; PostgreSQL's nest. */
static int
comment(struct lex *l, struct err *e)
{
	int line = l->line, depth = 0;

	for (; l->at + 1 < l->end; l->at++) {
		if (l->at[0] == '*' && l->at[1] == '/') {
			l->at++;
			if (--depth == 0) {
				l->at++;
				return 0;
			}
		} else if (l->at[0] == '/' && l->at[1] == '*' &&
			(depth == 0 || l->rules == LEX_POSTGRESQL)) {
			l->at++;
			depth++;
		}
		l->line += *l->at == '\n';
	}
	return err_set(e, ERR_USAGE, "scan", "line %d: a comment without end",
		line);
}

/* Step over blanks and comments. */
static int
skip(struct lex *l, struct err *e)
{
	while (l->at < l->end) {
		const char *p = l->at;

		if (*p == '\n') {
			l->line++;
			l->at++;
		} else if (*p == ' ' || *p == '\t' || *p == '\r' ||
			*p == '\f' || *p == '\v') {
			l->at++;
		} else if (l->end - p >= 3 && memcmp(p, "\xef\xbb\xbf",
				3) == 0) {
			l->at += 3; /* SQLite takes it for a blank, too */
		} else if (*p == '-' && p + 1 < l->end && p[1] == '-') {
			while (l->at < l->end && *l->at != '\n')
				l->at++;
		} else if (*p == '/' && p + 1 < l->end && p[1] == '*') {
			if (comment(l, e) == -1)
				return -1;
		} else {
			break;
		}
	}
	return 0;
}

/*
 * From an opening quote to its closing one; a doubled one is inside, and with
 * escapes one after a backslash.
 */
static int
quoted(struct lex *l, char close, int escapes, struct err *e)
{
	int line = l->line;

	for (l->at++; l->at < l->end; l->at++) {
		l->line += *l->at == '\n';
		if (escapes && *l->at == '\\' && l->at + 1 < l->end) {
			l->at++;
			l->line += *l->at == '\n';
			continue;
		}
		if (*l->at != close)
			continue;
		if (close != ']' && l->at + 1 < l->end && l->at[1] == close) {
			l->at++;
			continue;
		}
		l->at++;
		return 0;
	}
	return err_set(e, ERR_USAGE, "scan",
		"line %d: a quoted text without end", line);
}

/* $tag$ ... $tag$: 1 if one began here and was stepped over, 0, -1. */
static int
dollars(struct lex *l, struct err *e)
{
	const char *p = l->at + 1;
	size_t n;

	while (p < l->end && is_word((unsigned char)*p) && *p != '$' &&
		!(p == l->at + 1 && is_digit(*p)))
		p++;
	if (p == l->end || *p != '$')
		return 0;
	n = (size_t)(p + 1 - l->at);
	for (p++; (size_t)(l->end - p) >= n; p++)
		if (memcmp(p, l->at, n) == 0) {
			for (; l->at < p + n; l->at++)
				l->line += *l->at == '\n';
			return 1;
		}
	return err_set(e, ERR_USAGE, "scan",
		"line %d: a $...$ text without end", l->line);
}

/* E'..', B'..', X'..', N'..', U&'..', U&"..", $tag$..$tag$: 1, 0 or -1. */
static int
prefixed(struct lex *l, struct lex_token *t, struct err *e)
{
	const char *p = l->at;
	size_t left = (size_t)(l->end - p);
	int skip = 0, escapes = *p == 'e' || *p == 'E';

	if (l->rules != LEX_POSTGRESQL)
		return 0;
	if (*p == '$') {
		t->kind = LEX_STRING;
		return dollars(l, e);
	}
	if (left > 1 && strchr("eEbBxXnN", *p) != NULL && p[1] == '\'')
		skip = 1;
	else if (left > 2 && (*p == 'u' || *p == 'U') && p[1] == '&' &&
		(p[2] == '\'' || p[2] == '"'))
		skip = 2;
	if (skip == 0)
		return 0;
	l->at += skip;
	t->kind = *l->at == '"' ? LEX_NAME : LEX_STRING;
	return quoted(l, *l->at, escapes, e) == -1 ? -1 : 1;
}

int
lex_next(struct lex *l, struct lex_token *t, struct err *e)
{
	int special;

	if (skip(l, e) == -1)
		return -1;
	t->text = l->at;
	t->line = l->line;
	t->n = 0;
	t->kind = LEX_END;
	if (l->at == l->end)
		return 0;
	special = prefixed(l, t, e);
	if (special != 0) {
		t->n = (size_t)(l->at - t->text);
		return special == 1 ? 0 : -1;
	}
	switch (*l->at) {
	case '\'':
		t->kind = LEX_STRING;
		break;
	case '"':
		t->kind = LEX_NAME;
		break;
	case '`':
	case '[':
		t->kind = l->rules == LEX_SQLITE ? LEX_NAME : LEX_PUNCTUATION;
		break;
	default:
		t->kind = is_digit(*l->at) ? LEX_NUMBER :
			is_word((unsigned char)*l->at) ? LEX_WORD :
							 LEX_PUNCTUATION;
	}
	if (t->kind == LEX_STRING || t->kind == LEX_NAME) {
		if (quoted(l, *l->at == '[' ? ']' : *l->at, 0, e) == -1)
			return -1;
	} else if (t->kind == LEX_PUNCTUATION) {
		l->at++;
	} else {
		while (l->at < l->end && (is_word((unsigned char)*l->at) ||
			(t->kind == LEX_NUMBER && *l->at == '.')))
			l->at++;
	}
	t->n = (size_t)(l->at - t->text);
	return 0;
}

int
lex_is(const struct lex_token *t, const char *w)
{
	size_t i;

	if (t->kind != LEX_WORD || strlen(w) != t->n)
		return 0;
	for (i = 0; i < t->n; i++) {
		char c = t->text[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c != w[i])
			return 0;
	}
	return 1;
}

int
lex_is_char(const struct lex_token *t, char c)
{
	return t->kind == LEX_PUNCTUATION && *t->text == c;
}

char *
lex_name(const struct lex_token *t)
{
	char *out, *p;
	size_t i;

	if (t->kind != LEX_NAME && t->kind != LEX_STRING)
		return mem_dup_n(t->text, t->n);
	p = out = mem_alloc(t->n);
	for (i = 1; i + 1 < t->n; i++) {
		if (t->text[i] == t->text[0] && t->text[0] != '[')
			i++; /* doubled */
		*p++ = t->text[i];
	}
	return out;
}

int
lex_same_name(enum lex_rules rules, const char *a, const char *b)
{
	if (rules != LEX_POSTGRESQL)
		return strs_same(a, b);
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

int
lex_has_name(enum lex_rules rules, const struct strs *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (lex_same_name(rules, l->v[i], name))
			return 1;
	return 0;
}

void
lex_quote(struct buf *b, const char *name, size_t n)
{
	size_t i;

	buf_char(b, '"');
	for (i = 0; i < n; i++) {
		if (name[i] == '"')
			buf_char(b, '"');
		buf_char(b, name[i]);
	}
	buf_char(b, '"');
}

void
lex_put_name(struct buf *b, const char *name, size_t n)
{
	int plain = n > 0 && !(*name >= '0' && *name <= '9');
	size_t i;

	for (i = 0; i < n && plain; i++)
		plain = (name[i] >= 'a' && name[i] <= 'z') || name[i] == '_' ||
			(name[i] >= '0' && name[i] <= '9');
	if (plain)
		buf_add(b, name, n);
	else
		lex_quote(b, name, n);
}
