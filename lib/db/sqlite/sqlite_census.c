/*
 * sqlite_census: the rows and the values of a table, counted.  A large table of a copy
 * that nobody else writes to is read in ranges of rowids, by several connections.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/pool.h"
#include "db/sqlite/sqlite.h"

#define RANGES 32 /* of a table: more than readers, for its rows differ in size */
#define ROWS_MIN 50000 /* a smaller one is read at once */
#define READERS_MAX 8

/* The stored columns of a table, generated ones left out. */
static int
stored_columns(struct db *d, const char *table, struct db_census *out,
	struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e,
		    "SELECT name FROM pragma_table_xinfo(?1, 'main') "
		    "WHERE hidden = 0 ORDER BY cid", "s", table) == -1)
		return -1;
	while ((more = db_next(r, e)) == 1) {
		out->columns = mem_grow(out->columns, out->n + 1,
			sizeof(*out->columns));
		out->columns[out->n++] = mem_dup(db_text(r, 0));
	}
	db_rows_free(r);
	return more;
}

/* --- one reading ---------------------------------------------------------- */

/* What a range holds; of several, each number is the sum. */
struct part {
	uint64_t rows, *values, *digests, *groups; /* a digest of rows for each group */
	size_t n; /* columns */
};

static size_t
groups_of(size_t columns)
{
	return (columns + SQLITE_CONTENT_MAX - 1) / SQLITE_CONTENT_MAX;
}

static void
part_make(struct part *p, size_t columns)
{
	p->rows = 0;
	p->n = columns;
	p->values = mem_array(columns + 1, sizeof(*p->values));
	p->digests = mem_array(columns + 1, sizeof(*p->digests));
	p->groups = mem_array(groups_of(columns) + 1, sizeof(*p->groups));
}

static void
part_free(struct part *p)
{
	free(p->values);
	free(p->digests);
	free(p->groups);
}

static void
part_add(struct part *to, const struct part *from)
{
	size_t i;

	to->rows += from->rows;
	for (i = 0; i < to->n; i++) {
		to->values[i] += from->values[i];
		to->digests[i] += from->digests[i];
	}
	for (i = 0; i < groups_of(to->n); i++)
		to->groups[i] += from->groups[i];
}

/* What is said of each group of columns, by mig_content() or in counts; added. */
static void
read_groups(struct db_rows *r, int content, struct part *out)
{
	const char *text = "";
	char *end;
	size_t i;

	for (i = 0; i < out->n; i++) {
		if (i % SQLITE_CONTENT_MAX == 0)
			text = db_text(r, 1 + (int)(i / SQLITE_CONTENT_MAX));
		if (i % SQLITE_CONTENT_MAX == 0 && content) {
			out->groups[i / SQLITE_CONTENT_MAX] += (uint64_t)
				strtoll(text, &end, 10);
			text = end;
		}
		out->values[i] += (uint64_t)strtoll(text, &end, 10);
		if (content)
			out->digests[i] += (uint64_t)strtoll(end, &end, 10);
		text = end;
	}
}

static int
read_part(struct db *d, const char *sql, int content, const char *args,
	int64_t from, int64_t to, struct part *out, struct err *e)
{
	struct db_rows *r;
	int more = *args == '\0' ? db_query(&r, d, e, sql, "") :
		db_query(&r, d, e, sql, args, from, to);

	if (more == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1) {
		out->rows += (uint64_t)db_int(r, 0);
		read_groups(r, content, out);
	}
	db_rows_free(r);
	return more == -1 ? -1 : 0;
}

/* --- several readings at once --------------------------------------------- */

struct reader {
	struct ranges *all;
	struct db *d;
	struct part part;
	struct err failed;
	pthread_t thread;
};

struct ranges {
	const char *sql;
	int64_t first, last; /* rowids */
	atomic_int next;
	atomic_int failed;
};

static void *
read_ranges(void *arg)
{
	struct reader *x = arg;
	struct ranges *a = x->all;
	uint64_t width = ((uint64_t)a->last - (uint64_t)a->first) / RANGES;
	int i;

	while ((i = atomic_fetch_add(&a->next, 1)) < RANGES &&
		!atomic_load(&a->failed)) {
		int64_t from = (int64_t)((uint64_t)a->first + width *
			(uint64_t)i + (i > 0));
		int64_t to = i == RANGES - 1 ? a->last : (int64_t)(
			(uint64_t)a->first + width * (uint64_t)(i + 1));

		if (read_part(x->d, a->sql, 1, "ii", from, to, &x->part,
			&x->failed) == -1)
			atomic_store(&a->failed, 1);
	}
	return NULL;
}

static int
open_reader(struct reader *x, const struct sqlite *s, struct err *e)
{
	struct db_options o = { .url = s->path, .busy_ms = 5000,
		.mode = DB_SCRATCH_SHARED };

	return sqlite_open_db(&x->d, &o, e) == -1 || db_exec(x->d,
		"PRAGMA query_only = 1; PRAGMA mmap_size = 2147483648", e) ==
		-1 || sqlite_content_register(sqlite_of(x->d), e) == -1 ?
		-1 : 0;
}

static int
read_at_once(struct sqlite *s, struct ranges *a, int readers, struct part *out,
	struct err *e)
{
	struct reader v[READERS_MAX] = { 0 };
	sigset_t all, old;
	int i, started = 0, code = 0, result = 0;

