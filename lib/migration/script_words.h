/*
 * script_words: the words of one statement, read one token ahead; for the
 * files that say what a statement is about.
 */
#ifndef MIGRATION_SCRIPT_WORDS_H
#define MIGRATION_SCRIPT_WORDS_H

#include "db/lex.h"

struct script_statement;

struct script_words {
	struct lex lex;
	struct lex_token t; /* the present token */
};

void script_step(struct script_words *w);

/* Step over the word if it is there: 1 or 0. */
int script_eat(struct script_words *w, const char *word);

/* Move to the word at depth 0, or to the end: 1 or 0. */
int script_find(struct script_words *w, const char *word);

/* script_with.c: after WITH, on to the statement proper.  Fills inner. */
void script_read_with(struct script_words *w, struct script_statement *s);

/* Fill all: no WHERE, or one that is always true. */
void script_read_where(struct script_words *w, struct script_statement *s);

/* Fill columns: the names before "=" in a SET list. */
void script_read_set(struct script_words *w, struct script_statement *s);

/* Fill s by PostgreSQL's words. */
void script_postgresql(struct script_statement *s);

#endif
