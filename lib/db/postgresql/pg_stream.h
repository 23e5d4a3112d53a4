/*
 * pg_stream: the bytes of a dump, taken one after the other; for pg_contents.c
 * (its table of contents), pg_entry.c (what that says), pg_dump.c (its data)
 * and pg_weave.c (what mig adds to it).
 */
#ifndef DB_POSTGRESQL_PG_STREAM_H
#define DB_POSTGRESQL_PG_STREAM_H

#include "codec/sha256.h"
#include "db/postgresql/pg.h"
#include "db/postgresql/pg_dump.h"

#define PG_ENTRIES_MAX 50000000
#define PG_DATA 3 /* sections: rows */
#define PG_POST_DATA 4 /* indexes, keys, triggers */

/* Texts of an entry of the contents. */
enum { PG_TAG, PG_DESC, PG_DEFN, PG_DROP, PG_COPY, PG_NAMESPACE, PG_TABLESPACE,
	PG_METHOD, PG_OWNER, PG_TEXTS };

/* An entry of the contents. */
struct pg_item {
	int64_t id;
	int64_t oid; /* in the catalog */
	int64_t section;
	int64_t at, end; /* where it stands in the stream */
	int has_data;
	char *t[PG_TEXTS]; /* NULL: null */
};

/* An entry whose data follows the contents. */
struct pg_entry {
	int64_t id;
	char *name; /* of the table */
	char *copy; /* the COPY that loads it; NULL: none */
	int seen, objects;
	int plain; /* rows of a table that the dump defines */
	size_t *order; /* of its columns, to be hashed; NULL: as they come */
	size_t order_n;
};

/* A sum of 256 bits: the digests of all rows, whatever their order. */
struct pg_sum {
	unsigned char v[SHA256_BYTES];
};

struct pg_stream {
	const struct pg_dump_source *s;
	const unsigned char *at, *end; /* what is left of the last piece */
	int64_t taken; /* bytes, for messages */
	int minor, int_bytes, offset_bytes;
	int64_t count, count_at; /* of the entries, and where that stands */
	int64_t data_end; /* where the first entry of post-data stands */
	int64_t highest; /* id of an entry */
	struct strs defined; /* tables that have a definition here */
	struct pg_entry *entries;
	size_t n;
	struct sha256 *hash;
	struct pg_sum definitions, core;
	struct pg_dump_result *out;
};

/* ERR_DAMAGE with the place; returns -1. */
int pg_stream_broken(const struct pg_stream *d, struct err *e,
	const char *what);

/* 1: there is something to read; 0: the end; -1. */
int pg_stream_more(struct pg_stream *d, struct err *e);

/* n bytes, or ERR_DAMAGE. */
int pg_stream_take(struct pg_stream *d, void *p, size_t n, struct err *e);
int pg_stream_int(struct pg_stream *d, int64_t *out, struct err *e);

/* Gives *out, NULL for null. */
int pg_stream_text(struct pg_stream *d, char **out, struct err *e);

void pg_stream_add(struct pg_sum *s,
	const unsigned char digest[SHA256_BYTES]);
void pg_stream_sum_text(const struct pg_sum *s, char out[SHA256_TEXT]);
void pg_stream_sum_of(const char *text, struct pg_sum *s);

/* The entry of that number, or NULL, in entries that are sorted. */
struct pg_entry *pg_stream_entry(struct pg_stream *d, int64_t id);
void pg_stream_sort(struct pg_stream *d);

/* The head and the table of contents: fills entries and definitions. */
int pg_contents_read(struct pg_stream *d, struct err *e);

/* Count an entry in: definitions, columns, roles, and data to come. */
int pg_entry_note(struct pg_stream *d, const struct pg_item *x,
	struct err *e);

/* Rows without the definition of their table belong to an extension. */
void pg_entry_extensions(struct pg_stream *d);

#endif
