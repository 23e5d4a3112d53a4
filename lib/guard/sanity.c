/* sanity: do the files, the ledger and the database fit together? */
#include "guard/sanity.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/strs.h"
#include "db/db.h"
#include "guard/foreign.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/migration.h"
#include "migration/plan.h"
#include "migration/script.h"
#include "migration/text.h"

int
sanity_plan(const struct plan *p, unsigned allow, struct err *e)
{
	size_t i;

	for (i = 0; i < p->problem_n; i++) {
		const struct plan_problem *x = &p->problems[i];

		if (plan_is_note(x->kind) ||
			(x->kind == PLAN_MISSING && allow & SANITY_ALLOW_MISSING) ||
			(x->kind == PLAN_ORDER && allow & SANITY_ALLOW_ORDER) ||
			((x->kind == PLAN_FAILED || x->kind == PLAN_RUNNING) &&
				allow & SANITY_RESUME))
			continue;
		err_set(e, ERR_REFUSED, plan_reason(x->kind), "%s", x->text);
		return err_next(e, "%s", x->next);
	}
	return 0;
}

int
sanity_history(struct db *d, const struct ledger *l, struct err *e)
{
	const char *table = NULL, *tool;

	if (l->there || l->host != NULL)
		return 0;
	tool = foreign_tool(d, &table, e);
	if (tool == NULL)
		return e->code == ERR_NONE ? 0 : -1;
	err_set(e, ERR_REFUSED, "foreign-history",
		"the database has the history table '%s' of %s and no ledger "
		"of mig: what is applied is not known here", table, tool);
	return err_next(e, FOREIGN_NEXT, tool);
}

static int
forbid(const struct migration_part *p, const struct script_statement *s,
	const char *what, const char *name, struct err *e)
{
	int line = s->line;
	const char *file = text_place(p, &line);

	err_set(e, ERR_REFUSED, "forbidden",
		"'%s' line %d: %s%s%s cannot run in a migration", file, line,
		what, name == NULL ? "" : " ", name == NULL ? "" : name);
	return -1;
}

/*
 * What a file marked transaction:false may set: the file's own properties.
 * Settings of the connection would hold for the migrations after it; a journal
 * in memory would let a kill damage the database.
 */
static int
is_file_pragma(const struct script_statement *x)
{
	static const char *const names[] = { "user_version", "application_id",
		"auto_vacuum", "page_size", "incremental_vacuum", "optimize",
		"wal_checkpoint", "integrity_check", "quick_check",
		"foreign_key_check", NULL };
	static const char *const journals[] = { "wal", "delete", "truncate",
		"persist", NULL };
	const char *const *n;

	if (strs_same(x->table, "journal_mode")) {
		for (n = journals; *n != NULL && x->to != NULL; n++)
			if (strs_same(*n, x->to))
				return 1;
		return x->to == NULL;
	}
	for (n = names; *n != NULL; n++)
		if (strs_same(*n, x->table))
			return 1;
	return 0;
}

/* PostgreSQL: what cannot run in a transaction, and what must. */
static int
postgresql(const struct migration_part *p, const struct script *s,
	struct err *e)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct script_statement *x = &s->v[i];
		int outside = x->kind == SCRIPT_OUTSIDE ||
			x->kind == SCRIPT_VACUUM;

		if (x->kind == SCRIPT_CONTROL) {
			forbid(p, x, x->table, NULL, e);
			return err_next(e, "take it out: mig runs each "
				"migration in one transaction of its own");
		}
		if (x->kind == SCRIPT_DROP_DATABASE) {
			forbid(p, x, "DROP DATABASE", NULL, e);
			return err_next(e, "no backup of this run holds that "
				"database: back it up, and drop it by hand");
		}
		if (outside && !s->outside) {
			forbid(p, x, "this statement", NULL, e);
			return err_next(e, "it runs in no transaction: put it "
				"in a migration of its own, marked "
				"'-- migrate:up transaction:false'");
		}
		if (s->outside && !outside && !x->either) {
			forbid(p, x, "this statement", NULL, e);
			return err_next(e, "a file marked transaction:false "
				"may hold what cannot run in a transaction "
				"(CONCURRENTLY, VACUUM, ALTER TYPE ADD VALUE "
				"and its kind); put the rest in another "
				"migration");
		}
	}
	return 0;
}

int
sanity_script(const struct migration_part *p, const struct script *s,
	enum lex_rules rules, struct err *e)
{
	size_t i;

	/* A name that is none could not be written into a backup's documents. */
	if (!p->of_other && p->text != NULL && !strs_is_utf8(p->text,
		strlen(p->text))) {
		err_set(e, ERR_USAGE, "migration", "'%s' is not UTF-8 text",
			p->file == NULL ? "ledger" : p->file);
		return err_next(e, "convert it: iconv -f LATIN1 -t UTF-8");
	}
	if (rules == LEX_POSTGRESQL)
		return postgresql(p, s, e);
	for (i = 0; i < s->n; i++) {
		const struct script_statement *x = &s->v[i];

		if (s->outside) {
			if (x->kind == SCRIPT_VACUUM ||
				(x->kind == SCRIPT_PRAGMA && is_file_pragma(x)))
				continue;
			if (x->kind == SCRIPT_PRAGMA) {
				forbid(p, x, "PRAGMA", x->table, e);
				return err_next(e, "it sets the connection, "
					"which mig needs as it is, or a "
					"journal that cannot survive a kill");
			}
			forbid(p, x, "this statement", NULL, e);
			return err_next(e, "a file marked transaction:false "
				"may hold VACUUM and PRAGMA only; put the "
				"rest in another migration");
		}
		if (x->kind == SCRIPT_CONTROL) {
			forbid(p, x, x->table, NULL, e);
			return err_next(e, "take it out: mig runs each "
				"migration in one transaction of its own");
		}
		if (x->kind == SCRIPT_VACUUM) {
			forbid(p, x, "VACUUM", NULL, e);
			return err_next(e, "put it in a migration of its own, "
				"marked '-- migrate:up transaction:false'");
		}
		if (x->kind == SCRIPT_PRAGMA && x->to != NULL &&
			strs_same(x->table, "foreign_keys")) {
			forbid(p, x, "PRAGMA", x->table, e);
			return err_next(e, "take it out: mig switches foreign "
				"keys off for a table rebuild (DROP TABLE x, "
				"RENAME TO x), or mark it: -- mig: rebuild x");
		}
		if (x->kind == SCRIPT_PRAGMA && x->to != NULL &&
			(strs_same(x->table, "journal_mode") ||
				strs_same(x->table, "auto_vacuum") ||
				strs_same(x->table, "page_size") ||
				strs_same(x->table, "encoding") ||
				strs_same(x->table, "writable_schema") ||
				strs_same(x->table, "legacy_alter_table") ||
				strs_same(x->table, "locking_mode") ||
				strs_same(x->table, "synchronous"))) {
			forbid(p, x, "PRAGMA", x->table, e);
			return err_next(e, "it is about the connection or the "
				"whole file: put it in a migration of its own "
				"marked transaction:false");
		}
	}
	return 0;
}
