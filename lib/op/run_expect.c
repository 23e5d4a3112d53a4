/* run_expect: does a migration what its file says that it does? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/text.h"
#include "op/run_part.h"

static int
broken(const struct running *x, const struct expect *want, const char *what,
	struct err *e)
{
	int line = want->line;
	const char *file = text_place(x->part, &line);

	err_set(e, ERR_FAILED, "expectation", "migration %s (%s), '%s' line "
		"%d: expected %s%s%s", x->m->version, x->m->name, file, line,
		want->kind == EXPECT_UNCHANGED ? "unchanged " :
		want->kind == EXPECT_NONE ? "no row of " : "", want->text,
		what);
	text_hide(x->part, e);
	return err_next(e, "see whether the script or the expectation is "
		"wrong");
}

static int
absent(const struct running *x, const struct expect *want, struct err *e)
{
	return broken(x, want, ", and there is no such table", e);
}

int
run_expect_before(struct running *x, struct err *e)
{
	const struct expect_list *l = &x->part->expects;
	size_t i;

	if (l->n == 0 || x->r->empty)
		return 0;
	x->unchanged = mem_array(l->n, sizeof(*x->unchanged));
	for (i = 0; i < l->n; i++) {
		if (l->v[i].kind != EXPECT_UNCHANGED)
			continue;
		if (db_census(x->r->db, l->v[i].text, 2, &x->unchanged[i],
			e) == -1)
			return -1;
		if (!x->unchanged[i].there)
			return absent(x, &l->v[i], e);
	}
	return 0;
}

static int
check_rows(struct running *x, const struct expect *want, struct err *e)
{
	struct db_census now;
	char *what;
	int result = 0;

	if (db_census(x->r->db, want->text, 0, &now, e) == -1)
		return -1;
	if (!now.there) {
		result = absent(x, want, e);
	} else if (!expect_holds(want, now.rows)) {
		what = mem_printf(" %s %" PRId64 " rows, and there are %"
			PRId64, expect_sign(want), want->number, now.rows);
		result = broken(x, want, what, e);
		free(what);
	}
	db_census_free(&now);
	return result;
}

static int
check_unchanged(struct running *x, const struct expect *want,
	const struct db_census *was, struct err *e)
{
	struct db_census now;
	char *what = NULL;
	size_t i;
	int result = 0;

	if (db_census(x->r->db, want->text, 2, &now, e) == -1)
		return -1;
	if (!now.there)
		return absent(x, want, e);
	if (now.rows != was->rows)
		what = mem_printf(", and it has %" PRId64 " rows, not %"
			PRId64, now.rows, was->rows);
	for (i = 0; i < was->n && what == NULL; i++) {
		size_t k = 0;

		while (k < now.n && strcmp(now.columns[k], was->columns[i]) !=
			0)
			k++;
		if (k == now.n)
			what = mem_printf(", and its column %s is gone",
				was->columns[i]);
		else if (now.values[k] != was->values[i] || now.digests[k] !=
			was->digests[i])
			what = mem_printf(", and its column %s has other "
				"values", was->columns[i]);
	}
	/* A new column makes other rows of the same values. */
	if (what == NULL && now.n == was->n && now.row_digest !=
		was->row_digest)
		what = mem_dup(", and the same values are in other rows");
	if (what != NULL)
		result = broken(x, want, what, e);
	free(what);
	db_census_free(&now);
	return result;
}

/* In a subquery nothing but a query can stand. */
static int
check_none(struct running *x, const struct expect *want, struct err *e)
{
	char *sql = mem_printf("SELECT 1 FROM (%s\n) AS expected LIMIT 1",
		want->text);
	struct db_rows *r;
	struct err why;
	int more = db_query(&r, x->r->db, &why, sql, "");

	free(sql);
	if (more == 0) {
		more = db_next(r, &why);
		db_rows_free(r);
	}
	if (more == -1) {
		char *what = mem_printf(", which cannot be asked: %s",
			why.text);

		broken(x, want, what, e);
		free(what);
		return -1;
	}
	return more == 0 ? 0 : broken(x, want, ", and there is one", e);
}

int
run_expect_after(struct running *x, struct err *e)
{
	const struct expect_list *l = &x->part->expects;
	size_t i;
	int result = 0;

	for (i = 0; i < l->n && result == 0 && !x->r->empty; i++)
		switch (l->v[i].kind) {
		case EXPECT_ROWS:
			result = check_rows(x, &l->v[i], e);
			break;
		case EXPECT_UNCHANGED:
			result = check_unchanged(x, &l->v[i], &x->unchanged[i],
				e);
			break;
		case EXPECT_NONE:
			result = check_none(x, &l->v[i], e);
			break;
		}
	return result;
}

void
run_expect_forget(struct running *x)
{
	size_t i;

	for (i = 0; x->unchanged != NULL && i < x->part->expects.n; i++)
		db_census_free(&x->unchanged[i]);
	free(x->unchanged);
	x->unchanged = NULL;
}
