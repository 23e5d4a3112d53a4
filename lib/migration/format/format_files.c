/* format_files: the files of a folder that are migrations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "os/file.h"

#define DEPTH_MAX 16

struct format_file *
format_add(struct format_files *f, char *version, char *name, const char *path,
	char side)
{
	struct format_file *x;

	f->v = mem_more(f->v, f->n, sizeof(*f->v));
	x = &f->v[f->n++];
	memset(x, 0, sizeof(*x));
	x->version = version;
	x->name = name;
	x->path = mem_dup(path);
	x->side = side;
	return x;
}

int
format_slurp(const char *folder, const char *path, struct buf *out,
	struct err *e)
{
	char *full = file_join(folder, path);
	int result = 0;

	if (file_slurp(full, MIGRATION_MAX, out, e) == -1) {
		result = -1;
		if (access(full, F_OK) == -1 && errno == ENOENT) {
			err_set(e, ERR_USAGE, "migration", "'%s' is not there, "
				"or is a link that leads nowhere", full);
			err_next(e, "bring it back, or mend the link");
		}
	} else {
		if (out->data == NULL)
			buf_text(out, "");
		if (strlen(out->data) != out->len) {
			err_set(e, ERR_USAGE, "migration",
				"'%s' holds a NUL byte", full);
			result = err_next(e, "save it as plain UTF-8 text");
		}
	}
	free(full);
	return result;
}

char *
format_words(const char *s, size_t n)
{
	char *out = mem_dup_n(s, n), *p;

	for (p = out; *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
	return out;
}

int
format_bad(struct err *e, const char *path, int line, const char *what)
{
	if (line == 0)
		err_set(e, ERR_USAGE, "migration", "'%s': %s", path, what);
	else
		err_set(e, ERR_USAGE, "migration", "'%s' line %d: %s", path,
			line, what);
	return err_next(e, "mig-migration(5) says how such a file is written");
}

static int
one_file(struct format_files *f, const char *path, format_parse *parse,
	struct err *e)
{
	struct format_file x = { .side = 'b' };
	int got = parse(file_base(path), &x, e);

	if (got == 1) {
		struct format_file *y = format_add(f, x.version, x.name, path,
			x.side);

		y->code = x.code;
		y->dialect = x.dialect;
		y->outside = x.outside;
	} else if (got == 0 && strs_ends(path, ".sql")) {
		strs_add(f->ignored, path);
	}
	if (got == -1) {
		free(x.version);
		free(x.name);
	}
	return got == -1 ? -1 : 0;
}

static int
walk(struct format_files *f, const char *below, int depth, format_parse *parse,
	struct err *e)
{
	char *folder = *below == '\0' ? mem_dup(f->folder) :
		file_join(f->folder, below);
	struct strs names = { 0 };
	size_t i;
	int result = file_list(folder, &names, e);

	for (i = 0; result == 0 && i < names.n; i++) {
		char *path, *full;

		if (names.v[i][0] == '.')
			continue;
		if (strs_starts(names.v[i], "squashed-"))
			strs_add(&f->squashed, names.v[i]);
		path = *below == '\0' ? mem_dup(names.v[i]) :
			file_join(below, names.v[i]);
		full = file_join(f->folder, path);
		/* Only what looks like a folder is asked whether it is one. */
		if (depth > 0 && strchr(names.v[i], '.') == NULL &&
			file_is_dir(full))
			result = walk(f, path, depth - 1, parse, e);
		else
			result = one_file(f, path, parse, e);
		free(full);
		free(path);
	}
	strs_free(&names);
	free(folder);
	return result;
}

int
format_flat(struct format_files *f, format_parse *parse, struct err *e)
{
	return walk(f, "", 0, parse, e);
}

int
format_tree(struct format_files *f, format_parse *parse, struct err *e)
{
	return walk(f, "", DEPTH_MAX, parse, e);
}

int
format_folders(struct format_files *f, format_parse *parse, const char *up,
	const char *down, struct err *e)
{
	struct strs names = { 0 };
	size_t i;
	int result = file_list(f->folder, &names, e);

	for (i = 0; result == 0 && i < names.n; i++) {
		struct format_file x = { 0 };
		char *ups, *downs, *full;

		if (names.v[i][0] == '.')
			continue;
		ups = file_join(names.v[i], up);
		full = file_join(f->folder, ups);
		if (!file_exists(full)) {
			if (strs_ends(names.v[i], ".sql"))
				strs_add(f->ignored, names.v[i]);
		} else if ((result = parse(names.v[i], &x, e)) == 1) {
			result = 0;
			format_add(f, x.version, x.name, ups, 'u');
			free(full);
			downs = down == NULL ? NULL : file_join(names.v[i],
				down);
			full = down == NULL ? NULL : file_join(f->folder,
				downs);
			if (down != NULL && file_exists(full))
				format_add(f, mem_dup(x.version),
					mem_dup(x.name), downs, 'd');
			free(downs);
		} else if (result == -1) {
			free(x.version);
			free(x.name);
		}
		free(full);
		free(ups);
	}
	strs_free(&names);
	return result;
}

int
format_whole(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	const char *text = raw->data;

	if (strs_starts(text, "\xef\xbb\xbf"))
		text += 3;
	return migration_set_part(side == 'd' ? &m->down : &m->up, path, text,
		strlen(text), 1, e);
}

void
format_write_pair(struct format_text *t)
{
	t->files[0] = mem_printf("%s_%s.up.sql", t->version, t->name);
	t->files[1] = mem_printf("%s_%s.down.sql", t->version, t->name);
	buf_text(&t->texts[0], t->up);
	buf_text(&t->texts[1], t->down);
}
