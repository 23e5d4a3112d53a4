/* stop: a wish to end. */
#include "base/stop.h"

#include <signal.h>
#include <stddef.h>

#include "base/err.h"

static volatile sig_atomic_t asked;

void
stop_ask(int signal_number)
{
	asked = signal_number;
}

int
stop_asked(void)
{
	return asked;
}

void
stop_forget(void)
{
	asked = 0;
}

int
stop_check(struct err *e)
{
	if (asked == 0)
		return 0;
	err_set(e, ERR_ENV, "interrupted", "interrupted by %s",
		asked == SIGINT ? "SIGINT" :
		asked == SIGTERM ? "SIGTERM" : "a signal");
	return err_next(e, "run it again when ready");
}
