/* bind: is this verified backup the way back for this database, now? */
#include "guard/bind.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "db/db.h"
#include "doc/part.h"

#define CLOCK_SKEW 300 /* seconds that two clocks may differ */

static const char again[] = "take a new one: mig-backup | mig-verify && "
			    "mig-apply";

static int
check_identity(const struct receipt *r, struct db *d, struct err *e)
{
	struct wire_database now;
	int same;

	if (db_identity(d, &now, e) == -1)
		return -1;
	same = store_is_of(&r->database, &now);
	if (!same) {
		err_set(e, ERR_REFUSED, "other-database",
			"the backup is of another database: '%s'%s%s, not "
			"'%s'", r->database.path,
			strcmp(r->database.path, now.path) == 0 ?
				" with the id " : "",
			strcmp(r->database.path, now.path) == 0 &&
				r->database.id != NULL ? r->database.id : "",
			now.path);
		err_next(e, "%s", again);
	}
	shape_release(&wire_database_shape, &now);
	return same ? 0 : -1;
}

int
bind_check(const struct receipt *r, const char *archive, struct db *d,
	int64_t max_age_s, struct err *e)
{
	int64_t age = clock_now() - r->created;
	char fingerprint[65], a[32], b[32];

	if (strcmp(r->level, "quick") == 0) {
		err_set(e, ERR_REFUSED, "level",
			"the backup '%s' was verified at the quick level only",
			archive);
		return err_next(e, "verify it again without --quick");
	}
	if (check_identity(r, d, e) == -1 ||
		db_fingerprint(d, fingerprint, e) == -1)
		return -1;
	if (strcmp(fingerprint, r->fingerprint) != 0) {
		err_set(e, ERR_REFUSED, "schema",
			"the schema has changed since the backup '%s'",
			archive);
		return err_next(e, "%s", again);
	}
	if (age < -CLOCK_SKEW) {
		err_set(e, ERR_REFUSED, "age", "the backup '%s' was taken %s "
			"from now, by the clock of this machine", archive,
			num_time(-age * 1000, a, sizeof(a)));
		return err_next(e, "see whether the clock is right, or %s", again);
	}
	if (age > max_age_s) {
		err_set(e, ERR_REFUSED, "age",
			"the backup '%s' is %s old, the limit is %s", archive,
			num_time(age * 1000, a, sizeof(a)),
			num_time(max_age_s * 1000, b, sizeof(b)));
		return err_next(e, "%s, or raise --max-backup-age", again);
	}
	return receipt_check(r, archive, e);
}

int
bind_newest(const char *folder, struct db *d, int64_t max_age_s, char **path,
	struct receipt *r, struct err *why, struct err *e)
{
	struct wire_database identity;
	struct store store;
	size_t i;
	int found = 0, seen = 0;

	*path = NULL;
	err_set(why, ERR_REFUSED, "no-backup",
		"there is no backup of it in '%s'", folder);
	if (db_identity(d, &identity, e) == -1)
		return -1;
	if (store_list(&store, folder, &identity, e) == -1) {
		shape_release(&wire_database_shape, &identity);
		return -1;
	}
	for (i = 0; i < store.n && !found; i++) {
		struct err bad;
		int have;

		/* One taken before a way back is never chosen unasked. */
		if (store.v[i].unread != NULL && !seen++)
			*why = *store.v[i].unread;
		if (store.v[i].unread != NULL ||
			strcmp(store.v[i].manifest.purpose, "backup") != 0)
			continue;
		have = receipt_read(r, store.v[i].path, &bad);
		if (have == 0)
			err_set(&bad, ERR_REFUSED, "no-receipt",
				"the backup '%s' was not verified",
				store.v[i].path);
		if (have == 1 && bind_check(r, store.v[i].path, d, max_age_s,
				&bad) == 0) {
			found = 1;
			*path = mem_dup(store.v[i].path);
			break;
		}
		if (have == 1)
			shape_release(&receipt_shape, r);
		if (!seen++)
			*why = bad;
	}
	store_free(&store);
	shape_release(&wire_database_shape, &identity);
	return found;
}

static int64_t
rows_then(const struct receipt *r, const char *table)
{
	const struct wire_table *t = r->tables.items;
	size_t i;

	for (i = 0; i < r->tables.n; i++)
		if (strcmp(t[i].name, table) == 0)
			return t[i].rows;
	return -1;
}

static int
compare_counts(struct part_gap *g, const struct receipt *r, struct db *d,
	struct err *e)
{
	struct shape_list now;
	const struct wire_table *t;
	size_t i;

	if (db_tables(d, &now, e) == -1)
		return -1;
	t = now.items;
	for (i = 0; i < now.n; i++) {
		struct part_gap_table *x;
		int64_t then = rows_then(r, t[i].name);

		if (db_is_ours(t[i].name) || t[i].rows == then)
			continue;
		x = shape_list_add(&g->tables, &part_gap_table_shape);
		x->table = mem_dup(t[i].name);
		x->rows_then = then;
		x->rows_now = t[i].rows;
		x->added = x->changed = x->removed = -1;
	}
	db_tables_free(&now);
	return 0;
}

int
bind_gap(struct part_gap *g, const struct receipt *r, struct db *d,
	struct err *e)
{
	const struct wire_position *then = &r->position;
	struct wire_position now;
	int result = 0;

	g->seconds = clock_now() - r->created;
	g->bytes = 0;
	g->written = "no";
	if (db_position(d, &now, e) == -1)
		return -1;
	if (!wire_position_same(then, &now)) {
		g->bytes = wire_position_bytes(then, &now);
		result = compare_counts(g, r, d, e);
		g->written = g->tables.n > 0 ? "yes" : "unknown";
	}
	shape_release(&wire_position_shape, &now);
	return result;
}
