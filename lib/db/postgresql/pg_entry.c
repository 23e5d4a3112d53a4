/* pg_entry: what an entry of the table of contents says. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/lex.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_stream.h"

#define LARGE_OBJECTS "pg_catalog.pg_largeobject"

char *
pg_dump_name(const char *schema, const char *table)
{
	struct buf b = { 0 };

	if (schema != NULL && strcmp(schema, "public") != 0) {
		lex_put_name(&b, schema, strlen(schema));
		buf_char(&b, '.');
	}
	lex_put_name(&b, table, strlen(table));
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

/* The database itself, and what is mig's own, are not compared. */
static int
defines(char *const t[PG_TEXTS])
{
	static const char *const not[] = { "DATABASE", "DATABASE PROPERTIES",
		"ENCODING", "STDSTRINGS", "SEARCHPATH", NULL };
	const char *const *x;

	for (x = not; *x != NULL; x++)
		if (strcmp(t[PG_DESC], *x) == 0)
			return 0;
	if (t[PG_NAMESPACE] != NULL && strcmp(t[PG_NAMESPACE], "mig") == 0)
		return 0;
	return strcmp(t[PG_TAG], "mig") != 0 && strcmp(t[PG_TAG], "SCHEMA mig") != 0 &&
		!strs_starts(t[PG_TAG], "DATABASE ");
}

static void
note_definition(struct pg_stream *d, char *const t[PG_TEXTS])
{
	unsigned char digest[SHA256_BYTES];
	/* A restore may change the order of a child's columns: line by line. */
	int i, lines = strcmp(t[PG_DESC], "TABLE") == 0;
	const char *p;
	size_t n, k;

	if (!defines(t))
		return;
	/* The columns of a COPY stand in the table's own definition. */
	for (i = 0; i < PG_TEXTS; i++)
		if (i != PG_DROP && i != PG_COPY && i != PG_OWNER &&
			!(i == PG_DEFN && lines))
			sha256_add_text(d->hash, t[i] == NULL ? "" : t[i]);
	sha256_end(d->hash, digest);
	pg_stream_add(&d->definitions, digest);
	if (strcmp(t[PG_DESC], "ACL") != 0 && strcmp(t[PG_DESC], "DEFAULT ACL") != 0)
		pg_stream_add(&d->core, digest);
	sha256_add_text(d->hash, t[PG_TAG]);
	sha256_add_text(d->hash, t[PG_DESC]);
	sha256_add_text(d->hash, t[PG_OWNER] == NULL ? "" : t[PG_OWNER]);
	sha256_end(d->hash, digest);
	pg_stream_add(&d->definitions, digest);
	for (p = t[PG_DEFN]; lines && p != NULL && *p != '\0'; p += n + (p[n] ==
		'\n')) {
		n = strcspn(p, "\n");
		k = n > 0 && p[n - 1] == ',' ? n - 1 : n;
		sha256_add_text(d->hash, t[PG_TAG]);
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
note_data(struct pg_stream *d, int64_t id, char *const t[PG_TEXTS],
	struct err *e)
{
	struct pg_entry *x;

	if (d->n == PG_ENTRIES_MAX)
		return pg_stream_broken(d, e, "too many entries");
	d->entries = mem_more(d->entries, d->n, sizeof(*d->entries));
	x = &d->entries[d->n++];
	memset(x, 0, sizeof(*x));
	x->id = id;
	x->objects = strcmp(t[PG_DESC], "BLOBS") == 0;
	x->name = x->objects ? mem_dup(LARGE_OBJECTS) :
			       pg_dump_name(t[PG_NAMESPACE], t[PG_TAG]);
	x->copy = x->objects ? NULL : mem_dup(t[PG_COPY]);
	if (x->copy != NULL) {
		name_loaded(x, t[PG_COPY]);
		note_columns(d, x, t[PG_COPY]);
	}
	return 0;
}

/* "SET client_encoding = 'UTF8';" */
static void
note_encoding(struct pg_stream *d, char *const t[PG_TEXTS])
{
	const char *p;

	if (strcmp(t[PG_DESC], "ENCODING") != 0 || t[PG_DEFN] == NULL)
		return;
	p = strchr(t[PG_DEFN], '\'');
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
note_roles(struct pg_stream *d, char *const t[PG_TEXTS])
{
	struct lex_token k;
	struct lex l;
	struct err e;
	int names = 0;

	if (t[PG_OWNER] != NULL && *t[PG_OWNER] != '\0')
		add_role(&d->out->roles, t[PG_OWNER]);
	if (t[PG_DEFN] == NULL || (strcmp(t[PG_DESC], "ACL") != 0 &&
		strcmp(t[PG_DESC], "DEFAULT ACL") != 0 &&
		strcmp(t[PG_DESC], "POLICY") != 0 &&
		strcmp(t[PG_DESC], "USER MAPPING") != 0))
		return;
	lex_open(&l, t[PG_DEFN], strlen(t[PG_DEFN]), 1, LEX_POSTGRESQL);
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

static void
add_defined(struct pg_stream *d, char *const t[PG_TEXTS])
{
	char *name = pg_dump_name(t[PG_NAMESPACE], t[PG_TAG]);

	strs_add(&d->defined, name);
	free(name);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
pg_entry_extensions(struct pg_stream *d)
{
	size_t i;

	if (d->defined.n > 0)
		qsort(d->defined.v, d->defined.n, sizeof(*d->defined.v),
			by_text);
	for (i = 0; i < d->n; i++) {
		struct pg_entry *x = &d->entries[i];

		if (x->objects)
			continue;
		x->plain = d->defined.n > 0 && bsearch(&x->name, d->defined.v,
			d->defined.n, sizeof(*d->defined.v), by_text) != NULL;
		if (!x->plain)
			d->out->ordered = 1;
		x->plain &= x->copy != NULL;
	}
}


int
pg_entry_note(struct pg_stream *d, const struct pg_item *x, struct err *e)
{
	if (x->id > d->highest)
		d->highest = x->id;
	note_definition(d, x->t);
	note_encoding(d, x->t);
	note_roles(d, x->t);
	if (strcmp(x->t[PG_DESC], "TABLE") == 0)
		add_defined(d, x->t);
	return x->has_data ? note_data(d, x->id, x->t, e) : 0;
}
