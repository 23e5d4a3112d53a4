/* pg_copy_rows: rows by COPY, one thread for each connection. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "codec/sha256.h"
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_dump.h"

#define UNIT ((int64_t)16 << 20) /* bytes of a table in one COPY */
#define PIECE ((size_t)256 << 10)
#define WAIT_MS 200

/* One table being read. */
struct task {
	const struct pg_copy_table *t;
	int (*give)(void *arg, const void *p, size_t n, struct err *e);
	void *arg;
	int64_t unit; /* pages in one COPY; 0: all */
	pthread_mutex_t mutex; /* guards all below, and give */
	int64_t next; /* page */
	int done, failed;
	struct pg_copy_count count;
	struct err err;
};

/* What one thread has to itself. */
struct reader {
	struct task *task;
	struct pg *p;
	struct sha256 *hash;
	struct buf piece;
	struct pg_copy_count count;
	pthread_t thread;
};

static int
is_over(struct task *k, struct err *e)
{
	int failed;

	pthread_mutex_lock(&k->mutex);
	failed = k->failed;
	pthread_mutex_unlock(&k->mutex);
	if (failed)
		return err_set(e, ERR_ENV, "interrupted", "another one failed");
	return stop_check(e);
}

static int
wait_for(struct reader *x, struct err *e)
{
	struct pollfd f = { PQsocket(x->p->c), POLLIN, 0 };

	if (poll(&f, 1, WAIT_MS) == -1 && errno != EINTR)
		return err_sys(e, "wait for the server");
	if (is_over(x->task, e) == -1)
		return -1;
	if (f.revents != 0 && !PQconsumeInput(x->p->c))
		return pg_error(x->p, NULL, e, "read rows");
	return 0;
}

static int
give_piece(struct reader *x, struct err *e)
{
	struct task *k = x->task;
	int result;

	if (x->piece.len == 0)
		return 0;
	pthread_mutex_lock(&k->mutex);
	/* Nothing is given after a failure, and the first one is the reason. */
	result = k->failed ? err_set(e, ERR_ENV, "interrupted",
		"another one failed") :
		k->give(k->arg, x->piece.data, x->piece.len, e);
	if (result == -1 && !k->failed) {
		k->failed = 1;
		k->err = *e;
	}
	pthread_mutex_unlock(&k->mutex);
	buf_clear(&x->piece);
	return result;
}

/* A row with its newline, as COPY sends it: one in each message. */
static int
take_row(struct reader *x, const char *row, size_t n, struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	if (n == 0 || row[n - 1] != '\n') {
		err_set(e, ERR_ENV, "server", "a row has no end");
		return pg_error_odd(e);
	}
	sha256_add(x->hash, row, n - 1);
	sha256_end(x->hash, digest);
	pg_stream_add(&x->count.sum, digest);
	x->count.rows++;
	x->count.bytes += (int64_t)n;
	/*
	 * A large row stands alone: pg_restore sends a piece in one message,
	 * which may hold little more than the largest row.
	 */
	if (x->piece.len + n > PIECE && give_piece(x, e) == -1)
		return -1;
	buf_add(&x->piece, row, n);
	return x->piece.len < PIECE ? 0 : give_piece(x, e);
}

/* The rows of a COPY that has begun, to its end; counts them. */
static int
take_rows(struct reader *x, struct err *e)
{
	char *row = NULL;
	int n;

	for (;;) {
		n = PQgetCopyData(x->p->c, &row, 1);
		if (n == -1)
			return 0;
		if (n == -2)
			return pg_error(x->p, NULL, e, "read rows");
		if (n == 0) {
			if (wait_for(x, e) == -1)
				return -1;
			continue;
		}
		n = take_row(x, row, (size_t)n, e);
		PQfreemem(row);
		if (n == -1)
			return -1;
	}
}

static PGresult *
next_result(struct reader *x, struct err *e)
{
	PGresult *r;

	while (PQisBusy(x->p->c))
		if (wait_for(x, e) == -1)
			return NULL;
	r = PQgetResult(x->p->c);
	if (r == NULL)
		pg_error(x->p, NULL, e, "read rows");
	return r;
}

