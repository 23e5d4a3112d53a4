/* Any bytes as a migration: scanned without a crash, statements in order. */
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = mem_dup_n((const char *)p, n);
	struct script s;
	struct strs l = { 0 };
	struct err e;
	size_t i;

	if (script_scan(text, 1, n % 2 == 0 ? LEX_SQLITE : LEX_POSTGRESQL, &s,
		    &e) == 0) {
		for (i = 1; i < s.n; i++)
			if (s.v[i].text < s.v[i - 1].text + s.v[i - 1].n ||
				s.v[i].line < s.v[i - 1].line)
				abort();
		script_rebuilds(&s, &l);
		strs_free(&l);
		script_free(&s);
	}
	free(text);
	return 0;
}
