/* script_postgresql: what one statement is about, from PostgreSQL's words. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "migration/script.h"
#include "migration/script_words.h"

/* One part of a name as the server would store it, quoted where needed. */
static void
add_part(struct buf *b, const struct lex_token *t)
{
	char *name = lex_name(t), *p;

	for (p = name; t->kind == LEX_WORD && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	lex_put_name(b, name, strlen(name));
	free(name);
}

static int
is_name(const struct lex_token *t)
{
	return t->kind == LEX_WORD || t->kind == LEX_NAME;
}

/* [ONLY] [schema.]name [*], as it is written.  Gives, or NULL. */
static char *
take_name(struct script_words *w)
{
	struct buf b = { 0 };
	int bracket = 0;

	if (script_eat(w, "ONLY") && lex_is_char(&w->t, '(')) {
		script_step(w);
		bracket = 1;
	}
	if (!is_name(&w->t))
		return NULL;
	add_part(&b, &w->t);
	script_step(w);
	while (lex_is_char(&w->t, '.')) {
		script_step(w);
		if (!is_name(&w->t))
			break;
		buf_char(&b, '.');
		add_part(&b, &w->t);
		script_step(w);
	}
	if (lex_is_char(&w->t, '*') || (bracket && lex_is_char(&w->t, ')')))
		script_step(w);
	return buf_detach(&b);
}

/* A column's name as it stands in the catalog, without quotes.  Gives. */
static char *
take_column(struct script_words *w)
{
	char *name, *p;

	if (!is_name(&w->t))
		return NULL;
	name = lex_name(&w->t);
	for (p = name; w->t.kind == LEX_WORD && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	script_step(w);
	return name;
}

static void
eat_if_exists(struct script_words *w)
{
	if (script_eat(w, "IF")) {
		script_eat(w, "NOT");
		script_eat(w, "EXISTS");
	}
}

/* name, name, ...: the first is the table, the others are more. */
static void
read_names(struct script_words *w, struct script_statement *s)
{
	char *name;

	s->table = take_name(w);
	while (s->table != NULL && lex_is_char(&w->t, ',')) {
		script_step(w);
		name = take_name(w);
		if (name == NULL)
			break;
		strs_add(&s->more, name);
		free(name);
	}
}

static void
read_drop(struct script_words *w, struct script_statement *s)
{
	s->kind = SCRIPT_DROP;
	if (script_eat(w, "TABLE")) {
		eat_if_exists(w);
		read_names(w, s);
		if (s->table != NULL)
			s->kind = SCRIPT_DROP_TABLE;
	} else if (script_eat(w, "INDEX")) {
		if (lex_is(&w->t, "CONCURRENTLY"))
			s->kind = SCRIPT_OUTSIDE;
	} else if (lex_is(&w->t, "DATABASE")) {
		s->kind = SCRIPT_DROP_DATABASE;
	} else if (lex_is(&w->t, "TABLESPACE") ||
		lex_is(&w->t, "SUBSCRIPTION")) {
		s->kind = SCRIPT_OUTSIDE;
	}
}

/* The actions of ALTER TABLE, with commas between. */
static void
read_actions(struct script_words *w, struct script_statement *s)
{
	int depth = 0, first = 1;
	char *column;

	for (; w->t.kind != LEX_END; script_step(w)) {
		if (lex_is_char(&w->t, '('))
			depth++;
		else if (lex_is_char(&w->t, ')'))
			depth--;
		while (depth == 0 && first && script_eat(w, "DROP")) {
			script_eat(w, "COLUMN");
			eat_if_exists(w);
			if (lex_is(&w->t, "CONSTRAINT"))
				break;
			column = take_column(w);
			if (column != NULL) {
				strs_add(&s->columns, column);
				s->kind = SCRIPT_DROP_COLUMN;
			}
			free(column);
			first = 0;
		}
		if (depth == 0 && first && script_eat(w, "ALTER")) {
			script_eat(w, "COLUMN");
			column = take_column(w);
			script_eat(w, "SET");
			script_eat(w, "DATA");
			if (column != NULL && lex_is(&w->t, "TYPE")) {
				strs_add(&s->retyped, column);
				s->compare = 1;
			}
			free(column);
		}
		if (lex_is(&w->t, "CONCURRENTLY"))
			s->kind = SCRIPT_OUTSIDE; /* DETACH PARTITION */
		first = depth == 0 && lex_is_char(&w->t, ',');
	}
}

/* SET SCHEMA: the same name in another schema. */
static char *
moved(struct script_words *w, const char *table)
{
	const char *dot = strrchr(table, '.');
	char *schema = take_name(w), *to = schema == NULL ? NULL :
		mem_printf("%s.%s", schema, dot == NULL ? table : dot + 1);

	free(schema);
	return to;
}

/* An attribute goes from every row of every table that has a column of the type. */
static void
read_type(struct script_words *w, struct script_statement *s)
{
	char *type = take_name(w), *attribute;

	for (; type != NULL && w->t.kind != LEX_END; script_step(w)) {
		/* ADD VALUE: of use only when it is committed. */
		if (script_eat(w, "ADD"))
			s->either |= lex_is(&w->t, "VALUE");
		if (!script_eat(w, "DROP") || !script_eat(w, "ATTRIBUTE"))
			continue;
		eat_if_exists(w);
		attribute = take_column(w);
		if (attribute != NULL) {
			strs_add(&s->columns, attribute);
			s->kind = SCRIPT_DROP_COLUMN;
		}
		free(attribute);
	}
	if (s->kind == SCRIPT_DROP_COLUMN)
		s->table = type;
	else
		free(type);
}

static void
read_alter(struct script_words *w, struct script_statement *s)
{
	if (lex_is(&w->t, "SYSTEM")) {
		s->kind = SCRIPT_OUTSIDE;
	} else if (script_eat(w, "TYPE")) {
		read_type(w, s);
	} else if (script_eat(w, "SUBSCRIPTION")) {
		s->either = 1;
	} else if (script_eat(w, "TABLE")) {
		eat_if_exists(w);
		s->table = take_name(w);
		if (s->table != NULL && script_eat(w, "RENAME") &&
			script_eat(w, "TO")) {
			s->to = take_name(w);
			s->kind = SCRIPT_RENAME_TABLE;
		} else if (s->table != NULL && script_eat(w, "SET") &&
			script_eat(w, "SCHEMA")) {
			s->to = moved(w, s->table);
			s->kind = SCRIPT_RENAME_TABLE;
		} else if (s->table != NULL) {
			read_actions(w, s);
		}
	}
}

static void
read_create(struct script_words *w, struct script_statement *s)
{
	s->kind = SCRIPT_CREATE;
	if (lex_is(&w->t, "DATABASE") || lex_is(&w->t, "TABLESPACE") ||
		lex_is(&w->t, "SUBSCRIPTION")) {
		s->kind = SCRIPT_OUTSIDE;
		return;
	}
	script_eat(w, "UNIQUE");
	if (script_eat(w, "INDEX")) {
		if (lex_is(&w->t, "CONCURRENTLY"))
			s->kind = SCRIPT_OUTSIDE;
		return;
	}
	while (lex_is(&w->t, "GLOBAL") || lex_is(&w->t, "LOCAL") ||
		lex_is(&w->t, "TEMP") || lex_is(&w->t, "TEMPORARY") ||
		lex_is(&w->t, "UNLOGGED"))
		script_step(w);
	if (!script_eat(w, "TABLE"))
		return;
	eat_if_exists(w);
	s->table = take_name(w);
	if (s->table != NULL)
		s->kind = SCRIPT_CREATE_TABLE;
}

/* Names without quotes are stored in lower case. */
static void
lower_columns(struct script_statement *s)
{
	size_t i;
	char *p;

	for (i = 0; i < s->columns.n; i++)
		for (p = s->columns.v[i]; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z' &&
				memchr(s->text, '"', s->n) == NULL)
				*p = (char)(*p - 'A' + 'a');
}

static void
read_delete(struct script_words *w, struct script_statement *s)
{
	if (!script_eat(w, "FROM"))
		return;
	s->table = take_name(w);
	s->kind = SCRIPT_DELETE;
	script_read_where(w, s);
}

static void
read_truncate(struct script_words *w, struct script_statement *s)
{
	script_eat(w, "TABLE");
	read_names(w, s);
	s->kind = SCRIPT_TRUNCATE;
	s->all = 1;
}

static void
read_update(struct script_words *w, struct script_statement *s)
{
	s->table = take_name(w);
	s->kind = SCRIPT_UPDATE;
	if (script_find(w, "SET")) {
		script_step(w);
		script_read_set(w, s);
	}
	lower_columns(s);
	script_read_where(w, s);
}

static void
read_insert(struct script_words *w, struct script_statement *s)
{
	if (!script_eat(w, "INTO"))
		return;
	s->table = take_name(w);
	s->kind = SCRIPT_INSERT;
	if (script_find(w, "CONFLICT") && script_find(w, "UPDATE") &&
		script_find(w, "SET")) {
		script_step(w);
		script_read_set(w, s);
		lower_columns(s);
		s->compare = 1;
	}
}

/* Words that begin and end transactions, which are mig's. */
static int
is_control(const struct lex_token *t)
{
	static const char *const words[] = { "BEGIN", "START", "COMMIT", "END",
		"ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (lex_is(t, *w))
			return 1;
	return 0;
}

static void
read_other(struct script_words *w, struct script_statement *s)
{
	if (lex_is(&w->t, "VACUUM")) {
		s->kind = SCRIPT_VACUUM;
	} else if (script_eat(w, "REINDEX")) {
		/* Of a database or concurrently: not in a transaction. */
		s->either = 1;
		for (; w->t.kind != LEX_END; script_step(w))
			if (lex_is(&w->t, "CONCURRENTLY") ||
				lex_is(&w->t, "DATABASE") ||
				lex_is(&w->t, "SYSTEM") ||
				lex_is(&w->t, "SCHEMA"))
				s->kind = SCRIPT_OUTSIDE;
	} else if (script_eat(w, "CLUSTER")) {
		s->either = 1;
		script_eat(w, "VERBOSE");
		s->table = take_name(w); /* which is written anew */
	} else if (script_eat(w, "COPY")) {
		s->table = take_name(w);
	} else if (script_eat(w, "MERGE") && script_eat(w, "INTO")) {
		s->table = take_name(w);
		/* Rows that it deletes are not of a DELETE that was looked at. */
		if (script_find(w, "DELETE")) {
			free(s->table);
			s->table = NULL;
		}
	} else if (lex_is(&w->t, "SET") || lex_is(&w->t, "RESET")) {
		s->kind = SCRIPT_SET;
		s->either = 1;
	} else if (lex_is(&w->t, "ANALYZE") || lex_is(&w->t, "REFRESH") ||
		lex_is(&w->t, "COMMENT")) {
		s->either = 1;
	}
}

void
script_postgresql(struct script_statement *s)
{
	struct script_words w;

	lex_open(&w.lex, s->text, s->n, s->line, LEX_POSTGRESQL);
	script_step(&w);
	if (is_control(&w.t)) {
		/* PREPARE name AS is no control, PREPARE TRANSACTION is. */
		s->table = lex_name(&w.t);
		s->kind = SCRIPT_CONTROL;
		if (script_eat(&w, "PREPARE") && !lex_is(&w.t, "TRANSACTION")) {
			s->kind = SCRIPT_OTHER;
			free(s->table);
			s->table = NULL;
		}
		return;
	}
	if (script_eat(&w, "WITH"))
		script_read_with(&w, s);
	if (script_eat(&w, "DROP"))
		read_drop(&w, s);
	else if (script_eat(&w, "ALTER"))
		read_alter(&w, s);
	else if (script_eat(&w, "CREATE"))
		read_create(&w, s);
	else if (script_eat(&w, "DELETE"))
		read_delete(&w, s);
	else if (script_eat(&w, "TRUNCATE"))
		read_truncate(&w, s);
	else if (script_eat(&w, "UPDATE"))
		read_update(&w, s);
	else if (script_eat(&w, "INSERT"))
		read_insert(&w, s);
	else
		read_other(&w, s);
	if (s->table == NULL && (s->kind == SCRIPT_DELETE ||
		s->kind == SCRIPT_UPDATE || s->kind == SCRIPT_TRUNCATE ||
		s->kind == SCRIPT_INSERT)) {
		s->kind = SCRIPT_OTHER; /* the engine will say what is wrong */
		s->all = 0;
	}
}