	for (i = 0; i < readers; i++) {
		v[i].all = a;
		part_make(&v[i].part, out->n);
		if (i == 0)
			v[i].d = &s->base;
		else if (result == 0)
			result = open_reader(&v[i], s, e);
	}
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (i = 1; i < readers && result == 0 && code == 0; i++) {
		code = pthread_create(&v[i].thread, NULL, read_ranges, &v[i]);
		started += code == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (result == 0)
		read_ranges(&v[0]); /* where there is no thread, all of it */
	for (i = 1; i <= started; i++)
		pthread_join(v[i].thread, NULL);
	for (i = 0; i < readers; i++) {
		part_add(out, &v[i].part);
		if (result == 0 && v[i].failed.code != ERR_NONE) {
			*e = v[i].failed;
			result = -1;
		}
		part_free(&v[i].part);
		if (i > 0 && v[i].d != NULL)
			db_close(v[i].d);
	}
	return result;
}

/*
 * The rowids of a table that may be read in ranges: 1, or 0.  Several connections see
 * the same only of what nobody writes to.
 */
static int
find_ranges(struct sqlite *s, const char *table, const char *quoted,
	struct ranges *out)
{
	struct db_rows *r;
	struct err ignored;
	char *sql;
	int rowids = 0;

	if (s->mode != DB_SCRATCH_SHARED || !sqlite3_get_autocommit(s->h))
		return 0;
	/* A column of that name, generated ones too, is no rowid. */
	if (db_query(&r, &s->base, &ignored, "SELECT type = 'table' AND wr = 0 "
		"AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1, 'main') "
		"AS x WHERE x.name = '_rowid_' COLLATE NOCASE) FROM "
		"pragma_table_list WHERE schema = 'main' AND name = ?1 "
		"COLLATE NOCASE", "s", table) == -1)
		return 0;
	if (db_next(r, &ignored) == 1)
		rowids = (int)db_int(r, 0);
	db_rows_free(r);
	if (!rowids)
		return 0;
	sql = mem_printf("SELECT min(_rowid_), (SELECT max(_rowid_) FROM "
		"main.%s) FROM main.%s", quoted, quoted);
	rowids = db_query(&r, &s->base, &ignored, sql, "") == 0;
	free(sql);
	if (!rowids)
		return 0;
	rowids = db_next(r, &ignored) == 1 && db_text(r, 0) != NULL;
	if (rowids) {
		out->first = db_int(r, 0);
		out->last = db_int(r, 1);
	}
	db_rows_free(r);
	return rowids && (uint64_t)out->last - (uint64_t)out->first >= ROWS_MIN;
}

/* --- all of it ------------------------------------------------------------ */

/* In groups: a SELECT has fewer places than a table may have columns. */
static char *
query(const struct db_census *c, const char *quoted, int content)
{
	struct buf sql = { 0 };
	size_t i;

	buf_text(&sql, "SELECT count(*)");
	for (i = 0; i < c->n; i++) {
		char *column = sqlite_sql_quote(c->columns[i]);
		int first = i % SQLITE_CONTENT_MAX == 0;

		if (!content)
			buf_printf(&sql, "%scount(%s)", first ? ", " :
				" || ' ' || ", column);
		else
			buf_printf(&sql, "%s%s", first ? i == 0 ?
				", mig_content(" : "), mig_content(" : ", ",
				column);
		free(column);
	}
	if (content && c->n > 0)
		buf_char(&sql, ')');
	buf_printf(&sql, " FROM main.%s", quoted);
	return buf_detach(&sql);
}

static void
tell(struct db_census *out, const struct part *p)
{
	size_t i;

	out->rows = (int64_t)p->rows;
	out->values = mem_array(out->n, sizeof(*out->values));
	out->digests = mem_array(out->n, sizeof(*out->digests));
	for (i = 0; i < out->n; i++) {
		out->values[i] = (int64_t)p->values[i];
		out->digests[i] = (int64_t)p->digests[i];
	}
	for (i = 0; i < groups_of(out->n); i++)
		out->row_digest ^= (int64_t)p->groups[i];
}

int
sqlite_census(struct db *d, const char *table, int content,
	struct db_census *out, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	struct ranges ranges = { 0 };
	struct part part = { 0 };
	int readers = pool_cores(), result;
	char *quoted, *sql, *ranged;

	out->there = sqlite_catalog_has_table(d, table, e);
	if (out->there != 1)
		return out->there;
	if (stored_columns(d, table, out, e) == -1 ||
		(content && sqlite_content_register(s, e) == -1)) {
		db_census_free(out);
		return -1;
	}
	quoted = sqlite_sql_quote(table);
	sql = query(out, quoted, content);
	part_make(&part, out->n);
	readers = readers > READERS_MAX ? READERS_MAX : readers;
	if (content && readers > 1 && find_ranges(s, table, quoted,
		&ranges)) {
		ranges.sql = ranged = mem_printf("%s WHERE _rowid_ BETWEEN ?1 "
			"AND ?2", sql);
		result = read_at_once(s, &ranges, readers, &part, e);
		free(ranged);
	} else {
		result = read_part(d, sql, content, "", 0, 0, &part, e);
	}
	if (result == 0)
		tell(out, &part);
	else
		db_census_free(out);
	part_free(&part);
	free(quoted);
	free(sql);
	return result;
}
