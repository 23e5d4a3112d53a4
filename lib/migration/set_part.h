/* set_part: what the files of a set share. */
#ifndef MIGRATION_SET_PART_H
#define MIGRATION_SET_PART_H

#include "migration/set.h"

/* ERR_USAGE "duplicate": two files, a and b, have one version. */
int set_twice(struct err *e, const char *version, const char *a,
	const char *b);

/* set_squash.c: a squash that was killed between its files is ERR_USAGE. */
int set_judge_squash(const struct set *s, const struct strs *folders,
	struct err *e);

/* Fill s->replaced.  ERR_USAGE "duplicate": one of them is there, too. */
int set_find_replaced(struct set *s, struct err *e);

#endif
