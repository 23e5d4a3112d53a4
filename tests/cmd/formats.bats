load ../lib
# The migrations of other tools, with their tables as those tools make them; on
# SQLite.  The same on PostgreSQL: postgresql.bats.

sql() { sqlite3 app.db "$1"; }
apply() { works mig-apply -q --no-backup "$@"; }
pending() { # VERSIONS, what is pending then
	works mig-status || return 1
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "$1"
}
prepare() {
	mkdir migrations
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
}

# The checksum of Flyway, of a file of one line.
mig_crc() {
	local n
	n=$(printf %s "$(cat "$1")" | gzip -1 | tail -c 8 | od -An -N4 -tu4 | tr -d ' ')
	echo $((n > 2147483647 ? n - 4294967296 : n))
}

dbmate_files() {
	printf -- '-- migrate:up\nCREATE TABLE a (x);\n-- migrate:down\nDROP TABLE a;\n' > migrations/0001_a.sql
	printf -- '-- migrate:up\nCREATE TABLE b (x);\n-- migrate:down\nDROP TABLE b;\n' > migrations/0002_b.sql
}

@test "dbmate: its table is read and written; version is text" {
	dbmate_files
	sql 'CREATE TABLE "schema_migrations" (version varchar(128) primary key)'
	sql "CREATE TABLE a (x); INSERT INTO schema_migrations VALUES ('0001')"
	pending 0002
	assert_equal "$(json .format)" dbmate
	apply
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migrations')" 0001,0002
	pending ""
	assert_equal "$(json '.up_to_date, .applied')" "$(printf 'true\n2')"
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migrations')" 0001
	# Applied by dbmate: its down is in the file only.
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql 'SELECT count(*) FROM schema_migrations')" 0
	pending "0001 0002"
}

@test "a database that mig has never written to: back by the file's down" {
	dbmate_files
	sql "CREATE TABLE schema_migrations (version varchar(128) primary key); CREATE TABLE a (x); INSERT INTO schema_migrations VALUES ('0001')"
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql 'SELECT count(*) FROM schema_migrations')" 0
	pending "0001 0002"
	fails 2 "no format is called 'x'" mig-backup --format x
}

@test "dbmate takes back what mig applied: pending again, and said" {
	dbmate_files
	apply --format dbmate
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migrations')" 0001,0002
	sql "DROP TABLE b; DELETE FROM schema_migrations WHERE version = '0002'"
	works mig-backup -q
	assert_equal "$(json .migration)" 0001
	pending 0002
	[[ $(json '.problems[0] | .reason + .text') == history*"which is right"* ]]
	apply
	[[ $stderr == *"warning: migration 0002 (b) was applied by mig and is not in the table of dbmate any more"* ]]
	assert_equal "$(sql "SELECT group_concat(version) FROM schema_migrations")" 0001,0002
	pending ""
	assert_equal "$(json .up_to_date)" true
}

@test "a migration that fails leaves the other tool's table as it was" {
	dbmate_files
	printf -- '-- migrate:up\nCREATE TABLE c (x);\nSELECT nonsense;\n' > migrations/0003_c.sql
	fails 6 "no such column" mig-apply -q --no-backup --format dbmate
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migrations')" 0001,0002
	rm migrations/000[12]* && sql 'DROP TABLE a; DROP TABLE b; DROP TABLE schema_migrations; DELETE FROM mig_ledger'
	fails 6 "no such column" mig-apply -q --no-backup --format dbmate
	assert_equal "$(sql "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'")" 0
}

@test "order by the files' names, as dbmate has it" {
	for i in 9_a 10_b; do printf -- '-- migrate:up\nCREATE TABLE t%s (x);\n' "$i" > migrations/$i.sql; done
	works mig-status --format dbmate
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "10 9"
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "9 10"
}

@test "goose: annotations, its table and its row of version 0" {
	cat > migrations/00001_a.sql <<- 'FILE'
		-- a comment
		-- +goose Up
		CREATE TABLE a (x);
		-- +goose StatementBegin
		CREATE TRIGGER t AFTER INSERT ON a BEGIN
			DELETE FROM a WHERE x = 1;
			DELETE FROM a WHERE x = 2;
		END
		-- +goose StatementEnd
		INSERT INTO a VALUES ('3--3');
		INSERT INTO a VALUES (4); -- and so on
		DELETE FROM a WHERE x = 4;

		-- +goose Down
		DROP TABLE a;
	FILE
	printf -- '-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n' > migrations/00002_b.sql
	apply
	assert_equal "$(sql 'SELECT count(*) FROM a')" 1
	# Without the table they are goose's by their words, and it gets its table.
	assert_equal "$(sql 'SELECT version_id, is_applied FROM goose_db_version ORDER BY id')" "$(printf '0|1\n1|1\n2|1')"
	printf -- '-- +goose Up\nCREATE TABLE c (x);\n-- +goose Down\nDROP TABLE c;\n' > migrations/00003_c.sql
	sql "CREATE TABLE c (x); INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1)"
	pending ""
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql 'SELECT max(version_id) FROM goose_db_version')" 2
	echo 'package x' > migrations/00004_d.go
	fails 3 "migration 00004 (d) is Go" mig-apply
}

