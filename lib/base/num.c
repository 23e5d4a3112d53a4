/* num: numbers and their text. */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
num_parse(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	if (s == NULL || !((*s >= '0' && *s <= '9') || *s == '-'))
		return -1;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

int
num_span(const char *s, int64_t *seconds)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char digits[16];
	size_t n = strspn(s, "0123456789"), i;
	int64_t unit = 1, value;

	if (n == 0 || n >= sizeof(digits) || (s[n] != '\0' && s[n + 1] != '\0'))
		return -1;
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (s[n] != '\0') {
		for (i = 0; i < 4 && units[i].letter != s[n]; i++)
			;
		if (i == 4)
			return -1;
		unit = units[i].seconds;
	}
	if (num_parse(digits, 0, NUM_SAFE / 86400, &value) == -1)
		return -1;
	*seconds = value * unit;
	return 0;
}

const char *
num_commas(int64_t n, char *out, size_t room)
{
	char digits[32];
	size_t len, i, k = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (i = 0; i < len && k + 2 < room; i++) {
		out[k++] = digits[i];
		if ((len - i - 1) % 3 == 0 && i + 1 < len && digits[i] != '-')
			out[k++] = ',';
	}
	out[k] = '\0';
	return out;
}

const char *
num_bytes(int64_t n, char *out, size_t room)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)n / 1024;
	size_t i = 0;

	if (n < 1024) {
		snprintf(out, room, "%" PRId64 " bytes", n);
		return out;
	}
	while (v >= 1024 && i < 4) {
		v /= 1024;
		i++;
	}
	snprintf(out, room, "%.1f %s", v, units[i]);
	return out;
}

const char *
num_time(int64_t ms, char *out, size_t room)
{
	int64_t s = ms / 1000;

	if (ms == 0)
		snprintf(out, room, "0 s");
	else if (ms < 1000)
		snprintf(out, room, "%" PRId64 " ms", ms);
	else if (s < 120)
		snprintf(out, room, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(out, room, "%" PRId64 " min", s / 60);
	else if (s < 172800)
		snprintf(out, room, "%" PRId64 " h", s / 3600);
	else
		snprintf(out, room, "%" PRId64 " days", s / 86400);
	return out;
}

void
num_hex(const unsigned char *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

int
num_is_hex(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

int
num_compare_digits(const char *a, const char *b)
{
	size_t na, nb;

	a += strspn(a, "0");
	b += strspn(b, "0");
	na = strlen(a);
	nb = strlen(b);
	if (na != nb)
		return na < nb ? -1 : 1;
	return strcmp(a, b);
}
