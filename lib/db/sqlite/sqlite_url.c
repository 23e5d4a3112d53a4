/*
 * sqlite_url: which file a url names.  dbmate, sqlx and SQLAlchemy write
 * "sqlite:///a.db" and mean different files.  Where a url can be read in two
 * ways, the file that exists decides; when both do, we refuse to guess.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

const char *const sqlite_url_schemes[] = { "sqlite", "sqlite3", NULL };

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "%41" to "A"; NULL when nothing changes.  Gives. */
static char *
decode(const char *s)
{
	char *out = mem_alloc(strlen(s) + 1), *p = out;
	int changed = 0;

	for (; *s != '\0'; s++) {
		if (s[0] == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0 &&
			hex(s[1]) * 16 + hex(s[2]) != 0) {
			*p++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
			changed = 1;
		} else {
			*p++ = *s;
		}
	}
	if (changed)
		return out;
	free(out);
	return NULL;
}

/* The parameters after '?': only those that change nothing for us. */
static int
check_parameters(const char *query, struct err *e)
{
	static const char *const known[] = { "mode=rw", "mode=rwc",
		"mode=ro", "cache=private", "cache=shared", NULL };
	const char *const *k;
	size_t n;

	for (; *query != '\0'; query += n + (query[n] == '&')) {
		n = strcspn(query, "&");
		for (k = known; *k != NULL; k++)
			if (strlen(*k) == n && strncmp(*k, query, n) == 0)
				break;
		if (*k == NULL) {
			err_set(e, ERR_USAGE, "config",
				"the database url has a parameter that mig "
				"does not take: '%.*s'",
				(int)(n > 60 ? 60 : n), query);
			return err_next(e, "take it out of the url");
		}
	}
	return 0;
}

/* Add the readings of rest, the text after "scheme:". */
static void
readings(const char *rest, struct strs *out)
{
	size_t i, n;

	if (strncmp(rest, "//", 2) != 0) {
		strs_add(out, rest); /* sqlite:path */
	} else if (rest[2] != '/') {
		strs_add(out, rest + 2); /* sqlite://path */
	} else if (rest[3] == '/') {
		strs_add(out, rest + 3); /* sqlite:////path */
	} else {
		strs_add(out, rest + 2); /* sqlite:///path: absolute, or */
		strs_add(out, rest + 3); /* SQLAlchemy's: relative */
	}
	n = out->n;
	for (i = 0; i < n; i++) {
		char *plain = decode(out->v[i]);

		if (plain != NULL)
			strs_add(out, plain);
		free(plain);
	}
}

/* The one reading that exists; two that are different files are refused. */
static int
choose(const struct strs *r, char **path, struct err *e)
{
	size_t i, found = r->n;
	struct err ignored;

	for (i = 0; i < r->n; i++) {
		char *a, *b;
		int same;

		if (!file_exists(r->v[i]))
			continue;
		if (found == r->n) {
			found = i;
			continue;
		}
		a = file_real(r->v[found], &ignored);
		b = file_real(r->v[i], &ignored);
		same = a != NULL && b != NULL && strcmp(a, b) == 0;
		free(a);
		free(b);
		if (!same) {
			err_set(e, ERR_USAGE, "config",
				"the database url can mean '%s' or '%s', and "
				"both exist", r->v[found], r->v[i]);
			return err_next(e, "write sqlite:PATH, which has one "
					   "meaning");
		}
	}
	*path = mem_dup(r->v[found == r->n ? 0 : found]);
	return 0;
}

int
sqlite_url_locate(const char *url, char **path, struct err *e)
{
	struct strs r = { 0 };
	char *rest, *query;
	int result = -1;

	*path = NULL;
	if (!strs_starts(url, "sqlite")  || strchr(url, ':') == NULL) {
		strs_add(&r, url); /* a bare path */
		result = choose(&r, path, e);
		strs_free(&r);
		return result;
	}
	rest = mem_dup(strchr(url, ':') + 1);
	query = strchr(rest, '?');
	if (query != NULL) {
		*query++ = '\0';
		if (check_parameters(query, e) == -1)
			goto out;
	}
	if (*rest == '\0' || strcmp(rest, "//") == 0 ||
		strcmp(rest, "///") == 0 || strstr(rest, ":memory:") != NULL) {
		err_set(e, ERR_USAGE, "config",
			"the database url names no file");
		err_next(e, "write sqlite:PATH");
		goto out;
	}
	readings(rest, &r);
	result = choose(&r, path, e);
out:
	free(rest);
	strs_free(&r);
	return result;
}
