/* db: one open database, whatever its engine. */
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "db/driver.h"
#include "db/sqlite/sqlite.h"
#include "os/lock.h"

int
db_open(struct db **out, const struct db_options *o, struct err *e)
{
	const struct db_driver *driver;

	*out = NULL;
	driver = o->engine == NULL ? NULL : db_driver_named(o->engine);
	if (driver != NULL)
		return driver->open(out, o, e);
	driver = o->mode == DB_SCRATCH || o->mode == DB_SCRATCH_WRITE ||
			o->mode == DB_SCRATCH_SHARED ?
		&sqlite_driver : db_driver_of(o->url, e);
	return driver == NULL ? -1 : driver->open(out, o, e);
}

void
db_close(struct db *d)
{
	if (d != NULL)
		d->driver->close(d);
}

int
db_locate(const char *url, char **path, struct err *e)
{
	const struct db_driver *driver = db_driver_of(url, e);

	*path = NULL;
	return driver == NULL ? -1 : driver->locate(url, path, e);
}

char *
db_label(const char *url, struct err *e)
{
	const struct db_driver *driver = db_driver_of(url, e);
	char *path;

	if (driver == NULL)
		return NULL;
	if (driver->label != NULL)
		return driver->label(url, e);
	return driver->locate(url, &path, e) == -1 ? NULL : path;
}

int
db_is_server(const char *url)
{
	struct err ignored;
	const struct db_driver *driver = db_driver_of(url, &ignored);

	return driver != NULL && (driver->caps & DB_CAP_SERVER) != 0;
}

const char *
db_name(const struct db *d)
{
	return d->driver->name(d);
}

enum lex_rules
db_rules(const struct db *d)
{
	return d->driver->rules;
}

const char *
db_check_name(const struct db *d, int deep)
{
	return d->driver->checks[deep != 0];
}

char *
db_canonical(struct db *d, const char *n)
{
	return d->driver->canonical == NULL ? mem_dup(n) :
					      d->driver->canonical(d, n);
}

char *
db_qualified(struct db *d, const char *name)
{
	struct buf b = { 0 };

	if (d->driver->qualified != NULL)
		return d->driver->qualified(d, name);
	lex_quote(&b, name, strlen(name));
	return buf_detach(&b);
}

void
db_hush(struct db *d, int on)
{
	d->hushed = on;
}

int
db_can(const struct db *d, unsigned cap)
{
	return (d->driver->caps & cap) == cap;
}

int
db_identity(struct db *d, struct wire_database *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->identity(d, out, e);
}

int
db_position(struct db *d, struct wire_position *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->position(d, out, e);
}

int
db_fingerprint(struct db *d, char out[65], struct err *e)
{
	return d->driver->fingerprint(d, out, e);
}

int
db_fingerprint_ahead(struct db *d, struct err *e)
{
	return d->driver->fingerprint_ahead == NULL ? 0 :
		d->driver->fingerprint_ahead(d, e);
}

int
db_dump_sql(struct db *d, struct buf *out, struct err *e)
{
	return d->driver->dump_sql(d, out, e);
}

int
db_schema(struct db *d, struct strs *out, struct err *e)
{
	return d->driver->schema(d, out, e);
}

int
db_tables(struct db *d, struct shape_list *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->tables(d, out, e);
}

void
db_tables_free(struct shape_list *l)
{
	struct wire_table *t = l->items;
	size_t i;

	for (i = 0; i < l->n; i++)
		shape_release(&wire_table_shape, &t[i]);
	free(t);
	memset(l, 0, sizeof(*l));
}

int
db_is_ours(const char *table)
{
	if (strs_starts(table, "mig."))
		table += 4; /* its schema, where there are some */
	return strs_same(table, "mig_ledger") ||
		strs_same(table, "mig_event") ||
		strs_same(table, "mig_identity");
}

int
db_has_table(struct db *d, const char *name, struct err *e)
{
	int there;

	return d->driver->has_tables(d, &name, 1, &there, e) == -1 ? -1 : there;
}

int
db_has_tables(struct db *d, const char *const *names, size_t n, int *there,
	struct err *e)
{
	return d->driver->has_tables(d, names, n, there, e);
}

int
db_exec(struct db *d, const char *sql, struct err *e)
{
	return d->driver->exec(d, sql, e);
}