@test "a restore: the other tool's own rows are no loss, and go back with it" {
	printf -- '-- +goose Up\nCREATE TABLE a (x);\n' > migrations/00001_a.sql
	apply
	works mig-backup -q
	works mig-verify -q --latest
	printf -- '-- +goose Up\nCREATE TABLE b (x);\n' > migrations/00002_b.sql
	apply
	assert_equal "$(json .current)" 00002
	works mig-rollback -q --restore --yes
	assert_equal "$(sql 'SELECT max(version_id) FROM goose_db_version')" 1
	pending 00002
	assert_equal "$(json .current)" 00001
	sql 'INSERT INTO own VALUES (1)'
	fails 3 "'own' (1 rows added" mig-rollback -q --restore --yes
}

@test "what one tool was told, another was not: refused, never run twice" {
	local n
	for n in 1 2; do echo "INSERT INTO own VALUES ('up$n');" > migrations/V${n}__m.sql; done
	apply --format refinery
	fails 3 "the table of Flyway is not there" mig-apply --no-backup --format flyway
	fails 3 "recorded for refinery, too" mig-apply --no-backup --format mig
	sql 'DROP TABLE refinery_schema_history'
	fails 3 "the table of refinery is not there" mig-apply --no-backup --format refinery
	assert_equal "$(sql 'SELECT count(*) FROM own')" 2
	works mig-backup -q
	# Its table gone for good, and said: mig goes on alone.
	rm migrations/*
	works mig-status --format mig
}

@test "rolled back as mig, told nobody: refused" {
	dbmate_files
	apply --format dbmate
	fails 3 "recorded for dbmate, too" mig-rollback -q --steps 1 --accept-loss --format mig
	assert_equal "$(sql 'SELECT count(*) FROM schema_migrations')" 2
}

@test "mig's own rollback leaves nothing behind, whatever the zeros" {
	printf -- '-- +goose Up\nCREATE TABLE a (x);\n-- +goose Down\nDROP TABLE a;\n' > migrations/00001_a.sql
	apply
	mv migrations away
	works mig-rollback -q --steps 1 --accept-loss
	mv away migrations
	assert_equal "$(sql 'SELECT count(*) FROM mig_ledger')" 0
	pending 00001
	assert_equal "$(json '.problems | length')" 0
}

@test "dbmate applied another text than mig did: no down of the wrong one" {
	dbmate_files
	apply --format dbmate
	printf -- '-- migrate:up\nCREATE TABLE c (x);\n-- migrate:down\nDROP TABLE c;\n' > migrations/0002_b.sql
	fails 3 "is not the one that was applied" mig-rollback -q --steps 1 --accept-loss
	assert_equal "$(sql "SELECT count(*) FROM sqlite_master WHERE name = 'b'")" 1
}

@test "goose: what it refuses is refused" {
	local n=0 text
	while IFS='|' read -r text words; do
		printf -- "$text" > migrations/1_a.sql
		fails 2 "$words" mig-status --format goose
		n=$((n + 1))
	done <<- 'END'
		CREATE TABLE a (x);\n|stands before '-- +goose Up'
		-- just words\n|has no '-- +goose Up' line
		-- +goose Up\nCREATE TABLE a (x)\n|no semicolon
		-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n|no StatementEnd
		-- +goose Up\n-- +goose StatementEnd\n|without StatementBegin
		-- +goose Down\nSELECT 1;\n|stands before
		-- +goose Up\nSELECT 1;\n-- +goose Up\n|a second
		-- +goose Up\nSELECT 1;\n-- +goose Sideways\n|no such annotation
		-- +goose Up\n  -- +goose Down\n|must begin its line
		-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;\n|ENVSUB
	END
	assert_equal "$n" 10
}

@test "golang-migrate: one row stands for all; dirty is a failure" {
	echo 'BEGIN; CREATE TABLE a (x); COMMIT;' > migrations/1_a.up.sql
	echo 'DROP TABLE a;' > migrations/1_other_name.down.sql
	echo 'CREATE TABLE b (x);' > migrations/2_b.up.sql
	echo 'DROP TABLE b;' > migrations/2_b.down.sql
	echo 'CREATE TABLE c (x);' > migrations/10_c.up.sql
	sql "CREATE TABLE schema_migrations (version uint64,dirty bool); CREATE UNIQUE INDEX version_unique ON schema_migrations (version)"
	pending "1 2 10"
	assert_equal "$(json .format)" golang-migrate
	apply --to 2
	assert_equal "$(sql 'SELECT version, dirty FROM schema_migrations')" "2|0"
	apply
	assert_equal "$(sql 'SELECT version, dirty FROM schema_migrations')" "10|0"
	fails 3 "has no down script" mig-rollback -q --accept-loss --steps 1
	echo 'DROP TABLE c;' > migrations/10_c.down.sql
	works mig-rollback -q --accept-loss --steps 2
	assert_equal "$(sql 'SELECT version, dirty FROM schema_migrations')" "1|0"
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql 'SELECT count(*) FROM schema_migrations')" 0
	sql "INSERT INTO schema_migrations VALUES (2, 1); CREATE TABLE a (x)"
	# Which way it went is not known: that tool must put it right.
	fails 3 "migration 2, or the way back to it, failed, as the table of golang-migrate says" mig-apply
	fails 3 "golang-migrate: force" mig-apply --resume
	sql "UPDATE schema_migrations SET version = 1, dirty = 0"
	apply
	assert_equal "$(sql 'SELECT version, dirty FROM schema_migrations')" "10|0"
	echo 'SELECT 1;' > migrations/99999999999999999999_d.up.sql
	fails 2 "more than its table can hold" mig-status
}

@test "golang-migrate: a down of the ledger brings its BEGIN, too" {
	echo 'CREATE TABLE t (x);' > migrations/1_t.up.sql
	echo 'BEGIN; DROP TABLE t; COMMIT;' > migrations/1_t.down.sql
	apply --format golang-migrate
	rm -r migrations
	works mig-rollback -q --accept-loss --steps 1
	assert_equal "$(sql "SELECT count(*) FROM sqlite_master WHERE name = 't'")" 0
}

@test "golang-migrate: a file that came late is not taken back as if it had run" {
	local n
	for n in 1 3; do echo "CREATE TABLE t$n (x);" > migrations/$n.up.sql; mv migrations/$n.up.sql migrations/${n}_t.up.sql; echo "DROP TABLE t$n;" > migrations/${n}_t.down.sql; done
	apply --format golang-migrate
	echo 'SELECT 1;' > migrations/2_t.up.sql
	echo 'DELETE FROM own;' > migrations/2_t.down.sql
	sql 'INSERT INTO own VALUES (1)'
	works mig-status
	[[ $(json '.problems[0] | .reason + .text') == history*"may have come late and never have run"* ]]
	fails 3 "migration 2 may have come late" mig-rollback -q --accept-loss --steps 2
	assert_equal "$(sql 'SELECT count(*) FROM own')" 1
	works mig-rollback -q --accept-loss --steps 1
}

sqlx_table() {
	sql 'CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
		success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)'
}

@test "sqlx: SHA-384, compared and written; other line ends are only said" {
	sqlx_table
	printf 'CREATE TABLE a (x);\n' > migrations/1_first_one.sql
	printf -- '-- no-transaction\nVACUUM;\n' > migrations/2_b.up.sql
	printf 'SELECT 1;\n' > migrations/2_b.down.sql
	apply
	assert_equal "$(sql 'SELECT version, description, success, lower(hex(checksum)) FROM _sqlx_migrations WHERE version = 1')" \
		"1|first one|1|$(sha384sum < migrations/1_first_one.sql | cut -d ' ' -f 1)"
	printf 'CREATE TABLE a (x);\r\n' > migrations/1_first_one.sql
	works mig-status
	assert_equal "$(json '.problems[0].reason')" line-ends
	apply
	printf 'CREATE TABLE a (y);\n' > migrations/1_first_one.sql
	printf 'CREATE TABLE c (x);\n' > migrations/3_c.sql
	fails 3 "migration 1 (first one) was changed after it was applied" mig-apply
	# A row that sqlx wrote.
	printf 'CREATE TABLE a (x);\n' > migrations/1_first_one.sql
	sql "DELETE FROM mig_ledger WHERE version = '1'"
	pending 3
	echo x > migrations/x_y.sql
	fails 2 "'x' is not a version of sqlx" mig-status
}

@test "Flyway: CRC-32 of lines, versions with parts, repeatable files" {
	sql 'CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL,
		script VARCHAR(1000) NOT NULL, checksum INT, installed_by VARCHAR(100) NOT NULL, installed_on TEXT NOT NULL DEFAULT (1), execution_time INT NOT NULL, success BOOLEAN NOT NULL)'
	mkdir migrations/more
	# The checksum does not see line ends: CRC-32 of "abcd" is -310194927.
	printf '\357\273\277-- a\rb\r\n--c\nd' > crc
	printf 'CREATE TABLE a (x);\n' > migrations/V1_2__first_one.sql
	printf 'CREATE TABLE b (x);\n' > migrations/more/V1.10__b.sql
	printf 'DROP TABLE b;\n' > migrations/more/U1.10__b.sql
	printf 'DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1;\n' > migrations/R__views.sql
	sql "INSERT INTO flyway_schema_history VALUES (1, '1', '<< Flyway Baseline >>', 'BASELINE', 'x', NULL, '', 1, 0, 1)"
	printf 'CREATE TABLE own (x);\n' > migrations/V1__own.sql
	printf 'DROP TABLE own;\n' > migrations/U1__own.sql
	printf 'DROP TABLE a;\n' > migrations/U1.2__first_one.sql
	pending "1.2 1.10 R:views"
	assert_equal "$(json .head)" 1.10
	apply
	assert_equal "$(sql 'SELECT installed_rank, version, description, type, script, success FROM flyway_schema_history WHERE installed_rank > 1')" \
		"$(printf '2|1.2|first one|SQL|V1_2__first_one.sql|1\n3|1.10|b|SQL|more/V1.10__b.sql|1\n4||views|SQL|R__views.sql|1')"
	assert_equal "$(sql "SELECT checksum FROM flyway_schema_history WHERE version = '1.2'")" \
		"$(printf 'CREATE TABLE a (x);' | gzip -c | tail -c 8 | od -An -t d4 -N 4 | tr -d ' ')"
	pending ""
	printf 'DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 2;\n' > migrations/R__views.sql
	pending "R:views"
	apply
	assert_equal "$(sql 'SELECT x FROM (SELECT "2" AS x FROM v) LIMIT 1'; sql 'SELECT count(*) FROM flyway_schema_history WHERE version IS NULL')" "$(printf '2\n2')"
	works mig-rollback -q --accept-loss --steps 1
	pending "1.10"
	fails 3 "migration 1 is of a baseline" mig-rollback -q --accept-loss --to 0
	assert_equal "$(sql 'SELECT count(*) FROM flyway_schema_history WHERE version = 1')" 1
	printf 'CREATE TABLE ${flyway:defaultSchema}.$${x} (y DEFAULT "${");\n' > migrations/V2__c.sql
	fails 2 '${flyway:defaultSchema} has no value' mig-apply
	sed -i 's/\$\${x}/${x}/' migrations/V2__c.sql
	printf 'DROP TABLE ${x};\n' > migrations/U2__c.sql
	fails 2 'is no placeholder' mig-apply --set flyway:defaultSchema=main --set x=c
	sed -i 's/ (y.*/ (y);/' migrations/V2__c.sql
	apply --set flyway:defaultSchema=main --set x=c2
	assert_equal "$(sql "SELECT checksum FROM flyway_schema_history WHERE version = '2'")" "$(mig_crc migrations/V2__c.sql)"
	works mig-status --check
	fails 2 'has no value' mig-rollback --steps 1
	# The text that the ledger has kept asks for it, too.
	rm migrations/U2__c.sql
	works mig-rollback --steps 1 -q --set x=c2
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = 'c2'")" 0
	echo placeholderReplacement=false > migrations/V2__c.sql.conf
	fails 6 "" mig-apply --no-backup
}

