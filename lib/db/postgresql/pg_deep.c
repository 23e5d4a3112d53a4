/*
 * pg_deep: a dump restored into a scratch server, dumped again and compared:
 * the proof that it can be restored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/report.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_fill.h"
#include "db/postgresql/pg_scratch.h"
#include "db/postgresql/pg_source.h"
#include "os/file.h"

static int
format_and_run(struct pg *m, const char *sql, const char *name, struct err *e)
{
	char *text;
	int result;

	if (pg_sql_value(m, &text, e, sql, name) == -1)
		return -1;
	result = text == NULL ? 0 : pg_sql_exec(&m->base, text, e);
	free(text);
	return result;
}

/* Roles belong to the server that was backed up: names are enough here. */
int
pg_deep_roles(struct pg *m, const struct strs *roles, int super,
	struct err *e)
{
	size_t i;

	for (i = 0; i < roles->n; i++)
		if (format_and_run(m, super ? "SELECT pg_catalog.format("
			"'CREATE ROLE %I SUPERUSER', $1::text) WHERE NOT EXISTS "
			"(SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = "
			"$1) AND $1 !~ '^pg_'" : "SELECT pg_catalog.format("
			"'CREATE ROLE %I', $1::text) WHERE NOT EXISTS "
			"(SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = "
			"$1) AND $1 !~ '^pg_'", roles->v[i], e) == -1)
			return -1;
	return 0;
}

/*
 * Every B-tree of the restored database.  Only what amcheck itself says of an
 * index is damage; the rows were compared before.
 */
static int
count_indexes(struct pg *p, char **n, struct err *e)
{
	int result = pg_sql_value(p, n, e, "SELECT pg_catalog.count("
		"mig_amcheck.bt_index_check(c.oid, false)::text) FROM "
		"pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = "
		"c.relam JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
		"WHERE a.amname = 'btree' AND c.relkind = 'i' AND "
		"c.relpersistence <> 't' AND i.indisvalid", NULL);

	if (result == -1 && strcmp(e->reason, "database") == 0)
		e->code = ERR_DAMAGE;
	return result;
}

/* amcheck, where it is there. */
static int
check_indexes(struct pg *m, const char *name, char **said, struct err *e)
{
	struct pg *p;
	char *n = NULL;
	int result;

	*said = NULL;
	if (pg_open_beside(&p, m, name, e) == -1)
		return -1;
	result = pg_sql_exec(&p->base, "SET statement_timeout = 0", e);
	if (result == 0)
		result = pg_sql_value(p, &n, e, "SELECT name FROM "
			"pg_catalog.pg_available_extensions WHERE name = "
			"'amcheck'", NULL);
	if (result == 0 && n != NULL) {
		free(n);
		n = NULL;
		result = pg_sql_exec(&p->base, "CREATE SCHEMA mig_amcheck; "
			"CREATE EXTENSION amcheck SCHEMA mig_amcheck", e);
		if (result == 0)
			result = count_indexes(p, &n, e);
		else if (strcmp(e->reason, "permission") == 0)
			result = 0;
		if (result == 0)
			*said = n != NULL ? mem_printf(", %s indexes by "
				"amcheck", n) : mem_printf("; its indexes were "
				"not looked at by amcheck: %s", e->text);
	}
	free(n);
	pg_open_close(&p->base);
	return result;
}

static int
restore_and_compare(struct pg *m, const char *name,
	const struct pg_dump_result *want, const char *scratch, int jobs,
	char *found, size_t room, struct err *e)
{
	char *said = NULL, *sql = mem_printf("SELECT pg_catalog.format('CREATE "
		"DATABASE %%I TEMPLATE template0 ENCODING ''%s'' LC_COLLATE "
		"''C'' LC_CTYPE ''C''', $1::text)",
		want->encoding == NULL ? "UTF8" : want->encoding);
	int result = format_and_run(m, sql, name, e);

	free(sql);
	if (result == -1)
		return -1;
	result = -1;
	if (pg_fill_database(m, name, scratch, jobs, e) == 0 &&
		pg_restore_prove(m, name, want, jobs, 1, e) == 0)
		result = check_indexes(m, name, &said, e);
	if (result == 0)
		snprintf(found, room, "ok");
	if (result == 0)
		report_say(m->base.report, REPORT_NOTE, "restored into a "
			"scratch server, dumped again: the same%s",
			said == NULL ? "" : said);
	free(said);
	return result;
}

int
pg_deep_check(struct db *d, const char *scratch, const char *server, int jobs,
	const struct report *report, char *found, size_t room, struct err *e)
{
	const struct pg_dump_result *r = pg_scratch_result(pg_of(d));
	int major = r->server == NULL ? 0 : (int)strtol(r->server, NULL, 10);
	struct db_options o = { .mode = DB_WRITE, .report = report };
	struct pg_server *s = NULL;
	char id[ID_TEXT], *name = NULL;
	struct err second;
	struct db *m = NULL;
	int result = -1;

	o.url = server;
	if (server == NULL && pg_server_start(&s, major, 0, &o.url, e) == -1)
		return -1;
	if (pg_open_db(&m, &o, e) == -1 || id_new(id, e) == -1 ||
		pg_deep_roles(pg_of(m), &r->roles, server == NULL, e) == -1)
		goto out;
	name = mem_printf("mig_scratch_%.8s", id);
	result = restore_and_compare(pg_of(m), name, r, scratch,
		jobs, found, room, e);
	if (server != NULL && format_and_run(pg_of(m), "SELECT "
		"pg_catalog.format('DROP DATABASE IF EXISTS %I WITH (FORCE)', "
		"$1::text)", name, &second) == -1)
		report_say(report, REPORT_WARN, "'%s' is left on the scratch "
			"server: %s", name, second.text);
out:
	free(name);
	db_close(m);
	pg_server_free(s);
	return result == -1 ? err_wrap(e, "restore into scratch") : 0;
}

int
pg_deep_copy_schema(struct db *from, struct db *to, struct err *e)
{
	struct db_options o = { .mode = DB_SCRATCH };
	const char *tmp = getenv("TMPDIR");
	char *folder, *path;
	struct db *dump;
	int result = -1;

	if (file_make_temp_dir(tmp == NULL || *tmp == '\0' ? "/tmp" : tmp,
		"mig-schema-", &folder, e) == -1)
		return -1;
	o.url = path = file_join(folder, "dump");
	if (pg_source_schema(pg_of(from), path, e) == 0 &&
		pg_scratch_open(&dump, &o, e) == 0) {
		const struct pg_dump_result *r =
			pg_scratch_result(pg_of(dump));

		if (pg_deep_roles(pg_of(to), &r->roles, 1, e) == 0)
			result = pg_fill_database(pg_of(to), pg_of(to)->name,
				path, 1, e);
		db_close(dump);
	}
	file_remove_tree(folder);
	free(path);
	free(folder);
	return result == -1 ? err_wrap(e, "copy the schema") : 0;
}
