/* many_part: what the rooms of a run over several databases share. */
#ifndef CLI_MANY_PART_H
#define CLI_MANY_PART_H

#include <stddef.h>

#include "base/strs.h"

struct cli;
struct doc;
struct doc_summary;
struct doc_summary_result;

struct many_one {
	char *url; /* NULL: a section of mig.conf */
	char *section;
	char *label;
	struct doc *doc; /* what it has written */
	int ended;
};

struct many {
	struct cli *c;
	struct many_one *v;
	size_t n, shown; /* those before it are written */
	struct doc_summary *summary;
	struct doc_summary_result *results; /* of summary */
	int keep_going, failed, broken; /* broken: the output is closed */
	size_t at_once;
	const char **argv; /* of the run that is being started */
	struct strs words, environment;
};

/*
 * One more: a url, or a section of mig.conf; line 0: of the options.  ERR_USAGE: it
 * was named before.
 */
int many_add(struct many *m, const char *url, const char *section, int line);

/* --databases: a url in each line, or [NAME], a section of mig.conf. */
int many_read_list(struct many *m);

#endif