@test "diesel: folders, metadata, and the order of its versions" {
	mkdir migrations/2026-01-02-000000_a migrations/00000000000000_first
	echo 'CREATE TABLE a (x);' > migrations/2026-01-02-000000_a/up.sql
	echo 'DROP TABLE a;' > migrations/2026-01-02-000000_a/down.sql
	echo 'VACUUM;' > migrations/00000000000000_first/up.sql
	echo 'run_in_transaction = false' > migrations/00000000000000_first/metadata.toml
	apply
	assert_equal "$(sql 'SELECT group_concat(version) FROM __diesel_schema_migrations')" 00000000000000,20260102000000
	works mig-rollback -q --accept-loss --steps 1
	pending 20260102000000
	# A marker that no statement needs: in a transaction after all.
	echo 'run_in_transaction = false' > migrations/2026-01-02-000000_a/metadata.toml
	echo 'CREATE TABLE a (x); CREATE TABLE a (x);' > migrations/2026-01-02-000000_a/up.sql
	fails 6 "already exists" mig-apply -q --no-backup
	assert_equal "$(sql "SELECT count(*) FROM sqlite_master WHERE name = 'a'")" 0
}

@test "refinery: SipHash-1-3, by its own test values" {
	printf 'CREATE TABLE persons (\n    id int,\n    name varchar(255),\n    city varchar(255)\n);\n' > migrations/V1__initial.sql
	printf 'CREATE TABLE cars (\n    id int,\n    name varchar(255)\n);\n' > migrations/V2__add_cars_table.sql
	fails 2 "may be Flyway's or refinery's" mig-status
	apply --format refinery
	assert_equal "$(sql 'SELECT version, name, checksum FROM refinery_schema_history')" \
		"$(printf '1|initial|2959965718684201605\n2|add_cars_table|8238603820526370208')"
	pending ""
	sql "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 2; DELETE FROM mig_ledger"
	echo 'CREATE TABLE c (x);' > migrations/U3__c.sql
	fails 3 "migration 2 (add_cars_table) was changed" mig-apply
}

