/*
 * pg_server: a throw-away server on this machine: in a folder of its own, on a
 * Unix socket, without a network but the machine's own where another program is to
 * reach it, never as root; it ends with us.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/postgresql/pg_scratch.h"
#include "os/child.h"
#include "os/file.h"

#define START_MS 30000
#define OLDEST 13
#define NEWEST 29
#define DEFAULT_PORT 5432 /* of the socket alone: part of its name */
#define SOCKET_MAX 80 /* a Unix socket's path is at most 107 bytes */

struct pg_server {
	char *folder, *data, *url;
	struct child *child;
	const char *user; /* NULL: ourselves */
	int port; /* on 127.0.0.1, behind a password; 0: no network */
	char password[ID_TEXT];
};

/* As root it runs as somebody else. */
static int
choose_user(struct pg_server *s, struct err *e)
{
	static const char *const names[] = { "postgres", "nobody", NULL };
	const char *const *n;
	const struct passwd *p;

	if (geteuid() != 0)
		return 0;
	for (n = names; *n != NULL; n++) {
		p = getpwnam(*n);
		if (p == NULL || p->pw_uid == 0)
			continue;
		s->user = *n;
		return chown(s->folder, p->pw_uid, p->pw_gid) == -1 ?
			err_sys(e, "give '%s' to %s", s->folder, *n) : 0;
	}
	err_set(e, ERR_ENV, "program", "a server does not run as root, and "
		"there is no user 'postgres' or 'nobody'");
	return err_next(e, "run it as another user, or name a server with "
			   "--scratch URL");
}

static int
find(int major, char **initdb, char **postgres, struct err *e)
{
	int n;

	/* Any will do for major 0: the newest. */
	for (n = major > 0 ? major : NEWEST; n >= OLDEST && n <= NEWEST;
		n += major > 0 ? 1 : -1) {
		*initdb = mem_printf("/usr/lib/postgresql/%d/bin/initdb", n);
		*postgres = mem_printf("/usr/lib/postgresql/%d/bin/postgres",
			n);
		if (access(*initdb, X_OK) == 0 && access(*postgres, X_OK) == 0)
			return 0;
		free(*initdb);
		free(*postgres);
	}
	*initdb = *postgres = NULL;
	err_set(e, ERR_ENV, "program", "no PostgreSQL server of version %d or "
		"later is installed here", major > 0 ? major : OLDEST);
	return err_next(e, "install the package postgresql, or name a server "
			"for copies: MIG_SCRATCH or --scratch URL");
}

static int
make_data(struct pg_server *s, const char *initdb, struct err *e)
{
	const char *const argv[] = { initdb, "-D", s->data, "-U", "mig_scratch",
		"--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8",
		"--locale=C", "--no-sync", NULL };

	return child_run(argv, NULL, s->user, NULL, e);
}

static int
wait_until_up(struct pg_server *s, struct err *e)
{
	struct db_options o = { .url = s->url, .mode = DB_WRITE };
	int64_t end = clock_ms() + START_MS;
	struct db *d;

	while (pg_open_db(&d, &o, e) == -1) {
		if (clock_ms() > end)
			return err_wrap(e, "the scratch server does not start");
		if (stop_check(e) == -1)
			return -1;
		clock_pause_ms(50);
	}
	db_close(d);
	return 0;
}

/* One that nobody has at this moment. */
static int
choose_port(struct pg_server *s, struct err *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = 0;

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, n) == -1 ||
		getsockname(fd, (struct sockaddr *)&at, &n) == -1)
		result = err_sys(e, "find a port on 127.0.0.1 for the copy");
	if (fd != -1)
		close(fd);
	s->port = ntohs(at.sin_port);
	return result == 0 ? id_new(s->password, e) : -1;
}

static int
run(struct pg_server *s, const char *postgres, int how, struct err *e)
{
	char *socket = mem_printf("unix_socket_directories=%s", s->folder);
	char *port = mem_printf("port=%d", s->port == 0 ? DEFAULT_PORT : s->port);
	const char *const argv[] = { postgres, "-D", s->data, "-c", s->port ==
		0 ? "listen_addresses=" : "listen_addresses=127.0.0.1", "-c",
		port, "-c", "ssl=off", "-c",
		"password_encryption=scram-sha-256", "-c", socket, "-c", "fsync=off", "-c",
		"full_page_writes=off", "-c", (how & PG_SERVER_LOGGED) != 0 ? "wal_level=replica" :
		"wal_level=minimal", "-c",
		"max_wal_senders=0", "-c", "autovacuum=off", "-c",
		"max_wal_size=4GB", "-c", "logging_collector=off", "-c",
		/* Nobody reads what it says. */
		"log_min_messages=panic", "-c", "log_checkpoints=off", "-c",
		"log_min_error_statement=panic", "-c",
		/* A copy must not follow, or be followed by, anybody. */
		"max_logical_replication_workers=0", NULL };
	int result = child_start(&s->child, argv, NULL, s->user, e);

	free(socket);
	free(port);
	return result == 0 ? wait_until_up(s, e) : -1;
}

int
pg_server_start(struct pg_server **out, int major, int how,
	const char **url, struct err *e)
{
	struct pg_server *s = mem_alloc(sizeof(*s));
	const char *tmp = getenv("TMPDIR");
	char *initdb = NULL, *postgres = NULL;
	int result = -1;

	*out = NULL;
	if (tmp == NULL || *tmp == '\0' || strlen(tmp) > SOCKET_MAX ||
		geteuid() == 0)
		tmp = "/tmp"; /* which any user may enter */
	if (find(major, &initdb, &postgres, e) == -1 ||
		file_make_temp_dir(tmp, "mig-server-", &s->folder, e) == -1 ||
		choose_user(s, e) == -1 || ((how & PG_SERVER_REACHED) != 0 &&
		choose_port(s, e) == -1))
		goto out;
	s->data = file_join(s->folder, "data");
	s->url = mem_printf("host='%s' port=%d user=mig_scratch "
		"dbname=postgres sslmode=disable", s->folder, s->port == 0 ?
		DEFAULT_PORT : s->port);
	if (make_data(s, initdb, e) == 0)
		result = run(s, postgres, how, e);
out:
	free(initdb);
	free(postgres);
	if (result == -1) {
		pg_server_free(s);
		return -1;
	}
	*url = s->url;
	*out = s;
	return 0;
}

const char *
pg_server_folder(const struct pg_server *s)
{
	return s->folder;
}

int
pg_server_port(const struct pg_server *s)
{
	return s->port == 0 ? DEFAULT_PORT : s->port;
}

const char *
pg_server_password(const struct pg_server *s)
{
	return s->port == 0 ? NULL : s->password;
}

void
pg_server_free(struct pg_server *s)
{
	if (s == NULL)
		return;
	child_signal(s->child, SIGINT); /* at once, whoever is connected */
	child_free(s->child);
	if (s->folder != NULL)
		file_remove_tree(s->folder);
	free(s->folder);
	free(s->data);
	free(s->url);
	free(s);
}
