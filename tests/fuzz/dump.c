/*
 * Any bytes as the stream of pg_dump: read to an end without a crash; and what
 * is read as whole is not whole with its last byte gone.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "db/postgresql/pg.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct memory {
	const uint8_t *p;
	size_t n, at;
};

static ssize_t
more(void *arg, const unsigned char **p, struct err *e)
{
	struct memory *m = arg;
	size_t k = m->n - m->at;

	(void)e;
	k = k > 61 ? 61 : k; /* pieces end anywhere */
	*p = m->p + m->at;
	m->at += k;
	return (ssize_t)k;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct memory m = { p, n, 0 };
	struct pg_dump_source s = { .arg = &m, .more = more };
	struct pg_dump_result r;
	struct err e;

	if (pg_dump_read(&r, &s, &e) == -1)
		return 0;
	if (r.tables.n > 0) {
		struct memory less = { p, n - 1, 0 };
		struct pg_dump_source cut = { .arg = &less, .more = more };
		struct pg_dump_result again;

		if (pg_dump_read(&again, &cut, &e) == 0)
			abort();
	}
	pg_dump_result_free(&r);
	return 0;
}
