/* pg_mend: after a restore that was killed, or is regretted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_swap.h"
#include "db/postgresql/pg_url.h"

struct mend {
	struct pg *m;
	char *live;
	char *fresh, *step, *digest; /* NULL: there is none */
	int accept; /* what was written since may go */
	char *old; /* the newest; NULL: there is none */
	int closed; /* the live one allows no connections */
	int there;
	char *off; /* the newest restored one that an undo put aside */
	char *kept; /* the database that was put aside */
};

static int
look(struct mend *x, struct err *e)
{
	char *prefix = pg_swap_prefix(x->live, 1), *open;
	const char *values[2] = { x->live, prefix };
	PGresult *r = pg_sql_one(x->m, PG_SWAP_FRESH, 2, values, e);
	int result = 0;

	free(prefix);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		result = pg_error(x->m, r, e, "look for unfinished restores");
	} else if (PQntuples(r) > 0) {
		x->fresh = mem_dup(PQgetvalue(r, 0, 0));
		x->step = mem_dup(PQgetvalue(r, 0, 1));
		x->digest = mem_dup(PQgetvalue(r, 0, 2));
	}
	PQclear(r);
	if (result == -1 || pg_sql_value(x->m, &open, e,
		"SELECT datallowconn::int FROM pg_catalog.pg_database WHERE "
		"datname = $1", x->live) == -1)
		return -1;
	x->there = open != NULL;
	x->closed = open != NULL && *open == '0';
	free(open);
	prefix = pg_swap_prefix(x->live, 0);
	result = pg_sql_value(x->m, &x->old, e, "SELECT datname FROM "
		"pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, "
		"$1) AND pg_catalog.substr(datname, pg_catalog.length($1) + 1) "
		"~ '^[0-9]{8}T[0-9]{6}Z$' ORDER BY datname DESC LIMIT 1",
		prefix);
	if (result == 0) {
		/* NAME_mig_old_ and NAME_mig_off_ are of one length. */
		memcpy(prefix + strlen(prefix) - strlen("old_"), "off_",
			strlen("off_"));
		result = pg_sql_value(x->m, &x->off, e, "SELECT datname FROM "
			"pg_catalog.pg_database WHERE pg_catalog.starts_with("
			"datname, $1) AND pg_catalog.substr(datname, "
			"pg_catalog.length($1) + 1) ~ '^[0-9]{8}T[0-9]{6}Z$' "
			"ORDER BY datname DESC LIMIT 1", prefix);
	}
	free(prefix);
	return result;
}

/*
 * Nobody but us in the live database, and nothing written since the gap was
 * stated: a restore that was killed may have left it open for a long time.
 */
static int
close_unchanged(struct mend *x, struct err *e)
{
	struct pg *p;
	char *now = NULL, digest[17];
	int result = -1;

	if ((x->closed && pg_swap_allow(x->m, x->live, 1, e) == -1) ||
		pg_open_beside(&p, x->m, x->live, e) == -1)
		return -1;
	if (pg_swap_allow(x->m, x->live, 0, e) == 0 &&
		pg_swap_end_sessions(x->m, x->live, p->backend, e) == 0 &&
		pg_written_at_end(p, &now, e) == 0) {
		pg_swap_digest(now, digest);
		result = 0;
		if (strcmp(digest, x->digest) != 0 && !x->accept) {
			err_set(e, ERR_REFUSED, "written", "'%s' was written to "
				"since the restore was killed", x->live);
			result = err_next(e, "--undo, then restore again, "
				"counts what would be lost; --accept-loss "
				"goes on");
		}
	}
	free(now);
	pg_open_close(&p->base);
	return result;
}

/* What is kept can be looked at; if not, that undoes nothing. */
static void
open_again(struct mend *x, const char *name)
{
	struct err e;

	if (pg_swap_allow(x->m, name, 1, &e) == -1)
		report_say(x->m->base.report, REPORT_WARN, "'%s' stays closed "
			"to connections: %s", name, e.text);
}

/* The swap that was not reached, or not begun. */
static int
go_on(struct mend *x, char **said, struct err *e)
{
	struct swap_names n;
	struct err second;
	int result;

	if (x->fresh == NULL || strcmp(x->step, PG_SWAP_READY) != 0) {
		err_set(e, ERR_REFUSED, "nothing", x->fresh == NULL ?
			"no restore of '%s' waits to be resumed" :
			"the restore of '%s' had not yet proved its copy",
			x->live);
		if (x->fresh == NULL && !x->closed && x->old != NULL)
			return err_next(e, "the last one is finished, and the "
				"database from before it is '%s'; --undo brings "
				"that back", x->old);
		return err_next(e, x->closed || x->fresh != NULL ?
			"take it back with --undo, then restore again" :
			"restore it: mig-rollback --restore");
	}
	if (pg_swap_names(&n, x->m, x->live, e) == -1)
		return -1;
	result = close_unchanged(x, e);
	if (result == 0)
		result = pg_swap_end_sessions(x->m, x->live, 0, e);
	if (result == 0)
		result = pg_swap_rename(x->m, x->live, n.old, x->fresh, 1, e);
	if (result == -1 && pg_swap_allow(x->m, x->live, 1, &second) == -1)
		err_wrap(e, "the database is still closed");
	if (result == 0) {
		open_again(x, n.old);
		*said = mem_printf("the restore of '%s' is finished; the old "
			"database is kept as '%s'", x->live, n.old);
		x->kept = mem_dup(n.old);
	}
	pg_swap_names_free(&n);
	return result;
}

