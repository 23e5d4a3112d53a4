/* Fuzz: a file of any format is read or refused, and nothing else happens. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "migration/format/format.h"
#include "migration/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
scan(const struct migration_part *p)
{
	struct script s;
	struct err e;
	int rules;

	for (rules = 0; rules < 2 && p->text != NULL; rules++)
		if (script_of_part(p, rules == 0 ? LEX_SQLITE :
			LEX_POSTGRESQL, &s, &e) == 0)
			script_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format *const *f;
	struct buf text = { 0 };

	buf_add(&text, data, size);
	buf_text(&text, "");
	if (strlen(text.data) == text.len)
		for (f = format_all; *f != NULL; f++) {
			struct migration m = { 0 };
			struct buf sum = { 0 };
			struct err e;

			m.version = strdup("1");
			m.name = strdup("a");
			if ((*f)->read(&m, "nowhere/1_a.sql", &text, 'b', &e) ==
				0) {
				scan(&m.up);
				scan(&m.down);
				if ((*f)->sum != NULL)
					(*f)->sum(&m, text.data, text.len,
						&sum);
			}
			buf_free(&sum);
			migration_free(&m);
		}
	buf_free(&text);
	return 0;
}
