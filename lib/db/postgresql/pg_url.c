/* pg_url: what leads to a database, and leads children there, too. */
#include "db/postgresql/pg_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* Of Prisma's pool, not of the connection. */
static int
is_of_pool(const char *at, size_t n)
{
	static const char *const words[] = { "connection_limit", "pool_timeout",
		"pgbouncer", "socket_timeout", "statement_cache_size", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (strlen(*w) == n && strncmp(at, *w, n) == 0)
			return 1;
	return 0;
}

static int
is_called(const char *at, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(at, word, n) == 0;
}

/* As an option for the server: a blank would end it. */
static void
put_path(struct buf *options, const char *value, size_t n, int one)
{
	size_t i;

	buf_printf(options, "%s-csearch_path%%3D%s", options->len == 0 ? "" :
		"%20", one ? "%22" : "");
	for (i = 0; i < n; i++)
		if (strncmp(value + i, "%20", 3) == 0)
			buf_text(options, "%5C%"); /* a backslash before it */
		else
			buf_char(options, value[i]);
	buf_text(options, one ? "%22" : "");
}

/*
 * What other tools have behind the question mark: dbmate socket=FOLDER; Prisma
 * schema=NAME, one name as it is, and its pool's; Go's drivers search_path=LIST.
 */
static void
put_query(struct buf *b, const char *query)
{
	struct buf options = { 0 };
	char between = '?';

	while (*query != '\0') {
		size_t n = strcspn(query, "&"), word = strcspn(query, "=&");
		const char *value = query + word + (word < n);
		size_t value_n = n - (size_t)(value - query);

		if (is_called(query, word, "schema") || is_called(query, word,
			"search_path")) {
			put_path(&options, value, value_n, *query == 's' &&
				query[1] == 'c');
		} else if (is_called(query, word, "options")) {
			buf_printf(&options, "%s%.*s", options.len == 0 ? "" :
				"%20", (int)value_n, value);
		} else if (!is_of_pool(query, word)) {
			if (is_called(query, word, "socket"))
				buf_printf(b, "%chost=%.*s", between,
					(int)value_n, value);
			else
				buf_printf(b, "%c%.*s", between, (int)n, query);
			between = '&';
		}
		query += n + (query[n] == '&');
	}
	if (options.len > 0)
		buf_printf(b, "%coptions=%s", between, options.data);
	buf_free(&options);
}

/*
 * libpq reads postgresql:// and keyword strings; the names of drivers that SQLAlchemy
 * and golang-migrate have are taken off, and what other tools have behind it becomes
 * libpq's.  Gives.
 */
char *
pg_url_plain(const char *url)
{
	const char *rest = strstr(url, "://"), *query;
	size_t scheme = strcspn(url, "+:");
	struct buf b = { 0 };

	if (rest == NULL || rest > url + strcspn(url, ":") || (!strs_starts(url,
		"postgres") && !strs_starts(url, "pgx")))
		return mem_dup(url);
	query = strchr(rest, '?');
	/* A question mark before an @ is in a password, which is not ours to read. */
	if (query != NULL && strchr(query, '@') != NULL)
		query = NULL;
	if (strs_starts(url, "pgx"))
		buf_text(&b, "postgres");
	else
		buf_printf(&b, "%.*s", (int)scheme, url);
	if (query == NULL) {
		buf_text(&b, rest);
		return buf_detach(&b);
	}
	buf_printf(&b, "%.*s", (int)(query - rest), rest);
	put_query(&b, query + 1);
	return buf_detach(&b);
}

int
pg_url_is_words(const char *url)
{
	size_t n = strcspn(url, " =");
	PQconninfoOption *all = PQconndefaults(), *o;
	int found = 0;

	if (url[n + strspn(url + n, " ")] == '=')
		for (o = all; o != NULL && o->keyword != NULL && !found; o++)
			found = strlen(o->keyword) == n && memcmp(o->keyword, url,
				n) == 0;
	PQconninfoFree(all);
	return found;
}

/* libpq's own words may quote a piece of the url, which may be a password. */
static int
bad_url(struct err *e, const char *why)
{
	err_set(e, ERR_USAGE, "config", "the database url cannot be read%s",
		why);
	return err_next(e, "write postgresql://USER@HOST:PORT/NAME, with %%40 "
			   "for @, %%3A for : and %%2F for / in a password "
			   "or a name");
}

/* A parameter that libpq does not know: by its name, unless it may be a password. */
static int
unknown(const char *url, struct err *e)
{
	const char *p = strstr(url, "://") == NULL ? NULL : strchr(url, '?');
	PQconninfoOption *all, *o;
	int found = 0;

	/* A password with an & in it goes on as a parameter. */
	if (p == NULL || strchr(p, '@') != NULL || strstr(p, "password=") != NULL)
		return 0;
	all = PQconndefaults();
	while (*p != '\0' && !found) {
		size_t n = strcspn(++p, "=&");

		for (o = all; o != NULL && o->keyword != NULL; o++)
			if (is_called(p, n, o->keyword))
				break;
		found = n > 0 && n <= 40 && !is_called(p, n, "ssl") && (o ==
			NULL || o->keyword == NULL) && strspn(p,
			"abcdefghijklmnopqrstuvwxyz_-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			== n;
		if (found)
			err_set(e, ERR_USAGE, "config", "the database url has "
				"the parameter '%.*s', which libpq does not "
				"know", (int)n, p);
		p += strcspn(p, "&");
	}
	PQconninfoFree(all);
	if (found)
		err_next(e, "leave it out for mig: MIG_DATABASE_URL may be another "
			"url than DATABASE_URL");
	return found;
}

/*
 * libpq ends the place of user and host at the first slash, so that a slash in a
 * password makes a host and a database of its parts, which are shown.
 */
static int
has_slash(const char *url)
{
	const char *at = strstr(url, "://"), *slash;
	size_t n;

	if (at == NULL || !strs_starts(url, "postgres"))
		return 0;
	at += 3;
	n = strcspn(at, "?");
	slash = memchr(at, '/', n);
	return slash != NULL && slash > at &&
		memchr(at, '@', (size_t)(slash - at)) == NULL &&
		memchr(slash, '@', n - (size_t)(slash - at)) != NULL;
}

int
pg_url_check(const char *url, struct err *e)
{
	char *why = NULL;
	PQconninfoOption *o = PQconninfoParse(url, &why), *x;
	int result = 0;

	PQfreemem(why);
	if (o == NULL)
		return unknown(url, e) ? -1 : bad_url(e, "");
	if (has_slash(url))
		result = bad_url(e, ": an @ stands behind a /");
	for (x = o; x->keyword != NULL && result == 0; x++)
		if (x->val != NULL && (strcmp(x->keyword, "host") == 0 ||
			strcmp(x->keyword, "hostaddr") == 0 ||
			strcmp(x->keyword, "port") == 0) &&
			strchr(x->val, '@') != NULL)
			result = bad_url(e, ": an @ stands in the wrong place");
		else if (x->val != NULL && strcmp(x->keyword, "port") == 0 &&
			x->val[strspn(x->val, "0123456789,")] != '\0')
			result = bad_url(e, ": the port is no number");
	PQconninfoFree(o);
	return result;
}

/*
 * The name that the url, the service file and the environment lead to: libpq
 * has it settled before it connects.  Gives, or NULL.
 */
static char *
name_in(const char *url)
{
	const char *const words[] = { "dbname", NULL };
	const char *values[] = { url, NULL };
	PGconn *c = PQconnectStartParams(words, values, 1);
	char *name = c == NULL ? NULL : mem_dup(PQdb(c));

	PQfinish(c);
	return name;
}

char *
pg_url_name(const char *url, struct err *e)
{
	char *plain = pg_url_plain(url), *name = NULL;

	if (pg_url_check(plain, e) == 0) {
		name = name_in(plain);
		if (name == NULL || *name == '\0') {
			free(name);
			name = NULL;
			err_set(e, ERR_USAGE, "config",
				"the url names no database");
			err_next(e, "name it in DATABASE_URL");
		}
	}
	free(plain);
	return name;
}

char *
pg_url_label(const char *url, struct err *e)
{
	char *name = pg_url_name(url, e), *plain, *label;
	PQconninfoOption *o, *x;
	const char *host = NULL;

	if (name == NULL)
		return NULL;
	plain = pg_url_plain(url);
	o = PQconninfoParse(plain, NULL);
	for (x = o; x != NULL && x->keyword != NULL; x++)
		if (strcmp(x->keyword, "host") == 0)
			host = x->val;
	label = host == NULL || *host == '/' ? mem_dup(name) :
		mem_printf("%s/%s", host, name);
	PQconninfoFree(o);
	free(plain);
	free(name);
	return label;
}

char *
pg_url_dbname(const char *name)
{
	struct buf b = { 0 };

	buf_text(&b, "dbname='");
	for (; *name != '\0'; name++) {
		if (*name == '\'' || *name == '\\')
			buf_char(&b, '\\');
		buf_char(&b, *name);
	}
	buf_char(&b, '\'');
	return buf_detach(&b);
}

/*
 * Every setting of the connection that libpq can take from the environment,
 * as it is in force: the child must reach the same server as the same role.
 * What a database may set for itself, and changes the text of values, is set
 * for every dump alike, so that two dumps of the same rows are the same.
 */
void
pg_url_environment(const struct pg *p, const char *name, struct strs *out)
{
	PQconninfoOption *o = PQconninfo(p->c), *x;
	const char *options = NULL;
	char *text;

	for (x = o; x != NULL && x->keyword != NULL; x++) {
		const char *value = x->val;

		if (x->envvar == NULL)
			continue;
		if (strcmp(x->keyword, "dbname") == 0)
			value = name == NULL ? p->name : name;
		else if (strcmp(x->keyword, "host") == 0)
			value = PQhost(p->c); /* of several, the one */
		else if (strcmp(x->keyword, "port") == 0)
			value = PQport(p->c);
		/*
		 * A service file is stronger than the environment and would
		 * lead elsewhere; what it said is in the other settings.
		 * pg_dump takes the server's own encoding.
		 */
		if (value == NULL || *value == '\0' ||
			strcmp(x->keyword, "service") == 0 ||
			(strcmp(x->keyword, "hostaddr") == 0 &&
				strchr(value, ',') != NULL) ||
			strcmp(x->keyword, "client_encoding") == 0 ||
			strcmp(x->keyword, "application_name") == 0) {
			strs_add(out, x->envvar);
			continue;
		}
		if (strcmp(x->keyword, "options") == 0) {
			options = value;
			continue;
		}
		text = mem_printf("%s=%s", x->envvar, value);
		strs_add(out, text);
		free(text);
	}
	text = mem_printf("PGOPTIONS=%s -c TimeZone=UTC -c bytea_output=hex "
		"-c quote_all_identifiers=off "
		"-c default_transaction_read_only=off "
		"-c tcp_keepalives_idle=60",
		options == NULL ? "" : options);
	strs_add(out, text);
	free(text);
	strs_add(out, "PGSERVICE");
	strs_add(out, "PGSERVICEFILE");
	/* libpq sends these beside PGOPTIONS, and they are stronger. */
	strs_add(out, "PGTZ");
	strs_add(out, "PGDATESTYLE");
	strs_add(out, "PGAPPNAME=mig");
	strs_add(out, "LC_ALL=C");
	PQconninfoFree(o);
}
