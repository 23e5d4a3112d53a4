/* call: another program run to its end. */
#include "os/call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/stop.h"
#include "os/child.h"
#include "os/file.h"

#define PAUSE_MS 10
#define GRACE_MS 5000 /* from SIGTERM to SIGKILL */
#define LOST (126 << 8) /* a status that nobody could read */

/* A file in memory to read from, so that nobody waits for a pipe. */
static int
make_input(const char *input, size_t n, struct err *e)
{
	int fd = memfd_create("mig", MFD_CLOEXEC);

	if (fd == -1)
		return err_sys(e, "make a file in memory");
	if (file_write(fd, input, n, e) == -1 || lseek(fd, 0, SEEK_SET) ==
		-1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* In the child: only calls that are safe after a fork among threads. */
static void
become(const char *const *argv, char **environment, int input, int keep,
	int report, pid_t parent)
{
	sigset_t none;
	int why;

	/* A group of its own, which no terminal stops for a question. */
	setsid();
	if (keep != -1)
		fcntl(keep, F_SETFD, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_Exit(126);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, 0) == -1 || dup2(2, 1) == -1)
		_Exit(126);
	execvpe(argv[0], (char *const *)argv, environment);
	why = errno;
	/* Nobody is left to tell that this could not be told. */
	if (write(report, &why, sizeof(why)) == -1)
		_Exit(126);
	_Exit(127);
}

/* Its status within so long; -1: it runs. */
static int
wait_for(pid_t pid, int64_t limit_ms, int *status, int stoppable)
{
	int64_t end = clock_ms() + limit_ms;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return 0;
		if (got == -1 && errno != EINTR) {
			*status = LOST;
			return 0;
		}
		if (clock_ms() >= end || (stoppable && stop_asked()))
			return -1;
		clock_pause_ms(PAUSE_MS);
	}
}

/* The group of pid, all of it; first as we were asked to end ourselves. */
static int
end_group(pid_t pid, int first)
{
	int status = LOST, ended;

	kill(-pid, first);
	ended = wait_for(pid, GRACE_MS, &status, 0) == 0;
	if (!ended && first != SIGTERM) {
		kill(-pid, SIGTERM);
		ended = wait_for(pid, GRACE_MS, &status, 0) == 0;
	}
	/* Others of the group may not have heard. */
	kill(-pid, SIGKILL);
	while (!ended && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

static int
judge(const char *path, int status, struct err *e)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 126)
		return err_set(e, ERR_ENV, "hook", "'%s' cannot be run, or "
			"ended with status %d", path, WEXITSTATUS(status));
	if (WIFEXITED(status))
		return err_set(e, ERR_ENV, "hook", "'%s' ended with status %d",
			path, WEXITSTATUS(status));
	return err_set(e, ERR_ENV, "hook", "'%s' was ended by signal %d", path,
		WTERMSIG(status));
}

/* The process, in a group of its own; -1. */
static pid_t
start(const char *const *argv, const struct strs *environment,
	const char *input, size_t n, int keep, struct err *e)
{
	int fd = make_input(input, n, e), report[2], why = 0;
	pid_t me = getpid(), pid;
	char **merged;
	ssize_t got;

	if (fd == -1)
		return -1;
	if (pipe2(report, O_CLOEXEC) == -1) {
		close(fd);
		return err_sys(e, "make a pipe");
	}
	merged = child_environment(environment);
	pid = fork();
	if (pid == 0)
		become(argv, merged, fd, keep, report[1], me);
	close(fd);
	close(report[1]);
	free(merged);
	if (pid == -1) {
		close(report[0]);
		return err_sys(e, "start '%s'", argv[0]);
	}
	/* It ends when the program runs: then nothing has been told. */
	while ((got = read(report[0], &why, sizeof(why))) == -1 && errno ==
		EINTR)
		;
	close(report[0]);
	if (got != sizeof(why))
		return pid;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	err_set(e, ERR_ENV, "program", "'%s' cannot be run: %s", argv[0],
		strerror(why));
	return err_next(e, "check the command and PATH");
}

/* What the program has left running: it would go on behind our back. */
static void
end_rest(pid_t group)
{
	int64_t end = clock_ms() + GRACE_MS;

	if (kill(-group, SIGTERM) == -1)
		return;
	while (kill(-group, 0) == 0 && clock_ms() < end)
		clock_pause_ms(PAUSE_MS);
	kill(-group, SIGKILL);
}

int
call_program(const char *const *argv, const struct strs *environment,
	int keep, int *status, struct err *e)
{
	pid_t pid = start(argv, environment, "", 0, keep, e);
	int raw = 0, result = 0;

	*status = -1;
	if (pid == -1)
		return -1;
	if (wait_for(pid, INT64_MAX / 4, &raw, 1) == -1) {
		raw = end_group(pid, stop_asked());
		result = stop_check(e);
	} else {
		end_rest(pid);
	}
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	return result;
}

int
call_run(const char *path, const struct strs *environment, const char *input,
	size_t n, int64_t limit_ms, int stoppable, struct err *e)
{
	const char *const argv[] = { path, NULL };
	char words[32];
	int status = 0, result;
	pid_t pid = start(argv, environment, input, n, -1, e);

	if (pid == -1) {
		e->code = ERR_ENV;
		memcpy(e->reason, "hook", sizeof("hook"));
		return -1;
	}
	if (wait_for(pid, limit_ms, &status, stoppable) == 0)
		return judge(path, status, e);
	result = stoppable ? stop_check(e) : 0;
	end_group(pid, SIGTERM);
	return result == -1 ? -1 : err_set(e, ERR_ENV, "hook",
		"'%s' took longer than %s, and was ended", path,
		num_time(limit_ms, words, sizeof(words)));
}
