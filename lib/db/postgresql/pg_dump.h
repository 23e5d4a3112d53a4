/* pg_dump: the stream of pg_dump -Fc, read as it passes. */
#ifndef DB_POSTGRESQL_PG_DUMP_H
#define DB_POSTGRESQL_PG_DUMP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/strs.h"
#include "json/wire.h"

struct err;
struct pg_item;
struct pg_stream;

struct pg_dump_source {
	void *arg;
	/* The next bytes: their count, 0 at the end, -1. */
	ssize_t (*more)(void *arg, const unsigned char **p, struct err *e);
	const struct pg_dump_result *like; /* to be compared with; or NULL */
	/* Each entry of the contents; may be NULL. */
	void (*item)(void *arg, const struct pg_item *x);
	/* After the contents, before the first data; may be NULL. */
	int (*data)(void *arg, struct pg_stream *d, struct err *e);
};

struct pg_dump_columns {
	char *table;
	struct strs names; /* in the order of the dump */
};

struct pg_dump_result {
	struct shape_list tables; /* struct wire_table */
	int64_t bytes;
	int64_t definitions; /* entries that define, mig's own left out */
	char digest[65]; /* of all definitions, whatever their order */
	char core[65]; /* the same without owners and privileges */
	struct pg_dump_columns *columns;
	size_t columns_n;
	char *encoding; /* of its database */
	struct strs roles; /* that it names, exactly; more do no harm */
	int ordered; /* rows of extensions must be loaded as they come */
	char *server; /* version of the server and of pg_dump */
};

/* Read to the end.  ERR_DAMAGE when it is cut off or not as it should be. */
int pg_dump_read(struct pg_dump_result *out, const struct pg_dump_source *s,
	struct err *e);
/* Only the contents: no tables. */
int pg_dump_contents(struct pg_dump_result *out,
	const struct pg_dump_source *s, struct err *e);
/* Add tables that are known from elsewhere. */
void pg_dump_list(struct pg_dump_result *r, const struct shape_list *tables);
/* What was read of a table; NULL: it is not in it. */
const struct wire_table *pg_dump_table(const struct pg_dump_result *r,
	const char *name);
void pg_dump_result_free(struct pg_dump_result *r);
/* "schema.table", quoted where needed.  Gives. */
char *pg_dump_name(const char *schema, const char *table);
/* Bytes that are not UTF-8 as \xHH, for documents.  Takes name.  Gives. */
char *pg_dump_utf8(char *name);

#endif