int
db_query(struct db_rows **out, struct db *d, struct err *e, const char *sql,
	const char *args, ...)
{
	struct db_rows *r = mem_alloc(sizeof(*r));
	va_list ap;
	int result;

	r->db = d;
	va_start(ap, args);
	result = d->driver->query(r, sql, args, ap, e);
	va_end(ap);
	if (result == -1) {
		free(r);
		r = NULL;
	}
	*out = r;
	return result;
}

int
db_execv(struct db *d, struct err *e, const char *sql, const char *args,
	va_list ap)
{
	struct db_rows r = { d, NULL };
	int result = d->driver->query(&r, sql, args, ap, e);

	if (result == -1)
		return -1;
	while ((result = d->driver->next(&r, e)) == 1)
		;
	d->driver->rows_free(&r);
	return result;
}

int
db_execf(struct db *d, struct err *e, const char *sql, const char *args, ...)
{
	va_list ap;
	int result;

	va_start(ap, args);
	result = db_execv(d, e, sql, args, ap);
	va_end(ap);
	return result;
}

int
db_next(struct db_rows *r, struct err *e)
{
	return r->db->driver->next(r, e);
}

const char *
db_text(struct db_rows *r, int column)
{
	return r->db->driver->text(r, column);
}

int64_t
db_int(struct db_rows *r, int column)
{
	return r->db->driver->integer(r, column);
}

void
db_rows_free(struct db_rows *r)
{
	if (r == NULL)
		return;
	r->db->driver->rows_free(r);
	free(r);
}

const char *
db_sql(const struct db *d, const char *name)
{
	return d->driver->sql(name);
}

int
db_begin(struct db *d, int foreign_keys, struct err *e)
{
	return d->driver->begin(d, foreign_keys, e);
}

int
db_commit(struct db *d, struct err *e)
{
	return d->driver->commit(d, e);
}

void
db_rollback(struct db *d)
{
	d->driver->rollback(d);
}

int
db_settle(struct db *d, struct err *e)
{
	return d->driver->settle(d, e);
}

int
db_lock(struct db *d, struct lock **out, int64_t wait_s, const char *who,
	struct err *e)
{
	return d->driver->lock(d, out, wait_s, who, e);
}

int
db_can_lock_other(const struct db *d)
{
	return d->driver->lock_other != NULL;
}

int
db_lock_other(struct db *d, int64_t id, int64_t wait_s, const char *who,
	struct err *e)
{
	return d->driver->lock_other == NULL ? 0 :
		d->driver->lock_other(d, id, wait_s, who, e);
}

int
db_locked_by(struct db *d, char *out, size_t room)
{
	return d->driver->locked_by(d, out, room);
}

int
db_lock_descriptor(const struct db *d, const struct lock *l)
{
	return d->driver->session == NULL ? lock_descriptor(l) :
		d->driver->session(d);
}

int
db_check(struct db *d, int deep, char *found, size_t room, struct err *e)
{
	return d->driver->check(d, deep, found, room, e);
}

int
db_dangling(struct db *d, int64_t *n, char *first, size_t room, struct err *e)
{
	return d->driver->dangling(d, n, first, room, e);
}

int
db_problems(struct db *d, db_problem *found, void *arg, struct err *e)
{
	return d->driver->problems == NULL ? 0 :
		d->driver->problems(d, found, arg, e);
}

int
db_blocked(struct db *d, const struct strs *tables, struct err *e)
{
	return d->driver->blocked == NULL ? 0 :
		d->driver->blocked(d, tables, e);
}

int
db_prove_unused(const char *url, struct err *e)
{
	const struct db_driver *driver = db_driver_of(url, e);
	char *path;
	int result;

	if (driver == NULL)
		return -1;
	if (!(driver->caps & DB_CAP_OFFLINE))
		return err_set(e, ERR_USAGE, "driver",
			"%s has no database files to replace",
			driver->engine);
	if (driver->locate(url, &path, e) == -1)
		return -1;
	result = driver->prove_unused(path, e);
	free(path);
	return result;
}

const char *const *
db_companions(const char *engine)
{
	static const char *const none[] = { NULL };
	const struct db_driver *driver = db_driver_named(engine);

	return driver == NULL || driver->companions == NULL ? none :
		driver->companions;
}
