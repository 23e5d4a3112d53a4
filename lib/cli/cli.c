/* cli: what every program does around its verb. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "cli/many.h"
#include "cli/term.h"
#include "codec/pool.h"
#include "codec/zst.h"
#include "os/file.h"

#define DEFAULT_LEVEL 3
#define DEFAULT_BUSY_MS 5000
#define LIMIT_MS ((int64_t)86400 * 1000)
#define DEFAULT_MAX_AGE_S 3600
#define DEFAULT_HOOK_S 60

static void
out_of_memory(void)
{
	static const char text[] = "mig: out of memory [memory]\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		_exit(ERR_ENV);
	_exit(ERR_ENV);
}

int
cli_span(const char *option, const char *value, int64_t *out, struct err *e)
{
	if (num_span(value, out) == 0)
		return 0;
	err_set(e, ERR_USAGE, "usage", "--%s: '%s' is not a time", option,
		value);
	return err_next(e, "write seconds, or 90s, 15m, 2h, 7d");
}

/* A limit that a server or SQLite keeps, in milliseconds: 300ms, too. */
static int
limit_of(const char *option, const char *value, int64_t *ms, struct err *e)
{
	size_t n = strlen(value);
	char *digits;
	int64_t seconds;
	int good;

	if (n > 2 && strcmp(value + n - 2, "ms") == 0) {
		digits = mem_dup_n(value, n - 2);
		good = num_parse(digits, 1, LIMIT_MS, ms) == 0;
		free(digits);
		if (good)
			return 0;
	} else if (num_span(value, &seconds) == 0 && seconds <= LIMIT_MS / 1000) {
		*ms = seconds * 1000;
		return 0;
	} else if (num_span(value, &seconds) == 0) {
		return err_set(e, ERR_USAGE, "usage",
			"--%s: '%s' is longer than a day", option, value);
	}
	err_set(e, ERR_USAGE, "usage", "--%s: '%s' is not a time", option,
		value);
	return err_next(e, "write 300ms, seconds, or 90s, 15m, 2h");
}

int
cli_number(const char *option, const char *value, int64_t min, int64_t max,
	int64_t *out, struct err *e)
{
	if (num_parse(value, min, max, out) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "usage",
		"--%s: '%s' is not a number from %lld to %lld", option, value,
		(long long)min, (long long)max);
}

int
cli_jobs(const char *value, int64_t *out, struct err *e)
{
	return cli_number("jobs", value, 1, 64, out, e);
}

int
cli_level(const char *value, int64_t *out, struct err *e)
{
	return cli_number("level", value, ZST_LEVEL_MIN, ZST_LEVEL_MAX, out,
		e);
}

static int
take_common(void *arg, int id, const char *value, struct err *e)
{
	struct cli *c = arg;
	char **text = NULL;

	switch (id) {
	case OPT_DATABASE:
		strs_add(&c->urls, value);
		return 0;
	case OPT_DATABASES:
		text = &c->databases;
		break;
	case OPT_KEEP_GOING:
		return 0; /* it is in c->words */
	case OPT_MIGRATIONS:
		text = &c->migrations;
		break;
	case OPT_BACKUPS:
		text = &c->backups;
		break;
	case OPT_CONFIG:
		text = &c->config;
		break;
	case OPT_ENV:
		text = &c->env;
		break;
	case OPT_OUTPUT:
		text = &c->output;
		break;
	case OPT_BUSY:
		text = &c->busy;
		break;
	case OPT_ROLE:
		text = &c->role;
		break;
	case OPT_FORMAT:
		text = &c->format;
		break;
	case OPT_STATEMENT:
		text = &c->statement;
		break;
	case OPT_SET:
		strs_add(&c->set, value);
		return 0;
	case OPT_SET_FILE:
		strs_add(&c->set_file, value);
		return 0;
	case OPT_QUIET:
		c->quiet = 1;
		return 0;
	case OPT_VERBOSE:
		c->verbose = 1;
		return 0;
	case OPT_HELP:
		c->help = 1;
		return 0;
	case OPT_VERSION:
		c->version = 1;
		return 0;
	default:
		return c->take(c->arg, id, value, e);
	}
	*text = mem_dup(value);
	return 0;
}

/* The strongest that was said: option, environment, mig.conf, default. */
static const char *
strongest(const char *option, const char *a, const char *b, const char *conf,
	const char *fallback)
{
	const char *env;

	if (option != NULL)
		return option;
	env = a == NULL ? NULL : getenv(a);
	if (env == NULL || *env == '\0')
		env = b == NULL ? NULL : getenv(b);
	if (env != NULL && *env != '\0')
		return env;
	return conf != NULL ? conf : fallback;
}

