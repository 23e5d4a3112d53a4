/* err: one failure, as a value. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "base/shell.h"

/*
 * Errors are printed on one line, so control bytes, which can come from file
 * names and from a database, become question marks.  They may quote what was given,
 * which may have been a url.
 */
static void
one_line(char *s, int words)
{
	hide_passwords(s, words);
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = *s == '\n' || *s == '\t' ? ' ' : '?';
}

void
err_clear(struct err *e)
{
	e->code = ERR_NONE;
	e->reason[0] = e->text[0] = e->next[0] = '\0';
}

int
err_set(struct err *e, enum err_code code, const char *reason, const char *fmt,
	...)
{
	char text[sizeof(e->text)];
	va_list ap;

	/* The arguments may point into e itself. */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_clear(e);
	e->code = code;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
	one_line(text, 1);
	memcpy(e->text, text, sizeof(text));
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	char text[1024];
	const char *reason = "io", *next = NULL;
	int number = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
		reason = "no-space";
		next = "free some space and run it again";
	} else if (number == EACCES || number == EPERM || number == EROFS) {
		reason = "permission";
		next = "check the owner and the mode, or run as another user";
	} else if (number == ENOENT || number == ENOTDIR) {
		reason = "not-found";
		next = "check the path";
	} else if (number == EEXIST || number == EISDIR || number == ELOOP ||
		number == ENAMETOOLONG) {
		next = "check the path";
	} else if (number == EIO) {
		next = "check the disk, and the system's log";
	}
	err_set(e, ERR_ENV, reason, "%s: %s", text, strerror(number));
	if (next != NULL)
		err_next(e, "%s", next);
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	int n;
	va_list ap;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n + 3 < sizeof(text)) {
		size_t room = sizeof(text) - (size_t)n - 3;
		size_t k = strlen(e->text);

		k = k > room ? room : k;
		memcpy(text + n, ": ", 2);
		memcpy(text + n + 2, e->text, k);
		text[(size_t)n + 2 + k] = '\0';
	}
	one_line(text, 1);
	memcpy(e->text, text, sizeof(text));
	return -1;
}

int
err_next(struct err *e, const char *fmt, ...)
{
	char next[sizeof(e->next)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(next, sizeof(next), fmt, ap);
	va_end(ap);
	one_line(next, 0); /* names are to be typed as they are */
	memcpy(e->next, next, sizeof(next));
	return -1;
}

int
err_next_word(struct err *e, const char *word)
{
	size_t at = strlen(e->next), room = sizeof(e->next) - at;

	if (room < sizeof(" ..."))
		return -1;
	e->next[at] = ' ';
	if (shell_quote(e->next + at + 1, room - 1, word) >= room - 1)
		memcpy(e->next + at + 1, "...", 4);
	one_line(e->next, 0);
	return -1;
}
