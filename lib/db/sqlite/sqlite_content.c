/*
 * sqlite_content: do two tables hold the same values?  An aggregate function
 * whose result does not depend on the order of the rows: the sum of a 64-bit
 * hash (FNV-1a, finished by the mixer of SplitMix64) of each value's text.
 */
#include <stdio.h>
#include <string.h>

#include "db/sqlite/sqlite.h"

static sqlite3_uint64
hash(const unsigned char *p, int n)
{
	sqlite3_uint64 h = 14695981039346656037u;

	while (n-- > 0)
		h = (h ^ *p++) * 1099511628211u;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
	return h ^ (h >> 31);
}

/* Numbers by their value: 1, 1.0 and '1' are the same. */
static sqlite3_uint64
hash_real(double v)
{
	char text[40];

	if (v >= -9007199254740992.0 && v <= 9007199254740992.0 &&
		v == (double)(sqlite3_int64)v)
		snprintf(text, sizeof(text), "%lld",
			(long long)(sqlite3_int64)v);
	else
		snprintf(text, sizeof(text), "%.17g", v);
	return hash((const unsigned char *)text, (int)strlen(text));
}

static void
on_step(sqlite3_context *c, int n, sqlite3_value **v)
{
	sqlite3_uint64 *sum = sqlite3_aggregate_context(c, sizeof(*sum));
	const unsigned char *p;

	(void)n;
	if (sum == NULL) {
		sqlite3_result_error_nomem(c);
		return;
	}
	switch (sqlite3_value_type(v[0])) {
	case SQLITE_NULL:
		return;
	case SQLITE_FLOAT:
		*sum += hash_real(sqlite3_value_double(v[0]));
		return;
	case SQLITE_BLOB:
		p = sqlite3_value_blob(v[0]);
		break;
	default:
		p = sqlite3_value_text(v[0]);
	}
	*sum += hash(p, sqlite3_value_bytes(v[0]));
}

static void
on_end(sqlite3_context *c)
{
	const sqlite3_uint64 *sum = sqlite3_aggregate_context(c, 0);

	sqlite3_result_int64(c, sum == NULL ? 0 : (sqlite3_int64)*sum);
}

int
sqlite_content_register(struct sqlite *s, struct err *e)
{
	if (sqlite3_create_function_v2(s->h, "mig_content", 1,
		    SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL, on_step,
		    on_end, NULL) != SQLITE_OK)
		return sqlite_error(s, e, "register a function");
	return 0;
}
