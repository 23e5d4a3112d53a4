/* rebuild: the statements that rebuild a SQLite table. */
#include "schema/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/db.h"
#include "db/lex.h"

/* One object that must go before the rebuild and come back after it. */
struct object {
	char *type, *name, *sql;
	int dropped; /* it hangs on the table, by name */
	int on_table; /* it goes with DROP TABLE: only to be made again */
};

struct rebuild {
	char *table, *sql; /* as the schema has them */
	struct strs columns; /* stored */
	const char *rowid; /* to be carried over by name; NULL: no need */
	int autoincrement;
	struct object *v;
	size_t n;
};

void
rebuild_quote(struct buf *out, const char *name)
{
	lex_quote(out, name, strlen(name));
}

/* Whether the SQL has the name in it, as a word or quoted. */
static int
mentions(const char *sql, const char *name)
{
	struct lex_token t;
	struct lex l;
	struct err e;
	int found = 0;

	lex_open(&l, sql, strlen(sql), 1, LEX_SQLITE);
	while (!found && lex_next(&l, &t, &e) == 0 && t.kind != LEX_END) {
		char *word = lex_name(&t);

		found = t.kind != LEX_NUMBER && t.kind != LEX_PUNCTUATION &&
			strs_same(word, name);
		free(word);
	}
	return found;
}

int
rebuild_has_column(struct db *d, const char *table, const char *column,
	struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT 1 FROM pragma_table_xinfo(?1) WHERE name = ?2 "
		    "COLLATE NOCASE", "ss", table, column) == -1)
		return -1;
	more = db_next(r, e);
	db_rows_free(r);
	return more;
}

static int
not_there(struct err *e, const char *what, const char *table,
	const char *column)
{
	err_set(e, ERR_USAGE, "not-found", "%s '%s%s%s' is not in the database",
		what, table, column == NULL ? "" : ".",
		column == NULL ? "" : column);
	return err_next(e, "apply the migrations that make it first");
}

static int
read_table(struct rebuild *r, struct db *d, const char *table, struct err *e)
{
	struct db_rows *rows;
	int more;

	if (db_query(&rows, d, e,
		    "SELECT name, sql FROM sqlite_schema WHERE "
		    "type = 'table' AND name = ?1 COLLATE NOCASE", "s",
		    table) == -1)
		return -1;
	more = db_next(rows, e);
	if (more == 1) {
		r->table = mem_dup(db_text(rows, 0));
		r->sql = mem_dup(db_text(rows, 1));
		r->autoincrement = mentions(r->sql, "AUTOINCREMENT");
	}
	db_rows_free(rows);
	if (more == 0)
		return not_there(e, "the table", table, NULL);
	return more == 1 ? 0 : -1;
}

/* The stored columns, and whether rowids need to be carried by name. */
static int
read_columns(struct rebuild *r, struct db *d, struct err *e)
{
	static const char *const names[] = { "rowid", "_rowid_", "oid" };
	struct db_rows *rows;
	int more, keys = 0, alias = 0, without = 0, i;

	if (db_query(&rows, d, e,
		    "SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE "
		    "hidden = 0 ORDER BY cid", "s", r->table) == -1)
		return -1;
	while ((more = db_next(rows, e)) == 1) {
		strs_add(&r->columns, db_text(rows, 0));
		if (db_int(rows, 2) > 0) {
			keys++;
			alias |= strs_same(db_text(rows, 1), "INTEGER");
		}
	}
	db_rows_free(rows);
	if (more == -1 || db_query(&rows, d, e,
		"SELECT wr FROM pragma_table_list WHERE schema = 'main' AND "
		"name = ?1", "s", r->table) == -1)
		return -1;
	more = db_next(rows, e);
	if (more == 1)
		without = db_int(rows, 0) != 0;
	db_rows_free(rows);
	if (more == -1 || without || (keys == 1 && alias))
		return more == -1 ? -1 : 0;
	for (i = 0; i < 3 && r->rowid == NULL; i++)
		if (!strs_has(&r->columns, names[i]))
			r->rowid = names[i];
	return 0;
}

