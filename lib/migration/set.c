/* set: the migrations of a folder. */
#include "migration/set_part.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/text.h"
#include "os/file.h"

/* qsort() hands nothing through: the rule of the set that is being read. */
static __thread enum version_rule rule;

static int
by_found(const void *a, const void *b)
{
	const struct format_file *x = a, *y = b;
	int order = version_compare(rule, x->version, y->version);

	/* 'u' before 'd', so that a pair is read up first. */
	return order != 0 ? order : (int)y->side - (int)x->side;
}

static int
by_version(const void *a, const void *b)
{
	const struct migration *const *x = a, *const *y = b;

	return version_compare(rule, (*x)->version, (*y)->version);
}

/* Those that run again whenever they change come last, by their names. */
static int
by_order(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return version_compare(rule, x->version, y->version);
}

static int
by_script(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return strcmp(x->script, y->script);
}

int
set_twice(struct err *e, const char *version, const char *a, const char *b)
{
	err_set(e, ERR_USAGE, "duplicate",
		"two migrations have the version %s: '%s' and '%s'",
		version, a, b);
	/* Postgrator's: VERSION.do.NAME.sql, with an undo beside it. */
	if (strstr(a, ".undo.") != NULL || strstr(b, ".undo.") != NULL)
		return err_next(e, "these are Postgrator's files, which mig does "
			"not read: run it behind mig: mig-apply -- COMMAND");
	return err_next(e, "give one of them another version");
}

static int
read_file(struct set *out, struct migration *m, const struct format_file *f,
	struct err *e)
{
	char *path = file_join(out->folder, f->path), checksum[65];
	struct buf b = { 0 }, sum = { 0 };
	int result = 0;

	if (f->code == NULL || out->format->sum != NULL)
		result = format_slurp(out->folder, f->path, &b, e);
	if (f->code != NULL) {
		m->code = f->code;
		m->up.text = mem_dup("");
		m->up.file = mem_dup(path);
	} else if (result == 0) {
		result = out->format->read(m, path, &b, f->side, e);
	}
	if (result == 0 && out->format->graph == FORMAT_LINE && (text_include(
		&m->up, out->folder, e) == -1 || text_include(&m->down,
		out->folder, e) == -1))
		result = -1;
	if (f->outside)
		(f->side == 'd' ? &m->down : &m->up)->outside = 1;
	strs_add_all(&m->up.after, &f->after);
	format_settle(out->format, m);
	if (result == 0 && f->side != 'd') {
		migration_checksum(m->up.text, checksum);
		m->checksum = mem_dup(checksum);
		if (out->format->sum != NULL) {
			out->format->sum(m, b.data, b.len, &sum);
			m->sum = buf_detach(&sum);
		}
	}
	buf_free(&b);
	free(path);
	return result;
}

static int
is_open(const struct set *s, const struct migration_part *p)
{
	return p->include || (p->placeholders && !s->format->placeholders) || p->replaces.n > 0 ||
		p->squashed.n > 0;
}

/* What is said of the whole, and what that makes of it. */
static int
look_at_directives(const struct set *s, struct migration *m, struct err *e)
{
	if (s->format->graph == FORMAT_NAMED)
		return 0;
	if ((m->up.after.n > 0 || m->up.repeatable || is_open(s, &m->up) ||
		is_open(s, &m->down)) && s->format->graph != FORMAT_LINE) {
		err_set(e, ERR_USAGE, "migration", "'%s': '-- mig: after', "
			"repeatable, replaces, placeholders and include are "
			"for mig's own format, and this is %s", m->up.file,
			s->format->shown);
		return err_next(e, "take the line out: that tool would not "
			"obey it");
	}
	if (m->down.after.n > 0 || m->down.repeatable ||
		m->down.replaces.n > 0 || m->down.squashed.n > 0)
		return format_bad(e, m->down.file, 0, "'-- mig: after', "
			"repeatable and replaces belong into the up");
	if (m->up.repeatable && !version_is_repeatable(m->version)) {
		char *stem = mem_dup_n(m->script, strlen(m->script) - 4);

		free(m->version);
		m->version = mem_printf("%s%s", VERSION_REPEATABLE, stem);
		free(stem);
	}
	if (!version_is_repeatable(m->version) ||
		s->format->graph != FORMAT_LINE)
		return 0;
	if (m->up.after.n > 0)
		return format_bad(e, m->up.file, 0, "a repeatable migration "
			"comes after all others: it needs no '-- mig: after'");
	if (m->down.text != NULL &&
		m->down.text[strspn(m->down.text, " \t\r\n")] != '\0')
		return format_bad(e, m->down.file, 0, "a repeatable migration "
			"has no way back: a changed up replaces it");
	return 0;
}

/* One version's files become one migration. */
static int
join(struct set *out, const struct format_file *v, size_t n, struct err *e)
{
	struct migration *m;
	size_t i;
	int result = 0;

	if (n > 2 || (n == 2 && (v[0].side != 'u' || v[1].side != 'd' ||
		(out->format->history == NULL &&
			strcmp(v[0].name, v[1].name) != 0))))
		return set_twice(e, v[0].version, v[0].path, v[1].path);
	if (n == 1 && v[0].side == 'd') {
		err_set(e, ERR_USAGE, "migration",
			"'%s' has no up file beside it", v[0].path);
		return err_next(e, "add the up file or remove this one");
	}
	m = &out->v[out->n++];
	m->version = mem_dup(v[0].version);
	m->name = mem_dup(v[0].name);
	m->script = mem_dup(v[0].path);
	for (i = 0; i < n && result == 0; i++)
		result = read_file(out, m, &v[i], e);
	return result == -1 ? -1 : look_at_directives(out, m, e);
}

