/* format: the formats, by name and by what a folder looks like. */
#include "migration/format/format.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

/* In the order in which a database is asked for their tables. */
const struct format *const format_all[FORMATS_MAX + 1] = { &format_mig, &format_plain,
	&format_golang, &format_dbmate, &format_goose, &format_sqlx,
	&format_rails, &format_alembic, &format_sqitch, &format_flyway,
	&format_diesel, &format_refinery, &format_prisma, &format_pop, NULL };

const struct format *
format_named(const char *name, struct err *e)
{
	const struct format *const *f;
	struct buf b = { 0 };

	for (f = format_all; *f != NULL; f++)
		if (strcmp((*f)->name, name) == 0)
			return *f;
	for (f = format_all; *f != NULL; f++)
		buf_printf(&b, "%s%s", b.len == 0 ? "" : ", ", (*f)->name);
	err_set(e, ERR_USAGE, "format", "no format is called '%s'", name);
	err_next(e, "there are %s", b.data);
	buf_free(&b);
	return NULL;
}

void
format_settle(const struct format *f, struct migration *m)
{
	struct migration_part *const parts[] = { &m->up, &m->down };
	int i;

	for (i = 0; i < 2; i++) {
		parts[i]->of_other = f->history != NULL;
		parts[i]->detect = f->detect;
		parts[i]->own_transaction = f->own_transaction;
	}
}

/* --- plain: 001_words.sql without any marker, the whole file is the up ----- */

static int
parse_plain(const char *file, struct format_file *out, struct err *e)
{
	size_t digits = strspn(file, "0123456789"), n = strlen(file);
	const char *name = file + digits + (strchr("_-.", file[digits]) !=
		NULL && file[digits] != '\0');

	(void)e;
	if (digits == 0 || !strs_ends(file, ".sql"))
		return 0;
	out->version = mem_dup_n(file, digits);
	out->name = (size_t)(name - file) < n - 4 ? mem_dup_n(name, n - 4 -
		(size_t)(name - file)) : mem_dup(out->version);
	out->side = 'u';
	return 1;
}

static int
list_plain(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_plain, e);
}

/* A word of directions, which a comment of a plain file seldom has. */
static int
is_direction(const char *w, size_t n)
{
	static const char *const words[] = { "up", "ups", "down", "downs",
		"undo", "revert", "rollback", "above", "below", NULL };
	const char *const *x;

	for (x = words; *x != NULL; x++)
		if (strlen(*x) == n && strncasecmp(*x, w, n) == 0)
			return 1;
	return 0;
}

/*
 * A comment with such a word may be the marker of a tool that mig does not know:
 * the file may hold the way back, too, and must not be run as a whole.
 */
static const char *
suspicious(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *at, *p, *end;

	for (at = text; *at != '\0'; at = *end == '\0' ? end : end + 1) {
		end = at + strcspn(at, "\n");
		p = at + strspn(at, " \t");
		if (strncmp(p, "--", 2) != 0 && strncmp(p, "/*", 2) != 0 &&
			*p != '#')
			continue;
		while (p < end) {
			size_t n = strspn(p, letters);

			if (n > 0 && is_direction(p, n))
				return at;
			p += n > 0 ? n : 1;
		}
	}
	return NULL;
}

/* Whose marker stands in the text: "goose", "mig", or NULL. */
static const char *
marker(const char *text)
{
	const char *at;

	for (at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at ==
		'\n') {
		const char *p = at;
		size_t n;

		if (!strs_starts(p, "--"))
			continue;
		p += 2 + strspn(p + 2, " \t");
		if (strs_starts(p, "+goose"))
			return "goose";
		if (strncasecmp(p, "migrate", 7) != 0)
			continue;
		/* Also what was meant as one: it must not be run as a whole. */
		p += 7 + strspn(p + 7, " \t:");
		n = strcspn(p, " \t\r\n");
		if (is_direction(p, n))
			return "mig";
	}
	return NULL;
}

static int
read_plain(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	const char *whose = marker(raw->data);

	if (whose != NULL) {
		format_bad(e, path, 0, "holds a marker, and others in the "
			"folder hold none");
		return err_next(e, "say what they are: --format %s, or "
			"--format plain after taking it out", whose);
	}
	return format_whole(m, path, raw, side, e);
}

static void
write_plain(struct format_text *t)
{
	t->files[0] = mem_printf("%s_%s.sql", t->version, t->name);
	buf_text(&t->texts[0], t->up);
}

/* Nobody has said that they are plain. */
static int
read_guessed(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	const char *at = marker(raw->data) != NULL ? NULL :
		suspicious(raw->data);

	if (at != NULL) {
		err_set(e, ERR_USAGE, "format", "'%s': the comment '%.*s' may "
			"be a marker of a tool that mig does not know", path,
			(int)strcspn(at, "\r\n") > 60 ? 60 :
			(int)strcspn(at, "\r\n"), at);
		return err_next(e, "if the whole file is to be run, use "
			"--format plain");
	}
	return read_plain(m, path, raw, side, e);
}

static const struct format guessed = { .name = "plain",
	.shown = "plain numbered files", .detect = MIGRATION_ALL,
	.own_transaction = 1, .list = list_plain, .read = read_guessed, .write = write_plain };

const struct format format_plain = { .name = "plain",
	.shown = "plain numbered files", .detect = MIGRATION_ALL,
	.own_transaction = 1, .list = list_plain, .read = read_plain, .write = write_plain };

