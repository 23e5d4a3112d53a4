/*
 * pg_weave: rows of large tables woven into the stream of a pg_dump that was
 * told to leave them out.  What comes out is the dump that it would have made
 * with them, but for their order: for each table an entry in the contents, and
 * a block of data before pg_dump's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/lex.h"
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_source.h"

#define DATA_BLOCK 1
#define NO_OFFSET 1 /* "not known", as where the output is a pipe */

static void
add_int(const struct pg_stream *d, struct buf *b, int64_t n)
{
	uint64_t v = n < 0 ? (uint64_t)-n : (uint64_t)n;
	int i;

	buf_char(b, n < 0);
	for (i = 0; i < d->int_bytes; i++, v >>= 8)
		buf_char(b, (char)(v & 0xff));
}

static void
add_text(const struct pg_stream *d, struct buf *b, const char *text)
{
	add_int(d, b, text == NULL ? -1 : (int64_t)strlen(text));
	if (text != NULL)
		buf_text(b, text);
}

/* An entry as pg_dump writes it for the rows of a table. */
static void
add_item(const struct pg_stream *d, struct buf *b, const struct pg_item *x,
	int64_t table)
{
	char text[24];
	int i;

	add_int(d, b, x->id);
	add_int(d, b, x->has_data);
	add_text(d, b, "0");
	snprintf(text, sizeof(text), "%lld", (long long)x->oid);
	add_text(d, b, text);
	add_text(d, b, x->t[PG_TAG]);
	add_text(d, b, x->t[PG_DESC]);
	add_int(d, b, x->section);
	add_text(d, b, x->t[PG_DEFN]);
	add_text(d, b, x->t[PG_DROP]);
	add_text(d, b, x->t[PG_COPY]);
	add_text(d, b, x->t[PG_NAMESPACE]);
	add_text(d, b, x->t[PG_TABLESPACE]);
	add_text(d, b, x->t[PG_METHOD]);
	if (d->minor >= 16)
		add_int(d, b, 0); /* the kind: only of tables themselves */
	add_text(d, b, x->t[PG_OWNER]);
	add_text(d, b, "false"); /* it has no OIDs */
	snprintf(text, sizeof(text), "%lld", (long long)table);
	add_text(d, b, text); /* what it depends on, and their end */
	add_text(d, b, NULL);
	buf_char(b, NO_OFFSET);
	for (i = 0; i < d->offset_bytes; i++)
		buf_char(b, 0);
}

/* As pg_dump orders entries of rows: by schema, then by name. */
static int
compare(const struct pg_copy_table *t, const char *schema, const char *name)
{
	int order = strcmp(t->schema, schema == NULL ? "" : schema);

	return order != 0 ? order : strcmp(t->name, name);
}

static void
meet_rows(struct pg_source *s, struct pg_copy_table *t,
	const struct pg_item *x)
{
	if (t->oid == x->oid)
		t->has_data = 1;
	if (t->place == 0 && compare(t, x->t[PG_NAMESPACE], x->t[PG_TAG]) < 0)
		t->place = x->at;
	s->rows_end = x->end;
}

void
pg_weave_item(void *arg, const struct pg_item *x)
{
	struct pg_source *s = arg;
	size_t i, n;
	struct pg_copy_table *t = pg_copy_tables(s->copy, &n);
	int table = strcmp(x->t[PG_DESC], "TABLE") == 0;
	int rows = strcmp(x->t[PG_DESC], "TABLE DATA") == 0;

	if (!rows && x->section == PG_DATA && s->other_data == 0)
		s->other_data = x->at;
	for (i = 0; i < n && (table || rows); i++) {
		if (rows) {
			meet_rows(s, &t[i], x);
		} else if (t[i].oid == x->oid && t[i].id == 0) {
			t[i].id = x->id;
			t[i].owner = mem_dup(x->t[PG_OWNER]);
		}
	}
}

/* A table that pg_dump knows, and has left the rows of to us. */
static int
is_ours(const struct pg_copy_table *t)
{
	return t->id != 0 && !t->has_data;
}

/*
 * We see to the entry that was just noted.  When it is to be compared with the
 * same columns in another order, they are read in that order.
 */
static void
take_over(struct pg_stream *d, struct pg_copy_table *t)
{
	struct pg_entry *x = &d->entries[d->n - 1];
	const struct strs *names = &d->out->columns[d->out->columns_n - 1].names;
	struct buf b = { 0 };
	size_t i;

	x->seen = 1;
	for (i = 0; x->order != NULL && i < x->order_n; i++) {
		if (i > 0)
			buf_text(&b, ", ");
		lex_quote(&b, names->v[x->order[i]],
			strlen(names->v[x->order[i]]));
	}
	if (x->order == NULL)
		return;
	free(t->columns);
	t->columns = buf_detach(&b);
}

static int
by_place(const void *a, const void *b)
{
	const struct pg_copy_table *x = *(struct pg_copy_table *const *)a;
	const struct pg_copy_table *y = *(struct pg_copy_table *const *)b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return compare(x, y->schema, y->name);
}