static int
copy(struct reader *x, const char *sql, struct err *e)
{
	int64_t before = x->count.rows, sent;
	PGresult *r;
	int result = 0;

	if (!PQsendQuery(x->p->c, sql))
		return pg_error(x->p, NULL, e, "send a command");
	r = next_result(x, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_COPY_OUT)
		result = pg_error(x->p, r, e, "read rows");
	PQclear(r);
	if (result == -1 || take_rows(x, e) == -1)
		return -1;
	r = next_result(x, e);
	if (r == NULL)
		return -1;
	sent = strtoll(PQcmdTuples(r), NULL, 10);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		result = pg_error(x->p, r, e, "read rows");
	else if (sent != x->count.rows - before) {
		err_set(e, ERR_ENV, "server", "the server sent %" PRId64
			" rows, %" PRId64 " came", sent,
			x->count.rows - before);
		result = pg_error_odd(e);
	}
	PQclear(r);
	while ((r = PQgetResult(x->p->c)) != NULL)
		PQclear(r);
	return result;
}

/*
 * The pages were counted after the snapshot was taken: its rows are in them.
 * The last range has no end all the same.
 */
static int
copy_range(struct reader *x, int64_t from, struct err *e)
{
	const struct pg_copy_table *t = x->task->t;
	int64_t to = from + x->task->unit;
	char *sql, *end = to >= t->pages ? mem_dup("") :
		mem_printf(" AND ctid < '(%" PRId64 ",0)'", to);
	int result;

	sql = x->task->unit == 0 ?
		mem_printf("COPY %s (%s) TO STDOUT", t->from, t->columns) :
		mem_printf("COPY (SELECT %s FROM ONLY %s WHERE ctid >= '(%"
			PRId64 ",0)'%s) TO STDOUT", t->columns, t->from, from,
			end);
	result = copy(x, sql, e);
	free(sql);
	free(end);
	return result;
}

/* The first page of a range that nobody has; -1: all are taken. */
static int64_t
next_range(struct task *k)
{
	int64_t from = -1;

	pthread_mutex_lock(&k->mutex);
	if (!k->done && !k->failed) {
		from = k->next;
		k->next += k->unit;
		k->done = k->unit == 0 || k->next >= k->t->pages;
	}
	pthread_mutex_unlock(&k->mutex);
	return from;
}

static void *
read_ranges(void *arg)
{
	struct reader *x = arg;
	struct task *k = x->task;
	struct err e = { 0 };
	int64_t from;
	int result = 0;

	x->hash = sha256_new();
	while (result == 0 && (from = next_range(k)) != -1)
		result = copy_range(x, from, &e);
	if (result == 0)
		result = give_piece(x, &e);
	sha256_free(x->hash);
	buf_free(&x->piece);
	pthread_mutex_lock(&k->mutex);
	if (result == -1 && !k->failed) {
		k->failed = 1;
		k->err = e;
	}
	k->count.rows += x->count.rows;
	k->count.bytes += x->count.bytes;
	pg_stream_add(&k->count.sum, x->count.sum.v);
	pthread_mutex_unlock(&k->mutex);
	return NULL;
}

/* Servers before 14 would read the whole table for each range. */
static int64_t
unit_of(struct pg_copy *c, const struct pg_copy_table *t)
{
	int64_t units = t->bytes / UNIT, n;

	if (pg_copy_connection(c, 0)->version < 140000 || units < 2 || t->pages < 2)
		return 0;
	n = t->pages / units;
	return n < 1 ? 1 : n;
}

int
pg_copy_rows(struct pg_copy *c, const struct pg_copy_table *t,
	int (*give)(void *arg, const void *p, size_t n, struct err *e),
	void *arg, struct pg_copy_count *out, struct err *e)
{
	struct task k = { .t = t, .give = give, .arg = arg,
		.unit = unit_of(c, t) };
	struct reader *readers;
	int i, started = 0, n = 1;
	char *name;

	while (k.unit > 0 && pg_copy_connection(c, n) != NULL)
		n++;
	readers = mem_array((size_t)n, sizeof(*readers));
	memset(readers, 0, (size_t)n * sizeof(*readers));
	pthread_mutex_init(&k.mutex, NULL);
	for (i = 0; i < n; i++) {
		readers[i].task = &k;
		readers[i].p = pg_copy_connection(c, i);
		/* One fewer is slower, none is the caller's own. */
		if (i > 0 && pthread_create(&readers[i].thread, NULL,
			read_ranges, &readers[i]) != 0)
			break;
		started = i;
	}
	read_ranges(&readers[0]);
	for (i = 1; i <= started; i++)
		pthread_join(readers[i].thread, NULL);
	pthread_mutex_destroy(&k.mutex);
	free(readers);
	*out = k.count;
	if (!k.failed)
		return 0;
	*e = k.err;
	name = pg_dump_name(t->schema, t->name);
	err_wrap(e, "table %s", name);
	free(name);
	return -1;
}
