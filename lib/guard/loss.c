/* loss: nothing is lost that was not named. */
#include "guard/loss.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "doc/part.h"
#include "migration/script.h"

void
loss_add(struct shape_list *losses, char *name, const char *action, int64_t amount,
	const char *unit, int line)
{
	struct part_loss *l;

	if (amount <= 0) {
		free(name);
		return;
	}
	l = shape_list_add(losses, &part_loss_shape);
	l->name = name;
	l->action = mem_dup(action);
	l->amount = amount;
	l->unit = unit;
	l->line = line;
}

static void
add_column(struct shape_list *losses, const char *table, const char *column,
	const char *action, int64_t amount, int line)
{
	loss_add(losses, mem_printf("%s.%s", table, column), action, amount,
		"values", line);
}

static int64_t
values_of(const struct db_census *c, const char *column)
{
	size_t i = db_census_column(c, column);

	return i == c->n ? -1 : c->values[i];
}

/* A statement's loss in one of its tables. */
static int
loss_of_table(struct shape_list *losses, struct db *d,
	const struct script_statement *s, const char *table,
	const char *action, struct err *e)
{
	struct db_census c;
	const char *name;
	size_t i;

	if (db_census(d, table, 0, &c, e) == -1)
		return -1;
	name = c.name == NULL ? table : c.name;
	/* What the migration has made itself is nobody's; a table has a view's rows. */
	if (c.fresh || (c.view && s->kind == SCRIPT_DELETE)) {
		db_census_free(&c);
		return 0;
	}
	if (s->kind == SCRIPT_DROP_COLUMN || s->kind == SCRIPT_UPDATE)
		for (i = 0; i < s->columns.n; i++)
			add_column(losses, name, s->columns.v[i], action,
				values_of(&c, s->columns.v[i]), s->line);
	else
		loss_add(losses, mem_dup(name), action, c.rows, "rows", s->line);
	db_census_free(&c);
	return 0;
}

int
loss_of_statement(struct shape_list *losses, struct db *d,
	const struct script_statement *s, const struct strs *rebuilds,
	struct err *e)
{
	const char *action = script_action(s);
	size_t i;

	for (i = 0; i < s->inner_n; i++)
		if (loss_of_statement(losses, d, &s->inner[i], rebuilds, e) == -1)
			return -1;
	if (!(s->kind == SCRIPT_DROP_TABLE && !strs_has(rebuilds, s->table)) &&
		s->kind != SCRIPT_DROP_COLUMN &&
		s->kind != SCRIPT_TRUNCATE &&
		!(s->kind == SCRIPT_DELETE && s->all) &&
		!(s->kind == SCRIPT_UPDATE && s->all))
		return 0;
	if (loss_of_table(losses, d, s, s->table, action, e) == -1)
		return -1;
	for (i = 0; i < s->more.n; i++)
		if (loss_of_table(losses, d, s, s->more.v[i], action, e) == -1)
			return -1;
	return 0;
}

int
loss_forecast(struct shape_list *losses, struct db *d, const struct script *s,
	const struct strs *rebuilds, struct err *e)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (loss_of_statement(losses, d, &s->v[i], rebuilds, e) == -1)
			return -1;
	return 0;
}

/* Whether a statement of the script is about the table, by a name it had. */
static int
is_about(const struct script *s, size_t i, const char *table)
{
	size_t k;

	if (lex_same_name(s->rules, s->v[i].table, table) || lex_has_name(
		s->rules, &s->v[i].more, table))
		return 1;
	for (k = i + 1; k < s->n; k++)
		if (s->v[k].kind == SCRIPT_RENAME_TABLE &&
			lex_same_name(s->rules, s->v[k].to, table))
			return is_about(s, i, s->v[k].table);
	return 0;
}

/* Whether the script says that rows of the table go. */
static int
deletes_from(const struct script *s, const char *table)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if ((s->v[i].kind == SCRIPT_DELETE ||
			s->v[i].kind == SCRIPT_TRUNCATE ||
			s->v[i].kind == SCRIPT_DROP_TABLE ||
			s->v[i].kind == SCRIPT_REPLACE) &&
			is_about(s, i, table))
			return 1;
	return 0;
}

