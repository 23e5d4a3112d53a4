/* shape: strict reading. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strs.h"
#include "json/shape.h"

#define DEPTH 16 /* documents nest in documents, but not without end */

static int object_in(const struct shape *s, json_t *o, void *p,
	const char *path, int depth, struct err *e);

static int
bad(struct err *e, const char *path, const char *what)
{
	return err_set(e, ERR_USAGE, "document", "%s: %s",
		*path == '\0' ? "the document" : path, what);
}

/* "a.b" or "a": the path of a member, for messages. */
static void
join(char *out, size_t room, const char *path, const char *name)
{
	snprintf(out, room, "%.300s%s%.100s", path, *path == '\0' ? "" : ".",
		name);
}

static int
text_in(const struct shape_field *f, json_t *v, char **out, const char *path,
	struct err *e)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return bad(e, path, "not a string");
	if (strlen(s) != json_string_length(v))
		return bad(e, path, "holds a NUL");
	if (f->type == SHAPE_DIGEST && !num_is_hex(s, 64))
		return bad(e, path, "not a digest of 64 hex digits");
	if (f->type == SHAPE_ID && !num_is_hex(s, 32))
		return bad(e, path, "not an id of 32 hex digits");
	*out = mem_dup(s);
	return 0;
}

static int
integer_in(const struct shape_field *f, json_t *v, int64_t *out,
	const char *path, struct err *e)
{
	if (!json_is_integer(v))
		return bad(e, path, "not an integer");
	*out = json_integer_value(v);
	if (*out >= NUM_SAFE || *out <= -NUM_SAFE ||
		(*out < 0 && f->type == SHAPE_INT))
		return bad(e, path, "out of range");
	return 0;
}

static int
word_in(const struct shape_field *f, json_t *v, const char **out,
	const char *path, struct err *e)
{
	const char *s = json_string_value(v);
	const char *const *w;

	if (s == NULL)
		return bad(e, path, "not a string");
	for (w = f->words; *w != NULL; w++)
		if (strcmp(*w, s) == 0) {
			*out = *w;
			return 0;
		}
	return bad(e, path, "not one of its words");
}

static int
list_in(const struct shape_field *f, json_t *v, struct shape_list *l,
	const char *path, int depth, struct err *e)
{
	char where[512];
	size_t i, n;

	if (!json_is_array(v))
		return bad(e, path, "not a list");
	n = json_array_size(v);
	for (i = 0; i < n; i++) {
		void *item = shape_list_add(l, f->of);

		snprintf(where, sizeof(where), "%.400s[%zu]", path, i);
		if (object_in(f->of, json_array_get(v, i), item, where, depth,
			    e) == -1)
			return -1;
	}
	return 0;
}

static int
strings_in(json_t *v, struct strs *l, const char *path, struct err *e)
{
	char where[512];
	size_t i;

	if (!json_is_array(v))
		return bad(e, path, "not a list");
	for (i = 0; i < json_array_size(v); i++) {
		json_t *s = json_array_get(v, i);

		snprintf(where, sizeof(where), "%.400s[%zu]", path, i);
		if (!json_is_string(s))
			return bad(e, where, "not a string");
		strs_add(l, json_string_value(s));
	}
	return 0;
}

static int
null_in(const struct shape_field *f, char *at, const char *path,
	struct err *e)
{
	if (!(f->flags & SHAPE_NULL))
		return bad(e, path, "must not be null");
	if (f->type == SHAPE_INT)
		*(int64_t *)at = -1;
	return 0;
}

static int
value_in(const struct shape_field *f, json_t *v, char *at, const char *path,
	int depth, struct err *e)
{
	if (json_is_null(v))
		return null_in(f, at, path, e);
	switch (f->type) {
	case SHAPE_TEXT:
	case SHAPE_DIGEST:
	case SHAPE_ID:
		return text_in(f, v, (char **)at, path, e);
	case SHAPE_TIME:
		if (!json_is_string(v) ||
			clock_parse(json_string_value(v), (int64_t *)at) == -1)
			return bad(e, path, "not a UTC time");
		return 0;
	case SHAPE_INT:
	case SHAPE_SIGNED:
		return integer_in(f, v, (int64_t *)at, path, e);
	case SHAPE_BOOL:
		if (!json_is_boolean(v))
			return bad(e, path, "not true or false");
		*(int *)at = json_is_true(v);
		return 0;
	case SHAPE_WORD:
		return word_in(f, v, (const char **)at, path, e);
	case SHAPE_PART:
		return object_in(f->of, v, at, path, depth, e);
	case SHAPE_OBJECT:
		*(void **)at = mem_alloc(f->of->size);
		return object_in(f->of, v, *(void **)at, path, depth, e);
	case SHAPE_LIST:
		return list_in(f, v, (struct shape_list *)at, path, depth, e);
	case SHAPE_STRINGS:
		return strings_in(v, (struct strs *)at, path, e);
	}
	return err_bug(e, "shape type");
}

