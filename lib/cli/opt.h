/*
 * opt: options.  One static table per program feeds the parsing, --help and
 * the test that holds the manual to it.  Long options are not abbreviated; an
 * option that takes one value may be given once; "--" ends the options.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdio.h>

#include "base/strs.h"

struct err;

struct opt {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* what it takes, for people; NULL: nothing */
	const char *help;
	int id; /* the program's own, not 0 */
	int many; /* may be given more than once */
};

struct opt_program {
	const char *name; /* "mig-apply" */
	const char *synopsis; /* what follows the name and [options] */
	const char *purpose; /* one sentence */
	const struct opt *options; /* ends in a NULL name */
	int values; /* it runs SQL, which may need values for placeholders */
	int jobs; /* it has the option --jobs */
	int command; /* words behind "--" are another program's */
	int many; /* it can be run over several databases */
	const char *const *alone; /* options that it then has not; or NULL */
};

/*
 * Parse.  take is called for each option in order; operands gets the rest, command
 * what stands behind "--" where the program takes a command.
 * words gets the options as "--name" and "--name=value", for another run.
 * ERR_USAGE names what is wrong.
 */
int opt_parse(const struct opt_program *p, int argc, char **argv,
	int (*take)(void *arg, int id, const char *value, struct err *e),
	void *arg, struct strs *operands, struct strs *command,
	struct strs *words, struct err *e);

/* Print --help: usage, purpose, the options of the program and the common. */
void opt_help(const struct opt_program *p, FILE *out);

/* The options that every program has; ids are negative. */
extern const struct opt opt_common[];

enum opt_common_id {
	OPT_DATABASE = -1,
	OPT_MIGRATIONS = -2,
	OPT_BACKUPS = -3,
	OPT_CONFIG = -4,
	OPT_ENV = -5,
	OPT_OUTPUT = -6,
	OPT_QUIET = -7,
	OPT_VERBOSE = -8,
	OPT_BUSY = -9,
	OPT_ROLE = -20,
	OPT_STATEMENT = -21,
	OPT_FORMAT = -22,
	OPT_SET = -23,
	OPT_SET_FILE = -24,
	OPT_DATABASES = -25,
	OPT_KEEP_GOING = -26,
	OPT_HELP = -10,
	OPT_VERSION = -11
};

#endif
