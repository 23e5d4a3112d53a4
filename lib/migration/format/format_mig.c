/*
 * format_mig: mig's own, and dbmate's, whose files it reads: both directions in
 * one file with "-- migrate:up" and "-- migrate:down"; for mig also a pair of
 * files.  dbmate: pkg/dbmate/migration.go, db.go of version 2.35.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/comment.h"
#include "migration/format/format.h"

/* Where a section of a file with both directions begins and ends. */
struct section {
	const char *start, *end;
	int line, outside;
};

/* A slip in this word would run in a transaction what must not: 0 or -1. */
static int
marker_options(const char *at, const char *end, struct section *s)
{
	static const char head[] = "trans";
	const char *w;
	size_t n;

	while ((n = comment_word(&at, end, &w)) != 0) {
		if (comment_is(w, n, "transaction:false"))
			s->outside = 1;
		else if (n > sizeof(head) - 1 && strncasecmp(w, head,
			sizeof(head) - 1) == 0 && memchr(w, ':', n) != NULL &&
			!comment_is(w, n, "transaction:true"))
			return -1;
	}
	return 0;
}

/*
 * What may stand before the first marker: blank lines, comments, and directives
 * for the whole.
 */
static int
head(struct migration *m, const char *at, const char *end, int line,
	struct err *e)
{
	const char *key, *rest = at;
	size_t n = comment_key(&rest, end, &key);

	if (n != 0 && comment_is(key, n, "mig:"))
		return migration_directive(&m->up, rest, end, line, e);
	if (n != 0 || strncmp(at, "--", 2) == 0 ||
		at + strspn(at, " \t\r") >= end)
		return 0;
	return format_bad(e, m->up.file, line, "stands before "
		"'-- migrate:up'");
}

/* Find "-- migrate:up" and "-- migrate:down". */
static int
split(struct migration *m, const char *text, struct section *up,
	struct section *down, struct err *e)
{
	const char *at, *end, *key, *rest, *file = m->up.file;
	struct section *now = NULL;
	int line = 1;
	size_t n;

	for (at = text; *at != '\0'; at = *end == '\0' ? end : end + 1,
		line++) {
		struct section *next = NULL;

		end = at + strcspn(at, "\n");
		rest = at;
		n = comment_key(&rest, end, &key);
		if (n != 0 && comment_is(key, n, "migrate:up"))
			next = up;
		else if (n != 0 && comment_is(key, n, "migrate:down"))
			next = down;
		if (next == NULL) {
			if (now == NULL && head(m, at, end, line, e) == -1)
				return -1;
			continue;
		}
		if (next->start != NULL)
			return format_bad(e, file, line, "a second such "
				"marker; write another migration instead");
		if (next == down && up->start == NULL)
			return format_bad(e, file, line,
				"'-- migrate:down' before '-- migrate:up'");
		if (now != NULL)
			now->end = at;
		now = next;
		now->start = *end == '\0' ? end : end + 1;
		now->end = text + strlen(text);
		now->line = line + 1;
		if (marker_options(rest, end, now) == -1)
			return format_bad(e, file, line, "the marker has a word "
				"like transaction:false, and not that");
	}
	if (up->start == NULL) {
		err_set(e, ERR_USAGE, "migration",
			"'%s' has no '-- migrate:up' line", file);
		return err_next(e, "add it before the statements, or name the "
				   "file NAME.up.sql");
	}
	return 0;
}

/*
 * The text of a direction.  What the head says of placeholders is said in it, in
 * place of the marker's line, so that the ledger keeps it with the text.
 */
static int
set_section(struct migration_part *p, const char *path,
	const struct section *s, int placeholders, struct err *e)
{
	size_t n = (size_t)(s->end - s->start);
	char *text;
	int result;

	p->outside = s->outside;
	if (!placeholders)
		return migration_set_part(p, path, s->start, n, s->line, e);
	text = mem_printf("-- mig: placeholders\n%.*s", (int)n, s->start);
	result = migration_set_part(p, path, text, strlen(text), s->line - 1,
		e);
	free(text);
	return result;
}

