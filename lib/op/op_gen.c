/* op_gen: write one migration. */
#include "op/op_gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/lex.h"
#include "doc/doc_generation.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "migration/set.h"
#include "op/op_db.h"
#include "op/op_gen_postgresql.h"
#include "op/op_gen_write.h"
#include "os/file.h"
#include "schema/rebuild.h"

struct gen {
	struct doc_generation *out;
	const struct op *o;
	const struct op_gen_options *p;
	struct buf up, down;
	struct buf up2, down2; /* of a second migration; empty: none */
	int server; /* PostgreSQL's words */
	int outside; /* in no transaction */
};

static int
need(struct err *e, const char *template, const char *what)
{
	err_set(e, ERR_USAGE, "usage", "the template %s needs %s", template,
		what);
	return err_next(e, "mig-gen(1) shows an example of each");
}

/* The name that a column's definition begins with, as written.  Gives. */
static char *
column_name(const char *definition)
{
	struct lex_token t;
	struct lex l;
	struct err e;

	lex_open(&l, definition, strlen(definition), 1, LEX_SQLITE);
	if (lex_next(&l, &t, &e) == -1)
		return mem_dup(definition);
	return mem_dup_n(t.text, t.n);
}

static int
add_table(struct gen *g, struct err *e)
{
	const struct op_gen_options *p = g->p;
	size_t i;

	if (p->table == NULL || p->columns.n == 0)
		return need(e, p->template,
			"--table NAME and --column 'NAME TYPE ...'");
	if (g->server) {
		op_gen_postgresql_table(p, &g->up, &g->down);
		return 0;
	}
	buf_text(&g->up, "CREATE TABLE ");
	rebuild_quote(&g->up, p->table);
	buf_text(&g->up, " (\n");
	for (i = 0; i < p->columns.n; i++)
		buf_printf(&g->up, "\t%s%s\n", p->columns.v[i],
			i + 1 < p->columns.n ? "," : "");
	buf_text(&g->up, ");\n");
	buf_text(&g->down, "DROP TABLE ");
	rebuild_quote(&g->down, p->table);
	buf_text(&g->down, ";\n");
	return 0;
}

static int
add_column(struct gen *g, struct err *e)
{
	const struct op_gen_options *p = g->p;
	char *name;
	size_t i;

	if (p->table == NULL || p->columns.n == 0)
		return need(e, p->template,
			"--table NAME and --column 'NAME TYPE ...'");
	for (i = 0; i < p->columns.n && g->server; i++)
		op_gen_postgresql_column(p, p->columns.v[i], NULL, &g->up,
			NULL);
	for (i = p->columns.n; i > 0 && g->server; i--) {
		name = column_name(p->columns.v[i - 1]);
		op_gen_postgresql_column(p, NULL, name, NULL, &g->down);
		free(name);
	}
	if (g->server)
		return 0;
	for (i = 0; i < p->columns.n; i++) {
		buf_text(&g->up, "ALTER TABLE ");
		rebuild_quote(&g->up, p->table);
		buf_printf(&g->up, " ADD COLUMN %s;\n", p->columns.v[i]);
	}
	for (i = p->columns.n; i > 0; i--) {
		name = column_name(p->columns.v[i - 1]);
		buf_text(&g->down, "ALTER TABLE ");
		rebuild_quote(&g->down, p->table);
		buf_printf(&g->down, " DROP COLUMN %s;\n", name);
		free(name);
	}
	return 0;
}

static int
add_index(struct gen *g, struct err *e)
{
	const struct op_gen_options *p = g->p;
	struct buf name = { 0 };
	char *s;
	size_t i;

	if (p->table == NULL || p->columns.n == 0)
		return need(e, p->template, "--table NAME and --column NAME");
	if (g->server) {
		op_gen_postgresql_index(p, &g->up, &g->down);
		g->outside = 1;
		return 0;
	}
	buf_text(&name, p->table);
	for (i = 0; i < p->columns.n; i++)
		buf_printf(&name, "_%s", p->columns.v[i]);
	buf_text(&name, "_idx");
	for (s = name.data; *s != '\0'; s++)
		if (strchr(" \t()\"'", *s) != NULL)
			*s = '_';
	buf_printf(&g->up, "CREATE %sINDEX ", p->unique ? "UNIQUE " : "");
	rebuild_quote(&g->up, name.data);
	buf_text(&g->up, " ON ");
	rebuild_quote(&g->up, p->table);
	buf_text(&g->up, " (");
	for (i = 0; i < p->columns.n; i++)
		buf_printf(&g->up, "%s%s", i == 0 ? "" : ", ",
			p->columns.v[i]);
	buf_text(&g->up, ");\n");
	buf_text(&g->down, "DROP INDEX ");
	rebuild_quote(&g->down, name.data);
	buf_text(&g->down, ";\n");
	buf_free(&name);
	return 0;
}

static int
on_delete_words(const char *s, struct err *e)
{
	static const char *const words[] = { "CASCADE", "RESTRICT", "SET NULL",
		"SET DEFAULT", "NO ACTION", NULL };
	const char *const *w;

	for (w = words; *w != NULL; w++)
		if (s == NULL || strs_same(*w, s))
			return 0;
	return err_set(e, ERR_USAGE, "usage",
		"--on-delete: '%s' is not cascade, restrict, set null, set "
		"default or no action", s);
}

static void
trim_end(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == ' ')
		s[--n] = '\0';
}

char *
op_gen_reference(const char *references, const char **column)
{
	char *table = mem_dup(references), *open = strchr(table, '(');

	*column = NULL;
	if (open != NULL) {
		*open++ = '\0';
		open += strspn(open, " ");
		open[strcspn(open, ")")] = '\0';
		trim_end(open);
		*column = open;
	}
	trim_end(table);
	return table;
}

