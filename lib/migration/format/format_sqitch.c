/*
 * format_sqitch: Sqitch (lib/App/Sqitch/Plan.pm, Engine/pg.sql, sqlite.sql of
 * 1.3): sqitch.plan says the order, deploy/NAME.sql are scripts for psql or
 * sqlite3: mig says where the database stands.  A change that was reworked
 * stands in the plan more than once; all but the last are called NAME@TAG, by
 * the tag that follows, as their files are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/digest.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"
#include "migration/ledger.h"
#include "migration/set.h"
#include "os/file.h"

#define PLAN "sqitch.plan"

/* A change, as the plan has it. */
struct change {
	char *name, *note;
	const char *tag; /* the next one, if the change is reworked later */
	char *path; /* within the folder */
};

struct plan_file {
	struct buf text;
	char *project;
	struct change *v;
	size_t n;
};

static void
plan_free_file(struct plan_file *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].note);
		free(p->v[i].path);
	}
	free(p->v);
	free(p->project);
	buf_free(&p->text);
}

/* "[+]name [requires] time planner <mail> # note": all but the name may miss. */
static void
add_change(struct plan_file *p, char *line)
{
	char *note = strstr(line, " # ");
	struct change *x;

	if (*line == '+')
		line += 1 + strspn(line + 1, " \t");
	p->v = mem_more(p->v, p->n, sizeof(*p->v));
	x = &p->v[p->n++];
	memset(x, 0, sizeof(*x));
	x->name = mem_dup_n(line, strcspn(line, " \t"));
	x->note = mem_dup(note == NULL ? x->name : note + 3);
}

/* All without a tag, from the last on, whose name is in the plan again. */
static void
tag_reworked(struct plan_file *p, const size_t *tagged, char *const *tags,
	size_t tag_n)
{
	size_t i, k, t;

	for (i = 0; i < p->n; i++) {
		for (k = i + 1; k < p->n; k++)
			if (strcmp(p->v[k].name, p->v[i].name) == 0)
				break;
		for (t = 0; t < tag_n && k < p->n; t++)
			if (tagged[t] >= i && tagged[t] < k)
				break;
		if (k < p->n && t < tag_n)
			p->v[i].tag = tags[t];
	}
}

static int
read_plan(struct plan_file *p, const char *folder, struct err *e)
{
	char *line, *next, **tags = NULL;
	size_t *tagged = NULL, tag_n = 0, i;
	int number = 0, result = format_slurp(folder, PLAN, &p->text, e);

	for (line = p->text.data; result == 0 && line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		number++;
		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " \t");
		if (strs_starts(line, "%project=")) {
			free(p->project);
			p->project = mem_dup(line + strlen("%project="));
		} else if (*line == '@' && p->n > 0) {
			line[strcspn(line, " \t")] = '\0';
			tags = mem_more(tags, tag_n, sizeof(*tags));
			tagged = mem_more(tagged, tag_n, sizeof(*tagged));
			tagged[tag_n] = p->n - 1;
			tags[tag_n++] = line;
		} else if (*line == '-' && strchr(" \t", line[1]) == NULL) {
			result = format_bad(e, PLAN, number, "a change that is "
				"taken back by the plan is not known to mig");
		} else if (*line != '\0' && strchr("%#@", *line) == NULL) {
			add_change(p, line);
		}
	}
	if (result == 0)
		tag_reworked(p, tagged, tags, tag_n);
	for (i = 0; i < p->n; i++)
		p->v[i].path = mem_printf("deploy/%s%s.sql", p->v[i].name,
			p->v[i].tag == NULL ? "" : p->v[i].tag);
	free(tags);
	free(tagged);
	return result;
}

static char *
version_of(const struct change *x)
{
	return mem_printf("%s%s", x->name, x->tag == NULL ? "" : x->tag);
}

static int
list_sqitch(struct format_files *f, struct err *e)
{
	struct plan_file p = { 0 };
	int result = read_plan(&p, f->folder, e);
	size_t i;

	for (i = 0; i < p.n && result == 0; i++) {
		struct format_file *x = format_add(f, version_of(&p.v[i]),
			mem_dup(p.v[i].note), p.v[i].path, 'b');

		x->code = "a script for Sqitch";
		/* Sqitch deploys in the order of the plan. */
		if (i > 0) {
			char *before = version_of(&p.v[i - 1]);

			strs_add(&x->after, before);
			free(before);
		}
	}
	plan_free_file(&p);
	return result;
}

/* The k-th row of a name is the k-th change of that name in the plan. */
static char *
version_of_row(const struct plan_file *p, const char *name, char *seen)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!seen[i] && strcmp(p->v[i].name, name) == 0) {
			seen[i] = 1;
			return version_of(&p->v[i]);
		}
	return mem_dup(name);
}

static int
load_sqitch(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	struct plan_file p = { 0 };
	struct db *d = h->registry != NULL ? h->registry : h->db;
	struct db_rows *r;
	char *sql = mem_printf("SELECT change, script_hash, project FROM %s "
		"ORDER BY committed_at, planned_at", h->table), *seen;
	int more, result = s->folder == NULL ? 0 :
		read_plan(&p, s->folder, e);

	seen = mem_array(p.n + 1, 1);
	if (result == 0)
		result = db_query(&r, d, e, sql, "");
	if (result == 0) {
		while ((more = db_next(r, e)) == 1) {
			struct ledger_row *row;

			/* A registry may serve several projects. */
			if (p.project != NULL && strcmp(p.project,
				db_text(r, 2)) != 0)
				continue;
			row = ledger_add(out);
			row->version = version_of_row(&p, db_text(r, 0), seen);
			row->sum = mem_dup(db_text(r, 1));
			row->state = mem_dup("applied");
		}
		result = more;
		db_rows_free(r);
	}
	free(seen);
	free(sql);
	plan_free_file(&p);
	return result;
}

static void
sum_sqitch(const struct migration *m, const char *raw, size_t n,
	struct buf *out)
{
	char text[DIGEST_SHA1_TEXT];

	(void)m;
	digest_sha1(raw, n, text);
	buf_text(out, text);
}

static const char *const sqitch_columns[] = { "change_id", "script_hash",
	"change", "project", "committed_at", NULL };

static const struct format_history sqitch_history = {
	.table = "sqitch.changes", .file = "sqitch.db",
	.columns = sqitch_columns, .load = load_sqitch, .lock = 75474063,
};

const struct format format_sqitch = { .name = "sqitch", .shown = "Sqitch",
	.rule = VERSION_TEXT, .graph = FORMAT_NAMED, .status_only = 1,
	.list = list_sqitch, .sum = sum_sqitch, .history = &sqitch_history };
