/*
 * op_gen_postgresql: the forms that do not stop an application: indexes made
 * CONCURRENTLY, keys NOT VALID first and validated in a migration of their
 * own, and a lock that is not waited for long.
 */
#include "op/op_gen_postgresql.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/lex.h"
#include "op/op_gen.h"

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define PATIENCE "SET LOCAL lock_timeout = '5s';\n"

/* "app.users" stays two parts; each quoted unless it is plain. */
static void
quote(struct buf *b, const char *name)
{
	const char *end;

	for (;; name = end + 1) {
		end = name + strcspn(name, ".");
		if (*name == '"') {
			end = name + strlen(name); /* quoted by the person */
			buf_text(b, name);
		} else {
			lex_put_name(b, name, (size_t)(end - name));
		}
		if (*end == '\0')
			return;
		buf_char(b, '.');
	}
}

/* A name as it stands in the catalog; else an expression, or "name DESC". */
static void
put_column(struct buf *b, const char *column)
{
	if (strspn(column, NAME) == strlen(column))
		lex_put_name(b, column, strlen(column));
	else
		buf_text(b, column);
}

/* "users_name_idx", without the schema, of at most 63 bytes. */
static char *
name_of(const char *table, const struct strs *columns, const char *end)
{
	const char *dot = strrchr(table, '.');
	struct buf b = { 0 };
	size_t i;
	char *p;

	buf_text(&b, dot == NULL ? table : dot + 1);
	for (i = 0; i < columns->n; i++)
		buf_printf(&b, "_%s", columns->v[i]);
	for (p = b.data; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
			(*p >= 'A' && *p <= 'Z') || *p == '_'))
			*p = '_';
	if (b.len > 63 - strlen(end) - 1) {
		b.len = 63 - strlen(end) - 1;
		b.data[b.len] = '\0';
	}
	buf_printf(&b, "_%s", end);
	return buf_detach(&b);
}

void
op_gen_postgresql_index(const struct op_gen_options *p, struct buf *up,
	struct buf *down)
{
	const char *dot = strrchr(p->table, '.');
	char *name = name_of(p->table, &p->columns, "idx");
	size_t i;

	buf_printf(up, "CREATE %sINDEX CONCURRENTLY ",
		p->unique ? "UNIQUE " : "");
	quote(up, name);
	buf_text(up, " ON ");
	quote(up, p->table);
	buf_text(up, " (");
	for (i = 0; i < p->columns.n; i++) {
		buf_text(up, i == 0 ? "" : ", ");
		put_column(up, p->columns.v[i]);
	}
	buf_text(up, ");\n");
	buf_text(down, PATIENCE "DROP INDEX ");
	if (dot != NULL) {
		char *schema = mem_dup_n(p->table, (size_t)(dot - p->table));

		quote(down, schema);
		buf_char(down, '.');
		free(schema);
	}
	quote(down, name);
	buf_text(down, ";\n");
	free(name);
}

void
op_gen_postgresql_table(const struct op_gen_options *p, struct buf *up,
	struct buf *down)
{
	size_t i;

	buf_text(up, "CREATE TABLE ");
	quote(up, p->table);
	buf_text(up, " (\n");
	for (i = 0; i < p->columns.n; i++)
		buf_printf(up, "\t%s%s\n", p->columns.v[i],
			i + 1 < p->columns.n ? "," : "");
	buf_text(up, ");\n");
	buf_text(down, "DROP TABLE ");
	quote(down, p->table);
	buf_text(down, ";\n");
}

void
op_gen_postgresql_column(const struct op_gen_options *p, const char *column,
	const char *name, struct buf *up, struct buf *down)
{
	if (up != NULL) {
		if (up->len == 0)
			buf_text(up, PATIENCE);
		buf_text(up, "ALTER TABLE ");
		quote(up, p->table);
		buf_printf(up, " ADD COLUMN %s;\n", column);
	}
	if (down != NULL) {
		if (down->len == 0)
			buf_text(down, PATIENCE);
		buf_text(down, "ALTER TABLE ");
		quote(down, p->table);
		buf_printf(down, " DROP COLUMN %s;\n", name);
	}
}

static void
add_key(const struct op_gen_options *p, const char *name, struct buf *b)
{
	const char *column;
	char *parent = op_gen_reference(p->references, &column);

	buf_text(b, "ALTER TABLE ");
	quote(b, p->table);
	buf_text(b, "\n\tADD CONSTRAINT ");
	quote(b, name);
	buf_text(b, " FOREIGN KEY (");
	quote(b, p->columns.v[0]);
	buf_text(b, ")\n\tREFERENCES ");
	quote(b, parent);
	if (column != NULL) {
		buf_text(b, " (");
		put_column(b, column);
		buf_char(b, ')');
	}
	if (p->on_delete != NULL)
		buf_printf(b, " ON DELETE %s", p->on_delete);
	buf_text(b, " NOT VALID;\n");
	free(parent);
}

static void
drop_key(const struct op_gen_options *p, const char *name, struct buf *b)
{
	buf_text(b, "ALTER TABLE ");
	quote(b, p->table);
	buf_text(b, " DROP CONSTRAINT ");
	quote(b, name);
	buf_text(b, ";\n");
}

void
op_gen_postgresql_key(const struct op_gen_options *p, struct buf *up,
	struct buf *down, struct buf *up2, struct buf *down2)
{
	char *name = name_of(p->table, &p->columns, "fkey");

	buf_text(up, "-- New rows are checked from here on; the old ones in "
		     "the next migration.\n" PATIENCE);
	add_key(p, name, up);
	buf_text(down, PATIENCE);
	drop_key(p, name, down);
	buf_text(up2, PATIENCE "ALTER TABLE ");
	quote(up2, p->table);
	buf_text(up2, " VALIDATE CONSTRAINT ");
	quote(up2, name);
	buf_text(up2, ";\n");
	/* The only way to a key that is not valid again. */
	buf_text(down2, PATIENCE);
	drop_key(p, name, down2);
	add_key(p, name, down2);
	free(name);
}