@test "Prisma: folders, SHA-256, failed and rolled back rows" {
	mkdir -p migrations/20260101000000_init migrations/20260102000000_b
	echo 'CREATE TABLE a (x);' > migrations/20260101000000_init/migration.sql
	echo 'CREATE TABLE b (x);' > migrations/20260102000000_b/migration.sql
	apply --to 20260101000000_init
	assert_equal "$(sql 'SELECT migration_name, checksum, applied_steps_count, length(id), finished_at > 1700000000000 FROM _prisma_migrations')" \
		"20260101000000_init|$(sha256sum < migrations/20260101000000_init/migration.sql | cut -d ' ' -f 1)|1|36|1"
	sql "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '20260102000000_b')"
	fails 3 "migration 20260102000000_b, or the way back to it, failed" mig-apply --resume
	sql "UPDATE _prisma_migrations SET rolled_back_at = 1 WHERE id = '1'"
	apply
	pending ""
}

@test "Prisma: a table rebuilt between PRAGMA foreign_keys, its children stay" {
	mkdir -p migrations/20260101000000_init migrations/20260102000000_b
	echo 'CREATE TABLE p (id INTEGER PRIMARY KEY, x); CREATE TABLE c (p INTEGER REFERENCES p ON DELETE CASCADE);
		INSERT INTO p VALUES (1, 2); INSERT INTO c VALUES (1);' > migrations/20260101000000_init/migration.sql
	cat > migrations/20260102000000_b/migration.sql <<- 'END'
		-- RedefineTables
		PRAGMA defer_foreign_keys=ON;
		PRAGMA foreign_keys=OFF;
		CREATE TABLE "new_p" ("id" INTEGER PRIMARY KEY, "x" TEXT);
		INSERT INTO "new_p" ("id", "x") SELECT "id", "x" FROM "p";
		DROP TABLE "p";
		ALTER TABLE "new_p" RENAME TO "p";
		PRAGMA foreign_keys=ON;
		PRAGMA defer_foreign_keys=OFF;
	END
	apply
	assert_equal "$(sql 'SELECT (SELECT count(*) FROM p) || (SELECT count(*) FROM c)')" 11
}

