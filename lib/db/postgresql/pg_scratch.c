/*
 * pg_scratch: a dump in a file, opened as a database that can be asked what it
 * holds.  It is read to its end when it is opened.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/postgresql/pg_dump.h"
#include "db/postgresql/pg_scratch.h"
#include "os/file.h"

#define PIECE ((size_t)1 << 20)

struct pg_dump {
	int fd;
	unsigned char *piece;
	struct pg_dump_result result;
};

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct pg_dump *s = arg;

	*p = s->piece;
	return file_read(s->fd, s->piece, PIECE, e);
}

static int
tables(struct db *d, struct shape_list *out, struct err *e)
{
	const struct shape_list *from = &pg_of(d)->dump->result.tables;
	const struct wire_table *t = from->items;
	size_t i;

	for (i = 0; i < from->n; i++)
		if (shape_copy(&wire_table_shape, &t[i],
			    shape_list_add(out, &wire_table_shape), e) == -1)
			return -1;
	return 0;
}

static int
check(struct db *d, int deep, char *found, size_t room, struct err *e)
{
	(void)d;
	(void)deep;
	(void)e;
	snprintf(found, room, "ok"); /* it could be opened: read to its end */
	return 0;
}

static const char *
name(const struct db *d)
{
	return ((const struct pg *)d)->shown;
}

static const struct db_driver scratch_driver = {
	.engine = "postgresql",
	.caps = DB_CAP_DUMP,
	.checks = { "dump", "dump" },
	.close = pg_open_close,
	.name = name,
	.tables = tables,
	.check = check,
	.dangling = pg_catalog_dangling,
	.deep = pg_deep_check,
};

int
pg_scratch_open(struct db **out, const struct db_options *o, struct err *e)
{
	struct pg *p = mem_alloc(sizeof(*p));
	struct pg_dump *s = mem_alloc(sizeof(*s));
	struct pg_dump_source source = { .arg = s, .more = next_piece };

	*out = NULL;
	p->base.driver = &scratch_driver;
	p->base.report = o->report;
	p->mode = DB_SCRATCH;
	p->shown = mem_dup(o->url);
	p->dump = s;
	s->piece = mem_alloc(PIECE);
	s->fd = open(o->url, O_RDONLY | O_CLOEXEC);
	if (s->fd == -1)
		err_sys(e, "open '%s'", o->url);
	else if (pg_dump_read(&s->result, &source, e) == 0)
		*out = &p->base;
	if (*out == NULL)
		pg_open_close(&p->base);
	return *out == NULL ? -1 : 0;
}

struct each {
	struct pg_dump dump; /* the first: next_piece() takes it */
	void (*item)(void *arg, const struct pg_item *x);
	void *arg;
};

static void
pass_on(void *arg, const struct pg_item *x)
{
	struct each *s = arg;

	s->item(s->arg, x);
}

int
pg_scratch_each(const char *path, void (*item)(void *arg,
	const struct pg_item *x), void *arg, struct pg_dump_result *out,
	struct err *e)
{
	struct each each = { .item = item, .arg = arg };
	struct pg_dump_source source = { .arg = &each, .more = next_piece,
		.item = item == NULL ? NULL : pass_on };
	int result;

	each.dump.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (each.dump.fd == -1)
		return err_sys(e, "open '%s'", path);
	each.dump.piece = mem_alloc(PIECE);
	result = pg_dump_contents(out, &source, e);
	free(each.dump.piece);
	close(each.dump.fd);
	return result;
}

int
pg_scratch_contents(const char *path, struct pg_dump_result *out,
	struct err *e)
{
	return pg_scratch_each(path, NULL, NULL, out, e);
}

int
pg_scratch_archived(const struct db_rebuilt *from, struct pg_dump_result *out,
	struct err *e)
{
	if (pg_scratch_contents(from->path, out, e) == -1)
		return -1;
	pg_dump_list(out, from->tables);
	return 0;
}

const struct pg_dump_result *
pg_scratch_result(const struct pg *p)
{
	return &p->dump->result;
}

void
pg_scratch_free(struct pg_dump *s)
{
	if (s == NULL)
		return;
	if (s->fd != -1)
		close(s->fd);
	free(s->piece);
	pg_dump_result_free(&s->result);
	free(s);
}
