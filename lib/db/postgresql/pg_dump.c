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
#include "codec/sha256.h"
#include "db/postgresql/pg.h"

#define TEXT_MAX ((int64_t)1 << 30) /* of one text in the contents */
#define ENTRIES_MAX 50000000
#define LARGE_OBJECTS "pg_catalog.pg_largeobject"

/* An entry whose data follows the contents. */
struct entry {
	int64_t id;
	char *name; /* of the table */
	int seen, objects;
	size_t *order; /* of its columns, to be hashed; NULL: as they come */
	size_t order_n;
};

/* A sum of 256 bits: the digests of all rows, whatever their order. */
struct sum {
	unsigned char v[SHA256_BYTES];
};

struct dump {
	const struct pg_dump_source *s;
	const unsigned char *at, *end; /* what is left of the last piece */
	int64_t taken; /* bytes, for messages */
	int minor, int_bytes, offset_bytes;
	struct entry *entries;
	size_t n;
	struct sha256 *hash;
	struct sum definitions;
	struct pg_dump_result *out;
};

static int
broken(const struct dump *d, struct err *e, const char *what)
{
	return err_set(e, ERR_DAMAGE, "damage", "the dump, at byte %" PRId64
		": %s", d->taken, what);
}

/* 1: there is something to read; 0: the end; -1. */
static int
more(struct dump *d, struct err *e)
{
	ssize_t n;

	if (d->at < d->end)
		return 1;
	n = d->s->more(d->s->arg, &d->at, e);
	if (n <= 0)
		return (int)n;
	d->end = d->at + n;
	d->out->bytes += n;
	return 1;
}

static int
take(struct dump *d, void *p, size_t n, struct err *e)
{
	unsigned char *to = p;

	while (n > 0) {
		size_t k;
		int got = more(d, e);

		if (got == -1)
			return -1;
		if (got == 0)
			return broken(d, e, "it is cut off");
		k = (size_t)(d->end - d->at);
		k = k > n ? n : k;
		memcpy(to, d->at, k);
		to += k;
		d->at += k;
		d->taken += (int64_t)k;
		n -= k;
	}
	return 0;
}

static int
take_int(struct dump *d, int64_t *out, struct err *e)
{
	unsigned char b[9];
	int i;

	if (take(d, b, (size_t)d->int_bytes + 1, e) == -1)
		return -1;
	if (b[0] > 1)
		return broken(d, e, "not a number");
	for (*out = 0, i = d->int_bytes; i > 0; i--)
		*out = *out << 8 | b[i];
	if (b[0] == 1)
		*out = -*out;
	return 0;
}

/* Gives *out, NULL for null. */
static int
take_text(struct dump *d, char **out, struct err *e)
{
	int64_t n;

	*out = NULL;
	if (take_int(d, &n, e) == -1)
		return -1;
	if (n == -1)
		return 0;
	if (n < 0 || n > TEXT_MAX)
		return broken(d, e, "the length of a text cannot be");
	*out = mem_alloc((size_t)n + 1);
	if (take(d, *out, (size_t)n, e) == 0)
		return 0;
	free(*out);
	*out = NULL;
	return -1;
}

static int
skip_text(struct dump *d, struct err *e)
{
	char *text;
	int result = take_text(d, &text, e);

	free(text);
	return result;
}

static void
add_to_sum(struct sum *s, const unsigned char digest[SHA256_BYTES])
{
	unsigned carry = 0;
	int i;

	for (i = SHA256_BYTES - 1; i >= 0; i--) {
		carry += (unsigned)s->v[i] + digest[i];
		s->v[i] = (unsigned char)carry;
		carry >>= 8;
	}
}

