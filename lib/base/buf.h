/*
 * buf: bytes that grow.  data is always ended by a NUL that is not counted,
 * so text can be read in place.  A zeroed struct buf is an empty one.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t room;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_text(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* s as a word for sh(1), in quotes where it needs them. */
void buf_shell(struct buf *b, const char *s);

/* s as it may stand anywhere in a URI, per RFC 3986. */
void buf_percent(struct buf *b, const char *s);

/* Empty it, keeping the memory. */
void buf_clear(struct buf *b);

/* Give the memory back; b is empty again. */
void buf_free(struct buf *b);

/* The text, never NULL.  Gives: free() it; b is empty again. */
char *buf_detach(struct buf *b);

#endif
