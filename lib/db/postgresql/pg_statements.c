/* pg_statements: a small database as the statements that make it again. */
#include <stdlib.h>

#include "base/err.h"
#include "db/postgresql/pg_source.h"
#include "db/postgresql/pg_tables.h"
#include "db/postgresql/pg_url.h"
#include "os/child.h"

int
pg_statements_dump(struct db *d, struct buf *out, struct err *e)
{
	struct pg *p = pg_of(d);
	struct strs environment = { 0 };
	char *program;
	int result = pg_program_find(p, "pg_dump", &program, e);

	if (result == 0) {
		const char *const argv[] = { program, "--inserts", "--no-password",
			"--exclude-schema=mig", NULL };

		pg_url_environment(p, NULL, &environment);
		result = child_run(argv, &environment, NULL, out, e) == 0 ? 0 :
			pg_program_said(e);
		strs_free(&environment);
		free(program);
	}
	return result;
}
