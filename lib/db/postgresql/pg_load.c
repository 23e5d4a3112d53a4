/* pg_load: rows out of a dump by COPY over several connections. */
#include "db/postgresql/pg_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
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
#include "os/file.h"

#define PIECE ((size_t)1 << 20)
#define CHUNK ((size_t)1 << 20) /* of whole rows, on its way to the server */
#define SLICE ((size_t)1 << 20) /* handed to libpq at once */
#define TAIL (2 * sizeof(PG_COPY_END)) /* may hold the end of a table */
#define WAIT_MS 200

/* Rows of one table, whole lines. */
struct chunk {
	const struct pg_entry *of;
	struct buf rows;
	size_t sought; /* bytes in which no row ends */
	struct chunk *next;
};

struct sender {
	struct load *load;
	struct pg *p;
	const struct pg_entry *of; /* of the COPY under way; NULL: none */
	int64_t sent; /* rows in it */
	pthread_t thread;
};

struct load {
	struct pg *m;
	const char *name;
	int fd, jobs;
	unsigned char *piece;
	int64_t at, total; /* bytes of the file */
	struct strs *left; /* numbers of entries; of all, at first */
	struct sender *senders;
	struct chunk *chunks;
	int n; /* senders; there are twice as many chunks and one */
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t changed;
	struct chunk *empty, *ready, **ready_end;
	int ended, failed, broken; /* by rows that the server does not take */
	struct err err;
};

/* --- to the server ------------------------------------------------------- */

static struct chunk *
take_ready(struct load *l)
{
	struct chunk *c;

	pthread_mutex_lock(&l->mutex);
	while (l->ready == NULL && !l->ended && !l->failed)
		pthread_cond_wait(&l->changed, &l->mutex);
	c = l->failed ? NULL : l->ready;
	if (c != NULL) {
		l->ready = c->next;
		if (l->ready == NULL)
			l->ready_end = &l->ready;
	}
	pthread_mutex_unlock(&l->mutex);
	return c;
}

static void
give_back(struct load *l, struct chunk *c)
{
	buf_clear(&c->rows);
	c->sought = 0;
	pthread_mutex_lock(&l->mutex);
	c->next = l->empty;
	l->empty = c;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

/* Until libpq has sent all that it holds, or the server has said something. */
static int
flush(struct sender *s, struct err *e)
{
	int more;

	while ((more = PQflush(s->p->c)) == 1) {
		struct pollfd f = { PQsocket(s->p->c), POLLIN | POLLOUT, 0 };

		if (poll(&f, 1, WAIT_MS) == -1 && errno != EINTR)
			return err_sys(e, "wait for the server");
		if (stop_check(e) == -1)
			return -1;
		if ((f.revents & POLLIN) && !PQconsumeInput(s->p->c))
			break;
	}
	return more == 0 ? 0 : pg_error(s->p, NULL, e, "send rows");
}

/* The server does not take the rows: a constraint, a function in one, ... */
static int
is_about_rows(const PGresult *r)
{
	static const char *const others[] = { "08", "53", "55", "57", "58",
		"XX", NULL };
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *const *o;

	for (o = others; state != NULL && *o != NULL; o++)
		if (strncmp(state, *o, 2) == 0)
			return 0;
	return state != NULL;
}

static int
end_copy(struct sender *s, struct err *e)
{
	int64_t taken;
	PGresult *r;
	int result = 0;

	if (s->of == NULL)
		return 0;
	/* If it has ended already, the result says why. */
	if (PQputCopyEnd(s->p->c, NULL) == 1 && flush(s, e) == -1)
		return -1;
	r = pg_sql_collect(s->p, e);
	if (r == NULL)
		return e->text[0] == '\0' ?
			pg_error(s->p, NULL, e, "send rows") : -1;
	taken = strtoll(PQcmdTuples(r), NULL, 10);
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		result = pg_error(s->p, r, e, "load rows");
		pthread_mutex_lock(&s->load->mutex);
		s->load->broken |= is_about_rows(r);
		pthread_mutex_unlock(&s->load->mutex);
	} else if (taken != s->sent)
		result = err_set(e, ERR_ENV, "server", "the server took %"
			PRId64 " of %" PRId64 " rows", taken, s->sent);
	PQclear(r);
	if (result == -1)
		err_wrap(e, "table %s", s->of->name);
	s->of = NULL;
	return result;
}

static int
begin_copy(struct sender *s, const struct pg_entry *of, struct err *e)
{
	PGresult *r = pg_sql_one(s->p, of->copy, 0, NULL, e);
	int result = 0;

	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_COPY_IN) {
		result = pg_error(s->p, r, e, "load rows");
		err_wrap(e, "table %s", of->name);
	}
	PQclear(r);
	s->of = result == 0 ? of : NULL;
	s->sent = 0;
	return result;
}

