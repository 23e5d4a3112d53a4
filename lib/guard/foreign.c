/* foreign: the history tables of other tools, by which a database is theirs. */
#include "guard/foreign.h"

#include <string.h>

#include "base/err.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"

/* Tools whose files mig does not read: a table, and a column that tells it. */
static const struct {
	const char *table, *column, *tool;
	const char *server; /* its name on a server, if that is another one */
} tools[] = {
	{ "atlas_schema_revisions", "version", "Atlas", NULL },
	{ "atlas_schema_revisions", "version", "Atlas",
		"atlas_schema_revisions.atlas_schema_revisions" },
	{ "databasechangelog", "md5sum", "Liquibase", NULL },
	{ "gorp_migrations", "applied_at", "sql-migrate", NULL },
	{ "knex_migrations", "batch", "knex", NULL },
	{ "django_migrations", "app", "Django", NULL },
	{ "SequelizeMeta", "name", "Sequelize", "\"SequelizeMeta\"" },
	{ "pgmigrations", "run_on", "node-pg-migrate", NULL },
	{ "__drizzle_migrations", "hash", "Drizzle", NULL },
	{ "__drizzle_migrations", "hash", "Drizzle",
		"drizzle.__drizzle_migrations" },
	{ "schemaversion", "md5", "Postgrator", NULL },
	{ "schemaversions", "scriptname", "DbUp", NULL },
	{ "migrations", "batch", "Laravel", NULL },
	{ "migrations", "timestamp", "TypeORM", NULL },
	{ "migrations", "run_on", "db-migrate", NULL },
	{ "__EFMigrationsHistory", "MigrationId", "Entity Framework",
		"\"__EFMigrationsHistory\"" },
	{ "doctrine_migration_versions", "executed_at", "Doctrine", NULL },
	{ "phinxlog", "migration_name", "Phinx", NULL },
	{ "mikro_orm_migrations", "executed_at", "MikroORM", NULL },
	{ "kysely_migration", "timestamp", "Kysely", NULL },
	{ "seaql_migrations", "applied_at", "SeaORM", NULL },
	{ "play_evolutions", "apply_script", "Play", NULL },
	{ "_yoyo_migration", "migration_hash", "yoyo", NULL },
	{ "aerich", "content", "Aerich", NULL },
	{ "supabase_migrations.schema_migrations", "version", "Supabase",
		NULL },
	{ "graphile_migrate.migrations", "hash", "Graphile Migrate", NULL },
};

#define TOOLS (sizeof(tools) / sizeof(*tools))

static const char *
name_of(size_t i, enum lex_rules rules)
{
	return rules == LEX_POSTGRESQL && tools[i].server != NULL ?
		tools[i].server : tools[i].table;
}

const char *
foreign_tool(struct db *d, const char **table, struct err *e)
{
	const struct format *known = history_format(d, e);
	const char *names[TOOLS];
	struct db_census c;
	int there[TOOLS], fits;
	size_t i;

	if (known != NULL) {
		*table = known->history->table;
		return known->shown;
	}
	if (e->code != ERR_NONE)
		return NULL;
	for (i = 0; i < TOOLS; i++)
		names[i] = name_of(i, db_rules(d));
	if (db_has_tables(d, names, TOOLS, there, e) == -1)
		return NULL;
	for (i = 0; i < TOOLS; i++) {
		if (!there[i])
			continue;
		if (db_census(d, names[i], 0, &c, e) == -1)
			return NULL;
		fits = db_census_column(&c, tools[i].column) < c.n;
		db_census_free(&c);
		if (fits) {
			*table = names[i];
			return tools[i].tool;
		}
	}
	return NULL;
}

int
foreign_is_books(const char *table, const struct db_census *c)
{
	/* Beside a history table, or a count of SQLite's own. */
	static const char *const more[] = { "sqlite_sequence",
		"knex_migrations_lock", "databasechangeloglock", NULL };
	const struct format *const *f;
	const char *const *m;
	size_t i;

	for (m = more; *m != NULL; m++)
		if (strcmp(*m, table) == 0)
			return 1;
	for (f = format_all; *f != NULL; f++) {
		const struct format_history *h = (*f)->history;
		size_t k;

		if (h == NULL || h->columns == NULL || strcmp(h->table, table) !=
			0)
			continue;
		for (k = 0; h->columns[k] != NULL && db_census_column(c,
			h->columns[k]) < c->n; k++)
			continue;
		if (h->columns[k] == NULL)
			return 1;
	}
	for (i = 0; i < TOOLS; i++)
		if ((strcmp(tools[i].table, table) == 0 || (tools[i].server !=
			NULL && strcmp(tools[i].server, table) == 0)) &&
			db_census_column(c, tools[i].column) < c->n)
			return 1;
	return 0;
}
