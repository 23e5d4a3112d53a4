/* cli: the values of placeholders, from mig.conf and from options. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "os/file.h"

#define VALUE_MAX ((size_t)1 << 20)

/* What stands in the file, but for a last line end.  Gives. */
static int
read_value(const char *path, char **out, struct err *e)
{
	struct buf b = { 0 };
	int result = file_slurp(path, VALUE_MAX, &b, e);
	size_t n = b.len;

	if (result == -1) {
		e->code = ERR_USAGE;
	} else if (b.data != NULL && strlen(b.data) != b.len) {
		result = err_set(e, ERR_USAGE, "placeholder",
			"'%s' holds a NUL byte", path);
	} else {
		if (n > 0 && b.data[n - 1] == '\n')
			n -= 1 + (n > 1 && b.data[n - 2] == '\r');
		*out = mem_dup_n(b.data == NULL ? "" : b.data, n);
	}
	buf_free(&b);
	return result;
}

/* "NAME=VALUE"; of a file "NAME=PATH", whose contents are secret. */
static int
add(struct cli *c, const char *word, int file)
{
	const char *eq = strchr(word, '=');
	size_t n = strspn(word, VALUES_NAME);
	char *text = NULL;

	if (eq == NULL || n == 0 || word + n != eq) {
		err_set(&c->err, ERR_USAGE, "placeholder", "'%.*s' is not "
			"NAME=%s", (int)(eq == NULL ? strlen(word) :
			(size_t)(eq - word)), word, file ? "PATH" : "VALUE");
		return err_next(&c->err, "a NAME is of letters, digits, '_', "
			"'-' and '.'");
	}
	if (!file) {
		values_add(&c->values, word, n, eq + 1, 0);
		return 0;
	}
	if (read_value(eq + 1, &text, &c->err) == -1)
		return -1;
	values_add(&c->values, word, n, text, 1);
	free(text);
	return 0;
}

static int
add_all(struct cli *c, const struct strs *list, int file)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (add(c, list->v[i], file) == -1)
			return -1;
	return 0;
}

int
cli_values(struct cli *c)
{
	if (!c->program->values)
		return 0;
	/* The stronger come last. */
	if (add_all(c, &c->conf.set, 0) == -1 ||
		add_all(c, &c->conf.set_file, 1) == -1)
		return err_wrap(&c->err, "'%s'", c->conf.path);
	c->op.values = &c->values;
	return add_all(c, &c->set, 0) == -1 ? -1 :
		add_all(c, &c->set_file, 1);
}
