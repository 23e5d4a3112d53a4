/*
 * pg_facts_archived: what belongs to a database and not into it, from the archive,
 * where the database itself is as CREATE DATABASE leaves it and cannot tell.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_stream.h"
#include "db/postgresql/pg_swap.h"

/* Nothing of anybody's in it, and nothing said about it. */
#define IS_NEW \
	"SELECT 'new' FROM pg_catalog.pg_database d WHERE d.datname = " \
	"pg_catalog.current_database() AND d.datacl IS NULL AND d.datconnlimit " \
	"= -1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE " \
	"s.setdatabase = d.oid) AND NOT EXISTS (SELECT FROM pg_catalog.pg_class " \
	"c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE " \
	"n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'mig') " \
	"AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.objid = " \
	"c.oid AND x.deptype = 'e'))"

struct facts {
	char *name, *owner; /* of the database then; NULL: not known */
	struct strs sql; /* as pg_dump writes it */
};

static void
take(void *arg, const struct pg_item *x)
{
	struct facts *f = arg;
	const char *what = x->t[PG_DESC], *tag = x->t[PG_TAG];

	if (what == NULL || tag == NULL)
		return;
	if (strcmp(what, "DATABASE") == 0 && f->name == NULL) {
		f->name = mem_dup(tag);
		f->owner = mem_dup(x->t[PG_OWNER]);
	} else if (x->t[PG_DEFN] != NULL && (strcmp(what,
		"DATABASE PROPERTIES") == 0 || (strcmp(what, "ACL") == 0 &&
		strs_starts(tag, "DATABASE ")))) {
		strs_add(&f->sql, x->t[PG_DEFN]);
	}
}

/* The same for the new database: the name behind the word DATABASE. */
static char *
renamed(const char *sql, const char *from, const char *to)
{
	struct buf b = { 0 };
	struct lex_token t;
	struct lex l;
	struct err ignored;
	const char *at = sql;
	int behind = 0;

	lex_open(&l, sql, strlen(sql), 1, LEX_POSTGRESQL);
	while (lex_next(&l, &t, &ignored) == 0 && t.kind != LEX_END) {
		char *name = behind ? lex_name(&t) : NULL;

		if (name != NULL && strcmp(name, from) == 0) {
			buf_add(&b, at, (size_t)(t.text - at));
			lex_quote(&b, to, strlen(to));
			at = t.text + t.n;
		}
		free(name);
		behind = t.kind == LEX_WORD && lex_is(&t, "DATABASE");
	}
	buf_text(&b, at);
	return buf_detach(&b);
}

static int
replay(struct pg *m, const struct facts *f, const char *fresh, struct err *e)
{
	int result = 0;
	size_t i;

	if (f->owner != NULL && *f->owner != '\0')
		result = pg_swap_runf(m, e, "SELECT pg_catalog.format('ALTER "
			"DATABASE %I OWNER TO %I', $1::text, $2::text)", fresh,
			f->owner);
	for (i = 0; i < f->sql.n && result == 0; i++) {
		char *sql = renamed(f->sql.v[i], f->name, fresh);

		result = pg_sql_exec(&m->base, sql, e);
		free(sql);
	}
	if (result == 0)
		return 0;
	err_next(e, "make the roles that it names first (they are in its member "
		"GLOBALS.sql.zst: see mig-archive(5)), and restore as a "
		"superuser or as a member of them");
	return err_wrap(e, "set what belongs to the database, as the backup has it");
}

int
pg_facts_archived(struct pg *p, struct pg *m, const char *path,
	const char *fresh, int try, struct err *e)
{
	struct facts f = { 0 };
	struct pg_dump_result r;
	char *is_new;
	int result = 1;

	/* At the end it is as it was found to be: by then others may be in it. */
	if (try) {
		if (pg_sql_value(p, &is_new, e, IS_NEW, NULL) == -1)
			return -1;
		if (is_new == NULL)
			return 0;
		free(is_new);
	}
	if (pg_scratch_each(path, take, &f, &r, e) == -1)
		return -1;
	pg_dump_result_free(&r);
	if (f.name == NULL)
		result = 0;
	else if (pg_sql_exec(&m->base, "BEGIN", e) == -1 || replay(m, &f, fresh,
		e) == -1 || (!try && pg_sql_exec(&m->base, "COMMIT", e) == -1))
		result = -1;
	pg_transaction_rollback(&m->base);
	if (result == 1 && try)
		report_say(m->base.report, REPORT_NOTE, "'%s' is new: its owner, "
			"privileges and settings are those of the backup",
			p->name);
	free(f.name);
	free(f.owner);
	strs_free(&f.sql);
	return result;
}
