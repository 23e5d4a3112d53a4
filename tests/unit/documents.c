/* Every kind is written and read back byte by byte; bad ones are refused. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "doc/doc.h"
#include "os/file.h"
#include "tap.h"

#define FOLDER "tests/data/documents"

static char *
slurp(const char *name)
{
	struct buf b = { 0 };
	struct err e;
	char *path = file_join(FOLDER, name);

	if (file_slurp(path, 1 << 20, &b, &e) == -1)
		printf("# %s\n", e.text);
	free(path);
	return buf_detach(&b);
}

/* The golden files: read, write again, the same bytes. */
static void
golden(void)
{
	const struct shape *const *k;
	struct strs names = { 0 };
	struct err e;
	size_t i;

	if (file_list(FOLDER, &names, &e) == -1)
		OK(0, "%s", e.text);
	for (i = 0; i < names.n; i++) {
		struct doc *d;
		struct buf b = { 0 };
		char *text;

		if (!strs_ends(names.v[i], ".json"))
			continue;
		text = slurp(names.v[i]);
		if (doc_read(&d, text, strlen(text), &e) == -1) {
			OK(0, "%s: %s", names.v[i], e.text);
		} else {
			doc_write(d, &b);
			IS(b.data, text, "%s", names.v[i]);
			doc_free(d);
		}
		buf_free(&b);
		free(text);
	}
	for (k = doc_kinds; *k != NULL; k++) {
		char name[64];

		snprintf(name, sizeof(name), "%s.json", (*k)->kind);
		OK(strs_has(&names, name), "there is a golden %s", name);
	}
	strs_free(&names);
}

/* A line each in bad.txt: words of the error, a tab, the document. */
static void
bad(void)
{
	char *text = slurp("bad.txt"), *line = text, *next, *doc;
	struct doc *d;
	struct err e;
	int n = 0;

	for (; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		doc = strchr(line, '\t');
		if (*line == '#' || doc == NULL)
			continue;
		*doc++ = '\0';
		n++;
		if (doc_read(&d, doc, strlen(doc), &e) == 0) {
			OK(0, "must be refused: %s", line);
			doc_free(d);
			continue;
		}
		OK(strstr(e.text, line) != NULL && e.code == ERR_USAGE,
			"bad: %s", line);
		if (strstr(e.text, line) == NULL)
			printf("# got '%s'\n", e.text);
	}
	OK(n >= 20, "%d bad documents", n);
	free(text);
}

/* A document cut at every length is refused, and never crashes. */
static void
cut(void)
{
	char *text = slurp("mig.verification.json");
	size_t n = strlen(text), i, taken = 0;
	struct doc *d;
	struct err e;

	for (i = 0; i + 1 < n; i++)
		if (doc_read(&d, text, i, &e) == 0) {
			doc_free(d);
			taken += i < n - 1;
		}
	OK(taken == 0, "half a document is none");
	free(text);
}

int
main(void)
{
	golden();
	bad();
	cut();
	return tap_done();
}
