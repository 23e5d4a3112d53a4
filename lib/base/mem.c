/* mem: memory that is there. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void (*on_failure)(void);

static void *
checked(void *p)
{
	if (p == NULL) {
		if (on_failure != NULL)
			on_failure();
		abort();
	}
	return p;
}

void
mem_on_failure(void (*handler)(void))
{
	on_failure = handler;
}

void *
mem_alloc(size_t n)
{
	return checked(calloc(1, n == 0 ? 1 : n));
}

void *
mem_room(size_t n)
{
	return checked(malloc(n == 0 ? 1 : n));
}

void *
mem_array(size_t n, size_t size)
{
	return checked(calloc(n == 0 ? 1 : n, size == 0 ? 1 : size));
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return checked(NULL);
	return checked(realloc(p, n * size == 0 ? 1 : n * size));
}

void *
mem_more(void *p, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return p;
	return mem_grow(p, n == 0 ? 1 : n * 2, size);
}

char *
mem_dup_n(const char *s, size_t n)
{
	char *p = mem_alloc(n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

char *
mem_dup(const char *s)
{
	return s == NULL ? NULL : mem_dup_n(s, strlen(s));
}

char *
mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = checked(n < 0 ? NULL : malloc((size_t)n + 1));
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
