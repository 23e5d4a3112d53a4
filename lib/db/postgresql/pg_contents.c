/* pg_contents: the table of contents of a dump. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_stream.h"

#define ENTRIES_MAX 50000000
#define LARGE_OBJECTS "pg_catalog.pg_largeobject"

static int
skip_text(struct pg_stream *d, struct err *e)
{
	char *text;
	int result = pg_stream_text(d, &text, e);

	free(text);
	return result;
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
	return pg_dump_utf8(buf_detach(&b));
}

char *
pg_dump_utf8(char *name)
{
	struct buf b = { 0 };
	const char *p;

	if (strs_is_utf8(name, strlen(name)))
		return name;
	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x80)
			buf_char(&b, *p);
		else
			buf_printf(&b, "\\x%02X", (unsigned char)*p);
	free(name);
	return buf_detach(&b);
}

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
note_definition(struct pg_stream *d, char *const t[TEXTS])
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
		if (i != DROP && i != COPY && i != OWNER &&
			!(i == DEFN && lines))
			sha256_add_text(d->hash, t[i] == NULL ? "" : t[i]);
	sha256_end(d->hash, digest);
	pg_stream_add(&d->definitions, digest);
	if (strcmp(t[DESC], "ACL") != 0 && strcmp(t[DESC], "DEFAULT ACL") != 0)
		pg_stream_add(&d->core, digest);
	sha256_add_text(d->hash, t[TAG]);
	sha256_add_text(d->hash, t[DESC]);
	sha256_add_text(d->hash, t[OWNER] == NULL ? "" : t[OWNER]);
	sha256_end(d->hash, digest);
	pg_stream_add(&d->definitions, digest);
	for (p = t[DEFN]; lines && p != NULL && *p != '\0'; p += n + (p[n] ==
		'\n')) {
		n = strcspn(p, "\n");
		k = n > 0 && p[n - 1] == ',' ? n - 1 : n;
		sha256_add_text(d->hash, t[TAG]);
		sha256_add(d->hash, p, k);
		sha256_end(d->hash, digest);
		pg_stream_add(&d->definitions, digest);
		pg_stream_add(&d->core, digest);
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
name_loaded(struct pg_entry *x, const char *copy)
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
note_columns(struct pg_stream *d, struct pg_entry *x, const char *copy)
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
note_data(struct pg_stream *d, int64_t id, char *const t[TEXTS], struct err *e)
{
	struct pg_entry *x;

	if (d->n == ENTRIES_MAX)
		return pg_stream_broken(d, e, "too many entries");
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

/* "SET client_encoding = 'UTF8';" */
static void
note_encoding(struct pg_stream *d, char *const t[TEXTS])
{
	const char *p;

	if (strcmp(t[DESC], "ENCODING") != 0 || t[DEFN] == NULL)
		return;
	p = strchr(t[DEFN], '\'');
	if (p != NULL && d->out->encoding == NULL &&
		p[1 + strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\'')
		d->out->encoding = mem_dup_n(p + 1, strcspn(p + 1, "'"));
}

static void
add_role(struct strs *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], name) == 0)
			return;
	strs_add(l, name);
}

/* The owner, and the names after TO, FROM and ROLE in what grants. */
static void
note_roles(struct pg_stream *d, char *const t[TEXTS])
{
	struct lex_token k;
	struct lex l;
	struct err e;
	int names = 0;

	if (t[OWNER] != NULL && *t[OWNER] != '\0')
		add_role(&d->out->roles, t[OWNER]);
	if (t[DEFN] == NULL || (strcmp(t[DESC], "ACL") != 0 &&
		strcmp(t[DESC], "DEFAULT ACL") != 0 &&
		strcmp(t[DESC], "POLICY") != 0 &&
		strcmp(t[DESC], "USER MAPPING") != 0))
		return;
	lex_open(&l, t[DEFN], strlen(t[DEFN]), 1, LEX_POSTGRESQL);
	while (lex_next(&l, &k, &e) == 0 && k.kind != LEX_END) {
		if (names && (k.kind == LEX_WORD || k.kind == LEX_NAME) &&
			!lex_is(&k, "ROLE") && !lex_is(&k, "PUBLIC")) {
			char *name = lex_name(&k);

			add_role(&d->out->roles, name);
			free(name);
			names = 0;
		} else if (lex_is_char(&k, ',')) {
			names = 1; /* superfluous ones do no harm */
		} else {
			names = lex_is(&k, "TO") || lex_is(&k, "FROM") ||
				lex_is(&k, "ROLE") || lex_is(&k, "FOR");
		}
	}
}

