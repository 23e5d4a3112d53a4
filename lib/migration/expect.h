/*
 * expect: what a migration says that it does: "-- mig: expect ...", checked before
 * its commit, and in a rehearsal.  mig-migration(5) describes the forms.
 */
#ifndef MIGRATION_EXPECT_H
#define MIGRATION_EXPECT_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum expect_kind {
	EXPECT_ROWS, /* rows of a table, compared with a number */
	EXPECT_UNCHANGED, /* every value of a table */
	EXPECT_NONE /* a query that returns no row */
};

enum expect_operator {
	EXPECT_EQUAL, EXPECT_OTHER, EXPECT_LESS, EXPECT_LESS_EQUAL, EXPECT_MORE,
	EXPECT_MORE_EQUAL
};

struct expect {
	enum expect_kind kind;
	int line; /* in the file */
	char *text; /* the table, or the query */
	enum expect_operator operator;
	int64_t number;
};

struct expect_list {
	struct expect *v;
	size_t n;
};

/* Append one, from behind "expect".  ERR_USAGE "migration" with the place. */
int expect_parse(struct expect_list *l, const char *at, const char *end,
	const char *file, int line, struct err *e);

/* Whether rows are as it says, and how it says it: ">=". */
int expect_holds(const struct expect *x, int64_t rows);
const char *expect_sign(const struct expect *x);

void expect_free(struct expect_list *l);

#endif
