/* op_guard_words: another tool's command line, shown; and the url that it is given. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "op/op_apply_part.h"

/* Names and paths, and no more than that: no url, no "key=value". */
static int
is_plain(const char *w)
{
	const char *p;

	for (p = w; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._/-+,", *p) ==
			NULL)
			return 0;
	return p > w && p - w <= 60;
}

char *
op_guard_words(const char *const *argv)
{
	struct buf b = { 0 };
	int i, value = 0;

	for (i = 0; argv[i] != NULL; i++) {
		const char *eq = strchr(argv[i], '=');

		if (i > 0)
			buf_char(&b, ' ');
		/* What follows an option may be its value. */
		if (eq != NULL && *argv[i] == '-')
			buf_printf(&b, "%.*s=...", (int)(eq - argv[i]),
				argv[i]);
		else if (i > 0 && *argv[i] == '-' && argv[i][1] != '-' &&
			strlen(argv[i]) > 2)
			buf_printf(&b, "%.2s...", argv[i]);
		else if (eq != NULL || (i > 0 && (value || !is_plain(
			argv[i]))))
			buf_text(&b, "...");
		else
			buf_shell(&b, argv[i]);
		value = i > 0 && *argv[i] == '-' && eq == NULL;
	}
	return buf_detach(&b);
}

/* Not where it leads, but how it is used there: search_path, options, schema. */
static int
is_place(const char *at, size_t n)
{
	static const char *const words[] = { "host", "hostaddr", "port",
		"user", "password", "dbname", "sslmode", "sslrootcert",
		"sslcert", "sslkey", "socket", "service", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strlen(*w) == n && strncmp(at, *w, n) == 0)
			return 1;
	return 0;
}

static char *
server_url(const char *rest, const char *like, size_t scheme)
{
	const char *p = strchr(like, '?'), *at = strchr(rest, '@');
	int between = strchr(rest, '?') == NULL ? '?' : '&';
	struct buf b = { 0 };

	/* JDBC has user and password behind, and not in front. */
	if (strncmp(like, "jdbc:", 5) == 0 && at != NULL) {
		size_t user = strcspn(rest + 2, ":@");

		buf_printf(&b, "%.*s//%s%cuser=%.*s", (int)scheme, like, at + 1,
			between, (int)user, rest + 2);
		between = '&';
		if (rest[2 + user] == ':')
			buf_printf(&b, "&password=%.*s", (int)(at - rest - 3 -
				(long)user), rest + 3 + user);
	} else {
		buf_printf(&b, "%.*s%s", (int)scheme, like, rest);
	}
	while (p != NULL && *p != '\0') {
		size_t n = strcspn(++p, "&"), word = strcspn(p, "=&");

		if (!is_place(p, word)) {
			buf_printf(&b, "%c%.*s", between, (int)n, p);
			between = '&';
		}
		p += n;
	}
	return buf_detach(&b);
}

/*
 * dbmate has sqlite:PATH, SQLAlchemy sqlite:///PATH, Sqitch db:sqlite:PATH; the same
 * with drivers, "postgresql+psycopg2:".  Everything up to the path is kept.
 */
char *
op_guard_url(const char *copy, const char *like)
{
	const char *rest = strchr(copy, ':'), *at = like, *p, *query;
	size_t slashes;

	if (rest == NULL || like == NULL)
		return mem_dup(copy);
	rest++;
	for (p = like; isalnum((unsigned char)*p) || strchr("+-.", *p) != NULL;)
		if (*p == '\0')
			break;
		else if (*++p == ':')
			at = ++p;
	/* No scheme at all: a path, or words of libpq. */
	if (at == like)
		return mem_dup(strncmp(copy, "sqlite:", 7) == 0 ? rest : copy);
	if (strncmp(copy, "sqlite:", 7) != 0)
		return server_url(rest, like, (size_t)(at - like));
	slashes = strspn(at, "/");
	query = strchr(at, '?');
	return mem_printf("%.*s%s%s%s", (int)(at - like), like,
		slashes >= 3 ? "///" : slashes == 2 ? "//" : "", rest,
		query == NULL ? "" : query);
}
