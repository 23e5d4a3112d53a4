/* history: the table of the tool whose migrations these are. */
#include "migration/history.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/ledger.h"
#include "migration/set.h"

/* The SQL with the table's name in it.  Gives. */
static char *
with_table(const struct history *h, const char *sql)
{
	const char *at = strstr(sql, "%s");

	return at == NULL ? mem_dup(sql) : mem_printf("%.*s%s%s",
		(int)(at - sql), sql, h->table, at + 2);
}

int
history_exec(struct history *h, struct err *e, const char *sql,
	const char *args, ...)
{
	char *text = with_table(h, sql);
	va_list ap;
	int result;

	va_start(ap, args);
	result = db_execv(h->db, e, text, args, ap);
	va_end(ap);
	free(text);
	return result;
}

int
history_rows(struct history *h, struct ledger *out, struct err *e,
	const char *sql)
{
	char *text = with_table(h, sql);
	struct db_rows *r;
	int more, result = db_query(&r, h->registry != NULL ? h->registry :
		h->db, e, text, "");

	free(text);
	if (result == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		struct ledger_row *row;

		if (db_text(r, 0) == NULL)
			continue;
		row = ledger_add(out);
		row->version = mem_dup(db_text(r, 0));
		row->name = mem_dup(db_text(r, 1));
		row->sum = mem_dup(db_text(r, 2));
		row->base = strcmp(db_text(r, 3), "base") == 0;
		row->state = mem_dup(row->base ? "applied" : db_text(r, 3));
	}
	db_rows_free(r);
	return more;
}

/* What only one of them has: see ledger.h. */
static void
join(struct ledger *all, struct ledger *own, struct ledger *host)
{
	size_t i;

	for (i = 0; i < host->n; i++) {
		struct ledger_row *x = &host->v[i], *row;
		struct ledger_row *mine = ledger_find(own, x->version);

		row = ledger_add(all);
		*row = *x;
		memset(x, 0, sizeof(*x));
		if (mine == NULL)
			continue;
		/* As the file has it: the table of a tool may hold 1 for 001. */
		free(row->version);
		row->version = mem_dup(mine->version);
		mine->taken = 1;
		/* Of a failure mig knows only what it has seen itself. */
		if (strcmp(row->state, "applied") != 0 &&
			strcmp(mine->state, "applied") == 0)
			continue;
		free(row->name);
		row->name = mine->name;
		row->checksum = mine->checksum;
		row->backup = mine->backup;
		row->tool = mine->tool;
		row->statements = mine->statements;
		mine->name = mine->checksum = mine->backup = mine->tool = NULL;
	}
	for (i = 0; i < own->n; i++) {
		struct ledger_row *mine = &own->v[i];

		/* What failed or was interrupted is known to mig alone. */
		if (mine->taken)
			continue;
		if (strcmp(mine->state, "applied") == 0)
			*ledger_add_stale(all) = *mine;
		else
			*ledger_add(all) = *mine;
		memset(mine, 0, sizeof(*mine));
	}
	ledger_sort(all);
}

/* A row that mig does not know is called as its file is. */
static void
name_rows(struct ledger *l, const struct set *s)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct migration *m = l->v[i].tool != NULL ? NULL :
			set_find(s, l->v[i].version);

		if (m != NULL) {
			free(l->v[i].version);
			l->v[i].version = mem_dup(m->version);
		}
		if (l->v[i].name == NULL)
			l->v[i].name = mem_dup(m == NULL ? "?" : m->name);
	}
}

int
history_load(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct ledger own, host = { .rule = h->format->rule };
	int result = 0;

	if (ledger_load(&own, h->db, h->format->rule, e) == -1)
		return -1;
	if (h->format->history == NULL) {
		*out = own;
		return 0;
	}
	memset(out, 0, sizeof(*out));
	out->rule = h->format->rule;
	out->there = own.there;
	out->host = h->format->shown;
	out->host_there = h->table != NULL;
	out->newest_only = h->format->history->newest_only;
	out->fingerprint = own.fingerprint;
	own.fingerprint = NULL;
	if (h->table != NULL)
		result = h->format->history->load(h, &host, s, e);
	if (result == 0) {
		ledger_sort(&host);
		join(out, &own, &host);
		name_rows(out, s);
	}
	ledger_free(&own);
	ledger_free(&host);
	if (result == -1) {
		ledger_free(out);
		return err_wrap(e, "read the history of %s",
			h->format->shown);
	}
	return 0;
}

int
history_lock(struct history *h, int64_t wait_s, struct err *e)
{
	const struct format_history *f = h->format->history;
	int64_t ids[2];
	int i, n;

	if (f == NULL || !db_can_lock_other(h->db))
		return 0;
	ids[0] = f->lock;
	n = f->locks != NULL ? f->locks(h, ids, e) : f->lock != 0;
	for (i = 0; i < n; i++)
		if (db_lock_other(h->db, ids[i], wait_s, h->format->shown,
			e) == -1)
			return -1;
	return n == -1 ? -1 : 0;
}

int
history_ensure(struct history *h, struct err *e)
{
	const struct format_history *f = h->format->history;

	if (f == NULL || h->table != NULL)
		return 0;
	if (f->create[0] == NULL) {
		err_set(e, ERR_REFUSED, "history", "the database has no table "
			"'%s' of %s", f->table, h->format->shown);
		return err_next(e, "let that tool make it first");
	}
	if (db_exec(h->db, f->create[db_rules(h->db) == LEX_POSTGRESQL],
		e) == -1)
		return err_wrap(e, "make the table of %s", h->format->shown);
	h->table = db_qualified(h->db, f->table);
	h->made = 1;
	return 0;
}

static int
at_table(struct history *h, int result, struct err *e)
{
	return result == -1 ? err_wrap(e, "write the history of %s",
		h->format->shown) : 0;
}

int
history_begin(struct history *h, const struct migration *m, struct err *e)
{
	const struct format_history *f = h->format->history;

	return f == NULL || f->begin == NULL ? 0 :
		at_table(h, f->begin(h, m, e), e);
}

int
history_put(struct history *h, const struct migration *m, int64_t duration_ms,
	const char *by, struct err *e)
{
	const struct format_done done = { duration_ms, by };
	const struct format_history *f = h->format->history;

	if (f != NULL && f->put == NULL) {
		err_set(e, ERR_REFUSED, "history", "mig reads the history of "
			"%s, and does not write it", h->format->shown);
		return err_next(e, "record it with that tool");
	}
	return f == NULL ? 0 : at_table(h, f->put(h, m, &done, e), e);
}

int
history_remove(struct history *h, const struct migration *m,
	const char *before, struct err *e)
{
	const struct format_history *f = h->format->history;

	return f == NULL || h->table == NULL || f->remove == NULL ? 0 :
		at_table(h, f->remove(h, m, before, e), e);
}

int
history_restamp(struct history *h, const struct migration *m, struct err *e)
{
	const struct format_history *f = h->format->history;

	return f == NULL || h->table == NULL || f->restamp == NULL ? 0 :
		at_table(h, f->restamp(h, m, e), e);
}

void
history_settle(struct history *h, int committed)
{
	if (h->made && !committed) {
		free(h->table);
		h->table = NULL;
	}
	h->made = 0;
}
