/* pg_copy: rows by COPY over several connections. */
#include "db/postgresql/pg_copy.h"
#include "db/postgresql/pg_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/stop.h"
#include "codec/sha256.h"

#define LARGE "16777216" /* bytes: smaller tables are left to pg_dump */
#define MAYBE "8388608" /* bytes at the last VACUUM: worth being measured */
#define UNIT ((int64_t)16 << 20) /* bytes of a table in one COPY */
#define TABLES_MAX "256" /* pg_dump is told each by name, and looks it up */
#define PIECE ((size_t)256 << 10)
#define WAIT_MS 200

struct pg_copy {
	struct pg *p; /* whose snapshot it is */
	struct pg **connections;
	int n, jobs;
	struct pg_copy_table *tables;
	size_t tables_n;
};

/* One table being read. */
struct task {
	struct pg_copy *c;
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

/*
 * Tables whose rows pg_dump would read by a plain COPY of the table itself:
 * not those of extensions, which have their own conditions, and not the
 * partitions whose rows may be loaded through their root.  To measure a table
 * takes a lock on it, so it is not done where the catalog says that it is small.
 */
static const char tables_sql[] =
	"SELECT c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', "
	"n.nspname, c.relname), (SELECT pg_catalog.string_agg("
	"pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM "
	"pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 "
	"AND NOT a.attisdropped AND a.attgenerated = '') AS columns, "
	"pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting("
	"'block_size')::pg_catalog.int8, pg_catalog.pg_table_size(c.oid) AS "
	"size FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
	"n.oid = c.relnamespace JOIN pg_catalog.pg_am m ON m.oid = c.relam "
	"WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND "
	"m.amname = 'heap' AND n.nspname !~ '^pg_' AND n.nspname <> "
	"'information_schema' AND CASE WHEN c.reltuples < 0 OR c.relpages = 0 "
	"OR (c.relpages::pg_catalog.int8 + coalesce((SELECT o.relpages FROM "
	"pg_catalog.pg_class o WHERE o.oid = c.reltoastrelid), 0)) * "
	"pg_catalog.current_setting('block_size')::"
	"pg_catalog.int8 >= " MAYBE " THEN pg_catalog.pg_table_size(c.oid) >= "
	LARGE " ELSE false END AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE "
	"x.deptype = 'e' AND x.classid = "
	"'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid) AND "
	"NOT (c.relispartition AND EXISTS (SELECT 1 FROM "
	"pg_catalog.pg_partition_ancestors(c.oid) AS y JOIN "
	"pg_catalog.pg_partitioned_table k ON k.partrelid = y.relid WHERE "
	"k.partstrat = 'h')) ORDER BY size DESC, c.oid LIMIT " TABLES_MAX;

/* Names as they are in the database: pg_dump takes and writes them so. */
static int
find_tables(struct pg_copy *c, struct err *e)
{
	struct pg *p = c->p;
	int usual = PQclientEncoding(p->c), i;
	PGresult *r;

	if (PQsetClientEncoding(p->c, PQparameterStatus(p->c,
		"server_encoding")) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	r = pg_sql_one(p, tables_sql, 0, NULL, e);
	if (r != NULL && PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_error(p, r, e, "look for large tables");
		PQclear(r);
		r = NULL;
	}
	if (r == NULL)
		return -1;
	c->tables = mem_array((size_t)PQntuples(r) + 1, sizeof(*c->tables));
	for (i = 0; i < PQntuples(r); i++) {
		struct pg_copy_table *t = &c->tables[c->tables_n];

		if (PQgetisnull(r, i, 4) || PQgetisnull(r, i, 5))
			continue; /* no columns, or dropped by now */
		memset(t, 0, sizeof(*t));
		t->oid = strtoll(PQgetvalue(r, i, 0), NULL, 10);
		t->schema = mem_dup(PQgetvalue(r, i, 1));
		t->name = mem_dup(PQgetvalue(r, i, 2));
		t->from = mem_dup(PQgetvalue(r, i, 3));
		t->columns = mem_dup(PQgetvalue(r, i, 4));
		t->pages = strtoll(PQgetvalue(r, i, 5), NULL, 10);
		t->bytes = strtoll(PQgetvalue(r, i, 6), NULL, 10);
		c->tables_n++;
	}
	PQclear(r);
	if (PQsetClientEncoding(p->c, pg_encoding_to_char(usual)) == -1)
		return pg_error(p, NULL, e, "set the encoding");
	return 0;
}

/*
 * As pg_dump sets its sessions (PostgreSQL's pg_dump.c, setup_connection()),
 * and as pg_open_environment() adds.  The last two lines are for the plan:
 * only a range of pages is to be read, and by this process.
 */
static int
settle(struct pg *p, const char *snapshot, struct err *e)
{
	char *sql = mem_printf(
		"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
		"SET TRANSACTION SNAPSHOT '%s'; SET LOCAL search_path = ''; "
		"SET LOCAL DateStyle = ISO; "
		"SET LOCAL IntervalStyle = postgres; "
		"SET LOCAL extra_float_digits = 3; "
		"SET LOCAL synchronize_seqscans = off; "
		"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
		"SET LOCAL idle_in_transaction_session_timeout = 0; %s"
		"SET LOCAL row_security = off; SET LOCAL TimeZone = 'UTC'; "
		"SET LOCAL bytea_output = hex; "
		"SET LOCAL quote_all_identifiers = off; "
		"SET LOCAL enable_seqscan = off; SET LOCAL enable_tidscan = on; "
		"SET LOCAL jit = off; "
		"SET LOCAL max_parallel_workers_per_gather = 0", snapshot,
		p->version >= 170000 ? "SET LOCAL transaction_timeout = 0; " :
				       "");
	int result = pg_sql_exec(&p->base, sql, e);

	free(sql);
	return result;
}

/* Another connection, or NULL when the server has no room for it. */
static struct pg *
connect_one(struct pg_copy *c, struct err *e)
{
	struct pg *p;

	return pg_open_beside(&p, c->p, NULL, e) == 0 ? p : NULL;
}

/*
 * As many as there are jobs, and room for one more, which pg_dump needs.  What
 * cannot be had is said: then it takes longer.
 */
static int
connect_all(struct pg_copy *c, struct err *e)
{
	struct err why;
	struct pg *p = NULL;
	int i, wanted = c->jobs;

	for (i = 0; i < wanted && (p = connect_one(c, &why)) != NULL; i++)
		c->connections[c->n++] = p;
	p = i == wanted ? connect_one(c, &why) : NULL;
	if (p != NULL) {
		pg_open_close(&p->base);
	} else {
		if (c->n > 0)
			pg_open_close(&c->connections[--c->n]->base);
		report_say(c->p->base.report, REPORT_NOTE, "%d of %d further "
			"connections to read with: %s", c->n, wanted,
			why.text);
	}
	/* Values as they are in the database, as pg_dump has them. */
	for (i = 0; i < c->n; i++)
		if (pg_open_for_thread(c->connections[i], PQparameterStatus(
			c->connections[i]->c, "server_encoding"), e) == -1)
			return -1;
	return 0;
}

int
pg_copy_begin(struct pg_copy **out, struct pg *p, const char *snapshot,
	int jobs, struct err *e)
{
	struct pg_copy *c = *out;
	int i;

	if (c == NULL) {
		c = *out = mem_alloc(sizeof(*c));
		c->p = p;
		c->jobs = jobs < 1 ? 1 : jobs;
		c->connections = mem_array((size_t)c->jobs,
			sizeof(*c->connections));
	}
	if (find_tables(c, e) == -1)
		return -1;
	if (c->tables_n > 0 && c->n == 0 && connect_all(c, e) == -1)
		return -1;
	if (c->tables_n == 0 || c->n == 0) {
		pg_copy_free(c);
		*out = NULL;
		return 0;
	}
	for (i = 0; i < c->n; i++)
		if (settle(c->connections[i], snapshot, e) == -1)
			return -1;
	return 0;
}

int
pg_copy_lock(struct pg_copy *c, struct err *e)
{
	struct buf b = { 0 };
	size_t k;
	int i, got = 1;

	if (c == NULL)
		return 1;
	for (k = 0; k < c->tables_n; k++)
		buf_printf(&b, "%s%s", k > 0 ? ", ONLY " : "",
			c->tables[k].from);
	for (i = 0; i < c->n && got == 1; i++)
		got = pg_tables_lock(c->connections[i], b.data, e);
	buf_free(&b);
	return got;
}

struct pg_copy_table *
pg_copy_tables(struct pg_copy *c, size_t *n)
{
	*n = c == NULL ? 0 : c->tables_n;
	return c == NULL ? NULL : c->tables;
}

const char *
pg_copy_encoding(const struct pg_copy *c)
{
	return pg_encoding_to_char(PQclientEncoding(c->connections[0]->c));
}

/* --- rows ---------------------------------------------------------------- */

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

	if (n == 0 || row[n - 1] != '\n')
		return err_set(e, ERR_ENV, "server", "a row has no end");
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
	else if (sent != x->count.rows - before)
		result = err_set(e, ERR_ENV, "server", "the server sent %"
			PRId64 " rows, %" PRId64 " came", sent,
			x->count.rows - before);
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
unit_of(const struct pg_copy *c, const struct pg_copy_table *t)
{
	int64_t units = t->bytes / UNIT, n;

	if (c->p->version < 140000 || units < 2 || t->pages < 2)
		return 0;
	n = t->pages / units;
	return n < 1 ? 1 : n;
}

int
pg_copy_rows(struct pg_copy *c, const struct pg_copy_table *t,
	int (*give)(void *arg, const void *p, size_t n, struct err *e),
	void *arg, struct pg_copy_count *out, struct err *e)
{
	struct task k = { .c = c, .t = t, .give = give, .arg = arg,
		.unit = unit_of(c, t) };
	struct reader *readers = mem_array((size_t)c->n, sizeof(*readers));
	int i, started = 0, n = k.unit == 0 ? 1 : c->n;
	char *name;

	memset(readers, 0, (size_t)c->n * sizeof(*readers));
	pthread_mutex_init(&k.mutex, NULL);
	for (i = 0; i < n; i++) {
		readers[i].task = &k;
		readers[i].p = c->connections[i];
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

void
pg_copy_release(struct pg_copy *c)
{
	size_t k;
	int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		pg_sql_rollback(&c->connections[i]->base);
	for (k = 0; k < c->tables_n; k++) {
		free(c->tables[k].schema);
		free(c->tables[k].name);
		free(c->tables[k].from);
		free(c->tables[k].columns);
		free(c->tables[k].owner);
	}
	free(c->tables);
	c->tables = NULL;
	c->tables_n = 0;
}

void
pg_copy_free(struct pg_copy *c)
{
	int i;

	if (c == NULL)
		return;
	/* A COPY that is under way ends with its connection. */
	for (i = 0; i < c->n; i++)
		pg_open_close(&c->connections[i]->base);
	c->n = 0;
	pg_copy_release(c);
	free(c->connections);
	free(c);
}
