load ../lib

@test "pending migrations run in order, each recorded, behind a proved backup" {
	family
	migration 10_b 'INSERT INTO a VALUES (1), (2);' 'DELETE FROM a WHERE 1;'
	migration 9_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	works mig-apply
	assert_equal "$(json '.result, .current, .backup.source, ([.applied[].migration] | join(" "))')" \
		"$(printf 'applied\n10\ntaken\n9 10')"
	assert_equal "$(json '.applied[1].delta[0] | "\(.table) \(.before) \(.after) \(.inserted)"')" "a 0 2 2"
	assert_equal "$(sqlite3 app.db "SELECT version, state FROM mig_ledger ORDER BY length(version)" | tr '\n' ' ')" "9|applied 10|applied "
	works mig-verify -q "$(json .backup.path)"
}

@test "nothing pending is done, before any backup" {
	family
	mkdir migrations
	works mig-apply
	assert_equal "$(json .result)" nothing
	assert_file_not_exist backups
	migration 1_a 'CREATE TABLE a (x);'
	works mig-apply
	works mig-apply
	assert_equal "$(json .result)" nothing
	assert_equal "$(ls backups/*.migbak | wc -l)" 1
}

@test "pairs of files, and files that are not migrations" {
	family
	mkdir migrations
	echo 'CREATE TABLE a (x);' > migrations/1_a.up.sql
	echo 'DROP TABLE a;' > migrations/1_a.down.sql
	echo 'junk' > migrations/schema.sql
	works mig-apply
	works mig-status
	assert_equal "$(json '.ignored[0], .current')" "$(printf 'schema.sql\n1')"
	works mig-rollback --steps 1 -q
}

@test "--to, --steps, --dry-run" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_b 'CREATE TABLE b (x);'
	migration 3_c 'CREATE TABLE c (x);'
	local before
	before=$(sha256sum app.db)
	works mig-apply --dry-run
	assert_equal "$(json '.result, (.plan | length)')" "$(printf 'planned\n3')"
	assert_equal "$(sha256sum app.db)$(ls)" "$before$(printf 'app.db\nmigrations')"
	works mig-apply --steps 1
	assert_equal "$(json .current)" 1
	works mig-apply --to 2
	assert_equal "$(json .current)" 2
	fails 2 "no migration has the version '7'" mig-apply --to 7
}

@test "a migration that fails is rolled back whole; those before it stay, and are named" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_bad 'INSERT INTO a VALUES (1); UPDATE parent SET name = 1 WHERE id = 1; INSERT INTO absent VALUES (1);'
	migration 3_c 'CREATE TABLE c (x);'
	run --separate-stderr mig-apply -q
	assert_equal "$status" 6
	[[ $stderr == *"migration 2 (bad), 'migrations/2_bad.sql' line 2: no such table: absent"* ]]
	assert_equal "$(json '.result, .current, .error.reason, (.applied | length)')" "$(printf 'failed\n1\nstatement\n1')"
	assert_equal "$(rows a)" 0
	assert_equal "$(sqlite3 app.db 'SELECT name FROM parent WHERE id = 1')" a
	run mig-status --history
	assert_equal "$(json '[.history[].event] | join(" ")')" "apply fail"
}

@test "a constraint that speaks up at commit" {
	family
	sqlite3 app.db 'CREATE TABLE late (p REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)'
	migration 1_x 'INSERT INTO late VALUES (99);'
	fails 6 "FOREIGN KEY constraint failed" mig-apply -q
	assert_equal "$(rows late)" 0
}

# The trap of a rebuilt parent, in each form.

@test "cascade: a rebuild that is recognised keeps the children" {
	family
	migration 1_r 'CREATE TABLE new_parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT);
INSERT INTO new_parent SELECT * FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;'
	works mig-apply -q
	assert_equal "$(rows parent) $(rows child)" "3 5"
	assert_equal "$(sqlite3 app.db 'PRAGMA foreign_key_check')" ""
}