static int
settle_output(struct cli *c)
{
	const char *form = strongest(c->output, "MIG_OUTPUT", NULL, NULL,
		isatty(STDOUT_FILENO) ? "text" : "json");

	c->json = strcmp(form, "json") == 0;
	c->silent = strcmp(form, "none") == 0;
	if (c->json || c->silent || strcmp(form, "text") == 0)
		return 0;
	err_set(&c->err, ERR_USAGE, "usage",
		"--output: '%s' is not json, text or none", form);
	return form == getenv("MIG_OUTPUT") ? err_wrap(&c->err, "MIG_OUTPUT") :
		-1;
}

static int
settle_policy(struct cli *c)
{
	const char *word = c->conf.value[CONF_POLICY];

	if (word == NULL || strcmp(word, "development") == 0)
		c->policy = CLI_DEVELOPMENT;
	else if (strcmp(word, "staging") == 0)
		c->policy = CLI_STAGING;
	else if (strcmp(word, "production") == 0)
		c->policy = CLI_PRODUCTION;
	else
		return err_set(&c->err, ERR_USAGE, "config",
			"'%s': policy '%s' is not development, staging or "
			"production", c->conf.path, word);
	return 0;
}

/*
 * Whose value it was that could not be used: the variable's, or the file's; an option
 * is named already.  value NULL: of the file.
 */
static int
from(struct cli *c, const char *value, const char *variable, enum conf_key key)
{
	if (value != NULL && variable != NULL && value == getenv(variable))
		err_wrap(&c->err, "%s", variable);
	else if (value == NULL || value == c->conf.value[key])
		err_wrap(&c->err, "'%s'", c->conf.path);
	return -1;
}

static int
settle_numbers(struct cli *c)
{
	const char *busy = strongest(c->busy, "MIG_BUSY_TIMEOUT", NULL,
		c->conf.value[CONF_BUSY], NULL);
	const char *statement = strongest(c->statement,
		"MIG_STATEMENT_TIMEOUT", NULL, c->conf.value[CONF_STATEMENT],
		NULL);
	int64_t n;

	c->op.busy_ms = DEFAULT_BUSY_MS;
	c->op.statement_ms = 0;
	if (busy != NULL && limit_of("busy-timeout or --lock-timeout", busy,
		&c->op.busy_ms, &c->err) == -1)
		return from(c, busy, "MIG_BUSY_TIMEOUT", CONF_BUSY);
	if (statement != NULL && limit_of("statement-timeout", statement,
		&c->op.statement_ms, &c->err) == -1)
		return from(c, statement, "MIG_STATEMENT_TIMEOUT",
			CONF_STATEMENT);
	c->op.role = strongest(c->role, "MIG_ROLE", NULL,
		c->conf.value[CONF_ROLE], NULL);
	c->op.hooks = strongest(NULL, "MIG_HOOKS", NULL,
		c->conf.value[CONF_HOOKS], NULL);
	c->op.scratch = strongest(NULL, "MIG_SCRATCH", NULL,
		c->conf.value[CONF_SCRATCH], NULL);
	c->op.hook_s = DEFAULT_HOOK_S;
	if (c->conf.value[CONF_HOOK_TIMEOUT] != NULL && cli_span(
		"hook-timeout", c->conf.value[CONF_HOOK_TIMEOUT],
		&c->op.hook_s, &c->err) == -1)
		return from(c, NULL, NULL, CONF_HOOK_TIMEOUT);
	c->max_age_s = DEFAULT_MAX_AGE_S;
	if (c->conf.value[CONF_MAX_AGE] != NULL &&
		cli_span("max-backup-age", c->conf.value[CONF_MAX_AGE],
			&c->max_age_s, &c->err) == -1)
		return from(c, NULL, NULL, CONF_MAX_AGE);
	c->op.jobs = pool_cores();
	c->op.level = DEFAULT_LEVEL;
	if (c->conf.value[CONF_JOBS] != NULL) {
		if (cli_jobs(c->conf.value[CONF_JOBS], &n, &c->err) == -1)
			return from(c, NULL, NULL, CONF_JOBS);
		c->op.jobs = (int)n;
	}
	if (c->conf.value[CONF_LEVEL] != NULL) {
		if (cli_level(c->conf.value[CONF_LEVEL], &n, &c->err) == -1)
			return from(c, NULL, NULL, CONF_LEVEL);
		c->op.level = (int)n;
	}
	return 0;
}

