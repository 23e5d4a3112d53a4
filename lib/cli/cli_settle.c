/* cli_settle: options, environment, mig.conf and defaults become one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/cli_part.h"
#include "cli/term.h"
#include "codec/pool.h"
#include "os/file.h"

#define DEFAULT_LEVEL 3
#define DEFAULT_BUSY_MS 5000
#define LIMIT_MS ((int64_t)86400 * 1000)
#define DEFAULT_MAX_AGE_S 3600
#define DEFAULT_HOOK_S 60

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

int
cli_settle_output(struct cli *c)
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

int
cli_settle(struct cli *c)
{
	const char *env = strongest(c->env, "MIG_ENV", NULL, NULL, NULL);
	const char *folder;

	if (cli_settle_output(c) == -1 ||
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
