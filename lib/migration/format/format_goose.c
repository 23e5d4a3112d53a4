/*
 * format_goose: pressly/goose 3.27 (internal/sqlparser/parser.go,
 * internal/dialects): one file with "-- +goose Up" and "-- +goose Down".
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "migration/format/format.h"
#include "migration/history.h"

#define LOCK 4097083626 /* crc32("goose"); of the library, its CLI has none */

/* A file while it is read, line by line. */
struct goose {
	const char *path;
	struct buf up, down; /* what was read of each */
	struct buf *now; /* NULL: before "Up" */
	int up_line, down_line; /* where they begin */
	int has_down, outside;
	int inside; /* StatementBegin and no End */
	int open; /* a statement has begun and has no semicolon */
};

static int
mark(struct goose *g, const char *what, size_t n, int line, struct err *e)
{
	static const char *const words[] = { "Up", "Down", "StatementBegin",
		"StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == n && strncasecmp(words[i], what, n) ==
			0)
			break;
	if ((i == 1 || i == 2 || i == 3) && g->now == NULL)
		return format_bad(e, g->path, line, "stands before '-- +goose "
			"Up'");
	switch (i) {
	case 0:
		if (g->now != NULL)
			return format_bad(e, g->path, line,
				"a second '-- +goose Up'");
		g->now = &g->up;
		g->up_line = line;
		break;
	case 1:
		if (g->has_down || g->inside || g->open)
			return format_bad(e, g->path, line, "'-- +goose Down' "
				"a second time, or inside a statement");
		g->now = &g->down;
		g->has_down = 1;
		g->down_line = line;
		break;
	case 2:
		if (g->inside)
			return format_bad(e, g->path, line,
				"StatementBegin inside a statement");
		g->inside = 1;
		break;
	case 3:
		if (!g->inside)
			return format_bad(e, g->path, line,
				"StatementEnd without StatementBegin");
		g->inside = g->open = 0;
		buf_char(g->now, ';'); /* it may have none of its own */
		break;
	case 4:
		g->outside = 1;
		break;
	case 5:
		format_bad(e, g->path, line, "ENVSUB: mig does not put the "
			"environment into SQL");
		return err_next(e, "write the values into the file, or apply "
				   "it with goose");
	case 6:
		break;
	default:
		return format_bad(e, g->path, line, "goose has no such "
			"annotation");
	}
	return 0;
}

/* "-- +goose Up", also without the blank: the annotation, 0 if it is none. */
static size_t
annotation(const char *at, const char *end, const char **what)
{
	const char *p = at;
	size_t n;

	if (end - at < 2 || at[0] != '-' || at[1] != '-')
		return 0;
	p += 2;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (end - p < 6 || strncmp(p, "+goose", 6) != 0)
		return 0;
	p += 6;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	n = (size_t)(end - p);
	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		n--;
	*what = p;
	return n;
}

/* Whether the last word before a comment ends in a semicolon. */
static int
line_ends(const char *at, const char *end)
{
	const char *p;

	/* A word that begins so: 'a--b' is none. */
	for (p = at; p + 1 < end; p++)
		if (p[0] == '-' && p[1] == '-' && (p == at ||
			strchr(" \t", p[-1]) != NULL))
			end = p;
	while (end > at && strchr(" \t\r", end[-1]) != NULL)
		end--;
	return end > at && end[-1] == ';';
}

static int
take_line(struct goose *g, const char *at, const char *end, int line,
	struct err *e)
{
	const char *p = at + strspn(at, " \t\r"), *what;
	size_t n = annotation(at, end, &what);

	if (n > 0) {
		if (mark(g, what, n, line, e) == -1)
			return -1;
		if (g->now != NULL && line != g->up_line &&
			line != g->down_line)
			buf_char(g->now, '\n');
		return 0;
	}
	if (p > at && annotation(p, end, &what) > 0)
		return format_bad(e, g->path, line, "an annotation must begin "
			"its line");
	if (g->now == NULL) {
		if (p < end && strncmp(p, "--", 2) != 0)
			return format_bad(e, g->path, line,
				"stands before '-- +goose Up'");
		return 0;
	}
	if (p < end && (strncmp(p, "--", 2) != 0 || g->open) && !g->inside)
		g->open = !line_ends(at, end);
	buf_add(g->now, at, (size_t)(end - at));
	buf_char(g->now, '\n');
	return 0;
}

