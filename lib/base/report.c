/* report: what long work tells the program while it runs. */
#include "base/report.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/hide.h"

void
report_say(const struct report *r, enum report_level level, const char *fmt,
	...)
{
	char text[2048];
	va_list ap;

	if (r == NULL || r->say == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	hide_passwords(text, 1);
	r->say(r->arg, level, text);
}

void
report_progress(const struct report *r, const char *what, int64_t done,
	int64_t total)
{
	if (r != NULL && r->progress != NULL)
		r->progress(r->arg, what, done, total);
}
