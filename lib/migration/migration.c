/* migration: one versioned change, read from its file or files. */
#include "migration/migration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "os/file.h"

int
migration_parse_name(const char *file, char **version, char **name,
	char *side)
{
	size_t digits = strspn(file, "0123456789"), n = strlen(file), cut;

	*version = *name = NULL;
	if (digits == 0 || file[digits] != '_' || !strs_ends(file, ".sql"))
		return 0;
	*side = strs_ends(file, ".up.sql") ? 'u' :
		strs_ends(file, ".down.sql") ? 'd' : 'b';
	cut = *side == 'u' ? 7 : *side == 'd' ? 9 : 4;
	if (n <= digits + 1 + cut)
		return 0;
	*version = mem_dup_n(file, digits);
	*name = mem_dup_n(file + digits + 1, n - digits - 1 - cut);
	return 1;
}

void
migration_checksum(const char *text, char out[65])
{
	struct sha256 *h = sha256_new();
	const char *cr;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while ((cr = strstr(text, "\r\n")) != NULL) {
		sha256_add(h, text, (size_t)(cr - text));
		text = cr + 1;
	}
	sha256_add(h, text, strlen(text));
	sha256_end_text(h, out);
	sha256_free(h);
}

/* The word after blanks; *p moves behind it.  Its length, 0 at line end. */
static size_t
word(const char **p, const char *end, const char **out)
{
	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
	*out = *p;
	while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
		(*p)++;
	return (size_t)(*p - *out);
}

static int
is(const char *w, size_t n, const char *what)
{
	return strlen(what) == n && strncmp(w, what, n) == 0;
}

/*
 * A comment line "-- key..." or "--key...": the key, 0 if it is not one.
 * Only at the very start of a line, as dbmate wants it.
 */
static size_t
comment_key(const char **p, const char *end, const char **key)
{
	if (end - *p < 3 || (*p)[0] != '-' || (*p)[1] != '-')
		return 0;
	*p += 2;
	return word(p, end, key);
}

static int
bad_line(struct err *e, const char *file, int line, const char *what)
{
	return err_set(e, ERR_USAGE, "migration", "'%s' line %d: %s",
		file == NULL ? "ledger" : file, line, what);
}

/* "mig: allow-loss NAME" and its kin, from behind "mig:". */
static int
directive(struct migration_part *p, const char *at, const char *end, int line,
	struct err *e)
{
	const char *verb, *arg;
	size_t n = word(&at, end, &verb), k = word(&at, end, &arg);
	struct strs *list;
	char *copy;

	if (is(verb, n, "allow-loss"))
		list = &p->allow_loss;
	else if (is(verb, n, "rebuild"))
		list = &p->rebuilds;
	else
		return bad_line(e, p->file, line,
			"mig knows no such directive; it knows allow-loss "
			"NAME and rebuild TABLE");
	if (k == 0)
		return bad_line(e, p->file, line, "the directive names "
						  "nothing");
	copy = mem_dup_n(arg, k);
	strs_add_once(list, copy);
	free(copy);
	if (word(&at, end, &arg) != 0)
		return bad_line(e, p->file, line,
			"the directive names more than one thing; write one "
			"line for each");
	return 0;
}

int
migration_prepare(struct migration_part *p, struct err *e)
{
	const char *at = p->text, *end, *key, *rest;
	int line = p->line;
	size_t n;

	for (; at != NULL && *at != '\0'; at = *end == '\0' ? end : end + 1,
		line++) {
		end = at + strcspn(at, "\n");
		rest = at;
		n = comment_key(&rest, end, &key);
		if (is(key, n, "mig:") &&
			directive(p, rest, end, line, e) == -1)
			return -1;
	}
	return 0;
}

/* Where a section of a file with both directions begins and ends. */
struct section {
	const char *start, *end;
	int line, outside;
};

