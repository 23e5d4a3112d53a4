/* Any bytes as a document: refused or written back as they were read. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "doc/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b = { 0 };
	struct doc *d, *again;
	struct err e;

	if (doc_read(&d, (const char *)p, n, &e) == 0) {
		doc_write(d, &b);
		if (doc_read(&again, b.data, b.len, &e) == -1)
			abort();
		doc_free(again);
		doc_free(d);
		buf_free(&b);
	}
	return 0;
}
