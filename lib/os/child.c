/* child: another program run as a child process. */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "base/strs.h"

#define PIPE_BYTES (1 << 20)
#define END_TRIES 500 /* of 20 ms */
#define WORDS_MAX 4096 /* of its standard error: the first and the last ones */
#define TOLD_MAX 900 /* of them in an error */

struct child {
	pid_t pid;
	int out, words; /* its standard output and error; -1: ended */
	char *name;
	const char *hide;
	const struct report *report;
	struct buf first, said;
};

extern char **environ;

char **
child_environment(const struct strs *extra)
{
	size_t n = 0, k = extra == NULL ? 0 : extra->n, i, j;
	char *const *with = extra == NULL ? NULL : extra->v;
	char **out;

	while (environ[n] != NULL)
		n++;
	out = mem_array(n + k + 1, sizeof(*out));
	for (i = 0, j = 0; i < n; i++) {
		size_t name = strcspn(environ[i], "="), w;

		for (w = 0; w < k; w++)
			if (strncmp(environ[i], with[w], name) == 0 &&
				(with[w][name] == '=' || with[w][name] == '\0'))
				break;
		if (w == k)
			out[j++] = environ[i];
	}
	for (i = 0; i < k; i++)
		if (strchr(with[i], '=') != NULL)
			out[j++] = with[i];
	out[j] = NULL;
	return out;
}

/* In the child: only calls that are safe after a fork among threads. */
static void
become(const char *const *argv, char **environment, const struct passwd *user,
	pid_t parent, int out, int words, int report)
{
	int null = open("/dev/null", O_RDONLY), code;

	if (user != NULL && (setgroups(0, NULL) == -1 ||
		setgid(user->pw_gid) == -1 || setuid(user->pw_uid) == -1 ||
		chdir("/") == -1))
		_Exit(127);
	/* After setuid(), which forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_Exit(127);
	signal(SIGPIPE, SIG_DFL);
	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 ||
		dup2(words, 2) == -1)
		_Exit(127);
	execvpe(argv[0], (char *const *)argv, environment);
	code = errno;
	if (write(report, &code, sizeof(code)) == -1)
		_Exit(126);
	_Exit(127);
}

int
child_start(struct child **out, const char *const *argv,
	const struct strs *environment, const char *as, struct err *e)
{
	const struct passwd *user = as == NULL ? NULL : getpwnam(as);
	struct child *c = mem_alloc(sizeof(*c));
	char **merged = child_environment(environment);
	int o[2] = { -1, -1 }, w[2] = { -1, -1 }, r[2] = { -1, -1 };
	int code = 0, i;
	pid_t me = getpid();

	*out = NULL;
	c->name = mem_dup(argv[0]);
	c->pid = -1;
	if (pipe2(o, O_CLOEXEC) == -1 || pipe2(w, O_CLOEXEC) == -1 ||
		pipe2(r, O_CLOEXEC) == -1) {
		err_sys(e, "make a pipe");
		goto fail;
	}
	c->pid = fork();
	if (c->pid == 0)
		become(argv, merged, user, me, o[1], w[1], r[1]);
	if (c->pid == -1) {
		err_sys(e, "start '%s'", argv[0]);
		goto fail;
	}
	close(r[1]);
	r[1] = -1;
	if (read(r[0], &code, sizeof(code)) == (ssize_t)sizeof(code)) {
		err_set(e, ERR_ENV, "program", "'%s' cannot be run: %s",
			argv[0], strerror(code));
		goto fail;
	}
	close(r[0]);
	close(o[1]);
	close(w[1]);
	c->out = o[0];
	c->words = w[0];
	fcntl(c->words, F_SETFL, O_NONBLOCK);
	fcntl(c->out, F_SETPIPE_SZ, PIPE_BYTES); /* fewer switches */
	free(merged);
	*out = c;
	return 0;
fail:
	for (i = 0; i < 2; i++) {
		if (o[i] != -1)
			close(o[i]);
		if (w[i] != -1)
			close(w[i]);
		if (r[i] != -1)
			close(r[i]);
	}
	c->out = c->words = -1;
	free(merged);
	child_free(c);
	return -1;
}

/* Take what it said on standard error; the middle of much is not kept. */
static void
listen_to(struct child *c)
{
	char p[1024];
	ssize_t n;

	while (c->words != -1 && (n = read(c->words, p, sizeof(p))) != -1) {
		if (n == 0) {
			close(c->words);
			c->words = -1;
			return;
		}
		buf_add(c->first.len < WORDS_MAX ? &c->first : &c->said, p,
			(size_t)n);
		if (c->said.len > 2 * WORDS_MAX) {
			memmove(c->said.data, c->said.data + c->said.len -
				WORDS_MAX, WORDS_MAX);
			c->said.len = WORDS_MAX;
		}
	}
}

