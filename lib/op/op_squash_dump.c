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

/* What one statement of the dump has in common with the role that ran the migrations. */
static int
ends_in(const struct script_statement *x, const char *words, const char *role)
{
	size_t n = strlen(words), k = strlen(role);

	return x->n > n + k && memcmp(x->text + x->n - n - k, words, n) == 0 &&
		memcmp(x->text + x->n - k, role, k) == 0;
}

static int
begins(const struct script_statement *x, const char *words)
{
	return x->n > strlen(words) && memcmp(x->text, words, strlen(words)) ==
		0;
}

/* A right that was given to, or taken from, whoever ran it: by his name. */
static int
names_role(const struct script_statement *x, const char *role)
{
	const char *at = x->text, *end = x->text + x->n;
	size_t n = strlen(role);

	if (!begins(x, "GRANT ") && !begins(x, "REVOKE ") && !begins(x,
		"CREATE POLICY ") && !begins(x, "ALTER DEFAULT PRIVILEGES "))
		return 0;
	while ((at = memmem(at, (size_t)(end - at), role, n)) != NULL) {
		if (at > x->text && strchr(" ,", at[-1]) != NULL && (at + n ==
			end || strchr(" ,;", at[n]) != NULL))
			return 1;
		at += n;
	}
	return 0;
}

/*
 * Whose the objects are is the role's that will run it, but for what the migrations
 * gave to others: a function that runs with its owner's rights must not get another.
 * That is done at the end, for a role must own what it changes, and before rights are
 * granted, which are those of an owner.
 */
static int
put_owned(struct buf *b, struct buf *owners, const struct script_statement *x,
	const char *role, struct err *e)
{
	static const char head[] = "ALTER DEFAULT PRIVILEGES FOR ROLE ";
	size_t n = strlen(role), k = sizeof(head) - 1;
	struct script_statement rest = *x;
	char *own;

	if (begins(x, "ALTER ") && ends_in(x, " OWNER TO ", role))
		return 0;
	if (begins(x, head) && x->n > k + n && memcmp(x->text + k, role, n) == 0 &&
		x->text[k + n] == ' ') {
		rest.text += k + n;
		rest.n -= k + n;
		own = mem_printf("ALTER DEFAULT PRIVILEGES%.*s", (int)rest.n,
			rest.text);
		rest.text = own;
		rest.n = strlen(own);
	} else {
		own = NULL;
	}
	if (names_role(&rest, role)) {
		err_set(e, ERR_REFUSED, "squash", "they give a right to, or take "
			"one from, the role that runs them, whoever that is: "
			"%.*s", (int)(rest.n > 80 ? 80 : rest.n), rest.text);
		free(own);
		return err_next(e, "squash up to an older version; no file was "
			"touched");
	}
	if (begins(&rest, "ALTER ") && memmem(rest.text, rest.n, " OWNER TO ",
		10) != NULL) {
		buf_printf(owners, "%.*s;\n\n", (int)rest.n, rest.text);
	} else {
		if (owners->len > 0 && (begins(&rest, "GRANT ") || begins(&rest,
			"REVOKE "))) {
			buf_text(b, owners->data);
			buf_clear(owners);
		}
		buf_printf(b, "%.*s;\n\n", (int)rest.n, rest.text);
	}
	free(own);
	return 0;
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
	struct buf raw = { 0 }, b = { 0 }, owners = { 0 };
	struct script s;
	char *role = NULL;
	size_t i;
	int result = 0;

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
	for (i = 0; i < s.n && result == 0; i++)
		if (!is_setting(&s.v[i]))
			result = put_owned(&b, &owners, &s.v[i], role, e);
	if (owners.len > 0)
		buf_text(&b, owners.data);
	buf_free(&owners);
	free(role);
	script_free(&s);
	buf_free(&raw);
	if (result == -1)
		buf_free(&b);
	else
		*out = buf_detach(&b);
	return result;
}

static size_t
line_of(const char *at)
{
	return strcspn(at, "\n");
}

/* Not the values: they may be secret.  Behind a line too many all are others. */
void
op_squash_differing(const char *a, const char *b, struct strs *out)
{
	int other = strcmp(a, b) != 0;

	while (*a != '\0' && *b != '\0' && out->n < 20) {
		size_t n = line_of(a), k = line_of(b);
		const char *values = memmem(a, n, " VALUES", 7);

		if ((n != k || memcmp(a, b, n) != 0) && values != NULL) {
			char *line = mem_dup_n(a, (size_t)(values - a));

			strs_add_once(out, line);
			free(line);
		}
		a += n + (a[n] == '\n');
		b += k + (b[k] == '\n');
	}
	if (other && out->n == 0)
		strs_add(out, "more of them, or other definitions");
}
