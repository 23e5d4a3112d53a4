/* pg_swap_names: what the databases of a restore are called. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "codec/sha256.h"
#include "db/postgresql/pg_swap.h"

#define NAME_MAX_BYTES 63

/* Of that moment, whoever has them. */
static void
names_at(struct swap_names *n, const char *live, int64_t when)
{
	char stamp[CLOCK_STAMP];
	int room = NAME_MAX_BYTES - (int)sizeof("_mig_new_") + 1 -
		(int)CLOCK_STAMP + 1;
	char *plain = mem_dup(live);

	/* Names that need no quotes anywhere, also not for pg_restore. */
	strs_plain(plain, "");
	/* Two names that look alike like that must not share what is kept. */
	if (strcmp(plain, live) != 0 || (int)strlen(plain) > room) {
		char digest[SHA256_TEXT], *longer;

		sha256_of(live, strlen(live), digest);
		longer = mem_printf("%.*s_%.8s", room - 9, plain, digest);
		free(plain);
		plain = longer;
	}
	clock_stamp(when, stamp);
	n->live = mem_dup(live);
	n->fresh = mem_printf("%s_mig_new_%s", plain, stamp);
	n->old = mem_printf("%s_mig_old_%s", plain, stamp);
	n->off = mem_printf("%s_mig_off_%s", plain, stamp);
	free(plain);
}

int
pg_swap_names(struct swap_names *n, struct pg *m, const char *live,
	struct err *e)
{
	for (;;) {
		const char *values[3];
		PGresult *r;
		int taken;

		names_at(n, live, clock_now());
		values[0] = n->fresh;
		values[1] = n->old;
		values[2] = n->off;
		r = pg_sql_one(m, "SELECT 1 FROM pg_catalog.pg_database WHERE "
			"datname IN ($1, $2, $3)", 3, values, e);
		taken = PQntuples(r) > 0;
		if (r != NULL && PQresultStatus(r) == PGRES_TUPLES_OK && !taken) {
			PQclear(r);
			return 0;
		}
		pg_swap_names_free(n);
		if (r != NULL && !taken)
			pg_error(m, r, e, "look for names");
		PQclear(r);
		if (!taken || stop_check(e) == -1)
			return -1;
		clock_pause_ms(100);
	}
}

char *
pg_swap_prefix(const char *live, int fresh)
{
	struct swap_names n;
	char *out;

	names_at(&n, live, 0);
	out = mem_dup(fresh ? n.fresh : n.old);
	out[strlen(out) - (CLOCK_STAMP - 1)] = '\0';
	pg_swap_names_free(&n);
	return out;
}

void
pg_swap_names_free(struct swap_names *n)
{
	free(n->live);
	free(n->fresh);
	free(n->old);
	free(n->off);
}

int
pg_swap_free_name(struct pg *m, const char *name, struct err *e)
{
	char *found;

	if (pg_sql_value(m, &found, e, "SELECT datname FROM "
		"pg_catalog.pg_database WHERE datname = $1", name) == -1)
		return -1;
	if (found == NULL)
		return 0;
	free(found);
	err_set(e, ERR_REFUSED, "exists", "a database '%s' exists", name);
	return err_next(e, "name another one");
}
