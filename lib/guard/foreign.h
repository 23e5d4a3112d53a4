/* foreign: the history tables of other tools, by which a database is theirs. */
#ifndef GUARD_FOREIGN_H
#define GUARD_FOREIGN_H

struct db;
struct db_census;
struct err;

/* What to do next where there is one; with the tool's name. */
#define FOREIGN_NEXT \
	"go on with %s behind mig: mig-apply -- COMMAND; or, with migrations of " \
	"mig's instead, record what is applied: mig-gen --baseline VERSION"

/*
 * The other tool whose history table is there, also one whose files mig does not
 * read; NULL with ERR_NONE: none.  Static text, and *table, too.
 */
const char *foreign_tool(struct db *d, const char **table, struct err *e);

/* Whether a table, with these columns, is where a tool keeps its own books. */
int foreign_is_books(const char *table, const struct db_census *c);

#endif
