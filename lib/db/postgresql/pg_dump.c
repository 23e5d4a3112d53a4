/*
 * pg_dump: the stream of "pg_dump -Fc -Z0", read as it passes: which tables it
 * holds, their rows and bytes and an order-free digest of the rows, and
 * whether it is whole.  The format has no description of its own; this is what
 * src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c of PostgreSQL 13
 * to 17 write, versions 1.14 to 1.16:
 *
 *	"PGDMP", version, sizes, format 1, compression, time, names,
 *	number of entries, the entries of the table of contents,
 *	then blocks: 1 (a table's data) or 3 (large objects), the entry's number,
 *	pieces of data each with its length, 0.
 *
 * An integer is a sign and intSize bytes, the lowest first; a text is its
 * length (-1: null) and its bytes.  COPY text has one row in each line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_stream.h"

/* The rows of one table, or the large objects. */
struct pg_rows {
	int64_t rows, bytes;
	struct pg_sum sum;
	int ended; /* "\." was met */
	unsigned char head[2]; /* the first bytes of the row */
	size_t length; /* of the row so far */
	const struct pg_entry *entry;
	struct buf row; /* whole, only for another order of columns */
};

/* Hash the row's columns in the order of the other dump. */
static void
hash_in_order(struct pg_stream *d, struct pg_rows *x)
{
	const struct pg_entry *n = x->entry;
	size_t i, k;

	for (i = 0; i < n->order_n; i++) {
		const char *p = x->row.data, *end = p + x->row.len, *stop;

		for (k = 0; k < n->order[i] && p < end; k++) {
			stop = memchr(p, '\t', (size_t)(end - p));
			p = stop == NULL ? end : stop + 1;
		}
		stop = p < end ? memchr(p, '\t', (size_t)(end - p)) : NULL;
		if (i > 0)
			sha256_add(d->hash, "\t", 1);
		sha256_add(d->hash, p, (size_t)((stop == NULL ? end : stop) -
			p));
	}
	buf_clear(&x->row);
}

static void
end_row(struct pg_stream *d, struct pg_rows *x)
{
	unsigned char digest[SHA256_BYTES];

	if (x->entry->order != NULL && x->row.len > 0)
		hash_in_order(d, x);
	sha256_end(d->hash, digest);
	if (x->length == 2 && memcmp(x->head, "\\.", 2) == 0) {
		x->ended = 1;
	} else {
		pg_stream_add(&x->sum, digest);
		x->rows++;
	}
	x->length = 0;
}

static void
feed_rows(struct pg_stream *d, struct pg_rows *x, const unsigned char *p, size_t n)
{
	while (n > 0 && !x->ended) {
		const unsigned char *end = memchr(p, '\n', n);
		size_t k = end == NULL ? n : (size_t)(end - p), i;

		for (i = 0; x->length + i < 2 && i < k; i++)
			x->head[x->length + i] = p[i];
		if (x->entry->order != NULL)
			buf_add(&x->row, p, k);
		else if (k > 0)
			sha256_add(d->hash, p, k);
		x->length += k;
		p += k;
		n -= k;
		if (end == NULL)
			return;
		end_row(d, x);
		p++;
		n--;
	}
}

/* Pieces of data up to the 0: rows of a table, or one large object. */
static int
take_pieces(struct pg_stream *d, struct pg_rows *x, int rows, struct err *e)
{
	int64_t n;

	for (;;) {
		if (pg_stream_int(d, &n, e) == -1)
			return -1;
		if (n == 0)
			return 0;
		if (n < 0)
			return pg_stream_broken(d, e, "the length of data cannot be");
		x->bytes += n;
		while (n > 0) {
			size_t k;
			int got = pg_stream_more(d, e);

			if (got == -1)
				return -1;
			if (got == 0)
				return pg_stream_broken(d, e, "it is cut off in its "
					"data");
			k = (size_t)(d->end - d->at);
			k = (int64_t)k > n ? (size_t)n : k;
			if (!rows)
				sha256_add(d->hash, d->at, k);
			else if (!x->ended)
				feed_rows(d, x, d->at, k);
			d->at += k;
			d->taken += (int64_t)k;
			n -= (int64_t)k;
		}
	}
}

static int
take_objects(struct pg_stream *d, struct pg_rows *x, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	char name[32];
	int64_t oid;

	for (;;) {
		if (pg_stream_int(d, &oid, e) == -1)
			return -1;
		if (oid == 0)
			return 0;
		snprintf(name, sizeof(name), "%" PRId64, oid);
		sha256_add_text(d->hash, name);
		if (take_pieces(d, x, 0, e) == -1)
			return -1;
		sha256_end(d->hash, digest);
		pg_stream_add(&x->sum, digest);
		x->rows++;
	}
}

