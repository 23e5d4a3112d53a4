/* op_squash_dump: a scratch database as the statements that make it again. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "migration/script.h"
#include "op/op_squash_part.h"

/* pg_dump sets up its session, which is not the migration's to do. */
static int
is_setting(const struct script_statement *x)
{
	return strncasecmp(x->text, "SET ", 4) == 0 || strncmp(x->text,
		"SELECT pg_catalog.set_config(", 29) == 0;
}

/* The line that at begins goes. */
static void
drop_line(char *at)
{
	char *end = strchr(at, '\n');

	memmove(at, end == NULL ? at + strlen(at) : end + 1, end == NULL ? 1 :
		strlen(end + 1) + 1);
}

/*
 * "\restrict KEY" and "\unrestrict KEY", commands of psql that pg_dump sets
 * around a dump, with a key that is new each time and that no row can have.
 */
static void
drop_commands(char *text)
{
	static const char begin[] = "\\restrict ";
	char *at = text, *line, *found;

	/* Only comments stand before it. */
	while (*at == '-' || *at == '\n')
		at = strchr(at, '\n') == NULL ? at + strlen(at) :
			strchr(at, '\n') + 1;
	if (strncmp(at, begin, strlen(begin)) != 0)
		return;
	line = mem_printf("\n\\unrestrict %.*s\n", (int)strcspn(at +
		strlen(begin), "\n"), at + strlen(begin));
	drop_line(at);
	found = strstr(at, line);
	if (found != NULL)
		drop_line(found + 1);
	free(line);
}

/*
 * Whose the objects are is the role's that will run it, but for what the migrations
 * gave to others: a function that runs with its owner's rights must not get another.
 */
static void
put_owned(struct buf *b, const struct script_statement *x, const char *role)
{
	static const char own[] = " OWNER TO ", privileges[] =
		"ALTER DEFAULT PRIVILEGES FOR ROLE ";
	size_t n = strlen(role), k = sizeof(own) - 1, head =
		sizeof(privileges) - 1;

	if (x->n > n + k && strncmp(x->text, "ALTER ", 6) == 0 && memcmp(x->text +
		x->n - n - k, own, k) == 0 && memcmp(x->text + x->n - n, role,
		n) == 0)
		return;
	if (x->n > head + n && strncmp(x->text, privileges, head) == 0 &&
		memcmp(x->text + head, role, n) == 0 && x->text[head + n] == ' ')
		buf_printf(b, "ALTER DEFAULT PRIVILEGES%.*s;\n\n",
			(int)(x->n - head - n), x->text + head + n);
	else
		buf_printf(b, "%.*s;\n\n", (int)x->n, x->text);
}

/* As whom the migrations were run, as SQL writes it.  Gives. */
static int
find_role(struct db *d, char **out, struct err *e)
{
	struct db_rows *r;
	int more;

	if (db_query(&r, d, e, "SELECT pg_catalog.quote_ident(current_user)",
		"") == -1)
		return -1;
	more = db_next(r, e);
	if (more == 1)
		*out = mem_dup(db_text(r, 0));
	db_rows_free(r);
	return more == 1 ? 0 : more == -1 ? -1 : err_bug(e, "no current_user");
}

int
op_squash_dump(struct db *d, char **out, struct err *e)
{
	struct buf raw = { 0 }, b = { 0 };
	struct script s;
	char *role = NULL;
	size_t i;

	*out = NULL;
	if (db_dump_sql(d, &raw, e) == -1) {
		buf_free(&raw);
		return -1;
	}
	buf_text(&raw, "");
	if (db_rules(d) != LEX_POSTGRESQL) {
		*out = buf_detach(&raw);
		return 0;
	}
	if (find_role(d, &role, e) == -1) {
		buf_free(&raw);
		return -1;
	}
	drop_commands(raw.data);
	if (script_scan(raw.data, 1, LEX_POSTGRESQL, &s, e) == -1) {
		buf_free(&raw);
		free(role);
		return err_wrap(e, "read the dump of the scratch database");
	}
	buf_text(&b, "SET LOCAL check_function_bodies = false;\n\n");
	for (i = 0; i < s.n; i++)
		if (!is_setting(&s.v[i]))
			put_owned(&b, &s.v[i], role);
	free(role);
	script_free(&s);
	buf_free(&raw);
	*out = buf_detach(&b);
	return 0;
}

static size_t
line_of(const char *at)
{
	return strcspn(at, "\n");
}

/* Not the values: they may be secret. */
void
op_squash_differing(const char *a, const char *b, struct strs *out)
{
	while (*a != '\0' && *b != '\0' && out->n < 20) {
		size_t n = line_of(a), k = line_of(b);

		if (n != k || memcmp(a, b, n) != 0) {
			const char *values = memmem(a, n, " VALUES", 7);
			char *line = mem_dup_n(a, values == NULL ? (n > 60 ? 60 :
				n) : (size_t)(values - a));

			strs_add_once(out, line);
			free(line);
		}
		a += n + (a[n] == '\n');
		b += k + (b[k] == '\n');
	}
	if (*a != *b && out->n == 0)
		strs_add(out, "one makes more than the other");
}
