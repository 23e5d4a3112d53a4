load ../lib
# Ways in which a restore of SQLite could bring back something else.

lost() { # SQL STATEMENT: how it is refused
	rm -rf app.db* migrations
	sqlite3 app.db "$1"
	export DATABASE_URL=sqlite:app.db
	migration 1_x "$2"
	fails 3 "${3:-new_ref}" mig-apply -q --no-backup
}

@test "values set to null beside columns that are computed: named rightly" {
	local parents="CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);"
	local refs="v TEXT AS (id || 'x') VIRTUAL, s TEXT AS (id) STORED, old_ref INTEGER REFERENCES a ON DELETE SET NULL, w AS (1), new_ref INTEGER REFERENCES b ON DELETE SET NULL"
	lost "$parents CREATE TABLE child (id INTEGER PRIMARY KEY, $refs) WITHOUT ROWID; INSERT INTO child (id, old_ref, new_ref) VALUES (1, 1, 1), (2, 1, 1)" 'DELETE FROM b WHERE id = 1;' "child.new_ref"
	lost "$parents CREATE TABLE child (id INTEGER PRIMARY KEY, $refs); INSERT INTO child (id, old_ref, new_ref) VALUES (1, 1, 1), (2, 1, 1)" 'DELETE FROM b WHERE id = 1;' "child.new_ref"
	printf -- '-- migrate:up\n-- mig: allow-loss child.old_ref\nDELETE FROM b WHERE id = 1;\n' > migrations/1_x.sql
	fails 3 "child.new_ref" mig-apply -q --no-backup
	printf -- '-- migrate:up\n-- mig: allow-loss child.new_ref\nDELETE FROM b WHERE id = 1;\n' > migrations/1_x.sql
	works mig-apply -q --no-backup
}

@test "what differs in case or blanks only is counted as written" {
	sqlite3 app.db "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE); INSERT INTO users (name) VALUES ('bob');
		CREATE TABLE k (k TEXT COLLATE NOCASE PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO k VALUES ('k', 1), ('z', 1)"
	export DATABASE_URL=sqlite:app.db
	works mig-backup -q
	sqlite3 app.db "UPDATE users SET name = 'BOB'"
	fails 3 "accept-loss" mig-rollback --restore
	assert_equal "$(json '.gap.tables[] | .table + " " + (.changed | tostring)' <<< "$output")" "" || true
	works mig-rollback -q --restore --accept-loss
	sqlite3 app.db "UPDATE k SET k = 'K' WHERE k = 'k'"
	fails 3 "accept-loss" mig-rollback --restore "$(ls backups/*.migbak | head -n 1)"
}

@test "--into a name beside which a -wal is left: refused" {
	sqlite3 app.db "PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES ('old')" > /dev/null
	export DATABASE_URL=sqlite:app.db
	works mig-backup -q --to a.migbak
	touch new.db-wal
	fails 3 "'new.db-wal' is there" mig-rollback -q --restore --into new.db a.migbak
	assert_file_not_exist new.db
	# It needs no database to be named.
	fails 3 "'new.db-wal' is there" env -u DATABASE_URL mig-rollback -q --restore --into new.db a.migbak
	assert_file_not_exist new.db
	rm new.db-wal
	works mig-rollback -q --restore --into "/$PWD/new.db" a.migbak
	assert_equal "$(rows t new.db)" 1
}

@test "--offline: a lock that can be seen is no assumption, and holds others off" {
	family
	works mig-backup -q --to a.migbak
	(echo "BEGIN IMMEDIATE; INSERT INTO parent VALUES (9, 'z', NULL);"; sleep 2; echo "COMMIT;") | sqlite3 app.db 3>&- &
	local writer=$!
	sleep 0.5
	fails 3 "in use" mig-rollback -q --restore --offline --assume-stopped --accept-loss a.migbak
	wait "$writer"
	assert_equal "$(rows parent)" 4
}

@test "--offline by one who cannot give the file its owner: refused before anything is changed" {
	[ "$(id -u)" = 0 ] || skip "needs root for another owner"
	mkdir data
	family data/app.db
	export DATABASE_URL=sqlite:$PWD/data/app.db
	works mig-backup -q --to a.migbak
	chmod 666 data/app.db a.migbak
	chmod 777 data .
	chown 1 data/app.db
	fails 4 "give the new file the owner of the database" mortal mig-rollback -q --restore --offline --assume-stopped --accept-loss --no-safety-backup a.migbak
	assert_equal "$(stat -c %u data/app.db)" 1
	works mig-rollback -q --restore --offline --accept-loss --no-safety-backup a.migbak
	assert_equal "$(stat -c '%u %a' data/app.db)" "1 666"
}

@test "--offline: an error in the run after a killed one leaves its marker" {
	command -v strace > /dev/null || skip "strace is not installed"
	sqlite3 app.db "PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1)" > /dev/null
	export DATABASE_URL=sqlite:app.db
	works mig-backup -q --to a.migbak
	mkfifo in
	sqlite3 app.db < in 3>&- &
	local writer=$!
	exec 8> in
	echo "INSERT INTO t VALUES (2);" >&8
	sleep 0.4
	kill -9 "$writer"
	exec 8>&-
	wait "$writer" 2> /dev/null || true
	assert_file_exist app.db-wal
	run strace -f -o trace -e trace=rename -e inject=rename:error=EIO:signal=KILL:when=4 mig-rollback -q --restore --offline --accept-loss --no-safety-backup a.migbak
	assert_file_exist app.db.mig-restoring
	run strace -f -o trace -e trace=rename -e inject=rename:error=ENOSPC:when=2 mig-rollback -q --restore --offline --accept-loss --no-safety-backup a.migbak
	[ "$status" -ne 0 ]
	assert_file_exist app.db.mig-restoring
	works mig-rollback -q --restore --offline --accept-loss --no-safety-backup a.migbak
	assert_equal "$(rows t)" 1
	assert_file_not_exist app.db.mig-restoring
}

@test "virtual tables are dropped with what they hold, and counted" {
	sqlite3 app.db "CREATE TABLE zz (a)"
	export DATABASE_URL=sqlite:app.db
	local how
	for how in "fts5(body)" "fts4(body)" "fts3(body)" "rtree(id, a, b)"; do
		rm -rf migrations
		migration 1_v "CREATE VIRTUAL TABLE v USING $how;" 'DROP TABLE v;'
		works mig-apply -q --no-backup
		works mig-rollback -q --steps 1 --yes
		works mig-apply -q --no-backup
		[[ $how == rtree* ]] || sqlite3 app.db "INSERT INTO v VALUES ('text')"
		[[ $how != rtree* ]] || sqlite3 app.db "INSERT INTO v VALUES (1, 2, 3)"
		fails 3 "'v': 1 row" mig-rollback -q --steps 1 --yes
		works mig-rollback -q --steps 1 --yes --accept-loss
		assert_equal "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'v%'")" 0
	done
}