static int
settle(struct cli *c)
{
	const char *env = strongest(c->env, "MIG_ENV", NULL, NULL, NULL);
	const char *folder;

	if (settle_output(c) == -1 ||
		conf_read(&c->conf, c->config, env, &c->err) == -1 ||
		settle_policy(c) == -1 || settle_numbers(c) == -1 ||
		cli_values(c) == -1)
		return -1;
	folder = file_is_dir("migrations") || !file_is_dir("db/migrations") ?
		"migrations" : "db/migrations";
	c->op.tool = CLI_TOOL;
	c->op.program = c->program->name;
	c->op.url = strongest(c->urls.n > 0 ? c->urls.v[0] :
		NULL, "MIG_DATABASE_URL", "DATABASE_URL",
		c->conf.value[CONF_DATABASE], NULL);
	c->op.migrations = strongest(c->migrations, "MIG_MIGRATIONS", NULL,
		c->conf.value[CONF_MIGRATIONS], folder);
	c->op.format = strongest(c->format, "MIG_FORMAT", NULL,
		c->conf.value[CONF_FORMAT], NULL);
	c->op.backups = strongest(c->backups, "MIG_BACKUPS", NULL,
		c->conf.value[CONF_BACKUPS], "backups");
	c->op.report = &c->report;
	c->op.arg = c;
	term_report(c);
	report_say(&c->report, REPORT_MORE, "configuration: %s%s%s",
		c->conf.path == NULL ? "no mig.conf" : c->conf.path,
		env == NULL ? "" : ", environment ", env == NULL ? "" : env);
	return 0;
}

static void
catch_signals(void)
{
	static const int asked[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction s, old;
	size_t i;

	memset(&s, 0, sizeof(s));
	s.sa_handler = stop_ask; /* no SA_RESTART: a read is to end */
	for (i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		/* What the caller ignores stays so: nohup(1), a job of a shell. */
		if (sigaction(asked[i], NULL, &old) == 0 && old.sa_handler !=
			SIG_IGN)
			sigaction(asked[i], &s, NULL);
	/* Ignored, as a caller may leave it, no child could be waited for. */
	s.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &s, NULL);
	s.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &s, NULL);
	sigaction(SIGXFSZ, &s, NULL);
}

/* A closed standard stream must not become a database's descriptor. */
static int
fill_streams(void)
{
	int closed = fcntl(STDOUT_FILENO, F_GETFD) == -1, fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	return closed;
}

int
cli_start(struct cli *c, const struct opt_program *p, int argc, char **argv,
	int (*take)(void *arg, int id, const char *value, struct err *e),
	void *arg)
{
	int closed = fill_streams();

	memset(c, 0, sizeof(*c));
	c->program = p;
	c->take = take;
	c->arg = arg;
	c->out_fd = closed ? -1 : STDOUT_FILENO;
	c->json = !isatty(STDOUT_FILENO);
	mem_on_failure(out_of_memory);
	catch_signals();
	if (opt_parse(p, argc, argv, take_common, c, &c->operands,
		&c->command,
		&c->words, &c->err) ==
		-1) {
		struct err first = c->err;

		settle_output(c); /* as far as it was said by then */
		c->err = first;
		return cli_end(c, cli_fail(c));
	}
	if (c->help || c->version) {
		if (c->help)
			opt_help(p, stdout);
		else
			printf("%s (%s)\n", p->name, CLI_TOOL);
		return cli_end(c, fflush(stdout) == 0 ? 0 : ERR_ENV);
	}
	if (settle(c) == -1)
		return cli_end(c, cli_fail(c));
	return many_asked(c) ? cli_end(c, many_run(c)) : -1;
}

void
cli_ask(struct cli *c, enum cli_policy from)
{
	if (c->policy >= from && !c->yes)
		c->op.confirm = term_confirm;
}

int
cli_end(struct cli *c, int status)
{
	strs_free(&c->operands);
	strs_free(&c->command);
	conf_free(&c->conf);
	strs_free(&c->set);
	strs_free(&c->set_file);
	values_free(&c->values);
	strs_free(&c->urls);
	strs_free(&c->words);
	free(c->databases);
	free(c->migrations);
	free(c->backups);
	free(c->config);
	free(c->env);
	free(c->output);
	free(c->busy);
	free(c->role);
	free(c->statement);
	free(c->format);
	return status;
}