static int
swap_back(struct mend *x, char **said, struct err *e)
{
	struct swap_names n;
	struct err second;
	int result;

	if (pg_swap_names(&n, x->m, x->live, e) == -1)
		return -1;
	result = pg_swap_allow(x->m, x->live, 0, e);
	if (result == 0)
		result = pg_swap_allow(x->m, x->old, 0, e);
	if (result == 0)
		result = pg_swap_end_sessions(x->m, x->live, 0, e);
	if (result == 0)
		result = pg_swap_end_sessions(x->m, x->old, 0, e);
	if (result == 0)
		result = pg_swap_rename(x->m, x->live, n.off, x->old, 0, e);
	if (result == -1) {
		if (pg_swap_allow(x->m, x->live, 1, &second) == -1)
			err_wrap(e, "the database is still closed");
		open_again(x, x->old);
	} else {
		open_again(x, n.off);
		*said = mem_printf("'%s' is again the database from before "
			"the restore; the restored one is kept as '%s'",
			x->live, n.off);
		x->kept = mem_dup(n.off);
	}
	pg_swap_names_free(&n);
	return result;
}

static int
undo_it(struct mend *x, char **said, struct err *e)
{
	if (x->closed && pg_swap_allow(x->m, x->live, 1, e) == -1)
		return -1;
	if (x->fresh != NULL) {
		if (pg_swap_runf(x->m, e, "SELECT pg_catalog.format('DROP DATABASE %I "
			"WITH (FORCE)', $1::text)", x->fresh, NULL) == -1)
			return -1;
		*said = mem_printf("the unfinished restore of '%s' is undone; "
			"the database is as it was", x->live);
		return 0;
	}
	/*
	 * A restore that is killed leaves the copy that it had made: closed
	 * without one, it is an undo that was.
	 */
	if (x->closed && (x->old == NULL || !x->accept)) {
		*said = x->old == NULL ? mem_printf("'%s' allows connections "
			"again", x->live) : mem_printf("'%s' allows connections "
			"again; '%s' is kept, and comes back with --undo "
			"--accept-loss", x->live, x->old);
		return 0;
	}
	if (x->old != NULL && !x->accept) {
		err_set(e, ERR_REFUSED, "loss", "the restore of '%s' is "
			"finished: to undo it puts away what was written "
			"since, and brings '%s' back", x->live, x->old);
		return err_next(e, "if that is meant, use --accept-loss");
	}
	if (x->old != NULL && x->off != NULL && strcmp(x->off +
		strlen(x->off) - (CLOCK_STAMP - 1), x->old + strlen(x->old) -
		(CLOCK_STAMP - 1)) > 0) {
		err_set(e, ERR_REFUSED, "nothing", "the last restore of '%s' is "
			"undone already: '%s' is what it had brought", x->live,
			x->off);
		return err_next(e, "to undo the restore before it, too, drop "
			"'%s' first", x->off);
	}
	if (x->old != NULL)
		return swap_back(x, said, e);
	err_set(e, ERR_REFUSED, "nothing", "no restore of '%s' is there to "
		"be undone", x->live);
	return err_next(e, "databases that a restore kept are named "
			   "NAME_mig_old_TIME");
}

/* Nobody may be in the middle of it: the lock, if the database is open. */
static int
lock_live(struct mend *x, struct pg **p, struct err *e)
{
	struct lock *unused;

	*p = NULL;
	if (x->closed || !x->there)
		return 0;
	if (pg_open_beside(p, x->m, x->live, e) == -1)
		return -1;
	return pg_lock_take(&(*p)->base, &unused, 0, "mig-rollback", e);
}

int
pg_mend_run(const char *url, const struct db_mend *how, char **said,
	char **kept, struct err *e)
{
	struct db_options o = { .url = url, .mode = DB_WRITE, .busy_ms = 5000,
		.report = how->report, .role = how->role };
	struct mend x = { .accept = how->accept };
	struct pg *p = NULL;
	int result = -1;

	*said = *kept = NULL;
	x.live = pg_url_name(url, e);
	if (x.live == NULL || pg_open_maintenance(&x.m, x.live, &o, e) == -1) {
		free(x.live);
		return -1;
	}
	if (look(&x, e) == -1 || lock_live(&x, &p, e) == -1)
		goto out;
	if (!x.there) {
		err_set(e, ERR_ENV, "unreachable", "there is no database '%s'",
			x.live);
		err_next(e, "correct the name in DATABASE_URL");
		goto out;
	}
	/* What is done to the live one ends our session, too. */
	if (p != NULL) {
		pg_open_close(&p->base);
		p = NULL;
	}
	result = how->undo ? undo_it(&x, said, e) : go_on(&x, said, e);
out:
	if (p != NULL)
		pg_open_close(&p->base);
	pg_open_close(&x.m->base);
	free(x.live);
	free(x.fresh);
	free(x.step);
	free(x.digest);
	free(x.off);
	free(x.old);
	if (result == 0)
		*kept = x.kept;
	else
		free(x.kept);
	return result;
}
