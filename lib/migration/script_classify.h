/* script_classify: what one statement is about, from its words. */
#ifndef MIGRATION_SCRIPT_CLASSIFY_H
#define MIGRATION_SCRIPT_CLASSIFY_H

#include "db/lex.h"

struct script_statement;

/* Fill kind, table, to, columns and all from text.  Never fails: what is not
 * understood is SCRIPT_OTHER, and the engine will say what is wrong. */
void script_classify(struct script_statement *s, enum lex_rules rules);

#endif
