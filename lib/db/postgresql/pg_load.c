/* pg_load: rows out of a dump by COPY over several connections. */
#include "db/postgresql/pg_load_part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_dump.h"
#include "os/file.h"

#define PIECE ((size_t)1 << 20)
#define CHUNK ((size_t)1 << 20) /* of whole rows, on its way to the server */
#define TAIL (2 * sizeof(PG_COPY_END)) /* may hold the end of a table */

/* NULL when a sender has failed: they look out for a signal. */
static struct pg_load_chunk *
take_empty(struct pg_load *l)
{
	struct pg_load_chunk *c;

	pthread_mutex_lock(&l->mutex);
	while (l->empty == NULL && !l->failed)
		pthread_cond_wait(&l->changed, &l->mutex);
	c = l->failed ? NULL : l->empty;
	if (c != NULL)
		l->empty = c->next;
	pthread_mutex_unlock(&l->mutex);
	return c;
}

static void
give(struct pg_load *l, struct pg_load_chunk *c)
{
	pthread_mutex_lock(&l->mutex);
	c->next = NULL;
	*l->ready_end = c;
	l->ready_end = &c->next;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

/* Give the whole lines that stand before the tail; the rest begins the next. */
static int
cut(struct pg_load *l, struct pg_load_chunk **c)
{
	struct buf *b = &(*c)->rows;
	const char *from = b->data + (*c)->sought;
	const char *end = memrchr(from, '\n', b->len - TAIL - (*c)->sought);
	struct pg_load_chunk *next;
	size_t keep;

	if (end == NULL) {
		(*c)->sought = b->len - TAIL;
		return 0; /* a row that is longer */
	}
	next = take_empty(l);
	if (next == NULL)
		return -1;
	keep = (size_t)(end + 1 - b->data);
	next->of = (*c)->of;
	buf_add(&next->rows, b->data + keep, b->len - keep);
	b->len = keep;
	give(l, *c);
	*c = next;
	return 0;
}

static int
failure(struct pg_load *l, struct err *e)
{
	pthread_mutex_lock(&l->mutex);
	*e = l->err;
	pthread_mutex_unlock(&l->mutex);
	return -1;
}

/* The pieces of a block; into c if it is not NULL. */
static int
take_pieces(struct pg_load *l, struct pg_stream *d, struct pg_load_chunk **c,
	struct err *e)
{
	int64_t n;
	int got;

	while ((got = pg_stream_int(d, &n, e)) == 0 && n > 0) {
		while (n > 0 && (got = pg_stream_more(d, e)) == 1) {
			size_t k = (size_t)(d->end - d->at);

			k = (int64_t)k > n ? (size_t)n : k;
			if (c != NULL)
				buf_add(&(*c)->rows, d->at, k);
			d->at += k;
			d->taken += (int64_t)k;
			n -= (int64_t)k;
			if (c != NULL && (*c)->rows.len > CHUNK + TAIL &&
				cut(l, c) == -1)
				return failure(l, e);
		}
		if (got == 0)
			return pg_stream_broken(d, e, "it is cut off");
		if (got == -1)
			return -1;
	}
	if (got == -1)
		return -1;
	return n == 0 ? 0 : pg_stream_broken(d, e, "no length of data");
}

static int
load_table(struct pg_load *l, struct pg_stream *d, const struct pg_entry *x,
	struct err *e)
{
	const size_t end = strlen(PG_COPY_END);
	struct pg_load_chunk *c = take_empty(l);

	if (c == NULL)
		return failure(l, e);
	c->of = x;
	if (take_pieces(l, d, &c, e) == -1)
		return -1;
	if (c->rows.len < end || memcmp(c->rows.data + c->rows.len - end,
		PG_COPY_END, end) != 0)
		return pg_stream_broken(d, e, "the rows of a table have no "
			"end");
	c->rows.len -= end;
	if (c->rows.len > 0)
		give(l, c);
	else
		pg_load_give_back(l, c);
	return 0;
}

static int
skip_objects(struct pg_load *l, struct pg_stream *d, struct err *e)
{
	int64_t oid;

	do {
		if (pg_stream_int(d, &oid, e) == -1 ||
			(oid != 0 && take_pieces(l, d, NULL, e) == -1))
			return -1;
	} while (oid != 0);
	return 0;
}

static int
load_blocks(struct pg_load *l, struct pg_stream *d, struct err *e)
{
	unsigned char type;
	struct pg_entry *x;
	int64_t id;
	int got = 0, result = 0;

	while (result == 0 && (got = pg_stream_more(d, e)) == 1) {
		if (pg_stream_take(d, &type, 1, e) == -1 ||
			pg_stream_int(d, &id, e) == -1)
			return -1;
		x = pg_stream_entry(d, id);
		if (x == NULL || x->seen)
			return pg_stream_broken(d, e, "a block is in no "
				"entry, or twice");
		x->seen = 1;
		if (x->objects)
			result = skip_objects(l, d, e);
		else if (x->plain)
			result = load_table(l, d, x, e);
		else
			result = take_pieces(l, d, NULL, e);
	}
	return got == -1 ? -1 : result;
}

/* --- the whole ----------------------------------------------------------- */

/* As pg_restore sets its sessions; and as values are written in a dump. */
static int
settle(struct pg *p, const char *encoding, struct err *e)
{
	char *sql = mem_printf("SET statement_timeout = 0; "
		"SET lock_timeout = 0; "
		"SET idle_in_transaction_session_timeout = 0; %s"
		"SET search_path = ''; SET check_function_bodies = false; "
		"SET xmloption = content; SET client_min_messages = warning; "
		"SET row_security = off; SET DateStyle = ISO; "
		"SET IntervalStyle = postgres; "
		"SET default_transaction_read_only = off; "
		/* What comes after it is waited for, and with it all this. */
		"SET synchronous_commit = off", p->version >= 170000 ?
		"SET transaction_timeout = 0; " : "");
	int result = pg_sql_exec(&p->base, sql, e);

	free(sql);
	if (result == 0)
		result = pg_open_for_thread(p, encoding, e);
	return result;
}

static int
open_all(struct pg_load *l, const char *encoding, struct err *e)
{
	struct pg_load_chunk *c;
	int i;

	l->senders = mem_array((size_t)l->jobs, sizeof(*l->senders));
	memset(l->senders, 0, (size_t)l->jobs * sizeof(*l->senders));
	for (i = 0; i < l->jobs; i++) {
		struct pg_load_sender *s = &l->senders[i];

		if (pg_open_beside(&s->p, l->m, l->name, e) == -1) {
			if (i == 0)
				return -1;
			report_say(l->m->base.report, REPORT_NOTE, "%d of %d "
				"connections to load with: %s", i, l->jobs,
				e->text);
			break;
		}
		s->load = l;
		l->n++;
		if (settle(s->p, encoding, e) == -1)
			return -1;
	}
	l->chunks = mem_array((size_t)l->n * 2 + 1, sizeof(*l->chunks));
	memset(l->chunks, 0, ((size_t)l->n * 2 + 1) * sizeof(*l->chunks));
	for (c = l->chunks; c < l->chunks + l->n * 2 + 1; c++) {
		c->next = l->empty;
		l->empty = c;
	}
	return 0;
}

/* Take the numbers of what we load off the list. */
static void
sort_out(struct pg_load *l, struct pg_stream *d)
{
	struct strs *all = l->left;
	size_t i, n = 0;

	for (i = 0; i < all->n; i++) {
		const struct pg_entry *x = pg_stream_entry(d,
			strtoll(all->v[i], NULL, 10));

		if (x != NULL && x->plain)
			free(all->v[i]);
		else
			all->v[n++] = all->v[i];
	}
	all->n = n;
}

/* After the contents of the dump. */
static int
load_all(void *arg, struct pg_stream *d, struct err *e)
{
	struct pg_load *l = arg;
	int i, started = 0, result;

	sort_out(l, d);
	if (open_all(l, d->out->encoding, e) == -1)
		return -1;
	while (started < l->n && (errno = pthread_create(
		&l->senders[started].thread, NULL, pg_load_send,
		&l->senders[started])) == 0)
		started++;
	if (started == 0)
		return err_sys(e, "start a thread");
	result = load_blocks(l, d, e);
	pthread_mutex_lock(&l->mutex);
	l->ended = 1;
	if (result == -1 && !l->failed) {
		l->failed = 1;
		l->err = *e;
	}
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
	for (i = 0; i < started; i++)
		pthread_join(l->senders[i].thread, NULL);
	report_progress(l->m->base.report, "restore", 0, 0);
	return l->failed ? failure(l, e) : 0;
}

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct pg_load *l = arg;
	ssize_t n = stop_check(e) == -1 ? -1 :
		file_read(l->fd, l->piece, PIECE, e);

	*p = l->piece;
	if (n > 0)
		l->at += n;
	report_progress(l->m->base.report, "restore", l->at, l->total);
	return n;
}

