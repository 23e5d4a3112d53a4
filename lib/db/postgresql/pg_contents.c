/* pg_contents: the table of contents of a dump. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_stream.h"

static int
skip_text(struct pg_stream *d, struct err *e)
{
	char *text;
	int result = pg_stream_text(d, &text, e);

	free(text);
	return result;
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

/* The number of the table, as a text. */
static int
take_oid(struct pg_stream *d, struct pg_item *x, struct err *e)
{
	char *text;
	int result = pg_stream_text(d, &text, e);

	x->oid = text == NULL ? 0 : strtoll(text, NULL, 10);
	free(text);
	return result;
}

static int
take_item(struct pg_stream *d, struct pg_item *x, struct err *e)
{
	static const int order[] = { PG_DEFN, PG_DROP, PG_COPY, PG_NAMESPACE,
		PG_TABLESPACE, PG_METHOD };
	unsigned char offset[9];
	int64_t has_data, kind;
	size_t i;

	if (pg_stream_int(d, &x->id, e) == -1 ||
		pg_stream_int(d, &has_data, e) == -1 || skip_text(d, e) == -1 ||
		take_oid(d, x, e) == -1 ||
		pg_stream_text(d, &x->t[PG_TAG], e) == -1 ||
		pg_stream_text(d, &x->t[PG_DESC], e) == -1 ||
		pg_stream_int(d, &x->section, e) == -1)
		return -1;
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (pg_stream_text(d, &x->t[order[i]], e) == -1)
			return -1;
	if ((d->minor >= 16 && pg_stream_int(d, &kind, e) == -1) ||
		pg_stream_text(d, &x->t[PG_OWNER], e) == -1 ||
		skip_text(d, e) == -1 || skip_dependencies(d, e) == -1 ||
		pg_stream_take(d, offset, (size_t)d->offset_bytes + 1, e) == -1)
		return -1;
	x->has_data = has_data != 0;
	if (x->t[PG_TAG] == NULL || x->t[PG_DESC] == NULL)
		return pg_stream_broken(d, e, "an entry has no name");
	return 0;
}

static int
take_entry(struct pg_stream *d, struct err *e)
{
	struct pg_item x = { .at = d->taken };
	int i, result = take_item(d, &x, e);

	x.end = d->taken;
	if (result == 0)
		result = pg_entry_note(d, &x, e);
	if (result == 0 && x.section == PG_POST_DATA && d->data_end == 0)
		d->data_end = x.at;
	if (result == 0 && d->s->item != NULL)
		d->s->item(d->s->arg, &x);
	for (i = 0; i < PG_TEXTS; i++)
		free(x.t[i]);
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
		skip_text(d, e) == -1)
		return -1;
	d->count_at = d->taken;
	if (pg_stream_int(d, &d->count, e) == -1)
		return -1;
	n = d->count;
	if (n < 0 || n > PG_ENTRIES_MAX)
		return pg_stream_broken(d, e, "the number of entries cannot be");
	while (n-- > 0)
		if (take_entry(d, e) == -1)
			return -1;
	if (d->data_end == 0)
		d->data_end = d->taken;
	pg_entry_extensions(d);
	return 0;
}
