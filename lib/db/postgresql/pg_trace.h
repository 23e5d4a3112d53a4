/* pg_trace: for the rest of the driver; see db/db_trace.h. */
#ifndef DB_POSTGRESQL_PG_TRACE_H
#define DB_POSTGRESQL_PG_TRACE_H

#include "db/postgresql/pg.h"

int pg_trace_migration(struct db *d, struct err *e);
int pg_trace_before(struct db *d, int outside, struct err *e);
int pg_trace_after(struct db *d, struct trace_statement *out, struct err *e);
void pg_trace_cancel(struct db *d);
int pg_trace_written(struct db *d, int64_t *bytes, struct err *e);

/* What the server says: 1 when it is for the trace, and for nobody else. */
int pg_trace_notice(struct pg *p, const char *text);
void pg_trace_free(struct pg *p);

/* pg_bring.c */
int pg_bring_table(struct db *d, const struct db_bring *b,
	struct db_brought *out, struct err *e);

/* pg_written.c, pg_catalog.c: as db_written() and db_schema(). */
int pg_written_ever(struct db *d, char **out, struct err *e);
int pg_catalog_schema(struct db *d, struct strs *out, struct err *e);

/* pg_keep.c */
int pg_keep_values(struct db *d, const struct strs *columns, int64_t limit,
	struct db_keep *k, struct err *e);
char *pg_keep_query(const struct db_keep *k, size_t column,
	const char *table_now, const char *now, int how);

/* pg_stage.c */
int pg_stage_open(struct db **out, const struct db_stage *how, struct err *e);
char *pg_stage_url(const struct db *d);
/* Drop the database of a stage on somebody's scratch server. */
void pg_stage_end(struct pg *p);

#endif
