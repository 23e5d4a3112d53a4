/* op_triage: after a crash or a failure, how far did it come? */
#include "op/op_triage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/journal.h"
#include "backup/receipt.h"
#include "backup/store.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/db.h"
#include "doc/doc_status.h"
#include "migration/ledger.h"
#include "op/op.h"
#include "os/file.h"

/* --- a migration in no transaction --------------------------------------- */

/* The archive with that id, among those of the folder.  Gives, or NULL. */
static char *
archive_of(const struct op *o, const char *id)
{
	struct store s;
	struct err ignored;
	char *path = NULL;
	size_t i;

	if (id == NULL || store_list(&s, o->backups, NULL, &ignored) == -1)
		return NULL;
	for (i = 0; i < s.n && path == NULL; i++)
		if (s.v[i].unread == NULL && strcmp(s.v[i].manifest.id, id) == 0)
			path = mem_dup(s.v[i].path);
	store_free(&s);
	return path;
}

/* The fingerprint as it is, among those of the rehearsal. */
static void
compare(const struct part_rehearsal *r, const struct ledger_row *row,
	const char *now, int64_t *done, int64_t *all, int *told)
{
	const struct part_rehearsed *m = r->migrations.items;
	const struct trace_statement *s;
	size_t i, k;

	for (i = 0; i < r->migrations.n; i++)
		if (strcmp(m[i].migration, row->version) == 0 &&
			row->checksum != NULL && strcmp(m[i].checksum,
			row->checksum) == 0)
			break;
	if (i == r->migrations.n || !r->comparable)
		return;
	s = m[i].statements.items;
	*all = (int64_t)m[i].statements.n;
	/* From where the ledger is sure, the first that fits. */
	for (k = (size_t)row->statements; k <= m[i].statements.n; k++) {
		const char *then = k == 0 ? (i == 0 ? r->fingerprint :
			m[i - 1].fingerprint) : s[k - 1].fingerprint;

		if (then != NULL && strcmp(then, now) == 0) {
			*done = (int64_t)k;
			*told = 1;
			return;
		}
	}
}

struct broken {
	char *text, *next;
};

static void
note_invalid(void *arg, const char *reason, const char *text, const char *next)
{
	struct broken *b = arg;

	if (strcmp(reason, "invalid-index") != 0 || b->text != NULL)
		return;
	b->text = mem_dup(text);
	b->next = mem_dup(next);
}

int
op_triage_statements(struct db *d, const struct op *o,
	const struct ledger_row *row, int64_t *done, int64_t *all, int *told,
	struct err *e)
{
	struct broken broken = { NULL, NULL };
	struct store s;
	struct err ignored;
	char now[65];
	size_t i;
	int invalid;

	*done = row->statements;
	*all = -1;
	*told = 0;
	if (db_fingerprint(d, now, e) == -1 || db_problems(d, note_invalid,
		&broken, e) == -1)
		return -1;
	invalid = broken.text != NULL;
	free(broken.text);
	free(broken.next);
	/* The schema of an invalid index is that of a good one. */
	if (invalid)
		return 0;
	/* A run that resumes has a later backup, without a rehearsal. */
	if (store_list(&s, o->backups, NULL, &ignored) == -1)
		return 0;
	for (i = 0; i < s.n && *all == -1; i++) {
		struct receipt r;

		if (s.v[i].unread != NULL || receipt_read(&r, s.v[i].path, &ignored)
			!= 1)
			continue;
		if (r.rehearsal != NULL)
			compare(r.rehearsal, row, now, done, all, told);
		shape_release(&receipt_shape, &r);
	}
	store_free(&s);
	return 0;
}

/* Everything as it was before.  Gives. */
static char *
way_back(const char *archive)
{
	struct buf b = { 0 };

	buf_text(&b, "mig-rollback --restore --accept-loss");
	if (archive != NULL) {
		buf_char(&b, ' ');
		buf_shell(&b, archive);
	}
	return buf_detach(&b);
}

static struct doc_status_triage *
add(struct doc_status *out, const char *what, const char *state)
{
	out->triage = mem_alloc(sizeof(*out->triage));
	out->triage->what = mem_dup(what);
	out->triage->state = state;
	out->triage->statement = -1;
	return out->triage;
}

