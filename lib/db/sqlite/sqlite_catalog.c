/* sqlite_catalog: what is in the database: identity, schema, tables, rows. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/sha256.h"
#include "db/lex.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

#define NOT_OURS \
	"name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name NOT IN " \
	"('mig_identity', 'mig_ledger', 'mig_event')"

int
sqlite_catalog_has_table(struct db *d, const char *name, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	int64_t unused;
	int code;

	/*
	 * By the schema in memory, so that a thousand tables are not searched;
	 * but reading it first, which notices that another has changed it.
	 */
	if (sqlite_sql_int_of(s, "SELECT count(*) FROM (SELECT 1 FROM "
		"sqlite_schema LIMIT 1)", &unused, e) == -1)
		return -1;
	code = sqlite3_table_column_metadata(s->h, "main", name, NULL, NULL,
		NULL, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return 1;
	return code == SQLITE_ERROR ? 0 :
		sqlite_error(s, e, "look for a table");
}

int
sqlite_catalog_has_tables(struct db *d, const char *const *names, size_t n,
	int *there, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((there[i] = sqlite_catalog_has_table(d, names[i], e)) == -1)
			return -1;
	return 0;
}

int
sqlite_catalog_identity(struct db *d, struct wire_database *out,
	struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct db_rows *r;
	int found = sqlite_catalog_has_table(d, "mig_identity", e);

	if (found == -1)
		return -1;
	out->engine = "sqlite";
	out->path = mem_dup(s->path);
	out->name = mem_dup(file_base(s->path));
	if (!found)
		return 0;
	if (db_query(&r, d, e, "SELECT id FROM mig_identity", "") == -1)
		goto fail;
	found = db_next(r, e);
	if (found == 1) {
		const char *id = db_text(r, 0);

		if (id != NULL && num_is_hex(id, 32))
			out->id = mem_dup(id);
	}
	db_rows_free(r);
	if (found == 0 || out->id != NULL)
		return 0;
	if (found == 1) {
		err_set(e, ERR_REFUSED, "ledger",
			"mig_identity of '%s' holds no id that mig wrote",
			s->shown);
		err_next(e, "put 32 hex digits there, or drop the row");
	}
fail:
	shape_release(&wire_database_shape, out);
	return -1;
}

/*
 * The definition behind the name.  RENAME writes the name in quotes, so a
 * table that was rebuilt as it was differs in nothing but them.
 */
static const char *
behind_name(const char *sql)
{
	const char *p = sql + 13;

	if (strncmp(sql, "CREATE TABLE ", 13) != 0)
		return sql;
	if (*p == '"') {
		for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++)
			p += *p == '"';
		p += *p == '"';
	} else {
		p += strcspn(p, " \t\n(");
	}
	return p + strspn(p, " \t\n");
}

#define WORD "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Whether the name would be the same word without its quotes. */
static int
is_plain(const struct lex_token *t, const char *name, const char *begin)
{
	return *name != '\0' && strchr(WORD, *name) != NULL &&
		name[strspn(name, WORD "0123456789")] == '\0' &&
		strspn(t->text + t->n, WORD "0123456789") == 0 &&
		(t->text == begin || strspn(t->text - 1, WORD "0123456789") ==
			0);
}

/*
 * Without quotes around names that need none: renaming a table puts them into
 * all that refers to it, and renaming it back does not take them out.  Gives.
 */
static char *
without_quotes(const char *sql)
{
	struct buf b = { 0 };
	struct lex l;
	struct lex_token t = { 0 };
	struct err ignored;
	const char *done = sql;

	lex_open(&l, sql, strlen(sql), 1, LEX_SQLITE);
	while (lex_next(&l, &t, &ignored) == 0 && t.kind != LEX_END) {
		char *name = t.kind == LEX_NAME ? lex_name(&t) : NULL;

		if (name != NULL && is_plain(&t, name, sql)) {
			buf_printf(&b, "%.*s%s", (int)(t.text - done), done,
				name);
			done = t.text + t.n;
		}
		free(name);
	}
	buf_text(&b, done);
	return buf_detach(&b);
}

