/* op_state: the database, the files, and what is applied. */
#include "op/op_state.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "migration/format/format.h"
#include "migration/graph.h"
#include "op/op_db.h"
#include "os/file.h"
#include "os/lock.h"

/*
 * mig's own format, and rows that another tool was told of: it would not hear of
 * what is done now.  Without its table, and asked for, it is not missed.
 */
static int
of_other(struct op_state *s, const struct op *o, struct err *e)
{
	const char *who = NULL;
	struct err ignored;
	size_t i;

	for (i = 0; i < s->ledger.n && who == NULL; i++)
		who = ledger_told(&s->ledger.v[i]);
	if (who == NULL || (o->format != NULL &&
		history_format(s->db, &ignored) == NULL))
		return 0;
	err_set(e, ERR_REFUSED, "history", "migration %s was recorded for %s, "
		"too, which would not be told now", s->ledger.v[i - 1].version,
		who);
	return err_next(e, "use the --format of that tool, and bring its table "
		"back if it is gone; --format mig goes on without it, and takes "
		"what it alone knew for pending");
}

/*
 * The files, and meanwhile a server's answer: both take long where there are
 * many.  Without a ledger nobody will ask for it.
 */
static int
read_files(struct op_state *s, const struct op *o, const char *engine,
	struct err *e)
{
	struct err ignored;
	int ahead = s->ahead && s->history.format->history == NULL ?
		db_has_table(s->db, "mig_ledger", e) : 0, result;

	if (ahead == 1)
		ahead = db_fingerprint_ahead(s->db, e);
	if (ahead == -1)
		return -1;
	result = set_read(&s->set, o->migrations, s->history.format, engine,
		o->values, e);
	/* Taken in any case: a server tells its log of answers nobody took. */
	if (ahead == 1 && db_fingerprint(s->db, s->fingerprint,
		result == -1 ? &ignored : e) == -1)
		result = -1;
	return result;
}

/* The files, and what is applied; s has its database. */
static int
read_all(struct op_state *s, const struct op *o, int folder, int lock,
	struct wire_database *identity, struct err *e)
{
	int there = file_is_dir(o->migrations);

	if (db_identity(s->db, identity, e) == -1 ||
		history_open(&s->history, s->db, o->format,
			there ? o->migrations : NULL, e) == -1)
		return -1;
	if (lock && history_lock(&s->history, o->wait_s, e) == -1)
		return -1;
	if (s->history.format->history != NULL)
		report_say(o->report, REPORT_MORE, "the migrations are %s's",
			s->history.format->shown);
	if (!there && !folder) {
		report_say(o->report, REPORT_NOTE,
			"no migrations folder at '%s': using the texts in the "
			"ledger", o->migrations);
		s->set.format = s->history.format;
	} else if (read_files(s, o, identity->engine, e) == -1) {
		return -1;
	}
	if (history_load(&s->history, &s->ledger, &s->set, e) == -1 ||
		graph_judge(&s->set, &s->ledger, e) == -1)
		return -1;
	return s->history.format->history != NULL ? 0 :
		of_other(s, o, e);
}

int
op_state_open(struct op_state *s, const struct op *o, enum db_mode mode,
	int folder, struct wire_database *identity, struct err *e)
{
	if (op_db_open(&s->db, o, mode, e) == -1 || (mode == DB_WRITE && db_lock(s->db,
		&s->lock, o->wait_s, o->program, e) == -1))
		return -1;
	return read_all(s, o, folder, mode == DB_WRITE, identity, e);
}

int
op_state_read(struct op_state *s, struct db *d, const struct op *o, int folder,
	struct wire_database *identity, struct err *e)
{
	s->db = d;
	return read_all(s, o, folder, 0, identity, e);
}

void
op_state_release(struct op_state *s)
{
	ledger_free(&s->ledger);
	set_free(&s->set);
	history_close(&s->history);
	s->db = NULL;
}

void
op_state_close(struct op_state *s)
{
	struct db *d = s->db;

	op_state_release(s);
	lock_free(s->lock);
	db_close(d);
}

int
op_state_current(void *arg, struct db *d, char **out, struct err *e)
{
	const struct op *o = arg;
	const struct set none = { .format = &format_mig };
	struct history h;
	struct ledger l;
	int result;

	*out = NULL;
	/* Tables of several tools: a backup does not fail for that. */
	if (history_open(&h, d, o->format, NULL, e) == -1 &&
		(o->format != NULL || e->code != ERR_USAGE || history_open(&h, d, format_mig.name,
			NULL, e) == -1))
		return -1;
	result = history_load(&h, &l, &none, e);
	if (result == 0) {
		*out = mem_dup(ledger_current(&l));
		ledger_free(&l);
	}
	history_close(&h);
	return result;
}