static int
join_all(struct set *out, struct format_file *v, size_t n, struct err *e)
{
	size_t i, k;

	out->v = mem_array(n, sizeof(*out->v));
	out->by_version = mem_array(n, sizeof(*out->by_version));
	if (n > 0)
		qsort(v, n, sizeof(*v), by_found);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && version_compare(rule, v[i].version,
			v[k].version) == 0; k++)
			;
		if (join(out, v + i, k - i, e) == -1)
			return -1;
	}
	if (out->n == 0)
		return 0;
	qsort(out->v, out->n, sizeof(*out->v), out->format->by_file ?
		by_script : by_order);
	for (i = 0; i < out->n; i++)
		out->by_version[i] = &out->v[i];
	qsort(out->by_version, out->n, sizeof(*out->by_version), by_version);
	for (i = 1; i < out->n; i++)
		if (by_version(&out->by_version[i - 1], &out->by_version[i]) ==
			0)
			return set_twice(e, out->by_version[i]->version,
				out->by_version[i - 1]->script,
				out->by_version[i]->script);
	return graph_order(out, e);
}

int
set_read(struct set *out, const char *folder, const struct format *format,
	const char *engine, const struct values *values, struct err *e)
{
	struct format_files f = { .folder = folder, .engine = engine,
		.ignored = &out->ignored };
	size_t i;
	int result = -1;

	memset(out, 0, sizeof(*out));
	out->folder = mem_dup(folder);
	out->format = format == NULL ? &format_mig : format;
	rule = out->format->rule;
	if (!file_is_dir(folder)) {
		err_set(e, ERR_USAGE, "no-folder",
			"no migrations folder at '%s'", folder);
		err_next(e, "check the working folder, or use --migrations "
			    "FOLDER or MIG_MIGRATIONS; mig-gen makes one");
	} else if (out->format->list(&f, e) == 0 && set_judge_squash(out,
		&f.squashed, e) == 0) {
		result = join_all(out, f.v, f.n, e);
		if (result == 0)
			result = set_find_replaced(out, e);
	}
	for (i = 0; i < out->n && result == 0; i++) {
		text_fill(&out->v[i].up, values);
		text_fill(&out->v[i].down, values);
	}
	for (i = 0; i < f.n; i++) {
		free(f.v[i].version);
		free(f.v[i].name);
		free(f.v[i].path);
		strs_free(&f.v[i].after);
	}
	free(f.v);
	strs_free(&f.squashed);
	if (result == -1)
		set_free(out);
	return result;
}

void
set_free(struct set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		migration_free(&s->v[i]);
	free(s->v);
	free(s->by_version);
	free(s->replaced);
	free(s->orphans);
	free(s->folder);
	strs_free(&s->ignored);
	memset(s, 0, sizeof(*s));
}

static const char *
version_at(const void *list, size_t i)
{
	return ((struct migration *const *)list)[i]->version;
}

const struct migration *
set_find(const struct set *s, const char *version)
{
	size_t i = version_search(s->format->rule, version, s->n, version_at,
		s->by_version);

	return i == s->n ? NULL : s->by_version[i];
}

const struct migration *
set_named(const struct set *s, const char *version, struct err *e)
{
	const struct migration *m = set_find(s, version);

	if (m != NULL && !version_is_repeatable(m->version))
		return m;
	err_set(e, ERR_USAGE, "version", m == NULL ?
		"no migration has the version '%s'" :
		"'%s' is a repeatable migration, and has no place in the order",
		version);
	err_next(e, "mig-status --graph lists the versions");
	return NULL;
}

const struct migration *
set_head(const struct set *s)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (!version_is_repeatable(s->v[i - 1].version))
			return &s->v[i - 1];
	return NULL;
}

const struct migration *
set_newest(const struct set *s)
{
	size_t i;

	for (i = s->n; i > 0; i--)
		if (!version_is_repeatable(s->by_version[i - 1]->version))
			return s->by_version[i - 1];
	return NULL;
}

/* All line ends as \n, or as \r\n. */
static void
put_lines(struct buf *out, const char *text, const char *end)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '\r' && text[1] == '\n')
			continue;
		if (*text == '\n')
			buf_text(out, end);
		else
			buf_char(out, *text);
	}
}

int
set_same_sum(const struct set *s, const struct migration *m, const char *sum,
	struct err *e)
{
	static const char *const ends[] = { "\n", "\r\n" };
	struct buf b = { 0 };
	int i, result = 0;

	if (m->sum == NULL || sum == NULL || strcmp(m->sum, sum) == 0)
		return 1;
	if (format_slurp(s->folder, m->script, &b, e) == -1)
		result = -1;
	for (i = 0; i < 2 && result == 0; i++) {
		struct buf text = { 0 }, other = { 0 };

		put_lines(&text, b.data, ends[i]);
		s->format->sum(m, text.len == 0 ? "" : text.data, text.len,
			&other);
		if (strcmp(other.data, sum) == 0)
			result = 2;
		buf_free(&text);
		buf_free(&other);
	}
	buf_free(&b);
	return result;
}
