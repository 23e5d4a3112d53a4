load ../lib
# mig-gen --squash: the oldest migrations become one.

prepare() {
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
	migration 1_a "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, n TEXT UNIQUE); -- a note
		INSERT INTO p (n) VALUES ('it''s'), (NULL), ('');" 'DROP TABLE p;'
	migration 2_b "CREATE TABLE c (p_id REFERENCES p (id), x BLOB, y AS (p_id * 2), PRIMARY KEY (p_id)) WITHOUT ROWID;
		INSERT INTO c (p_id, x) VALUES (1, x'00ff'), (2, 1.5);" 'DROP TABLE c;'
	migration 3_c 'CREATE VIEW v AS SELECT n FROM p; CREATE INDEX c_x ON c (x) WHERE x > 1;
		CREATE TRIGGER t AFTER INSERT ON c BEGIN UPDATE p SET n = 1 WHERE id = 9; END; DELETE FROM p WHERE id = 3;' 'SELECT 1;'
	migration 4_d 'CREATE TABLE d (x);' 'DROP TABLE d;'
}
sql() { sqlite3 "${2:-app.db}" "$1"; }
apply() { works mig-apply -q --no-backup "$@"; }
all() { sqlite3 "$1" 'SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE "mig_%" AND name NOT LIKE "sqlite_%" ORDER BY 2; SELECT * FROM p; SELECT p_id, quote(x), y FROM c; SELECT * FROM sqlite_sequence'; }

@test "one file makes the same schema and rows; the old ones are moved away" {
	cp app.db new.db
	apply
	local before
	before=$(all app.db)
	works mig-gen --squash 3
	assert_equal "$(json '.action, .files[0]' | xargs)" "squash migrations/3_baseline.sql"
	assert_equal "$(ls migrations | xargs)" "3_baseline.sql 4_d.sql squashed-3"
	assert_equal "$(ls migrations/squashed-3 | xargs)" "1_a.sql 2_b.sql 3_c.sql"
	grep -qx -- '-- mig: replaces 1, 2, 3' migrations/3_baseline.sql
	# A database that has them all has nothing pending, and may go on.
	works mig-status --check
	migration 5_e 'CREATE TABLE e (x);' 'DROP TABLE e;'
	apply
	assert_equal "$(json '[.applied[].migration] | join(" ")')" 5
	# A new one gets the one file.
	export DATABASE_URL=sqlite:new.db
	apply --to 4
	assert_equal "$(json '[.applied[].migration] | join(" ")')" "3 4"
	assert_equal "$(all new.db)" "$before"
	apply
	works mig-status --check
	# And is held to it.
	echo '-- more' >> migrations/3_baseline.sql
	works mig-status
	assert_equal "$(json '.problems[].reason')" checksum
	fails 3 "no-down" mig-rollback --to 0 -q
	# The old way back is in the ledger.
	export DATABASE_URL=sqlite:app.db
	works mig-rollback --to 1 -q --accept-loss
	assert_equal "$(json '[.done[].migration] | join(" ")')" "5 4 3 2"
}

