/*
 * format_alembic: Alembic (alembic/script/base.py, revision.py of 1.8 to 1.17):
 * versions/REVISION_slug.py, which only Python can run: mig reads the graph that
 * the assignments at the top of each file make, and says where the database
 * stands.  Its table holds the heads that are applied, and nothing below them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "os/file.h"

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* Behind "NAME =" or "NAME: TYPE =" at the start of the line, or NULL. */
static const char *
assigned(const char *line, const char *name)
{
	size_t n = strlen(name), k;

	if (strncmp(line, name, n) != 0 || (line[n] != '\0' &&
		strchr(WORD, line[n]) != NULL))
		return NULL;
	line += n + strspn(line + n, " \t");
	if (*line == ':') {
		k = strcspn(line, "=\n");
		line += k;
	}
	return line[0] == '=' && line[1] != '=' ? line + 1 : NULL;
}

/*
 * The strings of a value: one, or several in brackets; None has none.  0, or -1
 * for what is neither.
 */
static int
strings(const char *at, struct strs *out)
{
	int depth = 0;

	for (;; at++) {
		if (*at == '\0' || (*at == '\n' && depth == 0) ||
			(*at == '#' && depth == 0))
			return depth == 0 ? 0 : -1;
		if (*at == '#') {
			at += strcspn(at, "\n") - 1;
		} else if (strchr("([{", *at) != NULL) {
			depth++;
		} else if (strchr(")]}", *at) != NULL) {
			depth--;
		} else if (*at == '"' || *at == '\'') {
			size_t n = strcspn(at + 1, *at == '"' ? "\"\n\\" :
				"'\n\\");
			char *s;

			if (at[n + 1] != *at)
				return -1;
			s = mem_dup_n(at + 1, n);
			strs_add_once(out, s);
			free(s);
			at += n + 1;
		} else if (strncmp(at, "None", 4) == 0) {
			at += 3;
		} else if (strncmp(at, "set(", 4) == 0) {
			at += 2;
		} else if (strchr(" \t\r\n,\\", *at) == NULL) {
			return -1;
		}
	}
}

/* The words of the file's own text: """add users ... */
static char *
title(const char *text, const char *path)
{
	const char *quote = text + strspn(text, " \t\r\n");
	size_t n;

	if (strncmp(quote, "\"\"\"", 3) == 0 || strncmp(quote, "'''", 3) == 0) {
		quote += 3;
		n = strcspn(quote, "\r\n\"");
		if (n > 0)
			return mem_dup_n(quote, n);
	}
	path = file_base(path);
	return mem_dup_n(path, strlen(path) - 3);
}

static int
one_file(struct format_files *f, const char *path, struct err *e)
{
	static const char *const names[] = { "revision", "down_revision",
		"depends_on" };
	struct strs found[3] = { { 0 }, { 0 }, { 0 } };
	struct format_file *x;
	struct buf b = { 0 };
	const char *line, *value;
	size_t i, k;
	int result = format_slurp(f->folder, path, &b, e);

	for (line = b.data; result == 0 && *line != '\0';
		line += strcspn(line, "\n"), line += *line == '\n')
		for (i = 0; i < 3; i++) {
			value = assigned(line, names[i]);
			if (value != NULL && strings(value, &found[i]) == -1)
				result = format_bad(e, path, 0, "what is "
					"assigned to revision, down_revision or "
					"depends_on is no text that can be "
					"read without Python");
		}
	if (result == 0 && found[0].n > 1)
		result = format_bad(e, path, 0, "a revision is assigned more "
			"than once, so that which it is cannot be read without "
			"Python");
	if (result == 0 && found[0].n == 1) {
		x = format_add(f, mem_dup(found[0].v[0]), title(b.data, path),
			path, 'b');
		x->code = "Python";
		for (i = 1; i < 3; i++)
			for (k = 0; k < found[i].n; k++)
				strs_add_once(&x->after, found[i].v[k]);
	}
	for (i = 0; i < 3; i++)
		strs_free(&found[i]);
	buf_free(&b);
	return result;
}

/* The folder itself, or versions/ in it, where env.py stands beside. */
static int
list_alembic(struct format_files *f, struct err *e)
{
	char *below = file_join(f->folder, "versions");
	int deep = file_is_dir(below), result;
	struct strs names = { 0 };
	size_t i;

	result = file_list(deep ? below : f->folder, &names, e);
	for (i = 0; i < names.n && result == 0; i++) {
		const char *s = names.v[i];
		char *path = deep ? file_join("versions", s) : mem_dup(s);

		/* ".#x.py" is an editor's lock. */
		if (*s != '.' && strs_ends(s, ".py") &&
			strcmp(s, "__init__.py") != 0 &&
			(deep || strcmp(s, "env.py") != 0))
			result = one_file(f, path, e);
		free(path);
	}
	strs_free(&names);
	free(below);
	return result;
}

/* The heads, and all that they stand on. */
static int
load_alembic(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct ledger heads = { .rule = VERSION_TEXT };
	char *marks = mem_array(s->n + 1, 1);
	int result = history_rows(h, &heads, e, "SELECT version_num, NULL, "
		"NULL, 'applied' FROM %s");
	size_t i;

	for (i = 0; i < heads.n && result == 0; i++) {
		const struct migration *m = s->n == 0 ? NULL :
			set_find(s, heads.v[i].version);

		if (m != NULL) {
			graph_mark(s, m, marks);
		} else {
			struct ledger_row *row = ledger_add(out);

			row->version = mem_dup(heads.v[i].version);
			row->state = mem_dup("applied");
		}
	}
	for (i = 0; i < s->n && result == 0; i++)
		if (marks[i]) {
			struct ledger_row *row = ledger_add(out);

			row->version = mem_dup(s->v[i].version);
			row->state = mem_dup("applied");
		}
	ledger_free(&heads);
	free(marks);
	return result;
}

static const char *const alembic_columns[] = { "version_num", NULL };

static const struct format_history alembic_history = {
	.table = "alembic_version", .columns = alembic_columns, .only = 1,
	.load = load_alembic,
};

const struct format format_alembic = { .name = "alembic", .shown = "Alembic",
	.rule = VERSION_TEXT, .graph = FORMAT_NAMED, .status_only = 1,
	.list = list_alembic, .history = &alembic_history };
