/*
 * sqlite_content: do two tables hold the same values?  An aggregate function
 * whose result does not depend on the order of the rows: the sum of a 64-bit
 * hash (multiply and fold, eight bytes at a time, finished by the mixer of
 * SplitMix64) of each value's text.  It is compared at once, and never stored.
 */
#include <stdio.h>
#include <string.h>

#include "db/sqlite/sqlite.h"

static sqlite3_uint64
hash(const unsigned char *p, int n)
{
	sqlite3_uint64 h = 14695981039346656037u ^ (sqlite3_uint64)n, w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, p, (size_t)n);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
	}
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

/* The text of a whole number, which SQLite itself would keep with the row. */
static sqlite3_uint64
hash_integer(sqlite3_int64 v)
{
	unsigned char text[20], *p = text + sizeof(text);
	sqlite3_uint64 left = v < 0 ? 0 - (sqlite3_uint64)v : (sqlite3_uint64)v;

	do
		*--p = (unsigned char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		*--p = '-';
	return hash(p, (int)(text + sizeof(text) - p));
}

/* Of one value: 1 and its digest in *out, or 0 for null. */
static int
digest(sqlite3_value *v, sqlite3_uint64 *out)
{
	const unsigned char *p;

	switch (sqlite3_value_type(v)) {
	case SQLITE_NULL:
		return 0;
	case SQLITE_INTEGER:
		*out = hash_integer(sqlite3_value_int64(v));
		return 1;
	case SQLITE_FLOAT:
		*out = hash_real(sqlite3_value_double(v));
		return 1;
	case SQLITE_BLOB:
		p = sqlite3_value_blob(v);
		break;
	default:
		p = sqlite3_value_text(v);
	}
	*out = hash(p, sqlite3_value_bytes(v));
	return 1;
}

struct sums {
	int n;
	sqlite3_uint64 rows; /* of what stands together */
	struct {
		sqlite3_int64 values; /* that are not null */
		sqlite3_uint64 digest;
	} v[SQLITE_CONTENT_MAX];
};

/* All columns in one call: many aggregates would take as long as the reading. */
static void
on_step(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sums *s = sqlite3_aggregate_context(c, sizeof(*s));
	sqlite3_uint64 d, row = 0;
	int i;

	if (s == NULL) {
		sqlite3_result_error_nomem(c);
		return;
	}
	s->n = n;
	for (i = 0; i < n; i++) {
		if (!digest(v[i], &d)) {
			row = row * 31 + 1;
			continue;
		}
		s->v[i].values++;
		s->v[i].digest += d;
		row = (row ^ d) * 0x9e3779b97f4a7c15u;
		row ^= row >> 31;
	}
	s->rows += row;
}

/* As text: that of the rows, then the count and the digest of each column. */
static void
on_end(sqlite3_context *c)
{
	const struct sums *s = sqlite3_aggregate_context(c, 0);
	char text[(SQLITE_CONTENT_MAX + 1) * 44];
	int i, n;

	n = snprintf(text, sizeof(text), "%lld ", s == NULL ? 0LL :
		(sqlite3_int64)s->rows);
	for (i = 0; s != NULL && i < s->n; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%lld %lld ",
			s->v[i].values, (sqlite3_int64)s->v[i].digest);
	sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

int
sqlite_content_register(struct sqlite *s, struct err *e)
{
	if (sqlite3_create_function_v2(s->h, "mig_content", -1,
		    SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL, on_step,
		    on_end, NULL) != SQLITE_OK)
		return sqlite_error(s, e, "register a function");
	return 0;
}
