-- mig's own tables in a PostgreSQL database, in a schema of their own, so that
-- no search_path leads past them.  mig-migration(5) describes them.

CREATE SCHEMA IF NOT EXISTS mig;

CREATE TABLE IF NOT EXISTS mig.mig_identity (
	id text NOT NULL,
	format integer NOT NULL,
	created text NOT NULL
);

CREATE TABLE IF NOT EXISTS mig.mig_ledger (
	version text PRIMARY KEY,
	name text NOT NULL,
	checksum text NOT NULL,
	state text NOT NULL CHECK (state IN ('applied', 'running', 'failed')),
	applied_at text NOT NULL,
	applied_by text NOT NULL,
	duration_ms bigint NOT NULL,
	statements bigint NOT NULL,
	backup_id text,
	up_text text NOT NULL,
	down_text text,
	tool text NOT NULL
);

CREATE TABLE IF NOT EXISTS mig.mig_event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at text NOT NULL,
	event text NOT NULL,
	version text,
	by text NOT NULL,
	backup_id text,
	fingerprint text,
	detail text
);
