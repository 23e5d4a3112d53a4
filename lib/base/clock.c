/* clock: time. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t
clock_now(void)
{
	return (int64_t)time(NULL);
}

int64_t
clock_now_ms(int64_t *ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	*ms = ts.tv_nsec / 1000000;
	return ts.tv_sec;
}

int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
clock_pause_ms(int64_t ms)
{
	struct timespec ts = { (time_t)(ms / 1000),
		(long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static void
split(int64_t when, struct tm *tm)
{
	time_t t = (time_t)when;

	memset(tm, 0, sizeof(*tm));
	gmtime_r(&t, tm);
}

void
clock_text(int64_t when, char out[CLOCK_TEXT])
{
	struct tm tm;

	split(when, &tm);
	if (strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

void
clock_stamp(int64_t when, char out[CLOCK_STAMP])
{
	struct tm tm;

	split(when, &tm);
	if (strftime(out, CLOCK_STAMP, "%Y%m%dT%H%M%SZ", &tm) == 0)
		out[0] = '\0';
}

int
clock_parse(const char *s, int64_t *when)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	char again[CLOCK_TEXT];
	struct tm tm;
	size_t i;

	if (strlen(s) != sizeof(shape) - 1)
		return -1;
	for (i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return -1;
	memset(&tm, 0, sizeof(tm));
	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon,
		    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*when = (int64_t)timegm(&tm);
	/* timegm() mends February 30th silently; a strict reader does not. */
	clock_text(*when, again);
	return strcmp(again, s) == 0 ? 0 : -1;
}
