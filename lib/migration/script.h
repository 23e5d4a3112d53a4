/*
 * script: the statements of a migration, and what each is about as far as
 * words tell.  This is the forecast, for refusing before anything runs; when
 * a statement runs, the engine itself says what it does.
 */
#ifndef MIGRATION_SCRIPT_H
#define MIGRATION_SCRIPT_H

#include <stddef.h>

#include "base/strs.h"
#include "db/lex.h"

struct err;
struct migration_part;

enum script_kind {
	SCRIPT_OTHER,
	SCRIPT_CREATE_TABLE,
	SCRIPT_CREATE, /* anything else */
	SCRIPT_DROP_TABLE,
	SCRIPT_DROP, /* anything else */
	SCRIPT_RENAME_TABLE, /* table to `to` */
	SCRIPT_DROP_COLUMN, /* columns[0] */
	SCRIPT_DELETE,
	SCRIPT_TRUNCATE,
	SCRIPT_UPDATE, /* columns: those that are set */
	SCRIPT_INSERT,
	SCRIPT_REPLACE, /* also INSERT OR REPLACE */
	SCRIPT_PRAGMA, /* table: its name; to: non-NULL when it sets */
	SCRIPT_SET, /* the session; PostgreSQL's SET and RESET */
	SCRIPT_VACUUM,
	SCRIPT_OUTSIDE, /* cannot run in a transaction */
	SCRIPT_DROP_DATABASE,
	SCRIPT_CONTROL /* BEGIN, COMMIT, ATTACH...; table: the word */
};

struct script_statement {
	const char *text; /* in the text that was scanned */
	size_t n; /* without the semicolon */
	int line;
	enum script_kind kind;
	char *table, *to;
	struct strs more; /* further tables: DROP TABLE a, b */
	struct strs columns;
	struct strs retyped; /* by ALTER COLUMN TYPE */
	int all; /* a DELETE or UPDATE of every row */
	int compare; /* the values of columns before and after tell a loss */
	int either; /* runs outside a transaction as well as in one */
	struct script_statement *inner; /* inside its WITH: they change data */
	size_t inner_n;
	int nested; /* it is one of those */
	const char *data; /* lines after COPY FROM stdin, in text; or NULL */
	size_t data_n;
};

struct script {
	struct script_statement *v;
	size_t n;
	enum lex_rules rules; /* by which it was cut */
	int outside; /* runs in no transaction; see script_of_part() */
};

/*
 * Cut text, whose first line has the number line, by an engine's rules.
 * Borrows text for as long as out lives.  ERR_USAGE "scan" names the line.  Gives out's contents.
 */
int script_scan(const char *text, int line, enum lex_rules rules,
	struct script *out, struct err *e);
void script_free(struct script *s);

/* Free what the statement holds. */
void script_release(struct script_statement *s);

/*
 * Whether it may run twice, for its own words say what to do with what is there:
 * DROP ... IF EXISTS, CREATE ... IF NOT EXISTS, VACUUM and its kind.
 */
int script_may_repeat(const struct script_statement *s, enum lex_rules rules);

/*
 * A part's text: marked or detected as one for no transaction, and without the
 * BEGIN and COMMIT that its format may have around it.
 */
int script_of_part(const struct migration_part *p, enum lex_rules rules,
	struct script *out, struct err *e);

/*
 * The tables that the script rebuilds: CREATE TABLE y, DROP TABLE x, RENAME y
 * TO x, in this order.  Appends each once.
 */
void script_rebuilds(const struct script *s, struct strs *out);

/* The columns whose values are compared; see compare. */
const struct strs *script_compared(const struct script_statement *s);

/* A statement's words for messages: "DROP TABLE users". */
const char *script_action(const struct script_statement *s);

#endif