@test "pop: files of dialects, autocommit, its table, versions of before popx" {
	printf 'CREATE TABLE a (x);\n' > migrations/20200101000000000000_a.up.sql
	printf 'CREATE TABLE wrong (x);\n' > migrations/20200101000000000000_a.mysql.up.sql
	printf 'DROP TABLE a;\n' > migrations/20200101000000000000_a.down.sql
	printf 'SELECT no_such_function();\n' > migrations/20200101000000000001_b.up.sql
	printf 'CREATE TABLE b (x);\n' > migrations/20200101000000000001_b.sqlite3.up.sql
	printf 'DROP TABLE b;\n' > migrations/20200101000000000001_b.sqlite.down.sql
	printf 'SELECT no_such_function();\n' > migrations/20200101000000000001_b.down.sql
	printf 'CREATE TABLE wrong (x);\n' > migrations/20210101000000000000_c.postgres.up.sql
	printf 'DROP TABLE wrong;\n' > migrations/20210101000000000000_c.down.sql
	printf 'VACUUM;\n' > migrations/20220101000000000000_d.sqlite.autocommit.up.sql
	printf 'SELECT 1;\n' > migrations/20220101000000000000_d.oracle.up.sql
	printf 'notes\n' > migrations/readme.sql
	pending "20200101000000000000 20200101000000000001 20220101000000000000"
	assert_equal "$(json '.format, (.ignored | join(" "))')" "$(printf 'pop\nreadme.sql')"
	apply
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migration')" 20200101000000000000,20200101000000000001,20220101000000000000
	assert_equal "$(sql "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name IN ('a', 'b', 'wrong')")" a,b
	fails 3 "has no down script" mig-rollback --steps 1
	rm migrations/2022*
	sql "DELETE FROM schema_migration WHERE version LIKE '2022%'; DELETE FROM mig_ledger WHERE version LIKE '2022%'"
	works mig-rollback -q --steps 1
	assert_equal "$(sql 'SELECT group_concat(version) FROM schema_migration')" 20200101000000000000
	# Before popx, 14 characters stood for all that begin so.
	sql "DELETE FROM schema_migration; DROP TABLE mig_ledger; DROP TABLE mig_event; DROP TABLE mig_identity; INSERT INTO schema_migration (version) VALUES ('20200101000000')"
	pending ""
	assert_equal "$(json '.applied, (.problems | length)')" "$(printf '2\n0')"
}

@test "pop: versions byte by byte, rows of before popx among others" {
	local v
	for v in 1 2 10 20200101000000 20200101000000000001 20200101000000000002; do
		printf 'CREATE TABLE t%s (x);\n' $v > migrations/${v}_t.sqlite.up.sql
		printf 'DROP TABLE t%s;\n' $v > migrations/${v}_t.sqlite.down.sql
	done
	apply
	assert_equal "$(json '[.applied[].migration] | join(" ")')" "1 10 2 20200101000000 20200101000000000001 20200101000000000002"
	rm migrations/20200101000000_*
	sql "DELETE FROM schema_migration WHERE version LIKE '20200101000000_%'"
	pending ""
	assert_equal "$(json '.applied')" 5
	# It would still stand for what is taken back.
	fails 3 "the row '20200101000000' of schema_migration" mig-rollback --steps 1
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema WHERE name LIKE 't2020%'")" 3
	sql "INSERT INTO schema_migration (version) VALUES ('20200101000000000001'), ('20200101000000000002'); DELETE FROM schema_migration WHERE version = '20200101000000'"
	works mig-rollback --steps 1 -q
	pending 20200101000000000002
}

@test "pop: only where all names are pop's, and mig has not begun by itself" {
	printf 'CREATE TABLE t1 (x);\n' > migrations/000001_init.pg.up.sql
	printf 'CREATE TABLE t2 (x);\n' > migrations/000002_add.users.up.sql
	pending "000001 000002"
	assert_equal "$(json .format)" mig
	fails 2 "'000002_add.users.up.sql' has no name of pop's" mig-apply --no-backup --format pop
	rm migrations/000002*
	printf 'CREATE TABLE t2 (x);\n' > migrations/000002_b.up.sql
	pending 000002
	assert_equal "$(json .format)" pop
	rm migrations/000001*
	apply
	assert_equal "$(json '.applied | length')" 1
	printf 'CREATE TABLE t3 (x);\n' > migrations/000003_c.sqlite.up.sql
	pending 000003
	assert_equal "$(json .format)" mig
	# A table of that name, and files that are none of pop's.
	rm migrations/* app.db
	sql 'CREATE TABLE schema_migration (version)'
	printf -- '-- migrate:up\nCREATE TABLE own (x);\n' > migrations/1_a.sql
	pending 1
	printf -- '-- mig: placeholders\nSELECT 1;\n' > migrations/1_a.pg.up.sql
	rm migrations/1_a.sql
	printf -- '-- mig: placeholders\nSELECT 1;\n' > migrations/1_a.sqlite.up.sql
	fails 2 "'-- mig: placeholders' is for mig's own format" mig-apply --no-backup
}

@test "pop: what its templates ask for is filled in, and nothing else" {
	printf 'CREATE TABLE {{ index .Options "Namespace" }}_a (x TEXT DEFAULT ${x});\n' > migrations/1_a.sqlite.up.sql
	fails 2 "{{ index .Options \"Namespace\" }} has no value; give it: --set Namespace=VALUE" mig-apply --no-backup
	printf 'CREATE TABLE {{index .Options "Namespace"}}_a (x);\nCREATE TABLE {{ .Parameters.other }} (x);\n' > migrations/1_a.sqlite.up.sql
	printf '{{ if .IsSQLite }}CREATE TABLE c (x);{{ end }}\n' > migrations/2_b.up.sql
	fails 2 "2_b.up.sql': {{ if .IsSQLite }} is no placeholder" mig-apply --no-backup --set Namespace=auth --set other=b
	rm migrations/2_b.up.sql
	apply --set Namespace=auth --set other=b
	assert_equal "$(sql "SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('auth_a', 'b')")" auth_a,b
	printf 'create_table("x") {}\n' > migrations/3_c.up.fizz
	fails 3 "is fizz, which mig cannot run" mig-apply --no-backup --set Namespace=auth --set other=b
	works mig-gen "add d"
	[ -e "migrations/$(json '.files[0]' | sed 's|.*/||')" ]
	[[ $(json '.files[0]') == *_add_d.up.sql ]]
}