static int
marker_options(const char *at, const char *end, struct section *s)
{
	const char *w;
	size_t n;

	while ((n = word(&at, end, &w)) != 0)
		if (is(w, n, "transaction:false"))
			s->outside = 1;
	return 0;
}

/* Find "-- migrate:up" and "-- migrate:down". */
static int
split(const char *text, const char *file, struct section *up,
	struct section *down, struct err *e)
{
	const char *at, *end, *key, *rest;
	struct section *now = NULL;
	int line = 1;
	size_t n;

	for (at = text; *at != '\0'; at = *end == '\0' ? end : end + 1,
		line++) {
		struct section *next = NULL;

		end = at + strcspn(at, "\n");
		rest = at;
		n = comment_key(&rest, end, &key);
		if (n != 0 && is(key, n, "migrate:up"))
			next = up;
		else if (n != 0 && is(key, n, "migrate:down"))
			next = down;
		if (next == NULL) {
			if (now == NULL && (is(key, n, "mig:") || (n == 0 &&
				strncmp(at, "--", 2) != 0 &&
				at + strspn(at, " \t\r") < end)))
				return bad_line(e, file, line,
					"stands before '-- migrate:up'");
			continue;
		}
		if (next->start != NULL)
			return bad_line(e, file, line, "a second such marker; "
				"write another migration instead");
		if (next == down && up->start == NULL)
			return bad_line(e, file, line,
				"'-- migrate:down' before '-- migrate:up'");
		if (now != NULL)
			now->end = at;
		now = next;
		now->start = *end == '\0' ? end : end + 1;
		now->end = text + strlen(text);
		now->line = line + 1;
		marker_options(rest, end, now);
	}
	if (up->start == NULL) {
		err_set(e, ERR_USAGE, "migration",
			"'%s' has no '-- migrate:up' line", file);
		return err_next(e, "add it before the statements, or name the "
				   "file NAME.up.sql");
	}
	return 0;
}

static int
set_part(struct migration_part *p, const char *path, const char *text,
	size_t n, int line, int outside, struct err *e)
{
	p->text = mem_dup_n(text, n);
	p->file = mem_dup(path);
	p->line = line;
	p->outside = outside;
	return migration_prepare(p, e);
}

int
migration_read(struct migration *m, const char *path, char side,
	struct err *e)
{
	struct section up = { 0 }, down = { 0 };
	struct buf b = { 0 };
	const char *text;
	char checksum[65];
	int result = -1;

	if (file_slurp(path, MIGRATION_MAX, &b, e) == -1)
		goto out;
	text = b.data;
	if (strlen(text) != b.len) {
		err_set(e, ERR_USAGE, "migration", "'%s' holds a NUL byte",
			path);
		err_next(e, "save it as plain UTF-8 text");
		goto out;
	}
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	if (side == 'u')
		result = set_part(&m->up, path, text, strlen(text), 1, 0, e);
	else if (side == 'd')
		result = set_part(&m->down, path, text, strlen(text), 1, 0, e);
	else if (split(text, path, &up, &down, e) == 0) {
		result = set_part(&m->up, path, up.start,
			(size_t)(up.end - up.start), up.line, up.outside, e);
		if (result == 0 && down.start != NULL)
			result = set_part(&m->down, path, down.start,
				(size_t)(down.end - down.start), down.line,
				down.outside, e);
	}
	if (result == 0 && side != 'd') {
		migration_checksum(m->up.text, checksum);
		free(m->checksum);
		m->checksum = mem_dup(checksum);
	}
out:
	buf_free(&b);
	return result;
}

static void
free_part(struct migration_part *p)
{
	free(p->text);
	free(p->file);
	strs_free(&p->allow_loss);
	strs_free(&p->rebuilds);
}

void
migration_free(struct migration *m)
{
	free(m->version);
	free(m->name);
	free(m->checksum);
	free_part(&m->up);
	free_part(&m->down);
	memset(m, 0, sizeof(*m));
}
