/* version: the versions of migrations, compared as their format does. */
#ifndef MIGRATION_VERSION_H
#define MIGRATION_VERSION_H

#include <stddef.h>

enum version_rule {
	VERSION_NUMBER, /* 7 is 007, 1.9 is before 1.10, 1 is 1.0 */
	VERSION_TEXT, /* byte by byte, as names of files are sorted */
	VERSION_BYTES /* the same, but what another begins with comes before it */
};

/* <0, 0, >0. */
int version_compare(enum version_rule rule, const char *a, const char *b);

/*
 * A migration that runs again whenever its text changes has no version of its
 * own: its name stands for it, after this.
 */
#define VERSION_REPEATABLE "R:"
int version_is_repeatable(const char *version);

/*
 * The place of a version in a list of n that is sorted by the rule; n: it is not
 * there.  at: the version at a place.
 */
size_t version_search(enum version_rule rule, const char *version, size_t n,
	const char *(*at)(const void *list, size_t i), const void *list);

#endif