/* Names of what an entry depends on, a null at their end. */
static int
skip_dependencies(struct pg_stream *d, struct err *e)
{
	char *text;

	do {
		if (pg_stream_text(d, &text, e) == -1)
			return -1;
		free(text);
	} while (text != NULL);
	return 0;
}

static void
add_defined(struct pg_stream *d, char *const t[TEXTS])
{
	char *name = pg_dump_name(t[NAMESPACE], t[TAG]);

	/* Room for twice as many at a time. */
	if ((d->defined.n & (d->defined.n - 1)) == 0)
		d->defined.v = mem_grow(d->defined.v, d->defined.n == 0 ? 1 :
			d->defined.n * 2, sizeof(*d->defined.v));
	d->defined.v[d->defined.n++] = name;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows without the definition of their table belong to an extension. */
static void
look_for_extensions(struct pg_stream *d)
{
	size_t i;

	if (d->defined.n > 0)
		qsort(d->defined.v, d->defined.n, sizeof(*d->defined.v),
			by_text);
	for (i = 0; i < d->n; i++)
		if (!d->entries[i].objects &&
			(d->defined.n == 0 || bsearch(&d->entries[i].name,
				d->defined.v, d->defined.n,
				sizeof(*d->defined.v), by_text) == NULL))
			d->out->ordered = 1;
}

static int
take_entry(struct pg_stream *d, struct err *e)
{
	static const int order[] = { DEFN, DROP, COPY, NAMESPACE, TABLESPACE };
	char *t[TEXTS] = { 0 };
	unsigned char offset[9];
	int64_t id, has_data, section, kind;
	size_t i;
	int result = -1;

	if (pg_stream_int(d, &id, e) == -1 || pg_stream_int(d, &has_data, e) == -1 ||
		skip_text(d, e) == -1 || skip_text(d, e) == -1 ||
		pg_stream_text(d, &t[TAG], e) == -1 ||
		pg_stream_text(d, &t[DESC], e) == -1 ||
		pg_stream_int(d, &section, e) == -1)
		goto out;
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (pg_stream_text(d, &t[order[i]], e) == -1)
			goto out;
	if (pg_stream_text(d, &t[METHOD], e) == -1 ||
		(d->minor >= 16 && pg_stream_int(d, &kind, e) == -1) ||
		pg_stream_text(d, &t[OWNER], e) == -1 || skip_text(d, e) == -1 ||
		skip_dependencies(d, e) == -1 ||
		pg_stream_take(d, offset, (size_t)d->offset_bytes + 1, e) == -1)
		goto out;
	if (t[TAG] == NULL || t[DESC] == NULL) {
		pg_stream_broken(d, e, "an entry has no name");
		goto out;
	}
	note_definition(d, t);
	note_encoding(d, t);
	note_roles(d, t);
	if (strcmp(t[DESC], "TABLE") == 0)
		add_defined(d, t);
	result = has_data ? note_data(d, id, t, e) : 0;
out:
	for (i = 0; i < TEXTS; i++)
		free(t[i]);
	return result;
}

int
pg_contents_read(struct pg_stream *d, struct err *e)
{
	unsigned char head[11];
	int64_t n;
	int i;

	if (pg_stream_take(d, head, sizeof(head), e) == -1)
		return -1;
	if (memcmp(head, "PGDMP", 5) != 0)
		return pg_stream_broken(d, e, "it does not begin as one");
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
		if (pg_stream_take(d, head, 1, e) == -1)
			return -1;
		n = head[0];
	} else if (pg_stream_int(d, &n, e) == -1) {
		return -1;
	}
	if (n != 0)
		return pg_stream_broken(d, e, "its data is compressed");
	for (i = 0; i < 7; i++)
		if (pg_stream_int(d, &n, e) == -1)
			return -1;
	if (skip_text(d, e) == -1 || pg_stream_text(d, &d->out->server, e) == -1 ||
		skip_text(d, e) == -1 || pg_stream_int(d, &n, e) == -1)
		return -1;
	if (n < 0 || n > ENTRIES_MAX)
		return pg_stream_broken(d, e, "the number of entries cannot be");
	while (n-- > 0)
		if (take_entry(d, e) == -1)
			return -1;
	look_for_extensions(d);
	return 0;
}
