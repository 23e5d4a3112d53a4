/*
 * shape: a C struct and the JSON object it stands for, held together by one
 * static table.  Writing, strict reading and freeing all follow the table.
 *
 * Written: compact, members in the table's order, integers only.  Read: any
 * order, but an unknown, missing, duplicate or mistyped member, an integer of
 * 2^53 or more, or bytes after the object are errors that name the member's
 * path ("archive.bytes: not an integer").
 */
#ifndef JSON_SHAPE_H
#define JSON_SHAPE_H

#include <stddef.h>

struct buf;
struct err;
struct shape;

enum shape_type {
	SHAPE_TEXT, /* char *: UTF-8; bytes that are not become U+FFFD */
	SHAPE_DIGEST, /* char *: 64 lower-case hex digits */
	SHAPE_ID, /* char *: 32 lower-case hex digits */
	SHAPE_TIME, /* int64_t: RFC 3339 UTC; 0 stands for null */
	SHAPE_INT, /* int64_t: 0 to 2^53 - 1; -1 stands for null */
	SHAPE_SIGNED, /* int64_t: beyond -2^53 to 2^53, never null */
	SHAPE_BOOL, /* int */
	SHAPE_WORD, /* const char *: one of words; points to static text */
	SHAPE_PART, /* the struct itself, embedded */
	SHAPE_OBJECT, /* a pointer to the struct */
	SHAPE_LIST, /* struct shape_list of structs */
	SHAPE_STRINGS /* struct strs */
};

#define SHAPE_NULL 1 /* flag: the member may be null (it is never absent) */

struct shape_field {
	const char *name;
	enum shape_type type;
	size_t offset;
	unsigned flags;
	const struct shape *of; /* PART, OBJECT, LIST */
	const char *const *words; /* WORD: ends in NULL */
};

/* kind non-NULL: the object begins with "kind" and "version". */
struct shape {
	const char *kind;
	int version;
	size_t size; /* of the struct */
	const struct shape_field *fields; /* ends in a NULL name */
};

/* One line of a field table each; m is both the C and the JSON name. */
#define SHAPE_AT(st, m, t) { #m, SHAPE_##t, offsetof(struct st, m), 0, 0, 0 }
#define SHAPE_MAY(st, m, t) \
	{ #m, SHAPE_##t, offsetof(struct st, m), SHAPE_NULL, 0, 0 }
#define SHAPE_OF(st, m, t, shape) \
	{ #m, SHAPE_##t, offsetof(struct st, m), 0, shape, 0 }
#define SHAPE_MAY_OF(st, m, t, shape) \
	{ #m, SHAPE_##t, offsetof(struct st, m), SHAPE_NULL, shape, 0 }
#define SHAPE_ONE_OF(st, m, list) \
	{ #m, SHAPE_WORD, offsetof(struct st, m), 0, 0, list }
#define SHAPE_END { 0, 0, 0, 0, 0, 0 }

struct shape_list {
	void *items; /* n structs in a row */
	size_t n;
};

/* Append the object as JSON text, without a newline. */
void shape_write(const struct shape *s, const void *p, struct buf *out);

/*
 * Read one object into p (overwritten).  On failure p is released and e is
 * ERR_USAGE "document".  Gives p's contents: shape_release().
 */
int shape_read(const struct shape *s, const char *text, size_t n, void *p,
	struct err *e);

/* Free what p points to and zero it; p itself is the caller's. */
void shape_release(const struct shape *s, void *p);

/*
 * The "kind" and "version" of an object: the first step of reading a document
 * of unknown kind.  Gives *kind: free() it.
 */
int shape_peek(const char *text, size_t n, char **kind, int *version,
	struct err *e);

/* Append one zeroed item and return it; it moves when the list grows. */
void *shape_list_add(struct shape_list *l, const struct shape *of);

/* Release and forget those behind the first n. */
void shape_list_cut(struct shape_list *l, const struct shape *of, size_t n);

/* Release and forget all of them. */
void shape_list_clear(struct shape_list *l, const struct shape *of);

/* A deep copy of src into dst, by way of its JSON text. */
int shape_copy(const struct shape *s, const void *src, void *dst,
	struct err *e);

#endif
