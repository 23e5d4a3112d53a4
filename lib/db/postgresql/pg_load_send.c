/* pg_load_send: chunks of rows to the server, a thread for each connection. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/stop.h"
#include "db/postgresql/pg_load_part.h"

#define SLICE ((size_t)1 << 20) /* handed to libpq at once */
#define WAIT_MS 200

static struct pg_load_chunk *
take_ready(struct pg_load *l)
{
	struct pg_load_chunk *c;

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

void
pg_load_give_back(struct pg_load *l, struct pg_load_chunk *c)
{
	buf_clear(&c->rows);
	c->sought = 0;
	pthread_mutex_lock(&l->mutex);
	c->next = l->empty;
	l->empty = c;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

static int
has_failed(struct pg_load *l)
{
	int failed;

	pthread_mutex_lock(&l->mutex);
	failed = l->failed;
	pthread_mutex_unlock(&l->mutex);
	return failed;
}

/*
 * Until libpq has sent all that it holds, or the server has said something, or
 * another sender has failed, whose error stands.
 */
static int
flush(struct pg_load_sender *s, struct err *e)
{
	int more;

	while ((more = PQflush(s->p->c)) == 1) {
		struct pollfd f = { PQsocket(s->p->c), POLLIN | POLLOUT, 0 };

		if (poll(&f, 1, WAIT_MS) == -1 && errno != EINTR)
			return err_sys(e, "wait for the server");
		if (stop_check(e) == -1 || has_failed(s->load))
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
end_copy(struct pg_load_sender *s, struct err *e)
{
	int64_t taken;
	PGresult *r;
	int result = 0;

	if (s->of == NULL)
		return 0;
	/* If it has ended already, the result says why. */
	if (PQputCopyEnd(s->p->c, NULL) == 1 && (flush(s, e) == -1 ||
		PQsetnonblocking(s->p->c, 0) == -1))
		return e->text[0] == '\0' && !has_failed(s->load) ?
			pg_error(s->p, NULL, e, "send rows") : -1;
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
	} else if (taken != s->sent) {
		err_set(e, ERR_ENV, "server", "the server took %" PRId64
			" of %" PRId64 " rows", taken, s->sent);
		result = pg_error_odd(e);
	}
	PQclear(r);
	if (result == -1)
		err_wrap(e, "table %s", s->of->name);
	s->of = NULL;
	return result;
}

static int
begin_copy(struct pg_load_sender *s, const struct pg_entry *of, struct err *e)
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
	/* Rows must not block; statements are sent as a whole. */
	if (result == 0 && PQsetnonblocking(s->p->c, 1) == -1)
		result = pg_error(s->p, NULL, e, "set it to non-blocking");
	s->of = result == 0 ? of : NULL;
	s->sent = 0;
	return result;
}

static int
send_chunk(struct pg_load_sender *s, const struct pg_load_chunk *c, struct err *e)
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
		if (PQputCopyData(s->p->c, c->rows.data + at, (int)n) != 1) {
			if (end_copy(s, e) == -1)
				return -1;
			err_set(e, ERR_ENV, "server", "the server ended a COPY");
			return pg_error_odd(e);
		}
		if (flush(s, e) == -1)
			return -1;
	}
	return 0;
}

void *
pg_load_send(void *arg)
{
	struct pg_load_sender *s = arg;
	struct pg_load *l = s->load;
	struct pg_load_chunk *c;
	struct err e = { 0 };
	int result = 0;

	while (result == 0 && (c = take_ready(l)) != NULL) {
		result = send_chunk(s, c, &e);
		pg_load_give_back(l, c);
	}
	if (result == 0 && !has_failed(l))
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
