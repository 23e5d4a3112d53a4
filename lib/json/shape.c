/* shape: writing and freeing. */
#include "json/shape.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strs.h"

static json_t *object_of(const struct shape *s, const void *p);

static json_t *
checked(json_t *j)
{
	if (j == NULL)
		abort(); /* jansson fails here for want of memory only */
	return j;
}

/* Names come from file systems and databases, which allow any bytes. */
static json_t *
text_of(const char *s)
{
	struct buf b = { 0 };
	json_t *j;
	size_t n = strlen(s), i, k;

	if (strs_is_utf8(s, n))
		return checked(json_stringn_nocheck(s, n));
	for (i = 0; i < n; i += k) {
		for (k = 4; k > 0; k--)
			if (k <= n - i && strs_is_utf8(s + i, k))
				break;
		if (k > 0) {
			buf_add(&b, s + i, k);
		} else {
			buf_text(&b, "\xef\xbf\xbd");
			k = 1;
		}
	}
	j = checked(json_stringn_nocheck(b.data, b.len));
	buf_free(&b);
	return j;
}

static json_t *
list_of(const struct shape *of, const struct shape_list *l)
{
	json_t *a = checked(json_array());
	size_t i;

	for (i = 0; i < l->n; i++)
		json_array_append_new(a,
			object_of(of, (char *)l->items + i * of->size));
	return a;
}

static json_t *
strings_of(const struct strs *l)
{
	json_t *a = checked(json_array());
	size_t i;

	for (i = 0; i < l->n; i++)
		json_array_append_new(a, text_of(l->v[i]));
	return a;
}

static json_t *
value_of(const struct shape_field *f, const char *p)
{
	char when[CLOCK_TEXT];
	const char *s;

	switch (f->type) {
	case SHAPE_TEXT:
	case SHAPE_DIGEST:
	case SHAPE_ID:
	case SHAPE_WORD:
		s = *(const char *const *)p;
		return s == NULL ? checked(json_null()) : text_of(s);
	case SHAPE_TIME:
		if (*(const int64_t *)p == 0)
			return checked(json_null());
		clock_text(*(const int64_t *)p, when);
		return text_of(when);
	case SHAPE_INT:
		if (*(const int64_t *)p == -1)
			return checked(json_null());
		/* FALLTHROUGH */
	case SHAPE_SIGNED:
		return checked(json_integer(*(const int64_t *)p));
	case SHAPE_BOOL:
		return checked(json_boolean(*(const int *)p));
	case SHAPE_PART:
		return object_of(f->of, p);
	case SHAPE_OBJECT:
		return *(void *const *)p == NULL ?
			checked(json_null()) :
			object_of(f->of, *(void *const *)p);
	case SHAPE_LIST:
		return list_of(f->of, (const struct shape_list *)p);
	case SHAPE_STRINGS:
		return strings_of((const struct strs *)p);
	}
	abort();
}

static json_t *
object_of(const struct shape *s, const void *p)
{
	json_t *o = checked(json_object());
	const struct shape_field *f;

	if (s->kind != NULL) {
		json_object_set_new(o, "kind", text_of(s->kind));
		json_object_set_new(o, "version", json_integer(s->version));
	}
	for (f = s->fields; f->name != NULL; f++)
		json_object_set_new(o, f->name,
			value_of(f, (const char *)p + f->offset));
	return o;
}

static int
append(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

void
shape_write(const struct shape *s, const void *p, struct buf *out)
{
	json_t *o = object_of(s, p);

	json_dump_callback(o, append, out, JSON_COMPACT);
	json_decref(o);
}

void
shape_release(const struct shape *s, void *p)
{
	const struct shape_field *f;

	for (f = s->fields; f->name != NULL; f++) {
		char *at = (char *)p + f->offset;
		struct shape_list *l = (struct shape_list *)at;
		size_t i;

		switch (f->type) {
		case SHAPE_TEXT:
		case SHAPE_DIGEST:
		case SHAPE_ID:
			free(*(char **)at);
			break;
		case SHAPE_PART:
			shape_release(f->of, at);
			break;
		case SHAPE_OBJECT:
			if (*(void **)at != NULL)
				shape_release(f->of, *(void **)at);
			free(*(void **)at);
			break;
		case SHAPE_LIST:
			for (i = 0; i < l->n; i++)
				shape_release(f->of,
					(char *)l->items + i * f->of->size);
			free(l->items);
			break;
		case SHAPE_STRINGS:
			strs_free((struct strs *)at);
			break;
		default:
			break;
		}
	}
	memset(p, 0, s->size);
}

void *
shape_list_add(struct shape_list *l, const struct shape *of)
{
	char *item;

	l->items = mem_more(l->items, l->n, of->size);
	item = (char *)l->items + l->n++ * of->size;
	memset(item, 0, of->size);
	return item;
}

int
shape_copy(const struct shape *s, const void *src, void *dst, struct err *e)
{
	struct buf b = { 0 };
	int result;

	shape_write(s, src, &b);
	result = shape_read(s, b.data, b.len, dst, e);
	buf_free(&b);
	return result;
}

void
shape_list_cut(struct shape_list *l, const struct shape *of, size_t n)
{
	while (l->n > n)
		shape_release(of, (char *)l->items + --l->n * of->size);
}

void
shape_list_clear(struct shape_list *l, const struct shape *of)
{
	shape_list_cut(l, of, 0);
	free(l->items);
	memset(l, 0, sizeof(*l));
}
