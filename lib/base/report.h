/*
 * report: what long work tells the program while it runs.  Any member may be
 * NULL.  The library calls these and never prints.
 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdint.h>

enum report_level {
	REPORT_WARN, /* said always */
	REPORT_NOTE, /* said unless -q */
	REPORT_MORE /* said under -v */
};

struct report {
	void *arg;
	void (*say)(void *arg, enum report_level level, const char *text);
	/* what: "backup", "read back"...; total 0 means it is over. */
	void (*progress)(void *arg, const char *what, int64_t done,
		int64_t total);
};

void report_say(const struct report *r, enum report_level level,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void report_progress(const struct report *r, const char *what, int64_t done,
	int64_t total);

#endif