static int
read_objects(struct rebuild *r, struct db *d, struct err *e)
{
	struct db_rows *rows;
	int more;

	if (db_query(&rows, d, e,
		    "SELECT type, name, sql, tbl_name FROM sqlite_schema "
		    "WHERE type <> 'table' AND sql IS NOT NULL ORDER BY rowid",
		    "") == -1)
		return -1;
	while ((more = db_next(rows, e)) == 1) {
		struct object *o;

		r->v = mem_grow(r->v, r->n + 1, sizeof(*r->v));
		o = &r->v[r->n++];
		o->type = mem_dup(db_text(rows, 0));
		o->name = mem_dup(db_text(rows, 1));
		o->sql = mem_dup(db_text(rows, 2));
		o->on_table = strs_same(db_text(rows, 3), r->table);
		o->dropped = o->on_table;
	}
	db_rows_free(rows);
	return more;
}

/*
 * RENAME checks the whole schema, so every view and trigger that hangs on the
 * table, or on a view that does, must be away meanwhile.
 */
static void
find_dependents(struct rebuild *r)
{
	size_t i, k;
	int again = 1;

	while (again) {
		again = 0;
		for (i = 0; i < r->n; i++) {
			struct object *o = &r->v[i];
			int hangs = !o->dropped &&
				strcmp(o->type, "index") != 0 &&
				mentions(o->sql, r->table);

			for (k = 0; k < r->n && !hangs && !o->dropped; k++)
				hangs = r->v[k].dropped &&
					strcmp(r->v[k].type, "view") == 0 &&
					strcmp(o->type, "index") != 0 &&
					mentions(o->sql, r->v[k].name);
			if (hangs)
				o->dropped = again = 1;
		}
	}
}

/*
 * The CREATE TABLE under another name, with more before its closing bracket.
 */
static int
write_create(struct buf *out, const struct rebuild *r, const char *name,
	const char *more, struct err *e)
{
	const char *name_at = NULL, *name_end = NULL, *close = NULL;
	struct lex_token t;
	struct lex l;
	int depth = 0;

	lex_open(&l, r->sql, strlen(r->sql), 1, LEX_SQLITE);
	for (;;) {
		if (lex_next(&l, &t, e) == -1)
			return -1;
		if (t.kind == LEX_END)
			break;
		if (lex_is_char(&t, '(')) {
			depth++;
		} else if (lex_is_char(&t, ')')) {
			if (--depth == 0 && close == NULL)
				close = t.text;
		} else if (depth == 0 && close == NULL &&
			t.kind != LEX_PUNCTUATION) {
			/* The last word before the bracket is the name. */
			name_at = t.text;
			name_end = t.text + t.n;
		}
	}
	if (name_at == NULL || close == NULL)
		return err_set(e, ERR_USAGE, "scan",
			"the definition of '%s' cannot be read", r->table);
	buf_text(out, "CREATE TABLE ");
	rebuild_quote(out, name);
	buf_add(out, name_end, (size_t)(close - name_end));
	buf_text(out, more);
	buf_text(out, close);
	buf_text(out, ";\n");
	return 0;
}

static void
write_columns(struct buf *out, const struct rebuild *r)
{
	size_t i;

	if (r->rowid != NULL)
		buf_printf(out, "%s, ", r->rowid);
	for (i = 0; i < r->columns.n; i++) {
		buf_text(out, i == 0 ? "" : ", ");
		rebuild_quote(out, r->columns.v[i]);
	}
}

/* A string literal. */
static void
write_literal(struct buf *out, const char *s)
{
	buf_char(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			buf_char(out, '\'');
		buf_char(out, *s);
	}
	buf_char(out, '\'');
}