@test "a database that has only some of them is refused, whole" {
	apply --to 2
	works mig-gen --squash 3
	works mig-status
	assert_equal "$(json '.problems[] | .reason + ": " + .text')" "squash: migration 3 (baseline) stands for 3 migrations, of which 2 are applied here"
	fails 3 "apply the others first, by the files from before the squash (they may be in squashed-3)" mig-apply --no-backup
	mv migrations/3_baseline.sql kept.sql
	mv migrations/squashed-3/* migrations/
	apply --to 3
	rm migrations/[123]_*
	mv kept.sql migrations/3_baseline.sql
	apply
	works mig-status --check
	cp migrations/squashed-3/1_a.sql migrations/ 2> /dev/null || migration 1_a 'SELECT 1;'
	fails 2 "replaces it: take the old file away" mig-status
}

@test "what cannot be squashed is refused, and no file is touched" {
	local before
	before=$(find migrations -type f -exec md5sum {} + | sort)
	untouched() { assert_equal "$(find migrations -type f -exec md5sum {} + | sort)" "$before"; }
	fails 2 "no migration has the version '9'" mig-gen --squash 9
	migration 2_b $'-- mig: placeholders\nSELECT 1;'
	fails 3 "has placeholders" mig-gen --squash 3
	migration 2_b 'SELECT nope;'
	fails 3 "cannot be run: migration 2 (b)" mig-gen --squash 3
	migration 2_b "CREATE VIRTUAL TABLE f USING fts5 (x); INSERT INTO f VALUES ('a');"
	migration 3_c 'SELECT 1;'
	fails 3 "the virtual table 'f' has rows" mig-gen --squash 3
	# Rows are written down as they came.
	migration 2_b 'CREATE TABLE r (x); INSERT INTO r VALUES (random());'
	works mig-gen --squash 3
	rm -r migrations/*
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_b 'CREATE TABLE b (x);'
	printf -- '-- mig: after 1\n-- migrate:up\nSELECT 1;\n' > migrations/3_c.sql
	before=$(find migrations -type f -exec md5sum {} + | sort)
	fails 3 "migration 3 (c) comes after one that would be gone" mig-gen --squash 2
	untouched
	sed -i 1d migrations/3_c.sql
	fails 2 "which mig cannot squash" mig-gen --squash 2 --format dbmate
	fails 2 "name one" mig-gen --squash 2 --validate
	mkdir migrations/squashed-3
	fails 3 "squashed-3' exists" mig-gen --squash 3
}

@test "a graph is squashed with all its branches" {
	rm migrations/*
	migration 1_a 'CREATE TABLE a (x);'
	printf -- '-- mig: after 1\n-- migrate:up\nCREATE TABLE b (x);\n' > migrations/2_b.sql
	printf -- '-- mig: after 1\n-- migrate:up\nCREATE TABLE c (x);\n' > migrations/3_c.sql
	printf -- '-- mig: after 2, 3\n-- migrate:up\nCREATE TABLE d (x);\n' > migrations/4_d.sql
	printf -- '-- mig: after 4\n-- migrate:up\nCREATE TABLE e (x);\n' > migrations/5_e.sql
	works mig-gen --squash 4 "the beginning"
	assert_equal "$(ls migrations | xargs)" "4_the_beginning.sql 5_e.sql squashed-4"
	apply
	works mig-status --check
	assert_equal "$(sql "SELECT group_concat(name, '') FROM (SELECT name FROM sqlite_schema WHERE length(name) = 1 ORDER BY 1)")" abcde
}

@test "a squash of a squash stands for all of both" {
	cp app.db old.db
	cp app.db older.db
	apply
	works mig-apply -d old.db -q --no-backup --to 3
	works mig-apply -d older.db -q --no-backup --to 2
	works mig-gen --squash 3
	works mig-gen --squash 4
	grep -qx -- '-- mig: replaces 1, 2, 3, 4' migrations/4_baseline.sql
	works mig-status --check
	works mig-status -d old.db
	assert_equal "$(json '.problems[] | .reason + ": " + .text')" "squash: migration 4 (baseline) stands for 4 migrations, of which 3 are applied here"
	works mig-status -d older.db
	assert_equal "$(json '[.problems[].reason] | join(" ")')" squash
}

@test "a second squash knows the databases that the first one made" {
	rm -f migrations/*
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_b 'CREATE TABLE b (x);'
	migration 3_c 'CREATE TABLE c (x);'
	migration 4_d 'CREATE TABLE d (x);'
	cp app.db partial.db
	works mig-apply -d partial.db -q --no-backup --to 2
	sqlite3 partial.db "DELETE FROM mig_ledger WHERE version = '1'; DROP TABLE a" # never run there
	works mig-gen --squash 2
	cp app.db first.db
	works mig-apply -d first.db -q --no-backup --to 3
	works mig-gen --squash 3 "the second"
	grep -qx -- '-- mig: squashed 2 baseline: 1, 2' migrations/3_the_second.sql
	works mig-apply -d first.db -q
	works mig-status --check -d first.db
	run --separate-stderr mig-status -d partial.db
	assert_equal "$(json '[.problems[].reason] | join(" ")')" "squash schema"
	works mig-gen --squash 4
	assert_equal "$(grep -- '-- mig: squashed' migrations/4_baseline.sql | xargs)" "-- mig: squashed 2 baseline: 1, 2 -- mig: squashed 3 the_second: 1, 2, 3"
	works mig-apply -d first.db -q
	works mig-status --check -d first.db
	works mig-apply -q
	works mig-status --check
}

@test "what is hard to write down is the same, or the squash is refused" {
	rm migrations/*
	migration 1_a "-- mig: allow-loss n
		CREATE TABLE r (x); INSERT INTO r (rowid, x) VALUES (10, 'a' || char(0) || 'b'), (20, 9e999), (30, -9e999), (40, 0.1);
		CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO n VALUES (100); DELETE FROM n;
		CREATE TABLE par (k TEXT); CREATE UNIQUE INDEX par_k ON par (k); CREATE TABLE chi (k REFERENCES par (k));
		INSERT INTO par VALUES ('k'); INSERT INTO chi VALUES ('k'); CREATE VIEW j AS SELECT r.x FROM r WHERE r.rowid = 20;
		PRAGMA user_version = 7;"
	migration 2_b 'SELECT 1;'
	look() { sql "SELECT rowid, hex(x), typeof(x), x > 1e308 FROM r; SELECT * FROM sqlite_sequence; SELECT count(*) FROM j, chi; PRAGMA user_version" "$1"; }
	cp app.db new.db
	apply
	works mig-gen --squash 1
	works mig-apply -d new.db -q --no-backup
	assert_equal "$(look new.db)" "$(look app.db)"
	local line
	for line in '-- migrate:down' '-- mig: include ../secret' '-- mig: allow-loss own' '-- mig: placeholders'; do
		rm -r migrations/*
		migration 1_a "CREATE TABLE t (x); INSERT INTO t VALUES ('a' || char(10) || '$line' || char(10) || 'b');"
		fails 3 "[squash]" mig-gen --squash 1
		assert_equal "$(ls migrations)" 1_a.sql
	done
}

@test "a squash that was killed between its files stops everything, and says what to do" {
	mkdir migrations/squashed-3
	mv migrations/1_a.sql migrations/squashed-3/
	touch migrations/squashed-3/new.sql
	fails 2 "a squash was interrupted: 'migrations/squashed-3/new.sql' is there; move all other files of that folder back" mig-apply --no-backup
	fails 2 "a squash was interrupted" mig-gen --squash 3
	mv migrations/squashed-3/1_a.sql migrations/
	rm -r migrations/squashed-3
	apply
}

@test "a failed one of those that were squashed is not taken for the squashed one" {
	rm migrations/*
	migration 1_a 'CREATE TABLE a (x);'
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 1;\nPRAGMA user_version = (;\n' > migrations/2_b.sql
	run --separate-stderr mig-apply --no-backup
	assert_equal "$status" 7
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 1;\n' > migrations/2_b.sql
	works mig-gen --squash 2
	works mig-status
	assert_equal "$(json '[.problems[].reason] | join(" ")')" "failed squash"
	fails 3 "[squash]" mig-apply --resume --no-backup
}

@test "the database says whose migrations they are, as for a new one" {
	export DATABASE_URL=sqlite:app.db
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	migration 2_b 'CREATE TABLE b (x);' 'DROP TABLE b;'
	sqlite3 app.db 'CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)'
	local before; before=$(ls migrations | xargs)
	fails 2 "are dbmate's, which mig cannot squash" mig-gen --squash 2
	assert_equal "$(ls migrations | xargs)" "$before"
}
