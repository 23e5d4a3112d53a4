/*
 * graph: which migration comes after which.  Files of mig's own format may name
 * those that they come after; one that names none comes after the version
 * before it, so that files without any are a line.  Other formats are a line in
 * their own order, or name every parent (Alembic, Sqitch).
 */
#ifndef MIGRATION_GRAPH_H
#define MIGRATION_GRAPH_H

struct err;
struct ledger;
struct migration;
struct set;

/*
 * Find the parents of all, and put each behind its parents, else by version.
 * s->v is in the order of versions.  A version that no file has is kept in
 * s->orphans: who names it comes after the version before both.  ERR_USAGE
 * "cycle": one would come after itself.
 */
int graph_order(struct set *s, struct err *e);

/*
 * ERR_USAGE "parent": a file names a version that no file has, and that is not
 * applied either.  l NULL: nothing is known to be.
 */
int graph_judge(const struct set *s, const struct ledger *l, struct err *e);

/*
 * Set the byte of m and of all that it stands on, in marks, which has one for
 * each of s->v.
 */
void graph_mark(const struct set *s, const struct migration *m, char *marks);

/*
 * The migrations that nothing comes after, in order, NULL behind the last.
 * Gives the list: free() it.
 */
const struct migration **graph_heads(const struct set *s);

#endif
