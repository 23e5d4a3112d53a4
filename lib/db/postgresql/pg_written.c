/* pg_written: whether something was written, and where the server stands. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_trace.h"

/*
 * The snapshot moves with every transaction of the cluster, also with our own
 * restore beside; these counters are of this database and its users' tables.
 * A session reports to them at the latest when it ends.
 */
int
pg_written(struct pg *p, char **out, struct err *e)
{
	char fingerprint[65], *counters;

	*out = NULL;
	if (pg_catalog_fingerprint(&p->base, fingerprint, e) == -1 ||
		pg_sql_value(p, &counters, e, "SELECT pg_catalog.concat_ws(' ',"
		"(SELECT pg_catalog.concat_ws(',', pg_catalog.sum(n_tup_ins), "
		"pg_catalog.sum(n_tup_upd), pg_catalog.sum(n_tup_del), "
		"pg_catalog.count(*)) FROM pg_catalog.pg_stat_all_tables WHERE "
		"schemaname !~ '^pg_(catalog|toast|temp)' OR relname IN "
		"('pg_largeobject', 'pg_largeobject_metadata')), (SELECT "
		"pg_catalog.sum(relfilenode::bigint) FROM pg_catalog.pg_class "
		"WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384 AND "
		"relpersistence <> 't'), (SELECT pg_catalog.sum("
		"pg_catalog.hashtext(schemaname || '.' || sequencename || "
		"coalesce(last_value, 0))::bigint) FROM "
		"pg_catalog.pg_sequences))", NULL) == -1)
		return -1;
	*out = mem_printf("%s %s", fingerprint, counters);
	free(counters);
	return 0;
}

int
pg_written_at_end(struct pg *p, char **out, struct err *e)
{
	/* Older servers get the counts by a message that may be on its way. */
	if (p->version < 150000)
		clock_pause_ms(600);
	return pg_written(p, out, e);
}

#define XMINS(catalog) \
	"SELECT pg_catalog.sum(xmin::text::bigint) AS x FROM pg_catalog.pg_" \
	catalog

/*
 * Counts of rows, and of every change of a catalog.  A session that has ended tells its
 * counts a little later, before version 15; one that goes on may tell them much later:
 * while there are others, any write on the server counts.
 */
int
pg_written_ever(struct db *d, char **out, struct err *e)
{
	struct pg *p = pg_of(d);

	static const char more[] = "SELECT pg_catalog.concat_ws(' ', (SELECT "
		"pg_catalog.sum(x) FROM (" XMINS("class") " UNION ALL "
		XMINS("attribute") " UNION ALL " XMINS("namespace")
		" UNION ALL " XMINS("proc") " UNION ALL " XMINS("type")
		" UNION ALL " XMINS("constraint") " UNION ALL "
		XMINS("description") " UNION ALL " XMINS("default_acl")
		" UNION ALL " XMINS("foreign_server") " UNION ALL "
		XMINS("foreign_data_wrapper") " UNION ALL " XMINS("cast")
		" UNION ALL " XMINS("collation") " UNION ALL " XMINS("trigger")
		" UNION ALL " XMINS("policy") " UNION ALL " XMINS("rewrite")
		" UNION ALL " XMINS("index") " UNION ALL " XMINS("extension")
		" UNION ALL " XMINS("db_role_setting") " UNION ALL "
		XMINS("database") " UNION ALL " XMINS("largeobject_metadata")
		") AS y), CASE WHEN pg_catalog.current_setting('track_counts') "
		"= 'off' OR EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity "
		"WHERE datname = pg_catalog.current_database() AND pid <> "
		"pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL) "
		"THEN pg_catalog.pg_current_snapshot()::text END)";
	char *counters, *catalogs;

	if (p->version < 150000)
		clock_pause_ms(1100);
	if (pg_sql_exec(d, "SELECT pg_catalog.pg_stat_clear_snapshot()", e) ==
		-1 || pg_written(p, &counters, e) == -1)
		return -1;
	if (pg_sql_value(p, &catalogs, e, more, NULL) == -1) {
		free(counters);
		return -1;
	}
	*out = mem_printf("%s %s", counters, catalogs == NULL ? "" : catalogs);
	free(counters);
	free(catalogs);
	return 0;
}

int
pg_written_mark(struct db *d, struct err *e)
{
	struct pg *p = pg_of(d);

	free(p->mark);
	return pg_written(p, &p->mark, e);
}

int
pg_written_position(struct db *d, struct wire_position *out, struct err *e)
{
	struct pg *p = pg_of(d);
	PGresult *r = pg_sql_one(p, "SELECT pg_catalog.pg_current_snapshot(), "
		"CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
		"pg_catalog.pg_last_wal_replay_lsn() ELSE "
		"pg_catalog.pg_current_wal_lsn() END", 0, NULL, e);

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
		pg_error(p, r, e, "ask where it stands");
		PQclear(r);
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->journal = "server";
	out->change_counter = out->pages = out->page_bytes = -1;
	out->wal_frames = out->changed_ns = -1;
	out->snapshot = mem_dup(PQgetvalue(r, 0, 0));
	if (!PQgetisnull(r, 0, 1))
		out->wal_location = mem_dup(PQgetvalue(r, 0, 1));
	PQclear(r);
	return 0;
}
