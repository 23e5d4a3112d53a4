/*
 * mem: memory that is there.  These never return NULL: when memory is gone
 * they call the handler that the program set (it prints one line and exits
 * with ERR_ENV), else abort.  That is safe because every program may die at
 * any instant: files are published by rename, databases by one transaction.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Set what is called when memory is gone; it must not return. */
void mem_on_failure(void (*handler)(void));

/* Zeroed memory.  Gives: free() it. */
void *mem_alloc(size_t n);
void *mem_array(size_t n, size_t size);

/* Not zeroed: large buffers that are written before they are read.  Gives. */
void *mem_room(size_t n);

/* realloc() for n items of size, checked for overflow. */
void *mem_grow(void *p, size_t n, size_t size);

/*
 * Room for one more behind n items, of a list that only ever grew so: twice as
 * much each time that it is full.
 */
void *mem_more(void *p, size_t n, size_t size);

/* Copies.  NULL gives NULL.  Gives: free() it. */
char *mem_dup(const char *s);
char *mem_dup_n(const char *s, size_t n);

/* A formatted copy.  Gives: free() it. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
