/* Fuzz: a file of any format is read or refused, and nothing else happens. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "migration/format/format.h"
#include "migration/script.h"
#include "migration/set.h"
#include "os/file.h"

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

/* Formats that know a migration by the contents of a file list them. */
static void
list(const struct format *f, const struct buf *text)
{
	static const char *const files[] = { "1_a.py", "sqitch.plan" };
	static char folder[] = "/tmp/mig-fuzz-XXXXXX";
	static int made;
	struct set s;
	struct err e;
	int i;

	if (!made && mkdtemp(folder) == NULL)
		abort();
	made = 1;
	for (i = 0; i < 2; i++) {
		char *path = file_join(folder, files[i]);
		FILE *out = fopen(path, "w");

		if (out == NULL || fwrite(text->data, 1, text->len, out) !=
			text->len || fclose(out) != 0)
			abort();
		free(path);
	}
	if (set_read(&s, folder, f, NULL, NULL, &e) == 0)
		set_free(&s);
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

			if ((*f)->read == NULL) {
				list(*f, &text);
				continue;
			}
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