static int
of_migration(struct doc_status *out, struct db *d, const struct op *o,
	const struct ledger_row *row, struct err *e)
{
	struct doc_status_triage *t;
	struct broken broken = { NULL, NULL };
	char *archive;
	int64_t done, all;
	int told;

	if (op_triage_statements(d, o, row, &done, &all, &told, e) == -1 ||
		db_problems(d, note_invalid, &broken, e) == -1)
		return -1;
	t = add(out, row->version, done == 0 ? "not-applied" : done == all ?
		"applied-unrecorded" : "applied-up-to");
	t->statement = done;
	if (broken.text != NULL) {
		t->state = "partly";
		t->text = mem_printf("the ledger has %" PRId64 " statements as "
			"done, and %s", row->statements, broken.text);
		t->forward = mem_printf("%s; then mig-apply --resume",
			broken.next);
	} else {
		t->text = mem_printf("the ledger has %" PRId64 " statements as "
			"done, %s%s", row->statements, told && done >
			row->statements ? "and the schema is that of the "
			"rehearsal behind a later one" : told ? "and so says "
			"the schema" : "and there is no rehearsal to compare "
			"the schema with", done == all ? ": all are" : "");
		t->forward = mem_dup("mig-apply --resume");
	}
	archive = archive_of(o, row->backup);
	t->back = way_back(archive);
	free(archive);
	free(broken.text);
	free(broken.next);
	return 0;
}

/* --- a guarded command --------------------------------------------------- */

/* The two commands; what was hidden of the one that ran cannot be printed. */
static void
fill_ways(struct doc_status_triage *t, const struct journal *j,
	const char *archive)
{
	t->forward = j->whole ? mem_printf("mig-apply%s -- %s", j->options,
		j->command) : mem_printf("mig-apply%s -- %s  (the same command "
		"as before: words that may be secret are not kept)",
		j->options, j->command);
	t->back = way_back(archive);
}

static int
judge_command(struct doc_status *out, struct db *d, const struct journal *j,
	const char *archive, struct err *e)
{
	struct doc_status_triage *t;
	struct wire_position now;
	char fingerprint[65];
	int same;

	if (db_fingerprint(d, fingerprint, e) == -1 || db_position(d, &now,
		e) == -1)
		return -1;
	same = wire_position_same(&j->position, &now);
	shape_release(&wire_position_shape, &now);
	if (j->rehearsed != NULL && strcmp(j->rehearsed, fingerprint) == 0 &&
		strcmp(j->rehearsed, j->fingerprint) != 0) {
		t = add(out, j->command, "applied-unrecorded");
		t->text = mem_dup("the schema is the one that the rehearsal "
			"saw behind the command; whether its rows are, too, "
			"is not known");
	} else if (strcmp(j->fingerprint, fingerprint) == 0) {
		t = add(out, j->command, same ? "not-applied" : "partly");
		t->text = mem_dup(same ? "nothing was written since before "
			"the command" : "the schema is as before the command; "
			"rows were written, by the command or by others");
	} else {
		t = add(out, j->command, "partly");
		t->text = mem_dup(j->rehearsed == NULL ? "the schema is not "
			"as before the command, and there was no rehearsal "
			"to compare it with" : "the schema is neither as "
			"before the command nor as it was behind it in the "
			"rehearsal");
	}
	fill_ways(t, j, archive);
	return 0;
}

static int
of_command(struct doc_status *out, struct db *d, const struct op *o,
	struct err *e)
{
	struct journal_list l;
	size_t i;
	int result = 0;

	if (journal_list(&l, o->backups, &out->database, e) == -1)
		return -1;
	i = journal_open(&l);
	if (i < l.n)
		result = judge_command(out, d, &l.v[i], l.archives[i], e);
	journal_list_free(&l);
	return result;
}

int
op_triage_fill(struct doc_status *out, struct db *d, const struct op *o,
	const struct ledger *l, struct err *e)
{
	size_t i;

	if (out->running != NULL)
		return 0; /* it is at work: nothing has crashed */
	for (i = 0; i < l->n; i++)
		/* How far another tool came, nobody knows. */
		if (strcmp(l->v[i].state, "applied") != 0 && l->v[i].tool !=
			NULL)
			return of_migration(out, d, o, &l->v[i], e);
	return of_command(out, d, o, e);
}

int
op_triage_is_guarded(const struct op *o, int *guarded, struct err *e)
{
	struct db_options d = { .url = o->url, .mode = DB_READ,
		.busy_ms = o->busy_ms, .role = o->role };
	struct wire_database identity;
	struct journal_list l;
	struct db *db;
	int result = -1;

	*guarded = 0;
	if (db_open(&db, &d, e) == -1)
		return -1;
	if (db_identity(db, &identity, e) == 0) {
		result = journal_list(&l, o->backups, &identity, e);
		shape_release(&wire_database_shape, &identity);
	}
	if (result == 0) {
		*guarded = l.n > 0;
		journal_list_free(&l);
	}
	db_close(db);
	return result;
}