static void
sum_text(const struct sum *s, char out[SHA256_TEXT])
{
	int i;

	for (i = 0; i < SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", s->v[i]);
}

static void
sum_of(const char *text, struct sum *s)
{
	int i;

	for (i = 0; i < SHA256_BYTES; i++) {
		unsigned byte = 0;

		sscanf(text + 2 * i, "%2x", &byte);
		s->v[i] = (unsigned char)byte;
	}
}

static void
quote_to(struct buf *b, const char *name)
{
	const char *p;
	int plain = (*name >= 'a' && *name <= 'z') || *name == '_';

	for (p = name; *p != '\0' && plain; p++)
		plain = (*p >= 'a' && *p <= 'z') || *p == '_' ||
			(*p >= '0' && *p <= '9');
	if (plain) {
		buf_text(b, name);
		return;
	}
	buf_char(b, '"');
	for (p = name; *p != '\0'; p++) {
		if (*p == '"')
			buf_char(b, '"');
		buf_char(b, *p);
	}
	buf_char(b, '"');
}

char *
pg_dump_name(const char *schema, const char *table)
{
	struct buf b = { 0 };

	if (schema != NULL && strcmp(schema, "public") != 0) {
		quote_to(&b, schema);
		buf_char(&b, '.');
	}
	quote_to(&b, table);
	return buf_detach(&b);
}

/* --- the contents -------------------------------------------------------- */

enum { TAG, DESC, DEFN, DROP, COPY, NAMESPACE, TABLESPACE, METHOD, OWNER,
	TEXTS };

/* The database itself, and what is mig's own, are not compared. */
static int
defines(char *const t[TEXTS])
{
	static const char *const not[] = { "DATABASE", "DATABASE PROPERTIES",
		"ENCODING", "STDSTRINGS", "SEARCHPATH", NULL };
	const char *const *x;

	for (x = not; *x != NULL; x++)
		if (strcmp(t[DESC], *x) == 0)
			return 0;
	if (t[NAMESPACE] != NULL && strcmp(t[NAMESPACE], "mig") == 0)
		return 0;
	return strcmp(t[TAG], "mig") != 0 && strcmp(t[TAG], "SCHEMA mig") != 0 &&
		!strs_starts(t[TAG], "DATABASE ");
}

static void
note_definition(struct dump *d, char *const t[TEXTS])
{
	unsigned char digest[SHA256_BYTES];
	/* A restore may change the order of a child's columns: line by line. */
	int i, lines = strcmp(t[DESC], "TABLE") == 0;
	const char *p;
	size_t n, k;

	if (!defines(t))
		return;
	/* The columns of a COPY stand in the table's own definition. */
	for (i = 0; i < TEXTS; i++)
		if (i != DROP && i != COPY && !(i == DEFN && lines))
			sha256_add_text(d->hash, t[i] == NULL ? "" : t[i]);
	sha256_end(d->hash, digest);
	add_to_sum(&d->definitions, digest);
	for (p = t[DEFN]; lines && p != NULL && *p != '\0'; p += n + (p[n] ==
		'\n')) {
		n = strcspn(p, "\n");
		k = n > 0 && p[n - 1] == ',' ? n - 1 : n;
		sha256_add_text(d->hash, t[TAG]);
		sha256_add(d->hash, p, k);
		sha256_end(d->hash, digest);
		add_to_sum(&d->definitions, digest);
	}
	d->out->definitions++;
}

/* One part of a name in SQL as pg_dump writes it, unquoted.  Gives. */
static char *
take_part(const char **p)
{
	struct buf b = { 0 };

	if (**p != '"') {
		while (**p != '\0' && strchr(".,() ", **p) == NULL)
			buf_char(&b, *(*p)++);
		return buf_detach(&b);
	}
	for ((*p)++; **p != '\0'; (*p)++) {
		if (**p == '"' && (*p)[1] != '"') {
			(*p)++;
			break;
		}
		*p += **p == '"';
		buf_char(&b, **p);
	}
	return buf_detach(&b);
}

/*
 * "COPY schema.table (a, b) FROM stdin;": where the rows go, which is the root
 * for a partition whose rows another database would spread otherwise.
 */
static void
name_loaded(struct entry *x, const char *copy)
{
	const char *p = copy + strlen("COPY ");
	char *schema, *table;

	if (!strs_starts(copy, "COPY "))
		return;
	schema = take_part(&p);
	if (*p == '.') {
		p++;
		table = take_part(&p);
		free(x->name);
		x->name = pg_dump_name(schema, table);
		free(table);
	}
	free(schema);
}

/*
 * The columns of a table in the order of the dump.  When this dump is to be
 * compared with another one (like), and has the same columns in another order
 * (a child of an inherited table gets that by a restore), rows are hashed in
 * the order of the other.
 */
static void
note_columns(struct dump *d, struct entry *x, const char *copy)
{
	const struct pg_dump_columns *was = NULL;
	struct pg_dump_columns *c;
	const char *p = strchr(copy, '(');
	size_t i, k;

	/* A bracket may stand in the name itself. */
	p = copy + strlen("COPY ");
	free(take_part(&p));
	while (*p == '.') {
		p++;
		free(take_part(&p));
	}
	d->out->columns = mem_grow(d->out->columns, d->out->columns_n + 1,
		sizeof(*d->out->columns));
	c = &d->out->columns[d->out->columns_n++];
	memset(c, 0, sizeof(*c));
	c->table = mem_dup(x->name);
	while (*p == ' ')
		p++;
	while (*p == '(' || *p == ',') {
		char *name;

		for (p++; *p == ' '; p++)
			;
		name = take_part(&p);
		strs_add(&c->names, name);
		free(name);
	}
	for (i = 0; d->s->like != NULL && i < d->s->like->columns_n; i++)
		if (strcmp(d->s->like->columns[i].table, x->name) == 0)
			was = &d->s->like->columns[i];
	if (was == NULL || was->names.n != c->names.n)
		return;
	x->order = mem_array(c->names.n + 1, sizeof(*x->order));
	for (i = 0, k = 0; i < c->names.n; i++) {
		size_t j;

		for (j = 0; j < c->names.n; j++)
			if (strcmp(was->names.v[i], c->names.v[j]) == 0)
				break;
		x->order[i] = j;
		k += j == i;
		if (j == c->names.n)
			k = c->names.n; /* not the same columns */
	}
	x->order_n = c->names.n;
	if (k >= c->names.n) {
		free(x->order);
		x->order = NULL;
	}
}

static int
note_data(struct dump *d, int64_t id, char *const t[TEXTS], struct err *e)
{
	struct entry *x;

	if (d->n == ENTRIES_MAX)
		return broken(d, e, "too many entries");
	if ((d->n & (d->n - 1)) == 0)
		d->entries = mem_grow(d->entries, d->n == 0 ? 1 : d->n * 2,
			sizeof(*d->entries));
	x = &d->entries[d->n++];
	memset(x, 0, sizeof(*x));
	x->id = id;
	x->objects = strcmp(t[DESC], "BLOBS") == 0;
	x->name = x->objects ? mem_dup(LARGE_OBJECTS) :
			       pg_dump_name(t[NAMESPACE], t[TAG]);
	if (!x->objects && t[COPY] != NULL) {
		name_loaded(x, t[COPY]);
		note_columns(d, x, t[COPY]);
	}
	return 0;
}

/* Names of what an entry depends on, a null at their end. */
static int
skip_dependencies(struct dump *d, struct err *e)
{
	char *text;

	do {
		if (take_text(d, &text, e) == -1)
			return -1;
		free(text);
	} while (text != NULL);
	return 0;
}

static int
take_entry(struct dump *d, struct err *e)
{
	static const int order[] = { DEFN, DROP, COPY, NAMESPACE, TABLESPACE };
	char *t[TEXTS] = { 0 };
	unsigned char offset[9];
	int64_t id, has_data, section, kind;
	size_t i;
	int result = -1;

	if (take_int(d, &id, e) == -1 || take_int(d, &has_data, e) == -1 ||
		skip_text(d, e) == -1 || skip_text(d, e) == -1 ||
		take_text(d, &t[TAG], e) == -1 ||
		take_text(d, &t[DESC], e) == -1 ||
		take_int(d, &section, e) == -1)
		goto out;
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (take_text(d, &t[order[i]], e) == -1)
			goto out;
	if (take_text(d, &t[METHOD], e) == -1 ||
		(d->minor >= 16 && take_int(d, &kind, e) == -1) ||
		take_text(d, &t[OWNER], e) == -1 || skip_text(d, e) == -1 ||
		skip_dependencies(d, e) == -1 ||
		take(d, offset, (size_t)d->offset_bytes + 1, e) == -1)
		goto out;
	if (t[TAG] == NULL || t[DESC] == NULL) {
		broken(d, e, "an entry has no name");
		goto out;
	}
	note_definition(d, t);
	result = has_data ? note_data(d, id, t, e) : 0;
out:
	for (i = 0; i < TEXTS; i++)
		free(t[i]);
	return result;
}

static int
take_head(struct dump *d, struct err *e)
{
	unsigned char head[11];
	int64_t n;
	int i;

	if (take(d, head, sizeof(head), e) == -1)
		return -1;
	if (memcmp(head, "PGDMP", 5) != 0)
		return broken(d, e, "it does not begin as one");
	d->minor = head[6];
	d->int_bytes = head[8];
	d->offset_bytes = head[9];
	if (head[5] != 1 || d->minor < 14 || d->minor > 16 ||
		d->int_bytes < 4 || d->int_bytes > 8 || d->offset_bytes < 4 ||
		d->offset_bytes > 8 || head[10] != 1) {
		err_set(e, ERR_USAGE, "version", "the dump has the format "
			"%d.%d, mig reads 1.14 to 1.16", head[5], head[6]);
		return err_next(e, "use a mig that knows this PostgreSQL");
	}
	if (d->minor >= 15) {
		if (take(d, head, 1, e) == -1)
			return -1;
		n = head[0];
	} else if (take_int(d, &n, e) == -1) {
		return -1;
	}
	if (n != 0)
		return broken(d, e, "its data is compressed");
	for (i = 0; i < 7; i++)
		if (take_int(d, &n, e) == -1)
			return -1;
	if (skip_text(d, e) == -1 || take_text(d, &d->out->server, e) == -1 ||
		skip_text(d, e) == -1 || take_int(d, &n, e) == -1)
		return -1;
	if (n < 0 || n > ENTRIES_MAX)
		return broken(d, e, "the number of entries cannot be");
	while (n-- > 0)
		if (take_entry(d, e) == -1)
			return -1;
	return 0;
}

/* --- the data ------------------------------------------------------------ */

/* The rows of one table, or the large objects. */
struct data {
	int64_t rows, bytes;
	struct sum sum;
	int ended; /* "\." was met */
	unsigned char head[2]; /* the first bytes of the row */
	size_t length; /* of the row so far */
	const struct entry *entry;
	struct buf row; /* whole, only for another order of columns */
};

/* Hash the row's columns in the order of the other dump. */
static void
hash_in_order(struct dump *d, struct data *x)
{
	const struct entry *n = x->entry;
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
end_row(struct dump *d, struct data *x)
{
	unsigned char digest[SHA256_BYTES];

	if (x->entry->order != NULL && x->row.len > 0)
		hash_in_order(d, x);
	sha256_end(d->hash, digest);
	if (x->length == 2 && memcmp(x->head, "\\.", 2) == 0) {
		x->ended = 1;
	} else {
		add_to_sum(&x->sum, digest);
		x->rows++;
	}
	x->length = 0;
}

static void
feed_rows(struct dump *d, struct data *x, const unsigned char *p, size_t n)
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
take_pieces(struct dump *d, struct data *x, int rows, struct err *e)
{
	int64_t n;

	for (;;) {
		if (take_int(d, &n, e) == -1)
			return -1;
		if (n == 0)
			return 0;
		if (n < 0)
			return broken(d, e, "the length of data cannot be");
		x->bytes += n;
		while (n > 0) {
			size_t k;
			int got = more(d, e);

			if (got == -1)
				return -1;
			if (got == 0)
				return broken(d, e, "it is cut off in its "
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
take_objects(struct dump *d, struct data *x, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	char name[32];
	int64_t oid;

	for (;;) {
		if (take_int(d, &oid, e) == -1)
			return -1;
		if (oid == 0)
			return 0;
		snprintf(name, sizeof(name), "%" PRId64, oid);
		sha256_add_text(d->hash, name);
		if (take_pieces(d, x, 0, e) == -1)
			return -1;
		sha256_end(d->hash, digest);
		add_to_sum(&x->sum, digest);
		x->rows++;
	}
}

static struct entry *
entry_of(struct dump *d, int64_t id)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->entries[mid].id == id)
			return &d->entries[mid];
		if (d->entries[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int
take_block(struct dump *d, int type, struct err *e)
{
	struct data x = { 0 };
	struct wire_table *t;
	struct entry *entry;
	char digest[SHA256_TEXT];
	int64_t id;
	int result;

	if (take_int(d, &id, e) == -1)
		return -1;
	entry = entry_of(d, id);
	if (entry == NULL || entry->seen || (type == 3) != entry->objects)
		return broken(d, e, "a block is in no entry, or twice");
	entry->seen = 1;
	x.entry = entry;
	result = entry->objects ? take_objects(d, &x, e) :
				  take_pieces(d, &x, 1, e);
	buf_free(&x.row);
	if (result == -1)
		return err_wrap(e, "data of %s", entry->name);
	if (!entry->objects && !x.ended)
		return broken(d, e, "the rows of a table have no end");
	sum_text(&x.sum, digest);
	t = shape_list_add(&d->out->tables, &wire_table_shape);
	t->name = mem_dup(entry->name);
	t->digest = mem_dup(digest);
	t->rows = x.rows;
	t->bytes = x.bytes;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
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
	struct sum x, y;
	char digest[SHA256_TEXT];

	sum_of(a->digest, &x);
	sum_of(b->digest, &y);
	add_to_sum(&x, y.v);
	sum_text(&x, digest);
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
take_all(struct dump *d, struct err *e)
{
	unsigned char type;
	size_t i;
	int got;

	if (take_head(d, e) == -1)
		return -1;
	if (d->n > 0)
		qsort(d->entries, d->n, sizeof(*d->entries), by_id);
	while ((got = more(d, e)) == 1) {
		if (take(d, &type, 1, e) == -1)
			return -1;
		if (type != 1 && type != 3)
			return broken(d, e, "no block begins here");
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
	sum_text(&d->definitions, d->out->digest);
	return 0;
}

int
pg_dump_read(struct pg_dump_result *out, const struct pg_dump_source *s,
	struct err *e)
{
	struct dump d = { .s = s, .out = out };
	size_t i;
	int result;

	memset(out, 0, sizeof(*out));
	d.hash = sha256_new();
	result = take_all(&d, e);
	sha256_free(d.hash);
	for (i = 0; i < d.n; i++) {
		free(d.entries[i].name);
		free(d.entries[i].order);
	}
	free(d.entries);
	if (result == -1)
		pg_dump_result_free(out);
	return result;
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
	free(r->server);
	memset(r, 0, sizeof(*r));
}
