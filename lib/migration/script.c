/* script: cutting a migration into statements. */
#include "migration/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/lex.h"
#include "migration/script_classify.h"

/*
 * Where a statement ends.  By psql's rules, for PostgreSQL: at a semicolon
 * outside brackets and outside the body of a function, BEGIN ATOMIC ... END.
 *
 * By SQLite's:  CREATE TRIGGER holds semicolons of its own and
 * ends at "; END ;", the rule of sqlite3_complete(): the END of a CASE has no
 * semicolon before it.
 */
struct cutter {
	enum lex_rules rules;
	int tokens; /* of this statement so far */
	int brackets, begins, function; /* PostgreSQL's */
	int copy, from, from_stdin;
	int create, trigger;
	int after_semicolon, after_end;
};

static int
ends_postgresql(struct cutter *c, const struct lex_token *t)
{
	if (c->tokens == 0) {
		c->create = lex_is(t, "CREATE");
		c->copy = lex_is(t, "COPY");
	}
	if (c->create && c->tokens <= 3 && (lex_is(t, "FUNCTION") ||
		lex_is(t, "PROCEDURE")))
		c->function = 1;
	c->tokens++;
	if (lex_is_char(t, '('))
		c->brackets++;
	else if (lex_is_char(t, ')') && c->brackets > 0)
		c->brackets--;
	if (c->brackets > 0)
		return 0;
	c->from_stdin |= c->copy && c->from && lex_is(t, "STDIN");
	c->from = lex_is(t, "FROM");
	if (c->function && (lex_is(t, "BEGIN") ||
		(c->begins > 0 && lex_is(t, "CASE"))))
		c->begins++;
	else if (c->begins > 0 && lex_is(t, "END"))
		c->begins--;
	return c->begins == 0 && lex_is_char(t, ';');
}

static int
ends(struct cutter *c, const struct lex_token *t)
{
	int semicolon = lex_is_char(t, ';');

	if (c->rules == LEX_POSTGRESQL)
		return ends_postgresql(c, t);

	if (c->tokens == 0)
		c->create = lex_is(t, "CREATE");
	else if (c->create && c->tokens <= 2 && lex_is(t, "TRIGGER"))
		c->trigger = 1;
	c->tokens++;
	if (!c->trigger)
		return semicolon;
	if (semicolon) {
		if (c->after_end)
			return 1;
		c->after_semicolon = 1;
		c->after_end = 0;
		return 0;
	}
	c->after_end = c->after_semicolon && lex_is(t, "END");
	c->after_semicolon = 0;
	return 0;
}

/* The lines after COPY ... FROM stdin; up to the line "\\." */
static int
take_data(struct lex *l, struct script_statement *s, struct err *e)
{
	const char *p = l->at, *line;

	while (p < l->end && *p != '\n')
		p++;
	p += p < l->end;
	l->line++;
	s->data = p;
	while (p < l->end) {
		line = p;
		while (p < l->end && *p != '\n')
			p++;
		l->line++;
		if (p - line >= 2 && memcmp(line, "\\.", 2) == 0 &&
			(p - line == 2 || line[2] == '\r')) {
			s->data_n = (size_t)(line - s->data);
			l->at = p;
			return 0;
		}
		p += p < l->end;
	}
	err_set(e, ERR_USAGE, "scan", "line %d: the rows of COPY have no end",
		s->line);
	return err_next(e, "end them with a line \\.");
}

static void
add(struct script *out, const char *text, size_t n, int line,
	enum lex_rules rules)
{
	struct script_statement *s;

	out->v = mem_more(out->v, out->n, sizeof(*out->v));
	s = &out->v[out->n++];
	memset(s, 0, sizeof(*s));
	s->text = text;
	s->n = n;
	s->line = line;
	script_classify(s, rules);
}

int
script_scan(const char *text, int line, enum lex_rules rules,
	struct script *out, struct err *e)
{
	const struct cutter fresh = { .rules = rules };
	struct cutter c = fresh;
	struct lex_token t;
	struct lex l;
	const char *start = NULL, *last = NULL;
	int start_line = line;

