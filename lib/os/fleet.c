/* fleet: this program, run several times at once. */
#include "os/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "os/child.h"

#define POLL_MS 100
#define REST_MAX 256 /* reads of a pipe, which holds 8 of them */
#define LINE_MAX_BYTES 4096 /* a longer one is passed on in pieces */

struct runner {
	pid_t pid; /* 0: free */
	size_t job;
	int out, words; /* its standard output and error; -1: ended */
	struct buf text, line;
};

struct running {
	const struct fleet *f;
	struct runner *v; /* f->at_once of them */
	size_t next, alive;
	int told; /* the signal was handed on */
};

/* In the child: only calls that are safe after a fork among threads. */
static void
become(const struct fleet_job *job, char **environment, int out, int words,
	pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_Exit(ERR_ENV);
	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 ||
		dup2(words, 2) == -1)
		_Exit(ERR_ENV);
	execve("/proc/self/exe", (char *const *)job->argv, environment);
	_Exit(ERR_ENV);
}

static int
start(struct running *r, struct runner *x, const struct fleet_job *job,
	struct err *e)
{
	int o[2] = { -1, -1 }, w[2] = { -1, -1 }, i;
	char **environment = child_environment(job->environment);
	pid_t me = getpid();

	x->pid = -1;
	if (pipe2(o, O_CLOEXEC) == 0 && pipe2(w, O_CLOEXEC) == 0)
		x->pid = fork();
	if (x->pid == 0)
		become(job, environment, o[1], w[1], me);
	free(environment);
	if (x->pid == -1) {
		err_sys(e, "start '%s'", job->argv[0]);
		for (i = 0; i < 2; i++) {
			if (o[i] != -1)
				close(o[i]);
			if (w[i] != -1)
				close(w[i]);
		}
		x->pid = 0;
		return -1;
	}
	close(o[1]);
	close(w[1]);
	x->out = o[0];
	x->words = w[0];
	fcntl(x->out, F_SETFL, O_NONBLOCK);
	fcntl(x->words, F_SETFL, O_NONBLOCK);
	x->job = r->next++;
	r->alive++;
	return 0;
}

/* Whole lines go on; what is left waits for its end, but not without end. */
static void
pass_lines(struct running *r, struct runner *x, int ended)
{
	char *at = x->line.data, *end;

	while (at != NULL && (end = strchr(at, '\n')) != NULL) {
		*end = '\0';
		r->f->said(r->f->arg, x->job, at);
		at = end + 1;
	}
	if (at == NULL)
		return;
	x->line.len = strlen(at);
	memmove(x->line.data, at, x->line.len + 1);
	if (x->line.len > 0 && (ended || x->line.len > LINE_MAX_BYTES)) {
		r->f->said(r->f->arg, x->job, x->line.data);
		x->line.len = 0;
		x->line.data[0] = '\0';
	}
	if (ended)
		buf_free(&x->line);
}

/* What is there to be read; a NUL in it is dropped.  Whether there was some. */
static int
take(int *fd, struct buf *b)
{
	char p[8192];
	ssize_t n = *fd == -1 ? -1 : read(*fd, p, sizeof(p)), i;

	if (n == -1 && (*fd == -1 || errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
	}
	for (i = 0; i < n; i++)
		if (p[i] != '\0')
			buf_char(b, p[i]);
	return n > 0;
}

/*
 * Has it ended?  By itself, and not by its outputs: what it has started may keep
 * those open.
 */
static void
finish_ended(struct running *r, struct runner *x)
{
	int status = 0, code, i;
	pid_t got = waitpid(x->pid, &status, WNOHANG);

	if (got == 0 || (got == -1 && errno == EINTR))
		return;
	/* What is left in the pipes, and no more: somebody may go on writing. */
	for (i = 0; i < REST_MAX && take(&x->out, &x->text); i++)
		;
	for (i = 0; i < REST_MAX && take(&x->words, &x->line); i++)
		pass_lines(r, x, 0);
	pass_lines(r, x, 1);
	code = got == -1 ? ERR_BUG : WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
	r->f->ended(r->f->arg, x->job, code, &x->text);
	if (x->out != -1)
		close(x->out);
	if (x->words != -1)
		close(x->words);
	buf_free(&x->text);
	memset(x, 0, sizeof(*x));
	r->alive--;
}

static void
hand_on(struct running *r)
{
	size_t i;

	if (r->told || !stop_asked())
		return;
	r->told = 1;
	for (i = 0; i < r->f->at_once; i++)
		if (r->v[i].pid > 0)
			kill(r->v[i].pid, SIGTERM);
}

/* Wait for any of them, for a while. */
static void
listen_to_all(struct running *r, struct pollfd *fds)
{
	size_t i;
	int closed = 0;

	for (i = 0; i < r->f->at_once; i++) {
		struct runner *x = &r->v[i];

		fds[2 * i].fd = x->pid > 0 ? x->out : -1;
		fds[2 * i + 1].fd = x->pid > 0 ? x->words : -1;
		fds[2 * i].events = fds[2 * i + 1].events = POLLIN;
		fds[2 * i].revents = fds[2 * i + 1].revents = 0;
		/* It is about to end. */
		closed |= x->pid > 0 && x->out == -1;
	}
	if (poll(fds, 2 * r->f->at_once, closed ? 5 : POLL_MS) == -1)
		return; /* a signal: looked at by hand_on() */
	for (i = 0; i < r->f->at_once; i++) {
		struct runner *x = &r->v[i];

		if (fds[2 * i].revents != 0)
			take(&x->out, &x->text);
		if (fds[2 * i + 1].revents != 0) {
			take(&x->words, &x->line);
			pass_lines(r, x, 0);
		}
		if (x->pid > 0)
			finish_ended(r, x);
	}
}

int
fleet_run(const struct fleet *f, struct err *e)
{
	struct running r = { .f = f };
	struct pollfd *fds = mem_array(2 * f->at_once, sizeof(*fds));
	int more = 1, result = 0;
	size_t i;

	r.v = mem_array(f->at_once, sizeof(*r.v));
	for (;;) {
		for (i = 0; i < f->at_once && more && r.next < f->n &&
			!stop_asked(); i++) {
			struct fleet_job job;

			if (r.v[i].pid != 0)
				continue;
			more = f->job(f->arg, r.next, &job);
			if (more && start(&r, &r.v[i], &job, e) == -1) {
				more = 0;
				result = -1;
			}
		}
		if (r.alive == 0)
			break;
		hand_on(&r);
		listen_to_all(&r, fds);
	}
	free(r.v);
	free(fds);
	return result;
}