/* --- what a folder looks like ------------------------------------------ */

/* The first file with a number decides: markers are in all or in none. */
static int
of_text(const char *folder, const char *name, const struct format **out,
	struct err *e)
{
	char *path = file_join(folder, name);
	struct buf b = { 0 };
	const char *whose;
	int result = file_slurp(path, MIGRATION_MAX, &b, e);

	if (result == 0) {
		whose = marker(b.data);
		*out = whose == NULL ? &guessed :
			strcmp(whose, "goose") == 0 ? &format_goose :
			&format_mig;
	}
	buf_free(&b);
	free(path);
	return result;
}

static int
has(const char *folder, const char *name, const char *file)
{
	char *below = file_join(folder, name), *path = file_join(below, file);
	int there = file_exists(path);

	free(path);
	free(below);
	return there;
}

/* "V1__": which of the two, as far as names tell. */
static const struct format *
of_versions(const struct strs *names, struct err *e)
{
	size_t i;
	int any = 0;

	for (i = 0; i < names->n; i++)
		any |= strchr("VUB", *names->v[i]) != NULL && strstr(
			names->v[i], "__") != NULL;
	if (!any) /* only what runs again whenever it changes: mig's, too */
		return &format_mig;
	for (i = 0; i < names->n; i++) {
		const char *s = names->v[i];

		/* Of refinery's, a version is one number. */
		if (strs_ends(s, ".sql") && (strs_starts(s, "R__") ||
			(*s == 'V' && !strs_starts(s + 1 + strspn(s + 1,
			"0123456789"), "__"))))
			return &format_flyway;
	}
	err_set(e, ERR_USAGE, "format", "the files may be Flyway's or "
		"refinery's, and the database has the table of neither");
	err_next(e, "say which: --format flyway or --format refinery");
	return NULL;
}

/* Files in the folders of the folder, as Flyway and refinery may have them. */
static int
of_tree(const char *folder, const struct strs *names,
	const struct format **out, struct err *e)
{
	size_t i, k;
	int result = 0;

	for (i = 0; i < names->n && result == 0; i++) {
		char *below = file_join(folder, names->v[i]);
		struct strs files = { 0 };

		if (*names->v[i] != '.' && file_is_dir(below))
			result = file_list(below, &files, e);
		for (k = 0; k < files.n && result == 0; k++) {
			const char *s = files.v[k];

			if (!strs_ends(s, ".sql") || strchr("VUR", *s) ==
				NULL || strstr(s, "__") == NULL)
				continue;
			*out = of_versions(&files, e);
			result = *out == NULL ? -1 : 1;
		}
		strs_free(&files);
		free(below);
	}
	return result;
}

/* A Python file of Alembic; or env.py, beside its versions. */
static int
is_revision(const char *folder, const char *name)
{
	char *path = file_join(folder, name);
	char *versions = file_join(folder, "versions");
	struct buf b = { 0 };
	struct err ignored;
	int is = strcmp(name, "env.py") == 0 ? file_is_dir(versions) :
		file_slurp(path, MIGRATION_MAX, &b, &ignored) == 0 &&
		b.data != NULL && strstr(b.data, "down_revision") != NULL;

	buf_free(&b);
	free(versions);
	free(path);
	return is;
}

const struct format *
format_of_folder(const char *folder, struct err *e)
{
	const struct format *out = &format_mig;
	struct strs names = { 0 };
	size_t i;

	if (!file_is_dir(folder))
		return out;
	if (file_list(folder, &names, e) == -1)
		return NULL;
	for (i = 0; i < names.n; i++) {
		const char *s = names.v[i];

		if (*s == '.')
			continue;
		if (strcmp(s, "migration_lock.toml") == 0) {
			out = &format_prisma;
		} else if (strcmp(s, "sqitch.plan") == 0) {
			out = &format_sqitch;
		} else if (strs_ends(s, ".py") && is_revision(folder, s)) {
			out = &format_alembic;
		} else if (strs_ends(s, ".sql") && (strs_ends(s, ".up.sql") ||
			strs_ends(s, ".down.sql"))) {
			out = format_pop_fits(&names, 1) ? &format_pop :
				&format_mig;
		} else if (strs_ends(s, ".fizz") && format_pop_fits(&names,
			1)) {
			out = &format_pop;
		} else if (strs_ends(s, ".sql") && strspn(s, "0123456789") >
			0) {
			if (of_text(folder, s, &out, e) == -1)
				out = NULL;
		} else if (strs_ends(s, ".go") && !strs_ends(s, "_test.go") &&
			strspn(s, "0123456789") > 0) {
			out = &format_goose;
		} else if (strs_ends(s, ".rb") && strspn(s, "0123456789") >
			0) {
			out = &format_rails;
		} else if (strs_ends(s, ".sql") && strchr("VUR", *s) != NULL &&
			strstr(s, "__") != NULL) {
			out = of_versions(&names, e);
		} else if (strchr(s, '.') == NULL && has(folder, s,
			"migration.sql")) {
			out = &format_prisma;
		} else if (strchr(s, '.') == NULL && has(folder, s,
			"up.sql")) {
			out = &format_diesel;
		} else {
			continue;
		}
		break;
	}
	if (i == names.n && of_tree(folder, &names, &out, e) == -1)
		out = NULL;
	strs_free(&names);
	return out;
}