static int
take_lines(struct goose *g, const char *text, struct err *e)
{
	const char *at, *end;
	int line = 1;

	for (at = text; *at != '\0'; at = *end == '\0' ? end : end + 1,
		line++) {
		end = at + strcspn(at, "\n");
		if (take_line(g, at, end, line, e) == -1)
			return -1;
	}
	if (g->now == NULL) {
		format_bad(e, g->path, 0, "has no '-- +goose Up' line");
		return err_next(e, "add it before the statements");
	}
	if (g->inside || g->open) {
		format_bad(e, g->path, 0, g->inside ?
			"a StatementBegin has no StatementEnd" :
			"its last statement has no semicolon");
		return err_next(e, "goose would refuse it, too");
	}
	return 0;
}

static int
read_goose(struct migration *m, const char *path, const struct buf *raw,
	char side, struct err *e)
{
	struct goose g = { .path = path };
	int result = take_lines(&g, strs_starts(raw->data, "\xef\xbb\xbf") ?
		raw->data + 3 : raw->data, e);

	(void)side;
	if (result == 0)
		result = migration_set_part(&m->up, path, g.up.len == 0 ? "" :
			g.up.data, g.up.len, g.up_line + 1, e);
	if (result == 0 && g.has_down)
		result = migration_set_part(&m->down, path, g.down.len == 0 ?
			"" : g.down.data, g.down.len, g.down_line + 1, e);
	m->up.outside = m->down.outside = g.outside;
	buf_free(&g.up);
	buf_free(&g.down);
	return result;
}

static int
parse_goose(const char *file, struct format_file *out, struct err *e)
{
	const char *cut = strchr(file, '_');
	int sql = strs_ends(file, ".sql"), go = strs_ends(file, ".go") &&
		!strs_ends(file, "_test.go");
	size_t n = strlen(file), digits = strspn(file, "0123456789");
	int64_t value;

	(void)e;
	if ((!sql && !go) || cut == NULL || digits == 0 ||
		file + digits != cut)
		return 0;
	out->version = mem_dup_n(file, digits);
	if (num_parse(out->version, 1, INT64_MAX, &value) == -1) {
		free(out->version);
		out->version = NULL;
		return 0;
	}
	out->name = mem_dup_n(cut + 1, n - digits - 1 - (sql ? 4 : 3));
	out->code = go ? "Go" : NULL;
	return 1;
}

static int
list_goose(struct format_files *f, struct err *e)
{
	return format_flat(f, parse_goose, e);
}

/* Of several rows of a version the newest counts. */
static int
load_goose(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	(void)s;
	return history_rows(h, out, e, "WITH g AS (SELECT * FROM %s) SELECT "
		"version_id, NULL, NULL, 'applied' FROM g WHERE version_id > "
		"0 AND CAST(is_applied AS integer) = 1 AND id = (SELECT "
		"max(id) FROM g AS x WHERE x.version_id = g.version_id)");
}

static int
remove_goose(struct history *h, const struct migration *m, const char *before,
	struct err *e)
{
	(void)before;
	return history_exec(h, e, "DELETE FROM %s WHERE version_id = ?1 AND "
		"version_id > 0", "s", m->version);
}

static int
put_goose(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	(void)done;
	if (remove_goose(h, m, NULL, e) == -1)
		return -1;
	return history_exec(h, e, "INSERT INTO %s (version_id, is_applied) "
		"VALUES (?1, TRUE)", "s", m->version);
}

static void
write_goose(struct format_text *t)
{
	t->files[0] = mem_printf("%s_%s.sql", t->version, t->name);
	buf_printf(&t->texts[0], "%s-- +goose Up\n%s\n-- +goose Down\n%s",
		t->outside ? "-- +goose NO TRANSACTION\n" : "", t->up,
		t->down);
}

static const char *const goose_columns[] = { "version_id", "is_applied",
	NULL };

/* An empty table is an error to goose: version 0 is always there. */
static const struct format_history goose_history = {
	.table = "goose_db_version", .columns = goose_columns,
	.create = { "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY "
		"AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied "
		"INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT "
		"(datetime('now'))); INSERT INTO goose_db_version "
		"(version_id, is_applied) VALUES (0, TRUE)",
		"CREATE TABLE goose_db_version (id integer PRIMARY KEY "
		"GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT "
		"NULL, is_applied boolean NOT NULL, tstamp timestamp NOT NULL "
		"DEFAULT now()); INSERT INTO goose_db_version (version_id, "
		"is_applied) VALUES (0, TRUE)" },
	.load = load_goose, .put = put_goose, .remove = remove_goose,
	.lock = LOCK,
};

const struct format format_goose = { .name = "goose", .shown = "goose",
	.list = list_goose, .read = read_goose, .write = write_goose,
	.history = &goose_history };
