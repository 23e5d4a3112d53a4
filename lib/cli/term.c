/* term: the terminal: messages, the progress bar, questions. */
#include "cli/term.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "cli/cli.h"

#define REDRAW_MS 100

static struct {
	char what[32];
	int64_t start, drawn;
} bar;

static void
erase(void)
{
	if (bar.drawn != 0)
		fprintf(stderr, "\r\033[K");
	bar.drawn = 0;
}

static void
say(void *arg, enum report_level level, const char *text)
{
	const struct cli *c = arg;

	if ((level == REPORT_NOTE && c->quiet) ||
		(level == REPORT_MORE && !c->verbose))
		return;
	erase();
	fprintf(stderr, "%s: %s%s\n", c->program->name,
		level == REPORT_WARN ? "warning: " : "", text);
}

/* "read back  45%  461.2 MiB of 1.0 GiB, 210.4 MiB/s, 3 s left" */
static void
progress(void *arg, const char *what, int64_t done, int64_t total)
{
	int64_t now = clock_ms(), spent;
	char a[32], b[32], rate[32], left[32];

	(void)arg;
	if (total == 0) {
		erase();
		bar.what[0] = '\0';
		return;
	}
	if (strcmp(bar.what, what) != 0) {
		snprintf(bar.what, sizeof(bar.what), "%s", what);
		bar.start = now;
	}
	if (now - bar.drawn < REDRAW_MS || now == bar.start || done == 0)
		return;
	bar.drawn = now;
	spent = now - bar.start;
	fprintf(stderr, "\r\033[K%s %3d%%  %s of %s, %s/s, %s left", what,
		(int)(done * 100 / total), num_bytes(done, a, sizeof(a)),
		num_bytes(total, b, sizeof(b)),
		num_bytes(done * 1000 / spent, rate, sizeof(rate)),
		num_time((total - done) * spent / done, left, sizeof(left)));
	fflush(stderr);
}

void
term_report(struct cli *c)
{
	c->report.arg = c;
	c->report.say = say;
	c->report.progress = isatty(STDERR_FILENO) && !c->quiet ? progress :
								  NULL;
}

int
term_confirm(void *arg, const char *question, struct err *e)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	char answer[16] = "";

	(void)arg;
	erase();
	if (tty == NULL) {
		err_set(e, ERR_REFUSED, "not-confirmed",
			"this must be confirmed, and there is no terminal to "
			"ask on: %s", question);
		return err_next(e, "use --yes");
	}
	fprintf(tty, "%s [y/N] ", question);
	fflush(tty);
	if (fgets(answer, sizeof(answer), tty) == NULL)
		answer[0] = '\0';
	fclose(tty);
	answer[strcspn(answer, "\r\n")] = '\0';
	if (strs_same(answer, "y") || strs_same(answer, "yes"))
		return 0;
	return err_set(e, ERR_REFUSED, "not-confirmed",
		"not confirmed; nothing was changed");
}