static void
loss_of_change(struct shape_list *losses, const struct db_change *x,
	const struct script *s)
{
	size_t k;

	loss_add(losses, mem_dup(x->table),
		"taken along by a foreign key or trigger", x->cascaded, "rows",
		0);
	if (!x->by_name && !deletes_from(s, x->table))
		loss_add(losses, mem_dup(x->table), "replaced in a conflict",
			x->deleted - x->cascaded, "rows", 0);
	for (k = 0; k < x->nulled_n; k++) {
		add_column(losses, x->table, x->nulled[k].column,
			"set to null by a foreign key or trigger",
			x->nulled[k].taken, 0);
		add_column(losses, x->table, x->nulled[k].column,
			"set to null by ON CONFLICT DO UPDATE",
			x->nulled[k].upserted, 0);
	}
}

void
loss_of_changes(struct shape_list *losses, const struct db_changes *c,
	const struct script *s)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->v[i].internal)
			loss_of_change(losses, &c->v[i], s);
}

void
loss_of_values(struct shape_list *losses, const struct script_statement *s,
	const struct db_census *before, const struct db_census *after)
{
	const char *name = after->name == NULL ? s->table : after->name;
	const struct strs *columns = script_compared(s);
	size_t i;

	for (i = 0; i < columns->n; i++)
		add_column(losses, name, columns->v[i],
			s->kind == SCRIPT_INSERT ?
			"set to null by ON CONFLICT DO UPDATE" :
			"not kept by the new type",
			values_of(before, columns->v[i]) -
			values_of(after, columns->v[i]), s->line);
}

void
loss_of_rebuild(struct shape_list *losses, const char *table,
	const struct db_census *before, const struct db_census *after)
{
	int64_t rows = before->rows - after->rows, values, gone;
	size_t i;

	rows = rows > 0 ? rows : 0;
	loss_add(losses, mem_dup(table), "rebuild", rows, "rows", 0);
	for (i = 0; i < before->n; i++) {
		values = values_of(after, before->columns[i]);
		/* What went with its row is counted there. */
		gone = values == -1 ? before->values[i] :
			before->values[i] - values - rows;
		add_column(losses, table, before->columns[i],
			values == -1 ? "rebuild without the column" : "rebuild",
			gone, 0);
		/* As many values, but not the same ones. */
		if (values != -1 && gone <= 0 && rows == 0 &&
			before->rows == after->rows &&
			values == before->values[i] &&
			after->digests[db_census_column(after, before->columns[i])] !=
				before->digests[i])
			add_column(losses, table, before->columns[i],
				LOSS_CHANGED, values, 0);
	}
}

size_t
loss_judge(struct shape_list *losses, const struct strs *allow,
	enum lex_rules rules)
{
	struct part_loss *l = losses->items;
	size_t i, left = 0;

	for (i = 0; i < losses->n; i++) {
		l[i].allowed = lex_has_name(rules, allow, l[i].name);
		left += !l[i].allowed;
	}
	return left;
}

int
loss_refuse_as(const struct shape_list *losses, const char *verb,
	const char *option, struct err *e)
{
	const struct part_loss *l = losses->items;
	struct buf text = { 0 }, flags = { 0 };
	struct strs named = { 0 };
	char number[32];
	size_t i;

	for (i = 0; i < losses->n; i++) {
		if (l[i].allowed)
			continue;
		buf_printf(&text, "%s'%s': %s %s (%s",
			text.len == 0 ? "" : "; ", l[i].name,
			num_commas(l[i].amount, number, sizeof(number)),
			part_loss_unit(&l[i]), l[i].action);
		if (l[i].line > 0)
			buf_printf(&text, ", line %lld",
				(long long)l[i].line);
		buf_char(&text, ')');
		if (lex_has_name(LEX_POSTGRESQL, &named, l[i].name))
			continue; /* letter by letter */
		buf_printf(&flags, " %s ", option);
		if (strchr(l[i].name, '\'') != NULL)
			buf_shell(&flags, l[i].name);
		else
			buf_printf(&flags, "'%s'", l[i].name);
		strs_add(&named, l[i].name);
	}
	err_set(e, ERR_REFUSED, "loss", "%s %s", verb, text.data);
	err_next(e, "if that is meant, allow it:%s", flags.data);
	strs_free(&named);
	buf_free(&text);
	buf_free(&flags);
	return -1;
}

int
loss_refuse(const struct shape_list *losses, const char *option,
	struct err *e)
{
	return loss_refuse_as(losses, "would lose", option, e);
}

void
loss_allow(struct strs *to, struct db *d, const struct strs *names)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		char *name = db_canonical(d, names->v[i]);

		strs_add(to, names->v[i]);
		strs_add(to, name);
		free(name);
	}
}
