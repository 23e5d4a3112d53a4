/* buf: bytes that grow. */
#include "base/buf.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shell.h"

static void
reserve(struct buf *b, size_t n)
{
	size_t room = b->room == 0 ? 128 : b->room;

	while (room - b->len <= n)
		room *= 2;
	if (room != b->room) {
		b->data = mem_grow(b->data, room, 1);
		b->room = room;
	}
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_text(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	reserve(b, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_shell(struct buf *b, const char *s)
{
	size_t n = shell_quote(NULL, 0, s);

	reserve(b, n + 1);
	shell_quote(b->data + b->len, n + 1, s);
	b->len += n;
}

void
buf_percent(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) != NULL)
			buf_char(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->room = 0;
}

char *
buf_detach(struct buf *b)
{
	char *p;

	reserve(b, 0);
	b->data[b->len] = '\0';
	p = b->data;
	b->data = NULL;
	b->len = b->room = 0;
	return p;
}