static int
send_chunk(struct sender *s, const struct chunk *c, struct err *e)
{
	const char *p = c->rows.data, *end = p + c->rows.len;
	size_t at, n;

	if (stop_check(e) == -1)
		return -1;
	if (s->of != c->of && (end_copy(s, e) == -1 ||
		begin_copy(s, c->of, e) == -1))
		return -1;
	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL;
		p++)
		s->sent++;
	for (at = 0; at < c->rows.len; at += n) {
		n = c->rows.len - at < SLICE ? c->rows.len - at : SLICE;
		/* What the server says is better than that there is no COPY. */
		if (PQputCopyData(s->p->c, c->rows.data + at, (int)n) != 1)
			return end_copy(s, e) == -1 ? -1 : err_set(e, ERR_ENV,
				"server", "the server ended a COPY");
		if (flush(s, e) == -1)
			return -1;
	}
	return 0;
}

static void *
send_all(void *arg)
{
	struct sender *s = arg;
	struct load *l = s->load;
	struct chunk *c;
	struct err e = { 0 };
	int result = 0, failed;

	while (result == 0 && (c = take_ready(l)) != NULL) {
		result = send_chunk(s, c, &e);
		give_back(l, c);
	}
	pthread_mutex_lock(&l->mutex);
	failed = l->failed;
	pthread_mutex_unlock(&l->mutex);
	if (result == 0 && !failed)
		result = end_copy(s, &e);
	if (result == -1) {
		pthread_mutex_lock(&l->mutex);
		if (!l->failed)
			l->err = e;
		l->failed = 1;
		pthread_cond_broadcast(&l->changed);
		pthread_mutex_unlock(&l->mutex);
	}
	return NULL;
}

/* --- out of the file ----------------------------------------------------- */

/* NULL when a sender has failed: they look out for a signal. */
static struct chunk *
take_empty(struct load *l)
{
	struct chunk *c;

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
give(struct load *l, struct chunk *c)
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
cut(struct load *l, struct chunk **c)
{
	struct buf *b = &(*c)->rows;
	const char *from = b->data + (*c)->sought;
	const char *end = memrchr(from, '\n', b->len - TAIL - (*c)->sought);
	struct chunk *next;
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
failure(struct load *l, struct err *e)
{
	pthread_mutex_lock(&l->mutex);
	*e = l->err;
	pthread_mutex_unlock(&l->mutex);
	return -1;
}

/* The pieces of a block; into c if it is not NULL. */
static int
take_pieces(struct load *l, struct pg_stream *d, struct chunk **c,
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
load_table(struct load *l, struct pg_stream *d, const struct pg_entry *x,
	struct err *e)
{
	const size_t end = strlen(PG_COPY_END);
	struct chunk *c = take_empty(l);

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
		give_back(l, c);
	return 0;
}

static int
skip_objects(struct load *l, struct pg_stream *d, struct err *e)
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
load_blocks(struct load *l, struct pg_stream *d, struct err *e)
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
	if (result == 0 && PQsetnonblocking(p->c, 1) == -1)
		result = pg_error(p, NULL, e, "set it to non-blocking");
	return result;
}

static int
open_all(struct load *l, const char *encoding, struct err *e)
{
	struct chunk *c;
	int i;

	l->senders = mem_array((size_t)l->jobs, sizeof(*l->senders));
	memset(l->senders, 0, (size_t)l->jobs * sizeof(*l->senders));
	for (i = 0; i < l->jobs; i++) {
		struct sender *s = &l->senders[i];

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
sort_out(struct load *l, struct pg_stream *d)
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
	struct load *l = arg;
	int i, started = 0, result;

	sort_out(l, d);
	if (open_all(l, d->out->encoding, e) == -1)
		return -1;
	while (started < l->n && pthread_create(&l->senders[started].thread,
		NULL, send_all, &l->senders[started]) == 0)
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

static void
note_id(void *arg, const struct pg_item *x)
{
	struct load *l = arg;
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, x->id);
	strs_add(l->left, text);
}

static ssize_t
next_piece(void *arg, const unsigned char **p, struct err *e)
{
	struct load *l = arg;
	ssize_t n = file_read(l->fd, l->piece, PIECE, e);

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
	struct load l = { .m = m, .name = name, .jobs = jobs < 1 ? 1 : jobs,
		.left = left, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct pg_dump_source source = { .arg = &l, .more = next_piece,
		.item = note_id, .data = load_all };
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
