/* pg_program: the client programs that come with PostgreSQL. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_source.h"
#include "os/child.h"

/* "pg_dump (PostgreSQL) 15.18 (Debian ...)": 15; 0: it cannot be run. */
static int
major_of(const char *path)
{
	const char *const argv[] = { path, "--version", NULL };
	struct buf text = { 0 };
	struct err ignored;
	const char *p;
	int major;

	if (child_run(argv, NULL, NULL, &text, &ignored) == -1) {
		buf_free(&text);
		return 0;
	}
	buf_text(&text, "");
	p = strstr(text.data, ") ");
	major = p == NULL ? 0 : (int)strtol(p + 2, NULL, 10);
	buf_free(&text);
	return major;
}

/*
 * The newest version whose dumps such a server takes back: from 17 on pg_restore
 * sets transaction_timeout, which older servers do not know, and no older
 * pg_restore reads what that pg_dump has written.
 */
static int
newest_for(int server)
{
	return server < 17 ? 16 : server + 9;
}

/*
 * The server's own major version if it is there, else a newer one: an older
 * pg_dump refuses to work.  Debian keeps them apart under /usr/lib/postgresql;
 * elsewhere PATH has one.
 */
int
pg_program_find(const struct pg *p, const char *name, char **path,
	struct err *e)
{
	int server = p->version / 10000, newest = newest_for(server);
	int found = 0, have;

	for (have = server; have <= newest; have++) {
		*path = mem_printf("/usr/lib/postgresql/%d/bin/%s", have,
			name);
		if (access(*path, X_OK) == 0)
			return 0;
		free(*path);
		if (have == server && (found = major_of(name)) == server)
			break;
	}
	*path = NULL;
	if (found >= server && found <= newest) {
		*path = mem_dup(name);
		return 0;
	}
	if (found == 0)
		err_set(e, ERR_ENV, "program", "'%s' is not here; the server "
			"has version %d", name, server);
	else
		err_set(e, ERR_ENV, "program", "'%s' is not here in a version "
			"from %d to %d, but %d: what others write this server "
			"would not take back", name, server, newest, found);
	return err_next(e, "install the PostgreSQL client of version %d: "
			   "postgresql-client-%d", server, server);
}

int
pg_program_said(struct err *e)
{
	/* In English, which the messages of a server need not be: then as they come. */
	static const struct {
		const char *text, *reason, *next;
	} known[] = {
		{ "permission denied", "permission", "grant it to the role (GRANT "
			"pg_read_all_data TO ...), or connect as the owner" },
		{ "must be member of role", "permission", "run it as a superuser, "
			"or as a member of the roles that own what is in it" },
		{ "must be able to SET ROLE", "permission", "run it as a superuser, "
			"or as a member of the roles that own what is in it" },
		{ "must be owner of", "permission", "run it as a superuser, or as "
			"the owner" },
		{ "too many connections", "server", PG_TOO_MANY },
		{ "remaining connection slots", "server", PG_TOO_MANY },
		{ "No space left on device", "no-space", "make room on the server" },
		{ "server closed the connection", "server", "check that the server "
			"runs, then run it again" },
		{ "terminating connection", "server", "the server ended the "
			"connection: see its log, then run it again" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(e->reason, "program") == 0 && strstr(e->text,
			known[i].text) != NULL) {
			memcpy(e->reason, known[i].reason,
				strlen(known[i].reason) + 1);
			err_next(e, "%s", known[i].next);
		}
	return -1;
}
