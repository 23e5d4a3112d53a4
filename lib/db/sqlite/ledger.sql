-- mig's own tables in a SQLite database.  mig-migration(5) describes them.
-- No AUTOINCREMENT: it would add sqlite_sequence to somebody's schema.

CREATE TABLE IF NOT EXISTS mig_identity (
	id TEXT NOT NULL,
	format INTEGER NOT NULL,
	created TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS mig_ledger (
	version TEXT PRIMARY KEY NOT NULL,
	name TEXT NOT NULL,
	checksum TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('applied', 'running', 'failed')),
	applied_at TEXT NOT NULL,
	applied_by TEXT NOT NULL,
	duration_ms INTEGER NOT NULL,
	statements INTEGER NOT NULL,
	backup_id TEXT,
	up_text TEXT NOT NULL,
	down_text TEXT,
	tool TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS mig_event (
	id INTEGER PRIMARY KEY,
	at TEXT NOT NULL,
	event TEXT NOT NULL,
	version TEXT,
	by TEXT NOT NULL,
	backup_id TEXT,
	fingerprint TEXT,
	detail TEXT
);
