/*
 * num: numbers and their text.  The parsers take the whole string or fail;
 * they return 0 or -1 and leave the words to the caller, who knows the option.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

#define NUM_SAFE ((int64_t)1 << 53) /* integers in documents stay below */

/* A decimal integer from min to max. */
int num_parse(const char *s, int64_t min, int64_t max, int64_t *out);

/* A span of time in seconds: digits and one of s m h d, seconds if none. */
int num_span(const char *s, int64_t *seconds);

/* "1,234,567" into out. */
const char *num_commas(int64_t n, char *out, size_t room);

/* "12.3 MiB" into out. */
const char *num_bytes(int64_t n, char *out, size_t room);

/* "3 h", "12 min", "45 s", "380 ms": an age or a length of time for people. */
const char *num_time(int64_t ms, char *out, size_t room);

/* Lower-case hex of n bytes into out, which has room for 2n + 1. */
void num_hex(const unsigned char *p, size_t n, char *out);

/* Whether s is exactly n lower-case hex digits. */
int num_is_hex(const char *s, size_t n);

/* Order two strings of digits by value, of any length: <0, 0, >0. */
int num_compare_digits(const char *a, const char *b);

#endif
