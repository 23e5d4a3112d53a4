/* Units of lib/os. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"
#include "tap.h"

/* Another run clears away what killed runs have left, all the time. */
static pid_t
start_sweeper(const char *folder)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		file_sweep(folder, ".", ".partial");
}

static void
sweeping(void)
{
	char folder[] = "/tmp/mig-unit-XXXXXX", *path;
	pid_t sweepers[2];
	struct err e;
	int i, failed = 0, lost = 0;

	OK(mkdtemp(folder) != NULL, "a folder");
	for (i = 0; i < 2; i++)
		sweepers[i] = start_sweeper(folder);
	err_clear(&e);
	for (i = 0; i < 4000; i++) {
		struct file_stage *s;

		path = mem_printf("%s/f%d", folder, i);
		if (file_stage_open(&s, path, &e) == -1) {
			failed++;
		} else if (file_write(file_stage_fd(s), "x", 1, &e) == -1 ||
			file_stage_commit(s, &e) == -1 || !file_exists(path)) {
			lost++;
		}
		unlink(path);
		free(path);
	}
	for (i = 0; i < 2; i++) {
		kill(sweepers[i], SIGKILL);
		waitpid(sweepers[i], NULL, 0);
	}
	OK(failed == 0, "a sweep beside it lets a file be begun: %d not, %s",
		failed, e.text);
	OK(lost == 0, "and be ended: %d not, %s", lost, e.text);
	file_remove_tree(folder);
}

int
main(void)
{
	sweeping();
	return tap_done();
}
