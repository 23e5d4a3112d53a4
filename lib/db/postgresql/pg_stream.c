/* pg_stream: the bytes of a dump. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_stream.h"

#define TEXT_MAX ((int64_t)1 << 30) /* of one text in the contents */

int
pg_stream_broken(const struct pg_stream *d, struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGE, "damage", "the dump, at byte %" PRId64
		": %s", d->taken, what);
}

int
pg_stream_more(struct pg_stream *d, struct err *e)
{
	const unsigned char *p;
	ssize_t n;

	if (d->at < d->end)
		return 1;
	n = d->s->more(d->s->arg, &p, e);
	if (n <= 0)
		return (int)n; /* at its end it may be asked again */
	d->at = p;
	d->end = p + n;
	d->out->bytes += n;
	return 1;
}

int
pg_stream_take(struct pg_stream *d, void *p, size_t n, struct err *e)
{
	unsigned char *to = p;

	while (n > 0) {
		size_t k;
		int got = pg_stream_more(d, e);

		if (got == -1)
			return -1;
		if (got == 0)
			return pg_stream_broken(d, e, "it is cut off");
		k = (size_t)(d->end - d->at);
		k = k > n ? n : k;
		memcpy(to, d->at, k);
		to += k;
		d->at += k;
		d->taken += (int64_t)k;
		n -= k;
	}
	return 0;
}

int
pg_stream_int(struct pg_stream *d, int64_t *out, struct err *e)
{
	unsigned char b[9];
	int i;

	if (pg_stream_take(d, b, (size_t)d->int_bytes + 1, e) == -1)
		return -1;
	if (b[0] > 1)
		return pg_stream_broken(d, e, "not a number");
	for (*out = 0, i = d->int_bytes; i > 0; i--)
		*out = *out << 8 | b[i];
	if (b[0] == 1)
		*out = -*out;
	return 0;
}

int
pg_stream_text(struct pg_stream *d, char **out, struct err *e)
{
	int64_t n;

	*out = NULL;
	if (pg_stream_int(d, &n, e) == -1)
		return -1;
	if (n == -1)
		return 0;
	if (n < 0 || n > TEXT_MAX)
		return pg_stream_broken(d, e, "the length of a text cannot be");
	*out = mem_alloc((size_t)n + 1);
	if (pg_stream_take(d, *out, (size_t)n, e) == 0)
		return 0;
	free(*out);
	*out = NULL;
	return -1;
}

/* The highest byte first; in eight at a time. */
void
pg_stream_add(struct pg_sum *s, const unsigned char digest[SHA256_BYTES])
{
	uint64_t a, b, carry = 0;
	int i;

	for (i = SHA256_BYTES - 8; i >= 0; i -= 8) {
		memcpy(&a, s->v + i, 8);
		memcpy(&b, digest + i, 8);
		a = be64toh(a);
		b = be64toh(b);
		a += carry;
		carry = a < carry;
		a += b;
		carry += a < b;
		a = htobe64(a);
		memcpy(s->v + i, &a, 8);
	}
}

void
pg_stream_sum_text(const struct pg_sum *s, char out[SHA256_TEXT])
{
	int i;

	for (i = 0; i < SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", s->v[i]);
}

void
pg_stream_sum_of(const char *text, struct pg_sum *s)
{
	int i;

	for (i = 0; i < SHA256_BYTES; i++) {
		unsigned byte = 0;

		sscanf(text + 2 * i, "%2x", &byte);
		s->v[i] = (unsigned char)byte;
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct pg_entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void
pg_stream_sort(struct pg_stream *d)
{
	if (d->n > 0)
		qsort(d->entries, d->n, sizeof(*d->entries), by_id);
}

struct pg_entry *
pg_stream_entry(struct pg_stream *d, int64_t id)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->entries[mid].id == id)
			return &d->entries[mid];
		if (d->entries[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