/* Each row of the schema: type, name, table, SQL. */
static int
each_object(struct db *d, void (*each)(void *arg, const char *const *row),
	void *arg, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	sqlite3_stmt *stmt = NULL;
	const char *row[4];
	int code, i;

	code = sqlite3_prepare_v2(s->h,
		"SELECT type, name, tbl_name, coalesce(sql, '') "
		"FROM sqlite_schema WHERE " NOT_OURS " ORDER BY type, name",
		-1, &stmt, NULL);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(stmt);
		if (code != SQLITE_ROW)
			break;
		for (i = 0; i < 4; i++)
			row[i] = (const char *)sqlite3_column_text(stmt, i);
		each(arg, row);
	}
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? 0 : sqlite_error(s, e, "read the schema");
}

static void
hash_object(void *arg, const char *const *row)
{
	int i;

	for (i = 0; i < 3; i++)
		sha256_add_text(arg, row[i]);
	sha256_add_text(arg, behind_name(row[3]));
}

int
sqlite_catalog_fingerprint(struct db *d, char out[65], struct err *e)
{
	struct sha256 *h = sha256_new();
	int result = each_object(d, hash_object, h, e);

	if (result == 0)
		sha256_end_text(h, out);
	sha256_free(h);
	return result;
}

static void
write_object(void *arg, const char *const *row)
{
	char *plain = without_quotes(behind_name(row[3])), *line;

	line = mem_printf("%s %s of %s: %s", row[0], row[1], row[2], plain);
	strs_add(arg, line);
	free(plain);
	free(line);
}

int
sqlite_catalog_schema(struct db *d, struct strs *out, struct err *e)
{
	return each_object(d, write_object, out, e);
}

int
sqlite_catalog_count(struct sqlite *s, const char *table, int64_t *out,
	struct err *e)
{
	char *quoted = sqlite_sql_quote(table);
	char *sql = mem_printf("SELECT count(*) FROM main.%s", quoted);
	int result = sqlite_sql_int_of(s, sql, out, e);

	free(sql);
	free(quoted);
	return result;
}

int
sqlite_catalog_tables(struct db *d, struct shape_list *out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT name, rootpage FROM sqlite_schema "
		    "WHERE type = 'table' ORDER BY name", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		struct wire_table *t = shape_list_add(out, &wire_table_shape);

		t->name = mem_dup(db_text(r, 0));
		t->rows = t->bytes = -1;
		/* A virtual table has no root page and no rows of its own. */
		if (db_int(r, 1) <= 0 ||
			sqlite_catalog_count(sqlite_of(d), t->name, &t->rows,
				e) == 0)
			continue;
		if (sqlite_of(d)->tolerant &&
			strcmp(e->reason, "database-damaged") == 0) {
			t->rows = -1;
			continue;
		}
		more = -1;
		break;
	}
	db_rows_free(r);
	if (more == -1)
		db_tables_free(out);
	return more;
}

int
sqlite_catalog_is_internal(struct sqlite *s, const char *table, int *out,
	struct err *e)
{
	struct db_rows *r;
	int more;

	*out = 0;
	if (db_query(&r, &s->base, e,
		    "SELECT type FROM pragma_table_list WHERE "
		    "schema = 'main' AND name = ?1", "s", table) == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1 && db_text(r, 0) != NULL)
		*out = strcmp(db_text(r, 0), "shadow") == 0 ||
			strcmp(db_text(r, 0), "virtual") == 0;
	db_rows_free(r);
	return more == -1 ? -1 : 0;
}

int
sqlite_catalog_copy(struct db *from, struct db *to, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, from, e,
		    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND "
		    "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN "
		    "(SELECT name FROM pragma_table_list WHERE type = "
		    "'shadow') AND tbl_name NOT IN ('mig_identity', "
		    "'mig_ledger', 'mig_event') ORDER BY rowid", "") == -1)
		return -1;
	while ((more = db_next(r, e)) == 1)
		if (db_exec(to, db_text(r, 0), e) == -1) {
			more = -1;
			break;
		}
	db_rows_free(r);
	return more;
}
