/* version: the versions of migrations. */
#include "migration/version.h"

#include <string.h>

#include "base/strs.h"

#define DIGITS "0123456789"

/* By value, of any length; moves both behind the digits. */
static int
compare_digits(const char **a, const char **b)
{
	const char *x = *a + strspn(*a, "0"), *y = *b + strspn(*b, "0");
	size_t n = strspn(x, DIGITS), k = strspn(y, DIGITS);

	*a = x + n;
	*b = y + k;
	return n != k ? (n < k ? -1 : 1) : strncmp(x, y, n);
}

/* ".0.0": parts that say nothing. */
static int
is_zero(const char *s)
{
	while (*s == '.' && s[1] == '0') {
		s++;
		s += strspn(s, "0");
	}
	return *s == '\0';
}

/*
 * A name goes on with an underscore, which sorts after digits: "10_b" is before
 * "1_a".
 */
static int
compare_text(const char *a, const char *b)
{
	int x, y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	x = *a == '\0' ? '_' : (unsigned char)*a;
	y = *b == '\0' ? '_' : (unsigned char)*b;
	if (x == y)
		return (*a != '\0') - (*b != '\0');
	return x - y;
}

int
version_compare(enum version_rule rule, const char *a, const char *b)
{
	int order;

	if (rule == VERSION_TEXT)
		return compare_text(a, b);
	if (rule == VERSION_BYTES)
		return strcmp(a, b);
	while (*a != '\0' && *b != '\0') {
		if (strchr(DIGITS, *a) != NULL && strchr(DIGITS, *b) != NULL) {
			order = compare_digits(&a, &b);
			if (order != 0)
				return order;
		} else if (*a != *b) {
			return (unsigned char)*a - (unsigned char)*b;
		} else {
			a++;
			b++;
		}
	}
	if (is_zero(a) && is_zero(b))
		return 0;
	return (*a != '\0') - (*b != '\0');
}

int
version_is_repeatable(const char *version)
{
	return strs_starts(version, VERSION_REPEATABLE);
}

size_t
version_search(enum version_rule rule, const char *version, size_t n,
	const char *(*at)(const void *list, size_t i), const void *list)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = version_compare(rule, at(list, mid), version);

		if (order == 0)
			return mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return n;
}