	memset(out, 0, sizeof(*out));
	out->rules = rules;
	lex_open(&l, text, strlen(text), line, rules);
	for (;;) {
		if (lex_next(&l, &t, e) == -1) {
			script_free(out);
			return -1;
		}
		if (t.kind == LEX_END)
			break;
		if (start == NULL && lex_is_char(&t, ';'))
			continue; /* an empty statement */
		if (start == NULL) {
			start = t.text;
			start_line = t.line;
		}
		if (rules == LEX_POSTGRESQL && lex_is_char(&t, '\\')) {
			script_free(out);
			err_set(e, ERR_USAGE, "scan", "line %d: a command of "
				"psql itself, which begins with a backslash",
				t.line);
			return err_next(e, "write it in SQL");
		}
		if (ends(&c, &t)) {
			add(out, start, (size_t)(t.text - start), start_line,
				rules);
			start = NULL;
			if (c.from_stdin && take_data(&l, &out->v[out->n - 1],
				e) == -1) {
				script_free(out);
				return -1;
			}
			c = fresh;
		} else {
			last = t.text + t.n;
		}
	}
	if (start != NULL && c.trigger && !c.after_end) {
		script_free(out);
		return err_set(e, ERR_USAGE, "scan",
			"line %d: CREATE TRIGGER without its END;",
			start_line);
	}
	if (start != NULL)
		add(out, start, (size_t)(last - start), start_line, rules);
	return 0;
}

void
script_release(struct script_statement *s)
{
	size_t i;

	for (i = 0; i < s->inner_n; i++)
		script_release(&s->inner[i]);
	free(s->inner);
	free(s->table);
	free(s->to);
	strs_free(&s->columns);
	strs_free(&s->retyped);
	strs_free(&s->more);
}

void
script_free(struct script *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		script_release(&s->v[i]);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

/* Whether the script itself makes the table, before its statement i. */
static int
creates(const struct script *s, const char *table, size_t i)
{
	while (i-- > 0)
		if (s->v[i].kind == SCRIPT_CREATE_TABLE &&
			strs_same(s->v[i].table, table))
			return 1;
	return 0;
}

void
script_rebuilds(const struct script *s, struct strs *out)
{
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].kind != SCRIPT_DROP_TABLE)
			continue;
		for (k = i + 1; k < s->n; k++)
			if (s->v[k].kind == SCRIPT_RENAME_TABLE &&
				strs_same(s->v[k].to, s->v[i].table) &&
				creates(s, s->v[k].table, i))
				strs_add_once(out, s->v[i].table);
	}
}

const struct strs *
script_compared(const struct script_statement *s)
{
	return s->retyped.n > 0 ? &s->retyped : &s->columns;
}

const char *
script_action(const struct script_statement *s)
{
	switch (s->kind) {
	case SCRIPT_CREATE_TABLE:
		return "CREATE TABLE";
	case SCRIPT_DROP_TABLE:
		return "DROP TABLE";
	case SCRIPT_RENAME_TABLE:
		return "RENAME TABLE";
	case SCRIPT_DROP_COLUMN:
		return "DROP COLUMN";
	case SCRIPT_DELETE:
		return "DELETE";
	case SCRIPT_TRUNCATE:
		return "TRUNCATE";
	case SCRIPT_UPDATE:
		return "UPDATE";
	case SCRIPT_INSERT:
		return "INSERT";
	case SCRIPT_REPLACE:
		return "REPLACE";
	case SCRIPT_PRAGMA:
		return "PRAGMA";
	case SCRIPT_VACUUM:
		return "VACUUM";
	case SCRIPT_CONTROL:
	case SCRIPT_CREATE:
	case SCRIPT_DROP:
	case SCRIPT_DROP_DATABASE:
		return "DROP DATABASE";
	case SCRIPT_SET:
	case SCRIPT_OTHER:
	case SCRIPT_OUTSIDE:
		break;
	}
	return "statement";
}