@test "--offline: a second run finishes the first, but not over what was written since" {
	command -v strace > /dev/null || skip "strace is not installed"
	sqlite3 app.db "PRAGMA journal_mode = delete; CREATE TABLE t (x); INSERT INTO t VALUES (1)" > /dev/null
	export DATABASE_URL=sqlite:app.db
	works mig-backup -q --to a.migbak
	sqlite3 app.db "INSERT INTO t VALUES (2)"
	local n
	for n in 1 2 3 4 5 6 7 8 9; do
		run strace -f -o trace -e trace=unlink -e inject=unlink:error=EIO:signal=KILL:when=$n mig-rollback -q --restore --offline --accept-loss --no-safety-backup a.migbak
		if [ -e app.db.mig-restoring ] && [ "$(rows t)" = 1 ]; then break; fi
	done
	assert_file_exist app.db.mig-restoring
	cp -a app.db.mig-restoring marker
	# Nothing since: it is finished without being asked again.
	works mig-rollback -q --restore --offline a.migbak
	assert_file_not_exist app.db.mig-restoring
	# An application, which knows no marker, has written.
	cp -a marker app.db.mig-restoring
	sqlite3 app.db "INSERT INTO t VALUES (3)"
	fails 3 "accept-loss" mig-rollback -q --restore --offline a.migbak
	assert_equal "$(rows t)" 2
}

@test "a foreign key that SQLite cannot follow stops no backup, and no way back" {
	sqlite3 app.db "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT); CREATE TABLE c (x TEXT REFERENCES p (code)); CREATE TABLE d (x REFERENCES p); INSERT INTO c VALUES ('a'); INSERT INTO d VALUES (9)"
	export DATABASE_URL=sqlite:app.db
	works mig-backup
	works mig-verify --latest
	[[ $stderr == *"foreign keys of 'c' cannot be checked"* && $stderr == *"1 dangling rows"* ]] || { echo "$stderr"; return 1; }
	migration 1_x 'CREATE TABLE x (y);'
	works mig-apply -q
	works mig-rollback -q --restore --accept-loss
	works mig-rollback -q --restore --into r.db
	assert_equal "$(rows c r.db)" 1
}

@test "a ledger that is damaged: what is left is saved, and what is said to be done works" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	works mig-apply -q
	local good
	good=$(mig-backup -q | mig-verify -q | jq -r .path)
	sqlite3 app.db 'DROP TABLE mig_event'
	fails 3 "run it again with --no-safety-backup" mig-rollback -q --restore --accept-loss
	fails 3 "mig_event is gone" mig-backup -q
	fails 0 "which migration it is at is not known" mig-backup -q --no-check
	works mig-rollback -q --restore --accept-loss --no-safety-backup "$good"
	works mig-status
	assert_equal "$(json .current)" 1
}