@test "Rails: where it stands; what is pending is for Rails to run" {
	touch migrations/20260101000000_create_a.rb migrations/20260102000000_add_b.my_engine.rb migrations/notes.rb
	fails 3 "is Ruby, which mig cannot run" mig-apply
	fails 3 "mig reads the history of Rails, and does not write it" mig-gen --baseline 20260101000000
	sql "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY); CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL)"
	sql "INSERT INTO schema_migrations VALUES ('20260101000000'), ('20250101000000')"
	pending 20260102000000
	assert_equal "$(json '.format, ([.problems[].reason] | sort | join(" "))')" "$(printf 'rails\ncode missing')"
	fails 3 "its file is gone" mig-apply
	sql "INSERT INTO schema_migrations VALUES ('20260102000000')"
	pending ""
}

@test "plain numbered files" {
	echo 'CREATE TABLE a (x);' > migrations/001-a.sql
	echo 'BEGIN; CREATE TABLE b (x); COMMIT; SELECT 1; BEGIN; SELECT 2; COMMIT;' > migrations/002_b.sql
	apply
	assert_equal "$(json '.applied | length')" 2
	printf -- '-- +goose Up\nSELECT 1;\n' > migrations/003_c.sql
	fails 2 "holds a marker" mig-apply
	# The way back in the same file, by the marker of a tool that mig does not know.
	local mark
	for mark in '-- +migrate Down' '---- create above / drop below ----' '-- rambler down' '-- @UNDO' '-- !Downs' '/* migrate:down */' '--@down'; do
		printf -- 'CREATE TABLE c (x);\n%s\nDROP TABLE c;\n' "$mark" > migrations/003_c.sql
		run --separate-stderr mig-apply --no-backup
		assert_equal "$mark $status" "$mark 2"
	done
	printf -- '-- migrate uploads, scale down\nCREATE TABLE c (x);\n' > migrations/003_c.sql
	fails 2 "use --format plain" mig-apply
	apply --format plain
}