int
pg_load_rows(struct pg *m, const char *name, const char *path, int jobs,
	struct strs *left, int *broken, struct err *e)
{
	struct pg_load l = { .m = m, .name = name, .jobs = jobs < 1 ? 1 : jobs,
		.left = left, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct pg_dump_source source = { .arg = &l, .more = next_piece,
		.data = load_all };
	struct pg_dump_result r;
	int i, result;

	if (l.fd == -1)
		return err_sys(e, "open '%s'", path);
	l.total = lseek(l.fd, 0, SEEK_END);
	lseek(l.fd, 0, SEEK_SET);
	l.piece = mem_alloc(PIECE);
	l.ready_end = &l.ready;
	pthread_mutex_init(&l.mutex, NULL);
	pthread_cond_init(&l.changed, NULL);
	result = pg_dump_read(&r, &source, e);
	*broken = result == -1 && l.broken;
	if (result == 0)
		pg_dump_result_free(&r);
	for (i = 0; i < l.n; i++)
		pg_open_close(&l.senders[i].p->base);
	for (i = 0; l.chunks != NULL && i < l.n * 2 + 1; i++)
		buf_free(&l.chunks[i].rows);
	pthread_cond_destroy(&l.changed);
	pthread_mutex_destroy(&l.mutex);
	free(l.senders);
	free(l.chunks);
	free(l.piece);
	close(l.fd);
	return result;
}
