/* ledger_write: what is written into the ledger. */
#include "migration/ledger.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "db/db.h"
#include "migration/migration.h"

#define LEDGER_FORMAT "1"
#define LEDGER_ROW \
	"(version, name, checksum, state, applied_at, applied_by, " \
	"duration_ms, statements, backup_id, up_text, down_text, tool) " \
	"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"

#define LEDGER_AGAIN \
	" ON CONFLICT (version) DO UPDATE SET name = excluded.name, " \
	"checksum = excluded.checksum, state = excluded.state, applied_at = " \
	"excluded.applied_at, applied_by = excluded.applied_by, duration_ms = " \
	"excluded.duration_ms, statements = excluded.statements, backup_id = " \
	"excluded.backup_id, up_text = excluded.up_text, down_text = " \
	"excluded.down_text, tool = excluded.tool"

int
ledger_ensure(struct db *d, const char *id, struct err *e)
{
	char fresh[ID_TEXT], now[CLOCK_TEXT];
	struct db_rows *r;
	int more;

	if (db_exec(d, db_sql(d, "ledger"), e) == -1 ||
		db_query(&r, d, e, "SELECT 1 FROM mig_identity", "") == -1)
		return -1;
	more = db_next(r, e);
	db_rows_free(r);
	if (more != 0)
		return more == -1 ? -1 : 0;
	if (id == NULL && id_new(fresh, e) == -1)
		return -1;
	clock_text(clock_now(), now);
	return db_execf(d, e, "INSERT INTO mig_identity (id, format, created) "
			      "VALUES (?1, " LEDGER_FORMAT ", ?2)", "ss",
		id == NULL ? fresh : id, now);
}

/* "mig 0.1.0 for goose".  Gives. */
static char *
name_tool(const struct ledger_entry *entry)
{
	return entry->host == NULL ? mem_dup(entry->tool) :
		mem_printf("%s" LEDGER_TOLD "%s", entry->tool, entry->host);
}

int
ledger_tell(struct db *d, const char *version,
	const struct ledger_entry *entry, struct err *e)
{
	char *tool = name_tool(entry);
	int result = db_execf(d, e, "UPDATE mig_ledger SET tool = ?2 WHERE "
		"version = ?1", "ss", version, tool);

	free(tool);
	return result;
}

int
ledger_put(struct db *d, const struct migration *m,
	const struct ledger_entry *entry, int again, struct err *e)
{
	char now[CLOCK_TEXT], *tool = name_tool(entry);
	int result;

	clock_text(clock_now(), now);
	result = db_execf(d, e,
		again ? "INSERT INTO mig_ledger " LEDGER_ROW LEDGER_AGAIN :
			"INSERT INTO mig_ledger " LEDGER_ROW, "ssssssiissss",
		m->version, m->name, m->checksum, entry->state, now, entry->by,
		entry->duration_ms, entry->statements, entry->backup,
		m->up.text, m->down.text, tool);
	free(tool);
	return result;
}

int
ledger_restamp(struct db *d, const struct migration *m, struct err *e)
{
	return db_execf(d, e, "UPDATE mig_ledger SET name = ?2, checksum = ?3, "
		"up_text = ?4, down_text = ?5 WHERE version = ?1", "sssss",
		m->version, m->name, m->checksum, m->up.text, m->down.text);
}

int
ledger_remove(struct db *d, const char *version, struct err *e)
{
	return db_execf(d, e, "DELETE FROM mig_ledger WHERE version = ?1",
		"s", version);
}

int
ledger_note(struct db *d, const struct ledger_event *event, struct err *e)
{
	char at[CLOCK_TEXT];

	clock_text(event->at == 0 ? clock_now() : event->at, at);
	return db_execf(d, e,
		"INSERT INTO mig_event (at, event, version, by, backup_id, "
		"fingerprint, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		"sssssss", at, event->event, event->version, event->by,
		event->backup, event->fingerprint, event->detail);
}

char *
ledger_me(void)
{
	const struct passwd *p = getpwuid(geteuid());
	char host[256] = "localhost";

	if (gethostname(host, sizeof(host) - 1) == -1)
		memcpy(host, "localhost", sizeof("localhost"));
	if (p == NULL)
		return mem_printf("uid-%ld@%s", (long)geteuid(), host);
	return mem_printf("%s@%s", p->pw_name, host);
}

int
ledger_note_alone(struct db *d, const struct ledger_event *event,
	struct err *e)
{
	struct ledger_event note = *event;
	char *me = ledger_me();
	int result = db_begin(d, 1, e);

	note.by = me;
	if (result == 0 && (ledger_note(d, &note, e) == -1 || db_commit(d, e)
		== -1)) {
		db_rollback(d);
		result = -1;
	}
	free(me);
	return result;
}