static int
add_foreign_key(struct gen *g, struct err *e)
{
	const struct op_gen_options *p = g->p;
	struct db_options d = op_db(g->o, DB_READ);
	struct rebuild_key k = { 0 };
	struct db *db;
	char *parent;
	int result;

	if (p->table == NULL || p->columns.n != 1 || p->references == NULL)
		return need(e, p->template, "--table NAME, one --column NAME "
			"and --references 'TABLE(COLUMN)'");
	if (on_delete_words(p->on_delete, e) == -1)
		return -1;
	if (g->server) {
		op_gen_postgresql_key(p, &g->up, &g->down, &g->up2,
			&g->down2);
		return 0;
	}
	k.parent = parent = op_gen_reference(p->references, &k.parent_column);
	k.table = p->table;
	k.column = p->columns.v[0];
	k.on_delete = p->on_delete;
	result = db_open(&db, &d, e);
	if (result == 0) {
		g->out->database = mem_alloc(sizeof(*g->out->database));
		result = db_identity(db, g->out->database, e);
		if (result == -1) {
			free(g->out->database);
			g->out->database = NULL;
		}
	}
	if (result == 0)
		result = rebuild_add_key(db, &k, &g->up, &g->down, e);
	db_close(db);
	free(parent);
	return result;
}

static int
blank(struct gen *g, struct err *e)
{
	(void)e;
	buf_text(&g->up, "\n");
	buf_text(&g->down, "\n");
	return 0;
}

static int
fill(struct gen *g, struct err *e)
{
	static const struct {
		const char *name;
		int (*write)(struct gen *g, struct err *e);
	} templates[] = {
		{ "blank", blank },
		{ "add_table", add_table },
		{ "add_column", add_column },
		{ "add_index", add_index },
		{ "add_foreign_key", add_foreign_key },
	};
	size_t i;

	for (i = 0; i < sizeof(templates) / sizeof(*templates); i++)
		if (strcmp(templates[i].name, g->p->template) == 0)
			return templates[i].write(g, e);
	err_set(e, ERR_USAGE, "usage", "no template '%s'", g->p->template);
	return err_next(e, "there are blank, add_table, add_column, add_index "
			   "and add_foreign_key");
}

/* The migration, and a second one after it. */
static int
write_files(struct gen *g, struct set *set, struct err *e)
{
	const struct format *format = set->format;
	const char *title = g->p->title == NULL ? "merge" : g->p->title;
	int result = op_gen_write(g->out, set, title, "", &g->up,
		&g->down, g->outside, e);

	if (result == -1 || g->up2.len == 0)
		return result;
	set_free(set);
	if (set_read(set, g->o->migrations, format, op_db_engine(g->o), NULL, e) == -1)
		return -1;
	return op_gen_write(g->out, set, title, "_validate", &g->up2,
		&g->down2, g->outside, e);
}

/* One migration comes after one head, a merge after several. */
static int
judge_heads(const struct gen *g, const struct set *set, struct err *e)
{
	const struct migration **heads = graph_heads(set);
	struct buf b = { 0 };
	size_t n;
	int result = 0;

	for (n = 0; heads[n] != NULL; n++)
		buf_printf(&b, "%s%s", n == 0 ? "" : ", ", heads[n]->version);
	if (g->p->merge && set->format->graph != FORMAT_LINE) {
		err_set(e, ERR_USAGE, "format", "the migrations are %s's, "
			"which mig cannot merge", set->format->shown);
		result = err_next(e, "--merge is for mig's own format");
	} else if (g->p->merge && n < 2) {
		err_set(e, ERR_REFUSED, "heads", "there is nothing to merge: "
			"%s", n == 0 ? "the folder has no migration" :
			"one migration is last, and all others are below it");
		result = err_next(e, "mig-status --graph shows them");
	} else if (!g->p->merge && n > 1) {
		err_set(e, ERR_REFUSED, "heads", "the new migration would come "
			"after only one of several heads: %s", b.data);
		result = err_next(e, "join them first: mig-gen --merge");
	}
	buf_free(&b);
	free(heads);
	return result;
}

/* Two at once would choose the same version.  A folder that cannot be locked is not. */
static int
lock_folder(const char *folder, int *fd, struct err *e)
{
	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd == -1)
		return err_sys(e, "open the folder '%s'", folder);
	while (flock(*fd, LOCK_EX) == -1 && errno == EINTR)
		if (stop_check(e) == -1) {
			close(*fd);
			*fd = -1;
			return -1;
		}
	return 0;
}

int
op_gen(struct doc_generation *out, const struct op *o,
	const struct op_gen_options *p, struct err *e)
{
	struct gen g = { .out = out, .o = o, .p = p };
	const struct format *format;
	struct set set = { 0 };
	int result, made, lock = -1;

	out->tool = mem_dup(o->tool);
	out->action = "generate";
	out->folder = mem_dup(o->migrations);
	g.server = o->url != NULL && db_is_server(o->url);
	result = fill(&g, e);
	if (result == 0)
		result = file_make_dir(o->migrations, 0777, &made, e);
	if (result == 0)
		result = lock_folder(o->migrations, &lock, e);
	if (result == 0)
		result = op_gen_format(g.o, &format, e);
	if (result == 0)
		result = set_read(&set, o->migrations, format, op_db_engine(o), NULL, e);
	if (result == 0 && format->write != NULL)
		result = judge_heads(&g, &set, e);
	if (result == 0)
		result = write_files(&g, &set, e);
	if (lock != -1)
		close(lock);
	set_free(&set);
	buf_free(&g.up);
	buf_free(&g.down);
	buf_free(&g.up2);
	buf_free(&g.down2);
	return result;
}
