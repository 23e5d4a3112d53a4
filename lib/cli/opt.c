/* opt: options. */
#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

const struct opt opt_common[] = {
	{ 'd', "database", "URL", "the database: postgresql://..., sqlite:PATH",
		OPT_DATABASE, 1 },
	{ 0, "databases", "FILE", "several, a URL in each line", OPT_DATABASES,
		0 },
	{ 'k', "keep-going", NULL, "of several: go on after a failure",
		OPT_KEEP_GOING, 0 },
	{ 'm', "migrations", "FOLDER", "where the migration files are",
		OPT_MIGRATIONS, 0 },
	{ 0, "format", "NAME", "whose migrations they are: mig, goose, ...",
		OPT_FORMAT, 0 },
	{ 'b', "backups", "FOLDER", "where the backups are", OPT_BACKUPS, 0 },
	{ 0, "config", "FILE", "read this mig.conf", OPT_CONFIG, 0 },
	{ 'e', "env", "NAME", "use this section of mig.conf", OPT_ENV, 0 },
	{ 'o', "output", "FORM", "json, text or none", OPT_OUTPUT, 0 },
	{ 0, "busy-timeout", "TIME", "wait so long for others' transactions",
		OPT_BUSY, 0 },
	{ 0, "lock-timeout", "TIME", "the same; PostgreSQL's name for it",
		OPT_BUSY, 0 },
	{ 0, "statement-timeout", "TIME", "PostgreSQL: end statements after "
		"it", OPT_STATEMENT, 0 },
	{ 0, "role", "NAME", "PostgreSQL: SET ROLE after connecting",
		OPT_ROLE, 0 },
	{ 0, "set", "NAME=VALUE", "the value of a placeholder", OPT_SET, 1 },
	{ 0, "set-file", "NAME=PATH", "the same, a secret that a file holds",
		OPT_SET_FILE, 1 },
	{ 'q', "quiet", NULL, "say only warnings and errors", OPT_QUIET, 0 },
	{ 'v', "verbose", NULL, "say more", OPT_VERBOSE, 0 },
	{ 'h', "help", NULL, "print this and exit", OPT_HELP, 0 },
	{ 'V', "version", NULL, "print the version and exit", OPT_VERSION,
		0 },
	{ 0, NULL, NULL, NULL, 0, 0 },
};

static const struct opt *
find(const struct opt *list, const char *name, size_t n, char letter)
{
	for (; list->name != NULL; list++)
		if (name != NULL ? strlen(list->name) == n &&
				strncmp(list->name, name, n) == 0 :
			list->letter == letter)
			return list;
	return NULL;
}

static const struct opt *
look_up(const struct opt_program *p, const char *name, size_t n, char letter)
{
	const struct opt *o = find(p->options, name, n, letter);

	return o != NULL ? o : find(opt_common, name, n, letter);
}

struct parse {
	const struct opt_program *p;
	int (*take)(void *arg, int id, const char *value, struct err *e);
	void *arg;
	struct strs seen, *words;
};

static int
give(struct parse *x, const struct opt *o, const char *value, struct err *e)
{
	char *word;

	if (!o->many && o->value != NULL && strs_has(&x->seen, o->name))
		return err_set(e, ERR_USAGE, "usage",
			"the option --%s is given twice", o->name);
	strs_add_once(&x->seen, o->name);
	word = mem_printf("--%s%s%s", o->name, value == NULL ? "" : "=",
		value == NULL ? "" : value);
	strs_add(x->words, word);
	free(word);
	return x->take(x->arg, o->id, value, e);
}

static int
no_value(const struct opt *o, struct err *e)
{
	return err_set(e, ERR_USAGE, "usage", "the option --%s needs a value: "
		"%s", o->name, o->value);
}

/* "--name", "--name=value" or "--name value": arguments used, or -1. */
static int
long_option(struct parse *x, char **argv, struct err *e)
{
	const char *name = argv[0] + 2, *eq = strchr(name, '=');
	size_t n = eq == NULL ? strlen(name) : (size_t)(eq - name);
	const struct opt *o = look_up(x->p, name, n, 0);

	if (o == NULL)
		return err_set(e, ERR_USAGE, "usage", "unknown option '--%.*s'",
			(int)n, name);
	if (o->value == NULL) {
		if (eq != NULL)
			return err_set(e, ERR_USAGE, "usage",
				"the option --%s takes no value", o->name);
		return give(x, o, NULL, e) == -1 ? -1 : 1;
	}
	if (eq != NULL)
		return give(x, o, eq + 1, e) == -1 ? -1 : 1;
	if (argv[1] == NULL)
		return no_value(o, e);
	return give(x, o, argv[1], e) == -1 ? -1 : 2;
}

/* "-a", "-ab", "-d value" or "-dvalue": arguments used, or -1. */
static int
short_options(struct parse *x, char **argv, struct err *e)
{
	const char *s;

	for (s = argv[0] + 1; *s != '\0'; s++) {
		const struct opt *o = look_up(x->p, NULL, 0, *s);

		if (o == NULL)
			return err_set(e, ERR_USAGE, "usage", "unknown option '-%c'",
				*s);
		if (o->value == NULL) {
			if (give(x, o, NULL, e) == -1)
				return -1;
			continue;
		}
		if (s[1] != '\0')
			return give(x, o, s + 1, e) == -1 ? -1 : 1;
		if (argv[1] == NULL)
			return no_value(o, e);
		return give(x, o, argv[1], e) == -1 ? -1 : 2;
	}
	return 1;
}

int
opt_parse(const struct opt_program *p, int argc, char **argv,
	int (*take)(void *arg, int id, const char *value, struct err *e),
	void *arg, struct strs *operands, struct strs *command,
	struct strs *words, struct err *e)
{
	struct parse x = { p, take, arg, { 0 }, words };
	int i, used = 1, options = 1;

	for (i = 1; i < argc && used != -1; i += used) {
		used = 1;
		if (!options && p->command)
			strs_add(command, argv[i]);
		else if (!options || argv[i][0] != '-' || argv[i][1] == '\0')
			strs_add(operands, argv[i]);
		else if (strcmp(argv[i], "--") == 0)
			options = 0;
		else if (argv[i][1] == '-')
			used = long_option(&x, argv + i, e);
		else
			used = short_options(&x, argv + i, e);
	}
	if (used != -1 && !options && p->command && command->n == 0) {
		err_set(e, ERR_USAGE, "usage", "there is no command behind "
			"'--'");
		used = err_next(e, "name one, as: %s -- alembic upgrade head",
			p->name);
	}
	strs_free(&x.seen);
	return used == -1 ? -1 : 0;
}

static void
help_list(const struct opt *o, FILE *out)
{
	char *left;

	for (; o->name != NULL; o++) {
		left = mem_printf("%c%c%c --%s%s%s",
			o->letter == 0 ? ' ' : '-',
			o->letter == 0 ? ' ' : o->letter,
			o->letter == 0 ? ' ' : ',', o->name,
			o->value == NULL ? "" : " ",
			o->value == NULL ? "" : o->value);
		fprintf(out, "  %-30s %s\n", left, o->help);
		free(left);
	}
}

void
opt_help(const struct opt_program *p, FILE *out)
{
	fprintf(out, "usage: %s [options]%s%s\n%s\n\n", p->name,
		*p->synopsis == '\0' ? "" : " ", p->synopsis, p->purpose);
	help_list(p->options, out);
	if (p->options->name != NULL)
		fprintf(out, "\nOptions that every mig program has:\n");
	help_list(opt_common, out);
	fprintf(out, "\nThe manual: man %s; to begin with: man mig\n",
		p->name);
}
