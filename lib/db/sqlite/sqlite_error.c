/* sqlite_error: what SQLite says, in our words and codes. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/stop.h"
#include "db/sqlite/sqlite.h"

int
sqlite_error_code(int code, const char *message, const char *name,
	struct err *e, const char *what)
{
	enum err_code status = ERR_ENV;
	const char *reason = "database", *next = NULL;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		if (stop_check(e) == -1) /* it was not waited for */
			return err_wrap(e, "database '%s': %s", name, what);
		reason = "busy";
		next = "end long transactions on it, or raise --busy-timeout";
		break;
	case SQLITE_NOTADB:
		status = ERR_USAGE;
		reason = "not-a-database";
		message = "the file is not a SQLite database";
		next = "check the path; an encrypted database looks like "
		       "this too";
		break;
	case SQLITE_CORRUPT:
		reason = "database-damaged";
		next = "restore a backup: mig-rollback --restore, or "
		       "--restore --offline if it cannot be opened";
		break;
	case SQLITE_FULL:
		reason = "no-space";
		next = "free some space and run it again";
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		reason = "permission";
		next = "check the owner and mode of the file and its folder";
		break;
	case SQLITE_INTERRUPT:
		reason = "interrupted";
		next = "run it again when ready";
		break;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		reason = "io";
		next = "check the disk, and the file and its folder";
		break;
	case SQLITE_NOMEM:
		reason = "memory";
		break;
	}
	err_set(e, status, reason, "database '%s': %s: %s", name, what,
		message);
	if (next != NULL)
		err_next(e, "%s", next);
	return -1;
}

int
sqlite_error(struct sqlite *s, struct err *e, const char *what)
{
	int code = sqlite3_extended_errcode(s->h);
	int system = sqlite3_system_errno(s->h);

	/* What is beside a database in WAL mode is made by whoever reads it. */
	if (((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) &&
		(system == ENOSPC || system == EDQUOT))
		return sqlite_error_code(SQLITE_FULL, strerror(system), s->shown,
			e, what);
	return sqlite_error_code(code, sqlite3_errmsg(s->h), s->shown, e, what);
}