static int
read_sections(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct section up = { 0 }, down = { 0 };
	const char *text = raw->data;
	int all;

	(void)side;
	if (strs_starts(text, "\xef\xbb\xbf"))
		text += 3;
	m->up.file = mem_dup(path);
	if (split(m, text, &up, &down, e) == -1)
		return -1;
	all = m->up.placeholders;
	if (set_section(&m->up, path, &up, all, e) == -1)
		return -1;
	return down.start == NULL ? 0 :
		set_section(&m->down, path, &down, all, e);
}

/*
 * --- mig: 20260131_add_users.sql, a pair of .up.sql and .down.sql, or
 * R__views.sql, which runs again whenever it changes ---
 */
#define REPEATABLE "R__"

static int
parse_mig(const char *file, struct format_file *out, struct err *e)
{
	size_t digits = strspn(file, "0123456789"), n = strlen(file), cut;

	(void)e;
	if (strs_starts(file, REPEATABLE) && strs_ends(file, ".sql") &&
		n > strlen(REPEATABLE) + 4) {
		out->side = 'r';
		out->name = mem_dup_n(file + strlen(REPEATABLE), n - 4 -
			strlen(REPEATABLE));
		out->version = mem_printf("%s%s", VERSION_REPEATABLE,
			out->name);
		return 1;
	}
	out->side = strs_ends(file, ".up.sql") ? 'u' :
		strs_ends(file, ".down.sql") ? 'd' : 'b';
	/* Pairs are seen as V0001.words.up.sql, too. */
	if (out->side != 'b' && *file == 'V') {
		file++;
		n--;
		digits = strspn(file, "0123456789");
	}
	if (digits == 0 || !strs_ends(file, ".sql") || (file[digits] != '_' &&
		(out->side == 'b' || strchr(".-", file[digits]) == NULL)))
		return 0;
	cut = out->side == 'u' ? 7 : out->side == 'd' ? 9 : 4;
	if (n <= digits + 1 + cut)
		return 0;
	out->version = mem_dup_n(file, digits);
	out->name = mem_dup_n(file + digits + 1, n - digits - 1 - cut);
	return 1;
}

static int
list_mig(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_mig, e);
}

static int
read_mig(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	if (side == 'b')
		return read_sections(m, path, raw, side, e);
	if (side == 'r')
		m->up.repeatable = 1;
	if (side == 'r' && strstr(raw->data, "-- migrate:up") != NULL)
		return read_sections(m, path, raw, side, e);
	return format_whole(m, path, raw, side == 'r' ? 'u' : side, e);
}

static void
write_sections(struct format_text *t)
{
	t->files[0] = mem_printf("%s_%s.sql", t->version, t->name);
	if (t->after != NULL)
		buf_printf(&t->texts[0], "-- mig: after %s\n\n", t->after);
	buf_printf(&t->texts[0], "-- migrate:up%s\n%s\n-- migrate:down\n%s",
		t->outside ? " transaction:false" : "", t->up, t->down);
}

const struct format format_mig = { .name = "mig", .shown = "mig",
	.graph = FORMAT_LINE,
	.list = list_mig, .read = read_mig, .write = write_sections };

/* --- dbmate: ^(\d+).*\.sql$, the version is text ----------------------- */

static int
parse_dbmate(const char *file, struct format_file *out, struct err *e)
{
	size_t digits = strspn(file, "0123456789"), n = strlen(file);
	const char *name = file + digits + (file[digits] == '_');

	(void)e;
	if (digits == 0 || !strs_ends(file, ".sql"))
		return 0;
	out->version = mem_dup_n(file, digits);
	out->name = mem_dup_n(name, n - 4 > (size_t)(name - file) ?
		n - 4 - (size_t)(name - file) : 0);
	return 1;
}

static int
list_dbmate(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_dbmate, e);
}

static const char *const dbmate_columns[] = { "version", NULL };

static const struct format_history dbmate_history = {
	.table = "schema_migrations", .columns = dbmate_columns,
	.only = 1, .not_with = "ar_internal_metadata",
	.create = { "CREATE TABLE schema_migrations (version varchar(128) "
		"primary key)", "CREATE TABLE schema_migrations (version "
		"varchar primary key)" },
	.load = format_load_versions, .put = format_put_version, .remove = format_remove_version,
};

const struct format format_dbmate = { .name = "dbmate", .shown = "dbmate",
	.rule = VERSION_TEXT, .by_file = 1, .list = list_dbmate,
	.read = read_sections, .write = write_sections, .history = &dbmate_history };
