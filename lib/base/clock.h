/*
 * clock: time.  Wall-clock times are UTC, as RFC 3339 text with seconds
 * ("2026-01-31T23:59:59Z"), the only form that documents use.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT 21 /* room for an RFC 3339 time and its NUL */
#define CLOCK_STAMP 17 /* room for "20260131T235959Z" and its NUL */

/* Seconds since 1970. */
int64_t clock_now(void);

/* The same, and the milliseconds of that second. */
int64_t clock_now_ms(int64_t *ms);

/* Milliseconds that only go forward. */
int64_t clock_ms(void);

/* Microseconds that only go forward. */
int64_t clock_us(void);

/* Sleep; a signal ends it early. */
void clock_pause_ms(int64_t ms);

void clock_text(int64_t when, char out[CLOCK_TEXT]);
void clock_stamp(int64_t when, char out[CLOCK_STAMP]);

/* Read RFC 3339 text of the form above: 0, or -1 if it is not one. */
int clock_parse(const char *s, int64_t *when);

#endif