@test "cascade: a rebuild that loses rows, values or a column is stopped" {
	family
	local before
	before=$(contents)
	migration 1_r 'CREATE TABLE p2 (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO p2 SELECT * FROM parent WHERE id < 3;
DROP TABLE parent; ALTER TABLE p2 RENAME TO parent;'
	fails 3 "'parent': 1 row (rebuild)" mig-apply -q
	migration 1_r 'CREATE TABLE p2 (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO p2 (id, name) SELECT id, name FROM parent;
DROP TABLE parent; ALTER TABLE p2 RENAME TO parent;'
	fails 3 "'parent.note': 2 values (rebuild)" mig-apply -q
	migration 1_r 'CREATE TABLE p2 (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO p2 SELECT id, name FROM parent;
DROP TABLE parent; ALTER TABLE p2 RENAME TO parent;'
	fails 3 "'parent.note': 2 values (rebuild without the column)" mig-apply -q
	assert_equal "$(contents)" "$before"
	works mig-apply -q --allow-loss parent.note
}

@test "cascade: a rebuild that changes values is stopped, one that changes types is not" {
	sqlite3 app.db "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, price TEXT); INSERT INTO t VALUES (1, 5, '12.50'), (2, 6, '3')"
	export DATABASE_URL=app.db
	migration 1_r 'CREATE TABLE t2 (id INTEGER PRIMARY KEY, n INTEGER, price INTEGER);
INSERT INTO t2 SELECT id, n, CAST(price AS INTEGER) FROM t;
DROP TABLE t; ALTER TABLE t2 RENAME TO t;'
	fails 3 "'t.price': 2 values (some of them changed by the rebuild)" mig-apply -q
	migration 1_r "CREATE TABLE t2 (id INTEGER PRIMARY KEY, n INTEGER, price TEXT);
INSERT INTO t2 SELECT id, '', price FROM t;
DROP TABLE t; ALTER TABLE t2 RENAME TO t;"
	fails 3 "'t.n': 2 values" mig-apply -q
	migration 1_r 'CREATE TABLE t2 (id TEXT PRIMARY KEY, n REAL, price TEXT);
INSERT INTO t2 SELECT * FROM t;
DROP TABLE t; ALTER TABLE t2 RENAME TO t;'
	works mig-apply -q
}

