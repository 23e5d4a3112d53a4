load ../lib
# Records that do not agree: shown by mig-status --repair-plan, mended by
# mig-apply --repair, behind a backup.

prepare() {
	mkdir migrations
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
}
sql() { sqlite3 app.db "$1"; }
apply() { works mig-apply -q --no-backup "$@"; }
plan() { # WORDS
	works mig-status --repair-plan || return 1
	assert_equal "$(json '[.repairs[] | .action + " " + .migration] | join(", ")')" "$1"
}
repair() { # WORDS [OPTIONS]
	local words=$1
	shift
	works mig-apply --repair -q "$@" || return 1
	assert_equal "$(json '[.repairs[] | .action + " " + .migration] | join(", ")')" "$words" || return 1
	assert_equal "$(json .result)" repaired
}

# A migration outside a transaction that fails at its second statement.
half() {
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 7;\nPRAGMA user_version = (;\n' > migrations/2_b.sql
	run --separate-stderr mig-apply -q --no-backup
	assert_equal "$status" 7
}

@test "an edited file: recorded as it is now, behind a backup that leads back" {
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	apply
	plan ""
	sed -i 's/(x)/(x, y)/; s/DROP TABLE a/DROP TABLE IF EXISTS a/' migrations/1_a.sql
	migration 2_b 'CREATE TABLE b (x);' 'DROP TABLE b;'
	fails 3 "if the database has the change, mig-apply --repair" mig-apply
	plan "restamp 1"
	local before
	before=$(sqlite3 app.db .dump)
	works mig-apply --repair --dry-run
	assert_equal "$(json .result)" planned
	[[ $stderr == *"would record the checksum and the texts of 'migrations/1_a.sql'"* ]]
	assert_equal "$(sqlite3 app.db .dump)" "$before"
	assert_file_not_exist backups
	repair "restamp 1"
	assert_equal "$(json '.applied | length')" 0
	[ -e "$(json .backup.path)" ]
	plan ""
	works mig-status --history
	assert_equal "$(json '.history[-1] | .event + " " + .migration')" "repair 1"
	assert_equal "$(json '.schema')" same
	works mig-apply -q
	assert_equal "$(json '[.applied[].migration] | join(" ")')" 2
	works mig-rollback --to 0 -q --accept-loss
	works mig-apply --repair
	assert_equal "$(json .result)" nothing
}

@test "a repair is undone by the backup before it" {
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	apply
	sed -i 's/(x)/(x, y)/' migrations/1_a.sql
	repair "restamp 1"
	works mig-rollback --restore -q --accept-loss "$(json .backup.path)"
	plan "restamp 1"
}

@test "failed outside a transaction: forgotten, it is pending again" {
	half
	plan "forget 2"
	fails 2 "no migration 1 has failed" mig-apply --repair-applied 1
	repair "forget 2"
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" 2
	assert_equal "$(json '.problems | length')" 0
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 8;\n' > migrations/2_b.sql
	apply
	assert_equal "$(sql 'PRAGMA user_version')" 8
}

@test "failed outside a transaction: finished by hand, it is applied" {
	half
	sql 'PRAGMA user_version = 9'
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 9;\n' > migrations/2_b.sql
	repair "record 2" --repair-applied 2
	works mig-status --check
	assert_equal "$(json .current)" 2
	rm migrations/2_b.sql
	sql "UPDATE mig_ledger SET state = 'failed' WHERE version = '2'"
	fails 3 "its file is gone" mig-apply --repair-applied 2
}

@test "usage: --repair runs nothing else" {
	fails 2 "--repair runs no migration" mig-apply --repair --to 1
	fails 2 "--repair runs no migration" mig-apply --repair-applied 1 --resume
	migration 1_a 'CREATE TABLE a (x);'
	works mig-apply --repair
	assert_equal "$(json .result)" nothing
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema")" 1
	printf 'policy = production\n' > mig.conf
	apply --force-no-backup --yes
	sed -i 's/(x)/(x, y)/' migrations/1_a.sql
	fails 3 "there is no terminal" setsid mig-apply --repair
}

@test "another tool's checksum is written in its form: sqlx, Flyway, refinery, Prisma" {
	echo 'CREATE TABLE a (x);' > migrations/1_a.sql
	apply --format sqlx
	echo 'CREATE TABLE a (x); -- more' > migrations/1_a.sql
	plan "restamp 1"
	repair "restamp 1"
	assert_equal "$(sql 'SELECT lower(hex(checksum)), success FROM _sqlx_migrations')" "$(sha384sum < migrations/1_a.sql | cut -c1-96)|1"
	works mig-status --check
	sed -i 's/$/\r/' migrations/1_a.sql
	works mig-status
	assert_equal "$(json '.problems[].reason')" line-ends
	repair "restamp 1"
	works mig-status --check
	rm -rf app.db migrations/* backups
	sql 'CREATE TABLE own (x)'
	echo 'CREATE TABLE a (x);' > migrations/V1__a.sql
	apply --format flyway
	echo 'CREATE TABLE a (x, y);' > migrations/V1__a.sql
	repair "restamp 1"
	assert_equal "$(sql 'SELECT installed_rank, version, success FROM flyway_schema_history')" "1|1|1"
	works mig-status --check
	rm -rf app.db backups
	sql 'CREATE TABLE own (x)'
	apply --format refinery
	echo 'CREATE TABLE a (x, z);' > migrations/V1__a.sql
	repair "restamp 1"
	works mig-status --check
	rm -rf app.db migrations/* backups
	sql 'CREATE TABLE own (x)'
	mkdir migrations/20260101000000_a
	touch migrations/migration_lock.toml
	echo 'CREATE TABLE a (x);' > migrations/20260101000000_a/migration.sql
	apply
	echo 'CREATE TABLE a (x, z);' > migrations/20260101000000_a/migration.sql
	repair "restamp 20260101000000_a"
	assert_equal "$(sql 'SELECT checksum FROM _prisma_migrations')" "$(sha256sum < migrations/20260101000000_a/migration.sql | cut -c1-64)"
	works mig-status --check
}

@test "failed, as only another tool knows: forgotten or recorded in its table" {
	echo 'CREATE TABLE a (x);' > migrations/1_a.up.sql
	echo 'CREATE TABLE b (x);' > migrations/2_b.up.sql
	sql "CREATE TABLE schema_migrations (version uint64,dirty bool); CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
		CREATE TABLE a (x); INSERT INTO schema_migrations VALUES (2, true)"
	fails 3 "by mig-apply --repair" mig-apply
	# Its up failed, or the down of what is after it: a person says which.
	plan ""
	fails 3 "say the version that the database is at: --repair-applied VERSION" mig-apply --repair
	fails 2 "holds one version: name one" mig-apply --repair-applied 1 --repair-applied 2
	fails 2 "no migration has the version '9'" mig-apply --repair-applied 9
	cp app.db kept.db
	repair "record 1" --repair-applied 01
	assert_equal "$(sql 'SELECT * FROM schema_migrations')" "1|0"
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" 2
	cp kept.db app.db
	repair "record 2" --repair-applied 2
	assert_equal "$(sql 'SELECT * FROM schema_migrations')" "2|0"
	works mig-status --check
	cp kept.db app.db
	repair "forget 2" --repair-applied 0
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "1 2"
	rm -rf app.db migrations/* backups
	sql 'CREATE TABLE own (x)'
	echo 'CREATE TABLE a (x);' > migrations/1_a.sql
	apply --format sqlx
	sql 'DELETE FROM mig_ledger; UPDATE _sqlx_migrations SET success = 0'
	plan "forget 1"
	repair "forget 1"
	assert_equal "$(sql 'SELECT count(*) FROM _sqlx_migrations')" 0
}

@test "what another tool was never told, and what it has taken back" {
	migration 0001_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	migration 0002_b 'CREATE TABLE b (x);' 'DROP TABLE b;'
	apply
	sql 'CREATE TABLE "schema_migrations" (version varchar(128) primary key)'
	plan "tell 0001, tell 0002"
	repair "tell 0001, tell 0002"
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migrations')" 0001,0002
	works mig-status --check
	sql "DELETE FROM schema_migrations WHERE version = '0002'; DROP TABLE b"
	plan "forget 0002"
	repair "forget 0002"
	assert_equal "$(sql 'SELECT group_concat(version) FROM mig_ledger')" 0001
	apply
	works mig-status --check
	# A table that is gone: nobody knows what else it held.
	sql 'DROP TABLE schema_migrations'
	works mig-status --repair-plan --format dbmate
	assert_equal "$(json '.repairs | length')" 0
}

@test "golang-migrate's down failed: what mig applied is not run again" {
	echo 'CREATE TABLE acc (c); INSERT INTO acc VALUES (5);' > migrations/1_a.up.sql
	echo 'CREATE TABLE b (x);' > migrations/2_b.up.sql
	echo 'DROP TABLE b;' > migrations/2_b.down.sql
	apply --format golang-migrate
	# As golang-migrate does before the down of 2.
	sql 'UPDATE schema_migrations SET version = 1, dirty = 1'
	fails 3 "or down from the one after it" mig-apply --repair
	repair "record 2" --repair-applied 2
	works mig-status --check
	assert_equal "$(sql 'SELECT count(*) FROM acc')" 1
}

@test "telling another tool hides no change, and keeps the row" {
	migration 0001_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	works mig-apply -q
	local before
	before=$(sql 'SELECT applied_at, backup_id, statements FROM mig_ledger')
	sql 'CREATE TABLE "schema_migrations" (version varchar(128) primary key)'
	sed -i 's/(x)/(x, y)/' migrations/0001_a.sql
	plan "tell 0001, restamp 0001"
	sed -i 's/(x, y)/(x)/' migrations/0001_a.sql
	repair "tell 0001"
	assert_equal "$(sql 'SELECT applied_at, backup_id, statements FROM mig_ledger')" "$before"
	works mig-status --check
}

@test "what cannot be repaired is said, and a tool that mig only reads is left alone" {
	migration 1_a 'CREATE TABLE a (x);'
	apply
	rm migrations/1_a.sql
	works mig-apply --repair
	assert_equal "$(json .result)" nothing
	[[ $stderr == *"its file is gone"* ]]
	rm -rf migrations app.db
	mkdir -p migrations/deploy
	sql 'CREATE TABLE own (x)'
	printf '%%project=p\n\none 2026-11-21T15:23:56Z X <x@y.z> # the first\n' > migrations/sqitch.plan
	echo 'SELECT 1;' > migrations/deploy/one.sql
	sqlite3 sqitch.db "CREATE TABLE changes (change_id TEXT PRIMARY KEY, script_hash TEXT, change TEXT, project TEXT, committed_at TEXT, planned_at TEXT); INSERT INTO changes VALUES ('1', 'x', 'one', 'p', '2026', '2026')"
	works mig-status
	assert_equal "$(json '.problems[].reason')" checksum
	fails 3 "mig reads the history of Sqitch, and does not write it" mig-apply --repair
	fails 3 "mig reads the history of Sqitch, and does not write it" mig-gen --baseline one
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema")" 1
}
