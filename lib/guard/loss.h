/*
 * loss: nothing is lost that was not named.  Losses are counted three times:
 * on the live data before anything runs, again before each statement inside
 * the transaction, and from what really happened before the commit.
 */
#ifndef GUARD_LOSS_H
#define GUARD_LOSS_H

#include "base/strs.h"
#include "db/db.h"
#include "json/shape.h"

struct err;
struct script;
struct script_statement;

/* The action of a rebuild's loss whose amount is only an upper bound. */
#define LOSS_CHANGED "some of them changed by the rebuild"

/* Append one, if amount is more than 0.  Takes name; unit is static. */
void loss_add(struct shape_list *losses, char *name, const char *action,
	int64_t amount, const char *unit, int line);

/*
 * Append to losses (struct part_loss) what the statement would destroy now.
 * A loss of nothing is none.  rebuilds: tables whose DROP is a rebuild's.
 */
int loss_of_statement(struct shape_list *losses, struct db *d,
	const struct script_statement *s, const struct strs *rebuilds,
	struct err *e);

/* The same for a whole script, before it runs. */
int loss_forecast(struct shape_list *losses, struct db *d,
	const struct script *s, const struct strs *rebuilds, struct err *e);

/*
 * Append what a script really took along without naming it: rows deleted by
 * foreign keys and triggers (a REPLACE sets off both), values set to null.
 */
void loss_of_changes(struct shape_list *losses, const struct db_changes *c,
	const struct script *s);

/* Append what a table's rebuild did not carry over. */
void loss_of_rebuild(struct shape_list *losses, const char *table,
	const struct db_census *before, const struct db_census *after);

/* Mark those that allow names, by an engine's rules; the number that it does not. */
size_t loss_judge(struct shape_list *losses, const struct strs *allow,
	enum lex_rules rules);

/*
 * ERR_REFUSED "loss" naming every loss that is not allowed, with its number.
 * option: how a person allows it, "--allow-loss".
 */
int loss_refuse(const struct shape_list *losses, const char *option,
	struct err *e);

/* The same in other words than "would lose": verb, when it has happened. */
int loss_refuse_as(const struct shape_list *losses, const char *verb,
	const char *option, struct err *e);

/*
 * Values that are null after a statement which may lose them without a row
 * going (script_statement.compare).
 */
void loss_of_values(struct shape_list *losses,
	const struct script_statement *s, const struct db_census *before,
	const struct db_census *after);

/* Add names that a person allows, as the engine writes them. */
void loss_allow(struct strs *to, struct db *d, const struct strs *names);

#endif