@test "cascade: a rebuild that leaves children without a parent is stopped" {
	family
	migration 1_r '-- mig: allow-loss parent
CREATE TABLE p2 (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO p2 SELECT * FROM parent WHERE id < 3;
DROP TABLE parent; ALTER TABLE p2 RENAME TO parent;'
	fails 6 "foreign key leads nowhere" mig-apply -q
	assert_equal "$(rows parent) $(rows child)" "3 5"
}

@test "cascade: a rebuild that cannot be recognised is stopped" {
	family
	local before
	before=$(contents)
	migration 1_r 'CREATE TABLE copy AS SELECT * FROM parent;
DROP TABLE parent;
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO parent SELECT * FROM copy;
DROP TABLE copy;'
	fails 3 "'parent': 3 rows (DROP TABLE, line 3)" mig-apply -q
	fails 3 "'copy': 3 rows (DROP TABLE, line 6)" mig-apply -q --allow-loss parent
	fails 3 "'child': 5 rows (taken along by a foreign key or trigger)" mig-apply -q --allow-loss parent --allow-loss copy
	assert_equal "$(contents)" "$before"
	# Marked, it is one.
	sed -i 's/^CREATE TABLE copy/-- mig: rebuild parent\n-- mig: allow-loss copy\n&/' migrations/1_r.sql
	works mig-apply -q
	assert_equal "$(rows parent) $(rows child)" "3 5"
}

@test "cascade: renamed away and dropped" {
	family
	local before
	before=$(contents)
	migration 1_r 'ALTER TABLE parent RENAME TO old;
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
INSERT INTO parent SELECT * FROM old;
DROP TABLE old;'
	fails 3 "'old': 3 rows" mig-apply -q
	fails 3 "'child': 5 rows (taken along" mig-apply -q --allow-loss old
	assert_equal "$(contents)" "$before"
}

@test "cascade: a parent emptied by DELETE" {
	family
	local before
	before=$(contents)
	migration 1_d 'DELETE FROM parent;'
	fails 3 "'parent': 3 rows (DELETE, line 2)" mig-apply -q
	fails 3 "'child': 5 rows (taken along by a foreign key or trigger)" mig-apply -q --allow-loss parent
	migration 1_d 'DELETE FROM parent WHERE id = 2;'
	fails 3 "'child': 2 rows" mig-apply -q
	assert_equal "$(contents)" "$before"
	works mig-apply -q --allow-loss child
	assert_equal "$(rows parent) $(rows child)" "2 3"
}

@test "cascade: a REPLACE" {
	family
	local before
	before=$(contents)
	migration 1_p "REPLACE INTO parent VALUES (3, 'new', NULL);"
	fails 3 "'child': 2 rows" mig-apply -q
	migration 1_p "INSERT OR REPLACE INTO parent VALUES (3, 'new', NULL);"
	fails 3 "'child': 2 rows" mig-apply -q
	assert_equal "$(contents)" "$before"
}

@test "cascade: set null and triggers" {
	family
	sqlite3 app.db "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner REFERENCES parent (id) ON DELETE SET NULL);
		INSERT INTO pet VALUES (1, 1), (2, 1); DELETE FROM child WHERE parent_id = 1;
		CREATE TABLE log (x); INSERT INTO log VALUES (1), (2), (3);
		CREATE TRIGGER gone AFTER DELETE ON parent BEGIN DELETE FROM log WHERE x = 1; END"
	migration 1_d 'DELETE FROM parent WHERE id = 1;'
	run --separate-stderr mig-apply -q
	assert_equal "$status" 3
	[[ $stderr == *"'pet.owner': 2 values"* && $stderr == *"'log': 1 row "* ]]
	works mig-apply -q --allow-loss pet.owner --allow-loss log
}

@test "full-text search is no false alarm" {
	family
	sqlite3 app.db "CREATE VIRTUAL TABLE f USING fts5 (a); INSERT INTO f VALUES ('x'), ('y')"
	migration 1_f "INSERT INTO f VALUES ('z'); DELETE FROM f WHERE a = 'x'; UPDATE f SET a = 'q' WHERE a = 'y';"
	works mig-apply -q
}

@test "what hides from words: byte order marks, names that are keywords, triggers on mig" {
	family
	local before
	before=$(contents)
	printf -- '-- migrate:up\n\xef\xbb\xbfDROP TABLE child;\n' > ignored
	mkdir -p migrations
	cp ignored migrations/1_x.sql
	fails 3 "'child': 5 rows (DROP TABLE" mig-apply -q
	migration 1_x 'WITH replace AS (SELECT 1) DELETE FROM child;'
	fails 3 "'child': 5 rows (DELETE" mig-apply -q
	migration 1_x 'CREATE TRIGGER z AFTER INSERT ON mig_ledger BEGIN DELETE FROM child; END;'
	sqlite3 app.db '.backup keep.db'
	migration 0_first 'CREATE TABLE f (x);'
	run --separate-stderr mig-apply -q
	[[ $stderr == *"a trigger on mig's own table"* ]]
	migration 1_x 'CREATE TEMP TABLE mig_ledger (x);'
	fails 3 "the name of mig's own table" mig-apply -q
	rm migrations/*
	cp keep.db app.db
	assert_equal "$(contents)" "$before"
}

@test "a table that was there before is no rebuild of another" {
	family
	sqlite3 app.db "CREATE TABLE spare (id INTEGER PRIMARY KEY, parent_id, x); INSERT INTO spare SELECT id + 10, 1, 'z' FROM child"
	migration 1_swap 'DROP TABLE child; ALTER TABLE spare RENAME TO child;'
	fails 3 "'child': 5 rows (DROP TABLE" mig-apply -q
}

@test "rows lost to a conflict, values lost to an upsert, cascades beside a DELETE" {
	family
	sqlite3 app.db "CREATE TABLE u (id INTEGER PRIMARY KEY, e UNIQUE, n); INSERT INTO u VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')"
	local before
	before=$(contents)
	migration 1_x "UPDATE OR REPLACE u SET e = 'same' WHERE id < 3;"
	fails 3 "'u': 1 row (replaced in a conflict)" mig-apply -q
	migration 1_x "INSERT INTO u SELECT id, NULL, NULL FROM u WHERE true ON CONFLICT (id) DO UPDATE SET n = NULL;"
	fails 3 "'u.n': 3 values (set to null by ON CONFLICT" mig-apply -q
	migration 1_x "DELETE FROM child WHERE id = 1; DELETE FROM parent WHERE id = 2;"
	fails 3 "'child': 2 rows (taken along" mig-apply -q
	assert_equal "$(contents)" "$before"
	migration 1_x "DELETE FROM u WHERE id = 1; ALTER TABLE u RENAME TO w;"
	works mig-apply -q
}

# Losses.

@test "destroying statements are found before anything runs, and counted" {
	family
	local before
	before=$(contents)
	migration 1_ok 'CREATE TABLE ok (x);'
	migration 2_loss 'ALTER TABLE parent DROP COLUMN note;
UPDATE child SET x = 1;
DROP TABLE IF EXISTS absent;'
	run --separate-stderr mig-apply
	assert_equal "$status" 3
	[[ $stderr == *"'parent.note': 2 values (DROP COLUMN, line 2)"* && $stderr == *"'child.x': 5 values (UPDATE, line 3)"* ]]
	[[ $stderr == *"--allow-loss 'parent.note' --allow-loss 'child.x'"* ]]
	assert_equal "$(contents)" "$before"
	assert_file_not_exist backups
	fails 3 "child.x" mig-apply --allow-loss parent --allow-loss parent.note
	works mig-apply -q --allow-loss parent.note --allow-loss CHILD.X
	assert_equal "$(json '[.applied[1].losses[].amount] | join(" ")')" "2 5"
}

@test "a loss of nothing needs no flag" {
	family
	sqlite3 app.db "CREATE TABLE empty (a, b); ALTER TABLE parent ADD COLUMN unused"
	migration 1_n 'DROP TABLE empty; ALTER TABLE parent DROP COLUMN unused;
ALTER TABLE parent ADD COLUMN fresh; UPDATE parent SET fresh = 1;'
	works mig-apply -q
}

@test "counted again inside: an earlier pending file has filled the table" {
	family
	sqlite3 app.db "CREATE TABLE t (x)"
	migration 1_fill 'INSERT INTO t VALUES (1), (2);'
	migration 2_drop 'DROP TABLE t;'
	run --separate-stderr mig-apply -q
	assert_equal "$status" 6
	[[ $stderr == *"'t': 2 rows (DROP TABLE, line 2)"* ]]
	assert_equal "$(json '.current')" 1
	assert_equal "$(rows t)" 2
}

@test "the marker in the file is the same as the option" {
	family
	migration 1_d '-- mig: allow-loss parent.note
ALTER TABLE parent DROP COLUMN note;'
	works mig-apply -q
	migration 2_d '-- mig: allow-loss
SELECT 1;'
	fails 2 "'migrations/2_d.sql' line 2: the directive names nothing" mig-apply -q
	printf -- '-- mig: allow-loss parent.name\n-- migrate:up\nSELECT 1;\n' > migrations/2_d.sql
	fails 2 "line 1: stands before '-- migrate:up'" mig-apply -q
	migration 2_d '-- mig: allow-losses x
SELECT 1;'
	fails 2 "knows no such directive" mig-apply -q
}

# Gates.

@test "sanity: changed, missing, late" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	migration 3_c 'CREATE TABLE c (x);'
	works mig-apply -q
	migration 2_b 'CREATE TABLE b (x);'
	fails 3 "migration 2 (b) is pending, but 3" mig-apply
	works mig-apply --dry-run --allow-out-of-order
	mv migrations/1_a.sql hidden
	fails 3 "its file is gone" mig-apply --allow-out-of-order
	mv hidden migrations/1_a.sql
	echo 'SELECT 1;' >> migrations/1_a.sql
	fails 3 "was changed after it was applied" mig-apply --allow-out-of-order
	sed -i '$d' migrations/1_a.sql
	works mig-apply -q --allow-out-of-order
	migration 4_d 'CREATE TABLE d (x);'
	rm migrations/3_c.sql
	works mig-apply -q --allow-missing
}

@test "statements that leave the transaction are found before anything runs" {
	family
	for sql in 'BEGIN; SELECT 1; COMMIT;' 'SAVEPOINT x;' "ATTACH 'x.db' AS x;" VACUUM \
		'PRAGMA foreign_keys = OFF;' 'PRAGMA journal_mode = WAL;'; do
		migration 1_x "$sql"
		fails 3 "cannot run in a migration" mig-apply
	done
	# What words do not tell, the engine does.
	migration 1_x 'PRAGMA synchronous_mode; PRAGMA mmap_size = 1;'
	fails 3 "may not use PRAGMA" mig-apply -q
	migration 1_x 'DELETE FROM mig_ledger;'
	fails 3 "mig's own table" mig-apply -q --no-backup || fails 6 "no such table" mig-apply -q --no-backup
	assert_file_not_exist x.db
}

@test "--format mig beside dbmate's table: refused; --baseline records it" {
	family
	sqlite3 app.db "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); INSERT INTO schema_migrations VALUES ('1')"
	migration 1_a 'CREATE TABLE a (x);'
	export MIG_FORMAT=mig
	fails 3 "history table 'schema_migrations' of dbmate" mig-apply
	[[ $stderr == *"mig-gen --baseline"* ]]
	works mig-gen --baseline 1
	migration 2_b 'CREATE TABLE b (x);'
	works mig-apply -q
	assert_equal "$(json '.current, (.applied | length)')" "$(printf '2\n1')"
	unset MIG_FORMAT
	fails 3 "2 (b) was applied by mig, and the table of dbmate was never told" mig-apply
	works mig-status
	assert_equal "$(json '.format, .problems[0].reason')" "$(printf 'dbmate\nhistory')"
}

@test "bad folders and files" {
	family
	fails 2 "no migrations folder" mig-apply
	migration 1_a 'CREATE TABLE a (x);'
	migration 01_b 'CREATE TABLE b (x);'
	fails 2 "two migrations have the version" mig-apply
	rm migrations/*
	echo 'SELECT 1;' > migrations/1_a.sql
	fails 2 "'migrations/1_a.sql' line 1: stands before" mig-apply --format mig
	echo '-- just a note' > migrations/1_a.sql
	fails 2 "has no '-- migrate:up' line" mig-apply --format mig
	printf -- '-- Migrate: up\nCREATE TABLE a (x);\n' > migrations/1_a.sql
	fails 2 "'migrations/1_a.sql' line 2: stands before" mig-apply
	rm migrations/*
	echo 'SELECT 1;' > migrations/1_a.down.sql
	fails 2 "no up file beside it" mig-apply
	rm migrations/*
	migration 1_a "SELECT 'x"
	fails 2 "in 'migrations/1_a.sql' line 2: a quoted text without end; mend the file" mig-apply
	printf -- '-- migrate:up\nSELECT 1;\0' > migrations/1_a.sql
	fails 2 "NUL" mig-apply
}

@test "a document is judged even when nothing is pending" {
	family
	mkdir migrations
	run --separate-stderr bash -c 'mig-status | mig-apply -'
	assert_equal "$status" 2
	mig-backup -q > b.json
	printf x | dd of="$(archive)" bs=1 seek=2000 conv=notrunc 2> /dev/null
	run --separate-stderr bash -c 'mig-verify -q < b.json 2> /dev/null | mig-apply -'
	assert_equal "$status" 3
	[[ $stderr == *"has failed"* ]]
}

# The backup.

@test "the gap is stated, and does not refuse" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	mig-backup -q | mig-verify -q > v.json
	sqlite3 app.db "INSERT INTO parent VALUES (8, 'new', NULL)"
	run --separate-stderr bash -c 'mig-apply - < v.json'
	assert_equal "$status" 0
	assert_equal "$(json '.gap.written, (.gap.tables[0] | "\(.table) \(.rows_then) \(.rows_now)"), .backup.source, .verification.kind')" \
		"$(printf 'yes\nparent 3 4\ndocument\nmig.verification')"
}

@test "--no-backup is loud, recorded, and refused in production" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	printf '[production]\npolicy = production\n' > mig.conf
	fails 3 "refused in production" mig-apply --no-backup --yes -e production
	fails 3 "there is no terminal to ask on" setsid mig-apply -e production < /dev/null
	assert_file_not_exist backups
	works mig-apply --no-backup -q
	[[ $stderr == *"NO BACKUP"* ]]
	assert_equal "$(json .no_backup)" true
	works mig-status --history
	assert_equal "$(json '.history[0].detail')" "--no-backup"
	migration 2_b 'CREATE TABLE b (x);'
	works mig-apply --force-no-backup --yes -e production
}

@test "production asks on the terminal" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	printf '[production]\npolicy = production\n' > mig.conf
	run bash -c "echo n | script -qec 'mig-apply -e production' /dev/null"
	[[ $output == *"Apply 1 migration to"* && $output == *"not confirmed"* ]]
	assert_equal "$(sqlite3 app.db '.tables a')" ""
	run bash -c "echo y | script -qec 'mig-apply -e production' /dev/null"
	assert_equal "$(sqlite3 app.db '.tables a')" a
}

# Outside a transaction.

@test "transaction:false: VACUUM and PRAGMA, recorded with their place" {
	family
	migration 1_wal ''
	printf -- '-- migrate:up transaction:false\nPRAGMA journal_mode = WAL;\nVACUUM;\n' > migrations/1_wal.sql
	works mig-apply -q
	assert_equal "$(sqlite3 app.db 'PRAGMA journal_mode')" wal
	printf -- '-- migrate:up transaction:false\nDROP TABLE child;\n' > migrations/2_bad.sql
	fails 3 "may hold VACUUM and PRAGMA only" mig-apply -q
	for pragma in journal_mode=MEMORY journal_mode=OFF synchronous=OFF query_only=ON locking_mode=EXCLUSIVE; do
		printf -- '-- migrate:up transaction:false\nPRAGMA %s;\n' "$pragma" > migrations/2_bad.sql
		fails 3 "cannot run in a migration" mig-apply -q
	done
	printf -- '-- migrate:up transaction:false\nVACUUM;\nVACUUM INTO "/no/such/place";\nPRAGMA user_version = 7;\n' > migrations/2_bad.sql
	run --separate-stderr mig-apply -q
	assert_equal "$status" 7
	[[ $stderr == *"--resume"* ]]
	works mig-status
	assert_equal "$(json '.problems[0].reason')" failed
	fails 3 "failed after 1 of its statements" mig-apply -q
	sed -i 's/^VACUUM INTO.*/SELECT 1;/; s/^SELECT 1;/VACUUM;/' migrations/2_bad.sql
	works mig-apply -q --resume
	assert_equal "$(json .current)" 2
	assert_equal "$(sqlite3 app.db 'PRAGMA user_version')" 7
	works mig-status --check
	assert_equal "$(json .up_to_date)" true
	works mig-status --history
	assert_equal "$(json '.current, ([.history[].event] | join(" "))')" "$(printf '2\napply fail apply')"
	[[ $(json '.history[1].detail') == *"2_bad.sql"* ]]
}

# Locks.

@test "two at once: one applies, the other exits 8 or waits" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	touch app.db.mig-lock
	exec 8>> app.db.mig-lock
	flock 8
	fails 8 "another runner holds the lock" mig-apply
	( sleep 0.6; flock -u 8 ) &
	exec 8>&-
	works mig-apply -q --wait 20s
	assert_equal "$(json .result)" applied
}

