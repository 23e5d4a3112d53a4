/* db_bring: one table, or one column, brought from a copy. */
#include "db/db_bring.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/driver.h"

int
db_bring(struct db *d, const struct db_bring *b, struct db_brought *out,
	struct err *e)
{
	memset(out, 0, sizeof(*out));
	return d->driver->bring(d, b, out, e);
}

int
db_bring_undo(struct db *d, const struct db_brought *b, struct err *e)
{
	char *sql = mem_printf("DROP TABLE %s", b->into);
	int result = db_exec(d, sql, e);

	free(sql);
	return result;
}

void
db_brought_free(struct db_brought *b)
{
	free(b->into);
	free(b->sql);
	memset(b, 0, sizeof(*b));
}

int
db_bring_absent(const struct db_bring *b, struct err *e)
{
	err_set(e, ERR_USAGE, "not-found", "the backup has no %s '%s%s%s'",
		b->column == NULL ? "table" : "table and column", b->table,
		b->column == NULL ? "" : ".", b->column == NULL ? "" :
		b->column);
	return err_next(e, "mig-rollback --restore --into brings all of it, to "
		"look at");
}

int
db_bring_keyless(const struct db_bring *b, struct err *e)
{
	err_set(e, ERR_REFUSED, "no-key", "the table '%s' has no primary key: "
		"the values of '%s' would belong to nobody", b->table,
		b->column);
	err_next(e, "bring the whole table: --only");
	return err_next_word(e, b->table);
}
