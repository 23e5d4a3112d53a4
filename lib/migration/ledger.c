/* ledger: mig's history in the target database. */
#include "migration/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "migration/migration.h"

static __thread enum version_rule rule; /* of the ledger being sorted */

static int
by_version(const void *a, const void *b)
{
	const struct ledger_row *x = a, *y = b;

	return version_compare(rule, x->version, y->version);
}

static struct ledger_row *
add_row(struct ledger_row **v, size_t *n)
{
	*v = mem_more(*v, *n, sizeof(**v));
	memset(&(*v)[*n], 0, sizeof(**v));
	return &(*v)[(*n)++];
}

struct ledger_row *
ledger_add(struct ledger *l)
{
	return add_row(&l->v, &l->n);
}

struct ledger_row *
ledger_add_stale(struct ledger *l)
{
	return add_row(&l->stale, &l->stale_n);
}

void
ledger_sort(struct ledger *l)
{
	size_t i;

	rule = l->rule;
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_version);
	l->first_own = l->last_own = NULL;
	for (i = 0; i < l->n; i++) {
		if (l->v[i].tool == NULL)
			continue;
		if (l->first_own == NULL)
			l->first_own = &l->v[i];
		l->last_own = &l->v[i];
	}
}

static char *
text_or_null(struct db_rows *r, int column)
{
	return mem_dup(db_text(r, column));
}

static int
is_row(const struct ledger_row *r)
{
	return r->version != NULL && *r->version != '\0' &&
		r->name != NULL && r->checksum != NULL && r->state != NULL &&
		(strcmp(r->state, "applied") == 0 ||
			strcmp(r->state, "running") == 0 ||
			strcmp(r->state, "failed") == 0);
}

static int
load_rows(struct ledger *out, struct db *d, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT version, name, checksum, state, statements, "
		    "backup_id, tool FROM mig_ledger", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		struct ledger_row *row = ledger_add(out);

		row->version = text_or_null(r, 0);
		row->name = text_or_null(r, 1);
		row->checksum = text_or_null(r, 2);
		row->state = text_or_null(r, 3);
		row->statements = db_int(r, 4);
		row->backup = text_or_null(r, 5);
		row->tool = text_or_null(r, 6);
		if (!is_row(row)) {
			db_rows_free(r);
			err_set(e, ERR_REFUSED, "ledger",
				"mig_ledger has a row that mig did not write "
				"(version '%s')",
				row->version == NULL ? "" : row->version);
			return err_next(e, "put it right by hand, or go back "
					   "with mig-rollback --restore");
		}
	}
	db_rows_free(r);
	ledger_sort(out);
	return more;
}

int
ledger_load(struct ledger *out, struct db *d, enum version_rule by,
	struct err *e)
{
	struct db_rows *r;
	static const char *const tables[] = { "mig_ledger", "mig_event",
		"mig_identity" };
	int there[3], more;

	memset(out, 0, sizeof(*out));
	out->rule = by;
	if (db_has_tables(d, tables, 3, there, e) == -1)
		return -1;
	if (there[0] + there[1] + there[2] == 0)
		return 0;
	if (there[0] + there[1] + there[2] < 3) {
		err_set(e, ERR_REFUSED, "ledger",
			"the table %s is gone, but mig has written to this "
			"database: what is applied is not known",
			tables[!there[0] ? 0 : !there[1] ? 1 : 2]);
		return err_next(e, "go back with mig-rollback --restore");
	}
	out->there = 1;
	if (load_rows(out, d, e) == -1)
		goto fail;
	if (db_query(&r, d, e,
		    "SELECT fingerprint FROM mig_event ORDER BY id DESC "
		    "LIMIT 1", "") == -1)
		goto fail;
	more = db_next(r, e);
	if (more == 1)
		out->fingerprint = text_or_null(r, 0);
	db_rows_free(r);
	if (more != -1)
		return 0;
fail:
	ledger_free(out);
	return -1;
}

static void
free_row(struct ledger_row *r)
{
	free(r->version);
	free(r->name);
	free(r->checksum);
	free(r->state);
	free(r->backup);
	free(r->tool);
	free(r->sum);
}

void
ledger_free(struct ledger *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free_row(&l->v[i]);
	for (i = 0; i < l->stale_n; i++)
		free_row(&l->stale[i]);
	free(l->v);
	free(l->stale);
	free(l->fingerprint);
	memset(l, 0, sizeof(*l));
}

static const char *
version_at(const void *list, size_t i)
{
	return ((const struct ledger_row *)list)[i].version;
}

struct ledger_row *
ledger_find(const struct ledger *l, const char *version)
{
	size_t i = version_search(l->rule, version, l->n, version_at, l->v);

	return i == l->n ? NULL : &l->v[i];
}

const struct ledger_row *
ledger_find_stale(const struct ledger *l, const char *version)
{
	size_t i;

	for (i = 0; i < l->stale_n; i++)
		if (version_compare(l->rule, l->stale[i].version, version) ==
			0)
			return &l->stale[i];
	return NULL;
}

const char *
ledger_told(const struct ledger_row *row)
{
	const char *at = row->tool == NULL ? NULL : strstr(row->tool, LEDGER_TOLD);

	return at == NULL ? NULL : at + strlen(LEDGER_TOLD);
}

int
ledger_was_told(const struct ledger_row *row, const char *host)
{
	const char *who = ledger_told(row);

	return who != NULL && strcmp(who, host) == 0;
}

int
ledger_may_be_late(const struct ledger *l, const struct ledger_row *row)
{
	return l->newest_only && row->tool == NULL && l->first_own != NULL &&
		row > l->first_own && row < l->last_own;
}

const char *
ledger_current(const struct ledger *l)
{
	size_t i;

	for (i = l->n; i > 0; i--)
		if (strcmp(l->v[i - 1].state, "applied") == 0 &&
			!version_is_repeatable(l->v[i - 1].version))
			return l->v[i - 1].version;
	return NULL;
}

int
ledger_texts(struct db *d, const char *version, char **up, char **down,
	struct err *e)
{
	struct db_rows *r;
	int more;

	*up = *down = NULL;
	if (db_query(&r, d, e,
		    "SELECT up_text, down_text FROM mig_ledger WHERE "
		    "version = ?1", "s", version) == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1) {
		*up = text_or_null(r, 0);
		*down = text_or_null(r, 1);
	}
	db_rows_free(r);
	return more == -1 ? -1 : 0;
}

int
ledger_each(struct db *d,
	int (*each)(void *arg, const struct ledger_event *event,
		struct err *e),
	void *arg, struct err *e)
{
	struct ledger_event event;
	struct db_rows *r;
	int more = db_has_table(d, "mig_event", e);

	if (more != 1)
		return more;
	if (db_query(&r, d, e,
		    "SELECT at, event, version, by, backup_id, fingerprint, "
		    "detail FROM mig_event ORDER BY id", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		const char *at = db_text(r, 0);

		event.at = 0;
		if (at != NULL && clock_parse(at, &event.at) == -1)
			event.at = 0;
		event.event = db_text(r, 1);
		event.version = db_text(r, 2);
		event.by = db_text(r, 3);
		event.backup = db_text(r, 4);
		event.fingerprint = db_text(r, 5);
		event.detail = db_text(r, 6);
		if (each(arg, &event, e) == -1) {
			more = -1;
			break;
		}
	}
	db_rows_free(r);
	return more;
}