static void
write_sequence(struct buf *out, const struct rebuild *r, const char *fresh)
{
	buf_text(out, "DELETE FROM sqlite_sequence WHERE name = ");
	write_literal(out, fresh);
	buf_text(out, ";\nINSERT INTO sqlite_sequence (name, seq) SELECT ");
	write_literal(out, fresh);
	buf_text(out, ", seq FROM sqlite_sequence WHERE name = ");
	write_literal(out, r->table);
	buf_text(out, ";\n");
}

static int
write_rebuild(struct buf *out, const struct rebuild *r, const char *more,
	struct err *e)
{
	char *fresh = mem_printf("%s_mig_new", r->table);
	size_t i;

	for (i = r->n; i > 0; i--) {
		const struct object *o = &r->v[i - 1];

		if (!o->dropped || o->on_table)
			continue;
		buf_printf(out, "DROP %s IF EXISTS ",
			strcmp(o->type, "view") == 0 ? "VIEW" : "TRIGGER");
		rebuild_quote(out, o->name);
		buf_text(out, ";\n");
	}
	if (write_create(out, r, fresh, more, e) == -1) {
		free(fresh);
		return -1;
	}
	buf_text(out, "INSERT INTO ");
	rebuild_quote(out, fresh);
	buf_text(out, " (");
	write_columns(out, r);
	buf_text(out, ") SELECT ");
	write_columns(out, r);
	buf_text(out, " FROM ");
	rebuild_quote(out, r->table);
	buf_text(out, ";\n");
	if (r->autoincrement)
		write_sequence(out, r, fresh);
	buf_text(out, "DROP TABLE ");
	rebuild_quote(out, r->table);
	buf_text(out, ";\nALTER TABLE ");
	rebuild_quote(out, fresh);
	buf_text(out, " RENAME TO ");
	rebuild_quote(out, r->table);
	buf_text(out, ";\n");
	for (i = 0; i < r->n; i++)
		if (r->v[i].dropped)
			buf_printf(out, "%s;\n", r->v[i].sql);
	free(fresh);
	return 0;
}

static void
free_rebuild(struct rebuild *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->v[i].type);
		free(r->v[i].name);
		free(r->v[i].sql);
	}
	free(r->v);
	free(r->table);
	free(r->sql);
	strs_free(&r->columns);
}

static void
write_key(struct buf *out, const struct rebuild_key *k)
{
	buf_text(out, ",\n\tFOREIGN KEY (");
	rebuild_quote(out, k->column);
	buf_text(out, ") REFERENCES ");
	rebuild_quote(out, k->parent);
	if (k->parent_column != NULL) {
		buf_text(out, " (");
		rebuild_quote(out, k->parent_column);
		buf_char(out, ')');
	}
	if (k->on_delete != NULL)
		buf_printf(out, " ON DELETE %s", k->on_delete);
	buf_char(out, '\n');
}

int
rebuild_add_key(struct db *d, const struct rebuild_key *k, struct buf *up,
	struct buf *down, struct err *e)
{
	struct rebuild r = { 0 };
	struct buf more = { 0 };
	int has, result = -1;

	if (read_table(&r, d, k->table, e) == -1 ||
		read_columns(&r, d, e) == -1 || read_objects(&r, d, e) == -1)
		goto out;
	has = rebuild_has_column(d, k->table, k->column, e);
	if (has != 1) {
		if (has == 0)
			not_there(e, "the column", k->table, k->column);
		goto out;
	}
	has = k->parent_column == NULL ? db_has_table(d, k->parent, e) :
		rebuild_has_column(d, k->parent, k->parent_column, e);
	if (has != 1) {
		if (has == 0)
			not_there(e, "the referenced", k->parent,
				k->parent_column);
		goto out;
	}
	find_dependents(&r);
	write_key(&more, k);
	if (write_rebuild(up, &r, more.data, e) == 0)
		result = write_rebuild(down, &r, "", e);
out:
	buf_free(&more);
	free_rebuild(&r);
	return result;
}