static int
take_block(struct pg_stream *d, int type, struct err *e)
{
	struct pg_rows x = { 0 };
	struct wire_table *t;
	struct pg_entry *entry;
	char digest[SHA256_TEXT];
	int64_t id;
	int result;

	if (pg_stream_int(d, &id, e) == -1)
		return -1;
	entry = pg_stream_entry(d, id);
	if (entry == NULL || entry->seen || (type == 3) != entry->objects)
		return pg_stream_broken(d, e, "a block is in no entry, or twice");
	entry->seen = 1;
	x.entry = entry;
	result = entry->objects ? take_objects(d, &x, e) :
				  take_pieces(d, &x, 1, e);
	buf_free(&x.row);
	if (result == -1)
		return err_wrap(e, "data of %s", entry->name);
	if (!entry->objects && !x.ended)
		return pg_stream_broken(d, e, "the rows of a table have no end");
	pg_stream_sum_text(&x.sum, digest);
	t = shape_list_add(&d->out->tables, &wire_table_shape);
	t->name = mem_dup(entry->name);
	t->digest = mem_dup(digest);
	t->rows = x.rows;
	t->bytes = x.bytes;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct wire_table *)a)->name,
		((const struct wire_table *)b)->name);
}

/* a += b, and b is empty. */
static void
join(struct wire_table *a, struct wire_table *b)
{
	struct pg_sum x, y;
	char digest[SHA256_TEXT];

	pg_stream_sum_of(a->digest, &x);
	pg_stream_sum_of(b->digest, &y);
	pg_stream_add(&x, y.v);
	pg_stream_sum_text(&x, digest);
	memcpy(a->digest, digest, sizeof(digest));
	a->rows += b->rows;
	a->bytes += b->bytes;
	shape_release(&wire_table_shape, b);
}

/* Several blocks of one name (partitions by their root) are one table. */
static void
join_parts(struct shape_list *l)
{
	struct wire_table *t = l->items;
	size_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (n > 0 && strcmp(t[n - 1].name, t[i].name) == 0)
			join(&t[n - 1], &t[i]);
		else
			t[n++] = t[i];
	l->n = n;
}

static int
take_all(struct pg_stream *d, struct err *e)
{
	unsigned char type;
	size_t i;
	int got;

	if (pg_contents_read(d, e) == -1)
		return -1;
	pg_stream_sort(d);
	if (d->s->data != NULL && d->s->data(d->s->arg, d, e) == -1)
		return -1;
	pg_stream_sort(d); /* with what was added */
	while ((got = pg_stream_more(d, e)) == 1) {
		if (pg_stream_take(d, &type, 1, e) == -1)
			return -1;
		if (type != 1 && type != 3)
			return pg_stream_broken(d, e, "no block begins here");
		if (take_block(d, type, e) == -1)
			return -1;
	}
	if (got == -1)
		return -1;
	for (i = 0; i < d->n; i++)
		if (!d->entries[i].seen)
			return err_set(e, ERR_DAMAGE, "damage", "the dump ends "
				"without the data of %s", d->entries[i].name);
	if (d->out->tables.n > 0)
		qsort(d->out->tables.items, d->out->tables.n,
			sizeof(struct wire_table), by_name);
	join_parts(&d->out->tables);
	return 0;
}

static int
run(struct pg_dump_result *out, const struct pg_dump_source *s, int whole,
	struct err *e)
{
	struct pg_stream d = { .s = s, .out = out };
	size_t i;
	int result;

	memset(out, 0, sizeof(*out));
	d.hash = sha256_new();
	result = whole ? take_all(&d, e) : pg_contents_read(&d, e);
	sha256_free(d.hash);
	pg_stream_sum_text(&d.definitions, out->digest);
	pg_stream_sum_text(&d.core, out->core);
	for (i = 0; i < d.n; i++) {
		free(d.entries[i].name);
		free(d.entries[i].order);
		free(d.entries[i].copy);
	}
	free(d.entries);
	strs_free(&d.defined);
	if (result == -1)
		pg_dump_result_free(out);
	return result;
}

int
pg_dump_read(struct pg_dump_result *out, const struct pg_dump_source *s,
	struct err *e)
{
	return run(out, s, 1, e);
}

int
pg_dump_contents(struct pg_dump_result *out, const struct pg_dump_source *s,
	struct err *e)
{
	return run(out, s, 0, e);
}

void
pg_dump_list(struct pg_dump_result *r, const struct shape_list *tables)
{
	const struct wire_table *t = tables->items;
	struct wire_table *x;
	size_t i;

	for (i = 0; i < tables->n; i++) {
		x = shape_list_add(&r->tables, &wire_table_shape);
		x->name = mem_dup(t[i].name);
		x->digest = mem_dup(t[i].digest);
		x->rows = t[i].rows;
		x->bytes = t[i].bytes;
	}
	if (r->tables.n > 0)
		qsort(r->tables.items, r->tables.n, sizeof(*x), by_name);
}

const struct wire_table *
pg_dump_table(const struct pg_dump_result *r, const char *name)
{
	struct wire_table key = { .name = (char *)name };

	return r->tables.n == 0 ? NULL : bsearch(&key, r->tables.items,
		r->tables.n, sizeof(key), by_name);
}

void
pg_dump_result_free(struct pg_dump_result *r)
{
	size_t i;

	db_tables_free(&r->tables);
	for (i = 0; i < r->columns_n; i++) {
		free(r->columns[i].table);
		strs_free(&r->columns[i].names);
	}
	free(r->columns);
	strs_free(&r->roles);
	free(r->encoding);
	free(r->server);
	memset(r, 0, sizeof(*r));
}