/* Our tables in the order of their entries: where pg_dump would have them. */
static struct pg_copy_table **
in_order(struct pg_source *s, const struct pg_stream *d, size_t *n)
{
	size_t i, all;
	struct pg_copy_table *t = pg_copy_tables(s->copy, &all);
	struct pg_copy_table **list = mem_array(all + 1, sizeof(*list));
	int64_t last = s->rows_end > 0 ? s->rows_end :
		s->other_data > 0 ? s->other_data : d->data_end;

	for (i = 0, *n = 0; i < all; i++) {
		if (!is_ours(&t[i]))
			continue;
		if (t[i].place == 0)
			t[i].place = last;
		list[(*n)++] = &t[i];
	}
	if (*n > 0)
		qsort(list, *n, sizeof(*list), by_place);
	return list;
}

/* The entry of one table; it is noted as the others were. */
static int
weave_entry(struct pg_stream *d, struct buf *out, struct pg_copy_table *t,
	struct err *e)
{
	char kind[] = "TABLE DATA";
	struct pg_item x = { .id = ++d->highest, .oid = t->oid,
		.section = PG_DATA, .has_data = 1 };
	int result;

	x.t[PG_TAG] = t->name;
	x.t[PG_DESC] = kind;
	x.t[PG_NAMESPACE] = t->schema;
	x.t[PG_OWNER] = t->owner;
	x.t[PG_COPY] = mem_printf("COPY %s (%s) FROM stdin;\n", t->from,
		t->columns);
	add_item(d, out, &x, t->id);
	t->data_id = x.id;
	result = pg_entry_note(d, &x, e);
	if (result == 0)
		take_over(d, t);
	free(x.t[PG_COPY]);
	return result;
}

/* The contents with our entries in them. */
static int
weave_contents(struct pg_source *s, struct pg_stream *d, struct buf *out,
	struct err *e)
{
	size_t i, n;
	struct pg_copy_table **list = in_order(s, d, &n);
	int64_t at = d->count_at + 1 + d->int_bytes;
	int result = 0;

	buf_add(out, s->held.data, (size_t)d->count_at);
	add_int(d, out, d->count + (int64_t)n);
	for (i = 0; i < n && result == 0; i++) {
		buf_add(out, s->held.data + at, (size_t)(list[i]->place - at));
		at = list[i]->place;
		result = weave_entry(d, out, list[i], e);
	}
	buf_add(out, s->held.data + at, (size_t)(d->taken - at));
	free(list);
	return result;
}

struct weaving {
	struct pg_source *s;
	const struct pg_stream *d;
};

/* Whole rows, as one piece of a block. */
static int
put_rows(void *arg, const void *p, size_t n, struct err *e)
{
	struct weaving *w = arg;
	struct buf length = { 0 };
	int result;

	add_int(w->d, &length, (int64_t)n);
	result = pg_source_put(w->s, length.data, length.len, e);
	buf_free(&length);
	return result == 0 ? pg_source_put(w->s, p, n, e) : -1;
}

static int
weave_table(struct pg_source *s, struct pg_stream *d,
	const struct pg_copy_table *t, struct err *e)
{
	struct weaving w = { s, d };
	struct pg_copy_count count;
	struct buf b = { 0 };
	struct wire_table *x;
	char digest[SHA256_TEXT];
	int result;

	buf_char(&b, DATA_BLOCK);
	add_int(d, &b, t->data_id);
	result = pg_source_put(s, b.data, b.len, e);
	if (result == 0)
		result = pg_copy_rows(s->copy, t, put_rows, &w, &count, e);
	if (result == 0)
		result = put_rows(&w, PG_COPY_END, strlen(PG_COPY_END), e);
	buf_clear(&b);
	add_int(d, &b, 0);
	if (result == 0)
		result = pg_source_put(s, b.data, b.len, e);
	buf_free(&b);
	if (result == -1)
		return -1;
	pg_stream_sum_text(&count.sum, digest);
	x = shape_list_add(&d->out->tables, &wire_table_shape);
	x->name = pg_dump_name(t->schema, t->name);
	x->digest = mem_dup(digest);
	x->rows = count.rows;
	x->bytes = count.bytes + (int64_t)strlen(PG_COPY_END);
	return 0;
}

/* Rows of two encodings in one dump would be garbled by a restore. */
static int
check_encoding(const struct pg_source *s, const struct pg_stream *d,
	struct err *e)
{
	const char *ours = pg_copy_encoding(s->copy);

	if (d->out->encoding != NULL && strcmp(d->out->encoding, ours) == 0)
		return 0;
	err_set(e, ERR_ENV, "program", "pg_dump writes in the encoding %s, not "
		"in %s", d->out->encoding == NULL ? "?" : d->out->encoding,
		ours);
	return pg_error_odd(e);
}

int
pg_weave_data(void *arg, struct pg_stream *d, struct err *e)
{
	struct pg_source *s = arg;
	struct buf contents = { 0 };
	size_t i, n;
	const struct pg_copy_table *t = pg_copy_tables(s->copy, &n);
	int result = check_encoding(s, d, e);

	s->holding = 0;
	if (result == 0)
		result = weave_contents(s, d, &contents, e);
	if (result == 0)
		result = pg_source_put(s, contents.data, contents.len, e);
	buf_free(&contents);
	for (i = 0; i < n && result == 0; i++)
		if (is_ours(&t[i]))
			result = weave_table(s, d, &t[i], e);
	/* What was read behind the contents. */
	if (result == 0)
		result = pg_source_put(s, s->held.data + d->taken,
			s->held.len - (size_t)d->taken, e);
	buf_free(&s->held);
	return result;
}