@test "whose migrations: asked when two fit, and names that are none" {
	dbmate_files
	fails 2 "no format is called 'knex'; there are mig, plain" mig-status --format knex
	ln -s nowhere migrations/0003_c.sql
	fails 2 "is a link that leads nowhere" mig-status
	rm -rf migrations/*
	mkdir migrations/2026
	echo 'SELECT 1;' > migrations/2026/V1_1__a.sql
	works mig-status
	assert_equal "$(json '.format, (.pending | length)')" "$(printf 'flyway\n1')"
	rm -rf migrations/*
	dbmate_files
	sql "CREATE TABLE schema_migrations (version varchar primary key); CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP)"
	fails 2 "more than one migration tool; say whose" mig-status
	works mig-status --format diesel
	printf 'format = dbmate\n' > mig.conf
	works mig-status
	assert_equal "$(json .format)" dbmate
}

@test "mig-gen writes as the format does, and --baseline tells its table" {
	local f
	for f in goose golang-migrate sqlx flyway diesel refinery prisma dbmate; do
		rm -rf migrations app.db
		sqlite3 app.db 'CREATE TABLE own (x)'
		works mig-gen --format $f -t add_table --table t$f -c 'x int' "add it"
		works mig-status --format $f
		assert_equal "$(json '.pending | length')" 1
		works mig-gen --format $f --baseline "$(json '.pending[0].migration')"
		works mig-status
		assert_equal "$(json '.format, .up_to_date')" "$(printf '%s\ntrue' $f)"
	done
}

@test "mig-gen says the version that can be named" {
	works mig-gen --format prisma "add it"
	works mig-apply -q --no-backup --format prisma --to "$(json .migration)"
}

@test "mig-gen --validate: what mig cannot run is an error, what runs again has no way back" {
	printf -- '-- +goose Up\nCREATE TABLE a (x);\n-- +goose Down\nDROP TABLE a;\n' > migrations/00001_a.sql
	echo 'package x' > migrations/00002_b.go
	run --separate-stderr mig-gen --validate
	assert_equal "$status $(json '.findings[] | .level + .text')" "1 erroris not SQL: mig cannot run it, nor what stands on it"
	rm migrations/*
	echo 'CREATE TABLE b (x);' > migrations/V1.1__b.sql
	echo 'DROP TABLE a;' > migrations/U1.1__b.sql
	echo 'CREATE VIEW v AS SELECT 1;' > migrations/R__v.sql
	run --separate-stderr mig-gen --validate --format flyway
	assert_equal "$status" 1
	[[ $(json '.findings[] | .file + .text') == *U1.1__b.sql*"no such table"* ]]
}

alembic_file() { # REVISION DOWN [MORE]
	mkdir -p migrations/versions
	printf '"""step %s\n\nRevises: %s\n"""\nfrom alembic import op\n\nrevision: str = "%s"\ndown_revision: Union[str, None] = %s\nbranch_labels = None\n%s\n\ndef upgrade() -> None:\n    pass\n' \
		"$1" "$2" "$1" "$2" "${3:-depends_on = None}" > "migrations/versions/$1_x.py"
}

@test "Alembic: the graph and the heads of its table, for status" {
	touch migrations/env.py migrations/versions.md
	alembic_file aa None
	alembic_file 99 "'aa'"
	alembic_file cc '("aa")  # a comment'
	alembic_file 11 "(
    'cc',
    '99', # both
)"
	alembic_file 22 '["11"]' 'depends_on = ("99",)'
	touch migrations/versions/__init__.py
	pending "aa 99 cc 11 22"
	assert_equal "$(json .format)" alembic
	assert_equal "$(json '.pending[0].name')" "step aa"
	sql "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); INSERT INTO alembic_version VALUES ('cc')"
	pending "99 11 22"
	assert_equal "$(json '.applied, .current, .head' | xargs)" "2 cc 22"
	fails 3 "mig reads the history of Alembic, and does not write it" mig-gen --baseline 22
	sql "INSERT INTO alembic_version VALUES ('99')"
	pending "11 22"
	assert_equal "$(json .applied)" 3
	sql "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('22')"
	pending ""
	works mig-status --check
	fails 3 "take it back by its own tool, behind mig: mig-apply -- COMMAND" mig-rollback --steps 1
	fails 2 "mig writes no migrations of Alembic" mig-gen x
	sql "UPDATE alembic_version SET version_num = 'gone'"
	works mig-status
	assert_equal "$(json '[.problems[].reason] | unique | join(" ")')" "code missing"
	alembic_file 33 "'22' + 'x'"
	fails 2 "can be read without Python" mig-status
	alembic_file 33 "'22'" $'depends_on = None\nTEXT = """\nrevision = "evil"\n"""'
	fails 2 "assigned more than once" mig-status
	alembic_file 33 "'absent'"
	fails 2 "[parent]" mig-status
	alembic_file 33 "'aa'"
	works mig-status --heads -o text
	assert_equal "$output" $'22\n33'
	# Its files elsewhere: as an empty folder, or mig's own after a baseline.
	rm -r migrations/*
	echo 'CREATE TABLE t (x);' > migrations/1_t.up.sql
	echo 'CREATE TABLE u (x);' > migrations/2_u.up.sql
	fails 3 "the history table 'alembic_version' of Alembic" mig-apply --no-backup
	sql 'CREATE TABLE t (x)'
	works mig-gen --baseline 1
	apply
	assert_equal "$(json '[.applied[].migration] | join(" ")')" 2
}

@test "Sqitch: its plan, its registry in a file of its own, its checksums" {
	cat > migrations/sqitch.plan <<- 'END'
	%syntax-version=1.0.0
	%project=flipr

	one 2026-11-21T15:23:56Z X <x@y.z> # the first
	two [one] 2026-11-21T15:23:56Z X <x@y.z> # the second
	@v1 2026-11-21T15:23:56Z X <x@y.z> # t

	# a comment
	three [two] 2026-11-21T15:23:57Z X <x@y.z> # the third
	two [two@v1] 2026-11-21T15:23:57Z X <x@y.z> # again
	END
	mkdir migrations/deploy
	local name
	for name in one two@v1 three two; do echo "-- $name" > "migrations/deploy/$name.sql"; done
	pending "one two@v1 three two"
	assert_equal "$(json .format)" sqitch
	sqlite3 sqitch.db "CREATE TABLE projects (project TEXT PRIMARY KEY);
		CREATE TABLE changes (change_id TEXT PRIMARY KEY, script_hash TEXT NULL, change TEXT NOT NULL, project TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', committed_at DATETIME NOT NULL, committer_name TEXT NOT NULL, committer_email TEXT NOT NULL, planned_at DATETIME NOT NULL, planner_name TEXT NOT NULL, planner_email TEXT NOT NULL)"
	change() { # NAME HASH PROJECT TIME
		sqlite3 sqitch.db "INSERT INTO changes VALUES ('$4', '$2', '$1', '$3', '', '$4', 'X', 'x', '$4', 'X', 'x')"
	}
	hash() { sha1sum < "migrations/deploy/$1.sql" | cut -c1-40; }
	change one "$(hash one)" flipr 2026-01-01
	change two "$(hash two@v1)" flipr 2026-01-02
	change three ffff other 2026-01-03
	pending "three two"
	assert_equal "$(json '[.problems[].reason] | unique | join(" ")')" code
	change three "$(hash three)" flipr 2026-01-04
	change two "$(hash two)" flipr 2026-01-05
	pending ""
	works mig-status --check
	assert_equal "$(json .current)" two
	echo '-- changed' >> migrations/deploy/one.sql
	works mig-status
	assert_equal "$(json '.problems[] | .reason + " " + .migration')" "checksum one"
	echo 'four 2026-11-21T15:23:57Z X <x@y.z>' >> migrations/sqitch.plan
	fails 2 "deploy/four.sql' is not there" mig-status
}

@test "another tool's no-transaction file may set the journal mode" {
	touch app.db
	mkdir -p migrations
	printf -- '-- migrate:up transaction:false\nPRAGMA journal_mode = WAL;\n-- migrate:down transaction:false\nPRAGMA journal_mode = DELETE;\n' > migrations/1_wal.sql
	works mig-apply -q --no-backup --format dbmate
	assert_equal "$(sqlite3 app.db 'PRAGMA journal_mode')" wal
	works mig-rollback -q --steps 1 --format dbmate
	assert_equal "$(sqlite3 app.db 'PRAGMA journal_mode')" delete
	rm app.db migrations/*
	touch app.db
	printf -- '-- +goose NO TRANSACTION\n-- +goose Up\nPRAGMA journal_mode = WAL;\n' > migrations/1_wal.sql
	works mig-apply -q --no-backup --format goose
	assert_equal "$(sqlite3 app.db 'PRAGMA journal_mode')" wal
	rm app.db migrations/*
	touch app.db
	printf -- '-- no-transaction\nPRAGMA journal_mode = WAL;\n' > migrations/1_wal.sql
	works mig-apply -q --no-backup --format sqlx
	assert_equal "$(sqlite3 app.db 'PRAGMA journal_mode')" wal
	printf -- '-- no-transaction\nPRAGMA journal_mode = MEMORY;\n' > migrations/2_memory.sql
	fails 3 "cannot run in a migration" mig-apply -q --no-backup --format sqlx
}

@test "a slip in transaction:false is no word to pass by" {
	touch app.db
	mkdir -p migrations
	printf -- '-- migrate:up transaction:flase\nVACUUM;\n' > migrations/1_a.sql
	fails 2 "'migrations/1_a.sql' line 1: the marker has a word like transaction:false" mig-apply -q --no-backup
	printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down transation:false\n' > migrations/1_a.sql
	fails 2 "line 3: the marker has a word like transaction:false" mig-apply -q --no-backup
	printf -- '-- migrate:up transaction:true the words of a person: why\nSELECT 1;\n' > migrations/1_a.sql
	works mig-apply -q --no-backup
}

@test "the histories of tools whose files mig does not read stop it, and name them" {
	local table tool
	mkdir empty
	while IFS='|' read -r tool table; do
		rm -rf app.db migrations
		sqlite3 app.db "CREATE TABLE $table"
		works mig-status -m empty
		assert_equal "$(json '.problems | length')" 0
		migration 1_a 'CREATE TABLE a (x);'
		fails 3 "of $tool and no ledger of mig" mig-apply -q
		[[ $stderr == *"go on with $tool behind mig: mig-apply -- COMMAND"* ]]
		works mig-status
		assert_equal "$tool $(json '.problems[0].reason')" "$tool foreign-history"
	done <<- 'END'
		Sequelize|SequelizeMeta (name VARCHAR(255) PRIMARY KEY)
		node-pg-migrate|pgmigrations (id INTEGER, name TEXT, run_on TEXT)
		Drizzle|"__drizzle_migrations" (id INTEGER, hash TEXT, created_at INT)
		Postgrator|schemaversion (version INT, name TEXT, md5 TEXT, run_at TEXT)
		TypeORM|migrations (id INTEGER, "timestamp" INT, name TEXT)
		Laravel|migrations (id INTEGER, migration TEXT, batch INT)
		knex|knex_migrations (id INTEGER, name TEXT, batch INT, migration_time TEXT)
	END
	# A table that is only called so is nobody's.
	rm -f app.db
	sqlite3 app.db 'CREATE TABLE migrations (id INTEGER, flock TEXT)'
	works mig-apply -q
}

@test "files of Postgrator are not said to need another version" {
	sqlite3 app.db VACUUM
	mkdir -p migrations
	echo 'CREATE TABLE a (x);' > migrations/001.do.users.sql
	echo 'DROP TABLE a;' > migrations/001.undo.users.sql
	fails 2 "these are Postgrator's files" mig-status
}

@test "what the other tool takes back, down to its first, is no change outside" {
	sqlite3 app.db 'CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); CREATE TABLE a (x); INSERT INTO schema_migrations VALUES (1)'
	export DATABASE_URL=sqlite:app.db
	mkdir -p migrations
	printf -- '-- migrate:up\nCREATE TABLE a (x);\n-- migrate:down\nDROP TABLE a;\n' > migrations/1_a.sql
	printf -- '-- migrate:up\nCREATE TABLE b (x);\n-- migrate:down\nDROP TABLE b;\n' > migrations/2_b.sql
	works mig-apply -q
	works mig-rollback -q --steps 1
	sqlite3 app.db 'DELETE FROM schema_migrations; DROP TABLE a'
	works mig-status
	assert_equal "$(json '.problems | length'), $(json .applied), $(json '.pending | length')" "0, 0, 2"
}