static int
kind_in(const struct shape *s, json_t *o, const char *path, struct err *e)
{
	json_t *kind = json_object_get(o, "kind");
	json_t *version = json_object_get(o, "version");
	char where[512];

	join(where, sizeof(where), path, "kind");
	if (!json_is_string(kind))
		return bad(e, where, "missing, or not a string");
	if (strcmp(json_string_value(kind), s->kind) != 0)
		return err_set(e, ERR_USAGE, "document",
			"%s: is '%.60s', not '%s'", where,
			json_string_value(kind), s->kind);
	join(where, sizeof(where), path, "version");
	if (!json_is_integer(version))
		return bad(e, where, "missing, or not an integer");
	if (json_integer_value(version) != s->version)
		return err_set(e, ERR_USAGE, "document",
			"%s: is %" PRId64 ", this mig reads %d", where,
			(int64_t)json_integer_value(version), s->version);
	return 0;
}

static int
is_field(const struct shape *s, const char *name)
{
	const struct shape_field *f;

	if (s->kind != NULL &&
		(strcmp(name, "kind") == 0 || strcmp(name, "version") == 0))
		return 1;
	for (f = s->fields; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return 1;
	return 0;
}

static int
object_in(const struct shape *s, json_t *o, void *p, const char *path,
	int depth, struct err *e)
{
	const struct shape_field *f;
	const char *name;
	char where[512];
	json_t *v;

	if (!json_is_object(o))
		return bad(e, path, "not an object");
	if (depth >= DEPTH)
		return bad(e, path, "nested too deep");
	if (s->kind != NULL && kind_in(s, o, path, e) == -1)
		return -1;
	json_object_foreach(o, name, v) {
		join(where, sizeof(where), path, name);
		if (!is_field(s, name))
			return bad(e, where, "unknown member");
	}
	for (f = s->fields; f->name != NULL; f++) {
		join(where, sizeof(where), path, f->name);
		v = json_object_get(o, f->name);
		if (v == NULL)
			return bad(e, where, "missing");
		if (value_in(f, v, (char *)p + f->offset, where, depth + 1,
			    e) == -1)
			return -1;
	}
	return 0;
}

static json_t *
parse(const char *text, size_t n, struct err *e)
{
	json_error_t je;
	json_t *o;

	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &je);
	if (o == NULL)
		err_set(e, ERR_USAGE, "document",
			"not a JSON document: line %d, column %d: %s", je.line,
			je.column, je.text);
	return o;
}

int
shape_read(const struct shape *s, const char *text, size_t n, void *p,
	struct err *e)
{
	json_t *o = parse(text, n, e);
	int result;

	memset(p, 0, s->size);
	if (o == NULL)
		return -1;
	result = object_in(s, o, p, "", 0, e);
	json_decref(o);
	if (result == -1)
		shape_release(s, p);
	return result;
}

int
shape_peek(const char *text, size_t n, char **kind, int *version,
	struct err *e)
{
	json_t *o = parse(text, n, e), *k, *v;
	int result = -1;

	*kind = NULL;
	if (o == NULL)
		return -1;
	k = json_object_get(o, "kind");
	v = json_object_get(o, "version");
	if (!json_is_object(o)) {
		bad(e, "", "not an object");
	} else if (!json_is_string(k)) {
		bad(e, "kind", "missing, or not a string");
	} else if (!json_is_integer(v) || json_integer_value(v) < 1 ||
		json_integer_value(v) > 1000000) {
		bad(e, "version", "missing, or not a small integer");
	} else {
		*kind = mem_dup(json_string_value(k));
		*version = (int)json_integer_value(v);
		result = 0;
	}
	json_decref(o);
	return result;
}