@test "a writer that holds the database is waited for, then it is said" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	mkfifo orders
	sqlite3 app.db < orders > said.txt 2>&1 3>&- &
	local writer=$!
	exec 9> orders
	echo "BEGIN IMMEDIATE; SELECT 'held';" >&9
	for i in $(seq 100); do grep -q held said.txt && break; sleep 0.05; done
	fails 4 "database is locked" mig-apply -q --busy-timeout 1s
	exec 9>&-
	wait "$writer"
	works mig-apply -q
}

@test "a document that cannot be written does not lose the change" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	run --separate-stderr bash -c 'mig-apply -q > /dev/full'
	assert_equal "$status" 4
	[[ $stderr == *"what was done is done"* ]]
	works mig-status --check
}

@test "a read-only database" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	chmod 444 app.db
	fails 4 "read-only" mortal mig-apply
}

@test "bad options" {
	family
	mkdir migrations
	fails 2 "the only operand is '-'" mig-apply migrations
	fails 2 "'-' brings a backup" mig-apply --no-backup -
	fails 2 "not a number" mig-apply --steps none
	fails 2 "not a time" mig-apply --wait long
}

@test "the advice for a name with an apostrophe can be given to a shell" {
	family
	sqlite3 app.db "CREATE TABLE \"it's\" (x); INSERT INTO \"it's\" VALUES (1)"
	migration 1_a "DROP TABLE \"it's\";"
	fails 3 "would lose" mig-apply -q
	local advice
	advice=$(json .next)
	eval "works mig-apply -q ${advice##*allow it: }"
}
