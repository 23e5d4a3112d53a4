/* format_versions: history tables with a column "version", and no more to it. */
#include "migration/format/format.h"
#include "migration/history.h"

int
format_load_versions(struct history *h, struct ledger *out,
	const struct set *s, struct err *e)
{
	(void)s;
	return history_rows(h, out, e, "SELECT version, NULL, NULL, 'applied' "
		"FROM %s");
}

int
format_put_version(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	(void)done;
	return history_exec(h, e, "INSERT INTO %s (version) VALUES (?1)", "s",
		m->version);
}

int
format_remove_version(struct history *h, const struct migration *m,
	const char *before, struct err *e)
{
	(void)before;
	return history_exec(h, e, "DELETE FROM %s WHERE version = ?1", "s",
		m->version);
}
