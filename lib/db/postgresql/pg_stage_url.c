/* pg_stage_url: what leads another program to the copy. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_trace.h"

/* Many tools know this form alone, and take what it does not say from elsewhere. */
static void
put_place(struct buf *b, const char *user, const char *password,
	const char *host, const char *port, const char *name)
{
	buf_text(b, "postgresql://");
	buf_percent(b, user);
	if (*password != '\0') {
		buf_char(b, ':');
		buf_percent(b, password);
	}
	buf_printf(b, strchr(host, ':') == NULL ? "@%s" : "@[%s]", host);
	if (*port != '\0')
		buf_printf(b, ":%s", port);
	buf_char(b, '/');
	buf_percent(b, name);
}

static const char *
value_of(const PQconninfoOption *o, const char *keyword)
{
	for (; o != NULL && o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val == NULL ? "" : o->val;
	return "";
}

/* What the connection was made of, with another database. */
static char *
url_of(const struct pg *p)
{
	static const char *const more[] = { "host", "port", "sslmode",
		"sslrootcert", "sslcert", "sslkey", NULL };
	PQconninfoOption *all = PQconninfo(p->c);
	const char *host = value_of(all, "host");
	int plain = *host != '\0' && host[strcspn(host, "/@,")] == '\0';
	const char *const *m = plain ? more + 2 : more;
	struct buf b = { 0 };
	char between = '?';

	/* One that does not know sockets must find nothing, least of all localhost. */
	put_place(&b, value_of(all, "user"), value_of(all, "password"), plain ?
		host : "scratch.invalid", plain ? value_of(all, "port") : "",
		p->name);
	for (; *m != NULL; m++)
		if (*value_of(all, *m) != '\0') {
			buf_printf(&b, "%c%s=", between, *m);
			buf_percent(&b, value_of(all, *m));
			between = '&';
		}
	PQconninfoFree(all);
	return buf_detach(&b);
}

char *
pg_stage_url(const struct db *d)
{
	const struct pg *p = (const struct pg *)d;
	const char *password = p->staged == 2 ? pg_server_password(p->server) :
		NULL;
	struct buf b = { 0 };
	char port[16];

	if (password == NULL)
		return p->staged == 2 ? mem_dup(p->url) : url_of(p);
	snprintf(port, sizeof(port), "%d", pg_server_port(p->server));
	put_place(&b, PQuser(p->c), password, "127.0.0.1", port, p->name);
	buf_text(&b, "?sslmode=disable");
	return buf_detach(&b);
}