ssize_t
child_read(struct child *c, void *p, size_t n, struct err *e)
{
	struct pollfd f[2];
	ssize_t got;

	for (;;) {
		f[0].fd = c->out;
		f[1].fd = c->words; /* negative ones are passed over */
		f[0].events = f[1].events = POLLIN;
		f[0].revents = f[1].revents = 0;
		if (poll(f, 2, 200) == -1 && errno != EINTR)
			return err_sys(e, "wait for '%s'", c->name);
		if (stop_check(e) == -1)
			return -1;
		if (f[1].revents != 0)
			listen_to(c);
		if (f[0].revents == 0)
			continue;
		got = read(c->out, p, n);
		if (got >= 0)
			return got;
		if (errno != EINTR && errno != EAGAIN)
			return err_sys(e, "read from '%s'", c->name);
	}
}

/*
 * The first and the last words in one line, for the error text: what is wrong
 * stands at the beginning, what came of it at the end.
 */
static void
tell_words(struct child *c, struct err *e)
{
	struct buf all = { 0 }, told = { 0 };
	size_t half = TOLD_MAX / 2, n = c->first.len;
	char *p, *text, *stop;

	buf_text(&c->first, "");
	stop = c->hide == NULL ? NULL : strstr(c->first.data, c->hide);
	if (stop != NULL)
		n = (size_t)(stop - c->first.data);
	buf_add(&all, c->first.data, n);
	if (c->hide == NULL)
		buf_add(&all, c->said.data, c->said.len);
	buf_add(&told, all.data, all.len > TOLD_MAX ? half : all.len);
	if (all.len > TOLD_MAX) {
		buf_text(&told, " ... ");
		buf_add(&told, all.data + all.len - half, half);
	}
	buf_text(&told, "");
	for (text = told.data; *text == '\n' || *text == ' '; text++)
		;
	for (p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] == '\0' ? '\0' : ' ';
	if (*text != '\0')
		err_set(e, ERR_ENV, "program", "'%s' failed: %s", c->name,
			text);
	buf_free(&all);
	buf_free(&told);
}

/* A line each: it did what it was asked, but for something. */
static void
tell_warnings(struct child *c)
{
	char *line, *rest;

	buf_text(&c->first, "");
	for (line = strtok_r(c->first.data, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		report_say(c->report, REPORT_WARN, "%s", line);
}

int
child_end(struct child *c, struct err *e)
{
	int status = 0, result = 0;
	pid_t got;
	struct pollfd f = { c->words, POLLIN, 0 };

	if (c->out != -1)
		close(c->out);
	c->out = -1;
	while (c->words != -1) {
		if (poll(&f, 1, 200) == -1 && errno != EINTR)
			break;
		if (stop_check(e) == -1) {
			child_free(c);
			return -1;
		}
		listen_to(c);
	}
	while ((got = waitpid(c->pid, &status, 0)) == -1 && errno == EINTR)
		;
	c->pid = -1;
	if (got == -1)
		result = err_sys(e, "wait for '%s'", c->name);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		if (WIFEXITED(status))
			result = err_set(e, ERR_ENV, "program",
				"'%s' failed with status %d", c->name,
				WEXITSTATUS(status));
		else
			result = err_set(e, ERR_ENV, "program",
				"'%s' was ended by signal %d", c->name,
				WTERMSIG(status));
		tell_words(c, e);
	} else if (c->report != NULL) {
		tell_warnings(c);
	}
	child_free(c);
	return result;
}

void
child_hide(struct child *c, const char *marker)
{
	c->hide = marker;
}

void
child_report(struct child *c, const struct report *r)
{
	c->report = r;
}

void
child_signal(struct child *c, int number)
{
	if (c != NULL && c->pid > 0)
		kill(c->pid, number);
}

void
child_free(struct child *c)
{
	if (c == NULL)
		return;
	if (c->out != -1)
		close(c->out);
	if (c->words != -1)
		close(c->words);
	if (c->pid > 0) {
		int tries;

		kill(c->pid, SIGTERM);
		for (tries = 0; tries < END_TRIES &&
			waitpid(c->pid, NULL, WNOHANG) == 0; tries++)
			clock_pause_ms(20);
		if (tries == END_TRIES) {
			kill(c->pid, SIGKILL);
			while (waitpid(c->pid, NULL, 0) == -1 &&
				errno == EINTR)
				;
		}
	}
	buf_free(&c->first);
	buf_free(&c->said);
	free(c->name);
	free(c);
}

int
child_collect(struct child *c, struct buf *out, struct err *e)
{
	char room[4096];
	ssize_t n;

	while ((n = child_read(c, room, sizeof(room), e)) > 0)
		if (out != NULL)
			buf_add(out, room, (size_t)n);
	if (n == -1) {
		child_free(c);
		return -1;
	}
	return child_end(c, e);
}

int
child_run(const char *const *argv, const struct strs *environment,
	const char *user, struct buf *out, struct err *e)
{
	struct child *c;

	return child_start(&c, argv, environment, user, e) == -1 ? -1 :
		child_collect(c, out, e);
}
