/* tap: unit tests as plain programs that print TAP. */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <string.h>

static int tap_n, tap_bad;

#define OK(condition, ...) \
	do { \
		int tap_passed = (condition) != 0; \
		tap_bad += !tap_passed; \
		printf("%s %d - ", tap_passed ? "ok" : "not ok", ++tap_n); \
		printf(__VA_ARGS__); \
		printf("\n"); \
		if (!tap_passed) \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, \
				#condition); \
	} while (0)

#define IS(got, want, ...) \
	do { \
		const char *tap_got = (got), *tap_want = (want); \
		OK(tap_got != NULL && strcmp(tap_got, tap_want) == 0, \
			__VA_ARGS__); \
		if (tap_got == NULL || strcmp(tap_got, tap_want) != 0) \
			printf("# got  '%s'\n# want '%s'\n", \
				tap_got == NULL ? "NULL" : tap_got, tap_want); \
	} while (0)

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_n);
	return tap_bad == 0 ? 0 : 1;
}

#endif
