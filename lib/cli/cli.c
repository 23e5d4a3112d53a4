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
#include "cli/cli_part.h"
#include "cli/many.h"
#include "cli/term.h"
#include "codec/zst.h"

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

		cli_settle_output(c); /* as far as it was said by then */
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
	if (cli_settle(c) == -1)
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
