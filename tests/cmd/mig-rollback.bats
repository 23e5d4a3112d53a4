load ../lib

prepare() {
	family
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	migration 2_b 'ALTER TABLE parent ADD COLUMN extra TEXT;' 'ALTER TABLE parent DROP COLUMN extra;'
}

@test "by down scripts, newest first, behind a backup of its own" {
	local before
	before=$(contents)
	works mig-apply -q
	works mig-rollback --steps 1
	assert_equal "$(json '.mode, .result, .current, .done[0].migration')" "$(printf 'down\ndone\n1\n2')"
	assert_file_exist "$(json .safety.path)"
	works mig-rollback --to 0 -q
	assert_equal "$(json .current)" null
	assert_equal "$(contents)" "$before"
	works mig-rollback --steps 1
	assert_equal "$(json .result)" nothing
}

@test "--to a version, --dry-run" {
	works mig-apply -q
	local before
	before=$(sha256sum app.db)$(ls backups)
	works mig-rollback --to 1 --dry-run
	assert_equal "$(json '.result, .plan[0].migration, .plan[0].source')" "$(printf 'planned\n2\nfile')"
	assert_equal "$(sha256sum app.db)$(ls backups)" "$before"
	works mig-rollback --to 1 -q
	assert_equal "$(json .current)" 1
	fails 2 "no applied migration has the version '9'" mig-rollback --to 9
}

@test "from the ledger when the file, or the folder, is gone" {
	works mig-apply -q
	rm migrations/2_b.sql
	works mig-rollback --steps 1
	assert_equal "$(json '.plan[0].source')" ledger
	rm -r migrations
	works mig-rollback --steps 1
	assert_equal "$(sqlite3 app.db .tables)" "$(sqlite3 app.db .tables)"
	assert_equal "$(json '.current')" null
}

@test "what the down destroys is counted, and needs --accept-loss" {
	works mig-apply -q
	sqlite3 app.db "UPDATE parent SET extra = 'kept' WHERE id < 3"
	fails 3 "'parent.extra': 2 values (DROP COLUMN, line 4)" mig-rollback --steps 1
	[[ $stderr == *--accept-loss* ]]
	works mig-rollback --steps 1 --accept-loss -q
	assert_equal "$(json '.done[0].losses[0].amount')" 2
}

@test "no down script: refused before anything" {
	migration 3_c 'CREATE TABLE c (x);'
	works mig-apply -q
	fails 3 "migration 3 (c) has no down script" mig-rollback --steps 2
	[[ $stderr == *--restore* ]]
	works mig-status --check
}

@test "a down that fails is rolled back; those before it stay undone" {
	migration 3_c 'CREATE TABLE c (x);' 'DROP TABLE c;'
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a; DROP TABLE absent;'
	works mig-apply -q
	run --separate-stderr mig-rollback --to 0 -q
	assert_equal "$status" 6
	assert_equal "$(json '.result, .current, (.done | length)')" "$(printf 'failed\n1\n2')"
	assert_equal "$(rows a)" 0
}

@test "staging asks before a rollback" {
	works mig-apply -q
	printf '[staging]\npolicy = staging\n' > mig.conf
	fails 3 "there is no terminal" setsid mig-rollback -e staging --steps 1 < /dev/null
	works mig-rollback -e staging --steps 1 --yes -q
}

@test "--restore brings the newest backup back, history and all" {
	local before
	before=$(contents)
	works mig-apply -q
	sqlite3 app.db "INSERT INTO a VALUES (1)"
	fails 3 "would lose what was written since the backup" mig-rollback --restore
	works mig-rollback --restore --accept-loss
	assert_equal "$(json '.mode, .result, .current, .gap.written')" "$(printf 'restore\ndone\nnull\nyes')"
	assert_equal "$(contents)" "$before"
	works mig-verify -q "$(json '.kept[0]')"
	works mig-status --history
	assert_equal "$(json '[.history[] | "\(.event) \(.migration)"] | join(", ")')" \
		"apply 1, apply 2, rollback 2, rollback 1, restore null"
	assert_equal "$(json '.pending | length')" 2
	# Again: the same backup, not the safety one; then on.
	works mig-rollback --restore --accept-loss -q
	assert_equal "$(contents)" "$before"
	works mig-apply -q
	works mig-status --check
}

@test "the gap is counted in rows, exactly" {
	works mig-apply -q
	mig-backup -q | mig-verify -q > /dev/null
	sqlite3 app.db "PRAGMA foreign_keys = ON; INSERT INTO child VALUES (7, 1, 'new'), (8, 1, 'new');
		UPDATE child SET x = 'changed' WHERE id IN (1, 2, 3); DELETE FROM child WHERE id = 4;
		CREATE TABLE later (x); INSERT INTO later VALUES (1);
		UPDATE parent SET name = name WHERE 1"
	works mig-rollback --restore --dry-run --accept-loss
	assert_equal "$(json '.gap.tables[] | "\(.table) +\(.added) ~\(.changed) -\(.removed)"')" \
		"$(printf 'child +2 ~3 -1\nlater +1 ~0 -0')"
	run --separate-stderr mig-rollback --restore
	[[ $stderr == *"'child' (2 rows added, 3 changed, 1 removed)"* ]]
	assert_equal "$(rows child)" 6
}

@test "nothing written since needs no flag, and WITHOUT ROWID tables are compared by key" {
	sqlite3 app.db "CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES ('a', 1), ('b', 2)"
	works mig-backup -q
	works mig-rollback --restore -q
	assert_equal "$(json .gap.written)" no
	sqlite3 app.db "UPDATE w SET v = 3 WHERE k = 'a'; INSERT INTO w VALUES ('c', 1)"
	works mig-rollback --restore --accept-loss -q
	assert_equal "$(json '.gap.tables[0] | "\(.table) \(.added) \(.changed) \(.removed)"')" "w 1 1 0"
	assert_equal "$(sqlite3 app.db "SELECT v FROM w WHERE k = 'a'")" 1
}

@test "open connections see the restore, in WAL mode too" {
	sqlite3 app.db 'PRAGMA journal_mode = WAL' > /dev/null
	works mig-backup -q
	mkfifo orders
	sqlite3 app.db < orders > said.txt 2>&1 3>&- &
	local reader=$!
	exec 9> orders
	echo "INSERT INTO parent VALUES (50, 'x', NULL); SELECT count(*) FROM parent;" >&9
	for i in $(seq 100); do grep -q 4 said.txt && break; sleep 0.05; done
	works mig-rollback --restore --accept-loss -q
	echo "SELECT 'now', count(*) FROM parent;" >&9
	exec 9>&-
	wait "$reader"
	grep -q 'now|3' said.txt
}

@test "an archive by path, by document, and of another database" {
	works mig-backup -q
	local a
	a=$(json .archive.path)
	sqlite3 app.db "DELETE FROM child"
	works mig-rollback --restore "$a" --accept-loss -q
	assert_equal "$(rows child)" 5
	sqlite3 app.db "DELETE FROM child"
	run --separate-stderr bash -c "mig-verify -q '$a' | mig-rollback --restore --accept-loss -q -"
	assert_equal "$status" 0
	assert_equal "$(rows child)" 5
	family other.db
	fails 3 "of another database" mig-rollback --restore "$a"
	[[ $stderr == *--into* ]]
	fails 3 "of another database" mig-rollback --restore --offline --accept-loss "$a"
	works mig-rollback --restore --other-database --accept-loss -q "$a"
	rm backups/*
	fails 3 "no backup of" mig-rollback --restore
}

@test "a dry run states the gap, and writes nothing" {
	works mig-backup -q
	sqlite3 app.db "DELETE FROM child WHERE id = 1"
	local before
	before=$(sha256sum < app.db)
	works mig-rollback --restore --dry-run
	assert_equal "$(json '.result, .gap.tables[0].removed')" "$(printf 'planned\n1')"
	assert_equal "$(sha256sum < app.db)" "$before"
	works mig-rollback --restore --no-check --accept-loss -q
	assert_equal "$(rows child)" 5
}

@test "folders and files with odd names" {
	mkdir 'a?b#c%41 d'
	mv app.db 'a?b#c%41 d/x?y.db'
	cd 'a?b#c%41 d'
	export DATABASE_URL='x?y.db'
	works mig-backup -q
	works mig-verify -q "$(archive)"
	sqlite3 'x?y.db' "DELETE FROM child WHERE id = 1"
	works mig-rollback --restore -q --accept-loss
	assert_equal "$(json '.gap.tables[0].removed')" 1
	assert_equal "$(rows child 'x?y.db')" 5
}

@test "an archive of an empty database is restored only as asked" {
	: > empty.db
	export DATABASE_URL=empty.db
	works mig-backup -q
	sqlite3 empty.db "CREATE TABLE z (a); INSERT INTO z VALUES ('precious')"
	fails 3 "'z' (1 rows added" mig-rollback --restore --no-safety-backup
	assert_equal "$(rows z empty.db)" 1
	works mig-rollback --restore --accept-loss -q
	assert_equal "$(sqlite3 empty.db .tables)" ""
	works mig-verify -q "$(json '.kept[0]')"
}

@test "other text encodings: the gap is unknown, and the way back is open" {
	sqlite3 wide.db "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x); INSERT INTO t VALUES ('a')"
	export DATABASE_URL=wide.db
	works mig-backup -q
	rm wide.db
	: > wide.db
	sqlite3 wide.db "CREATE TABLE other (x)"
	fails 3 "--accept-loss" mig-rollback --restore
	works mig-rollback --restore --accept-loss -q
	assert_equal "$(sqlite3 wide.db 'SELECT x FROM t; PRAGMA encoding' | tr '\n' ' ')" "a UTF-16le "
}

@test "the marker is seen through a link, and an error in mid-swap is undone" {
	works mig-backup -q
	local a
	a=$(json .archive.path)
	mkdir real
	mv app.db real/app.db
	ln -s real/app.db app.db
	: > real/app.db.mig-restoring
	fails 3 "was interrupted" mig-backup
	rm real/app.db.mig-restoring
	command -v strace > /dev/null || skip "no strace for the rest"
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
	rm app.db
	mv real/app.db app.db
	sqlite3 app.db 'PRAGMA journal_mode = WAL' > /dev/null
	cp app.db whole.db
	echo wal > app.db-wal
	local n
	for n in 1 2 3 4; do
		run --separate-stderr strace -f -o trace -e trace=rename -e inject=rename:error=EIO:when=$n mig-rollback --restore --offline --accept-loss --no-safety-backup -q "$a"
		[ "$status" -ne 0 ] || break
		assert_file_not_exist app.db.mig-restoring
		cmp app.db whole.db
		assert_file_exist app.db-wal
		assert_equal "$(find . -name '*.mig-old*')" ""
	done
	[ "$n" -gt 1 ]
}

@test "a damaged archive is not restored" {
	works mig-backup -q
	printf x | dd of="$(archive)" bs=1 seek=2000 conv=notrunc 2> /dev/null
	local before
	before=$(sha256sum app.db)
	fails 5 "damage" mig-rollback --restore "$(archive)" --accept-loss
	assert_equal "$(sha256sum app.db)" "$before"
	assert_equal "$(find . -name '.*mig-new*')" ""
}

@test "--into restores beside, with nothing but an archive" {
	works mig-backup -q
	local a
	a=$(json .archive.path)
	works mig-rollback --restore --into copy.db "$a"
	cmp app.db copy.db
	fails 3 "'copy.db' exists" mig-rollback --restore --into copy.db
	unset DATABASE_URL
	rm app.db
	works mig-rollback --restore --into saved.db "$a"
	assert_equal "$(rows child saved.db)" 5
	assert_equal "$(find . -name '.*mig-new*')" ""
}

@test "--offline replaces a file too damaged to open, and keeps it aside" {
	works mig-backup -q
	local a
	a=$(json .archive.path)
	chmod 640 app.db
	head -c 3000 /dev/urandom | dd of=app.db conv=notrunc 2> /dev/null
	fails 2 "--offline" mig-rollback --restore "$a"
	fails 3 "cannot be counted" mig-rollback --restore --offline "$a"
	fails 3 "--no-safety-backup" mig-rollback --restore --offline --accept-loss "$a"
	local damaged
	damaged=$(sha256sum < app.db)
	echo wal > app.db-wal
	works mig-rollback --restore --offline --accept-loss --no-safety-backup "$a"
	assert_equal "$(json '.mode, .result, (.kept | length)')" "$(printf 'offline\ndone\n2')"
	assert_equal "$(rows child)" 5
	assert_equal "$(stat -c %a app.db)" 640
	assert_equal "$(sha256sum < "$(json '.kept[0]')")" "$damaged"
	assert_equal "$(cat app.db.mig-old-*-wal)" wal
	assert_file_not_exist app.db-wal
	assert_file_not_exist app.db.mig-restoring
}

@test "--offline when the database is gone altogether" {
	works mig-backup -q
	rm app.db
	works mig-rollback --restore --offline --accept-loss
	assert_equal "$(rows child)" 5
}

@test "--offline proves that the application is stopped" {
	works mig-backup -q
	mkfifo orders
	sqlite3 app.db < orders > said.txt 2>&1 3>&- &
	local user=$!
	exec 9> orders
	echo "SELECT count(*) FROM parent;" >&9
	for i in $(seq 100); do grep -q 3 said.txt && break; sleep 0.05; done
	fails 3 "in use by sqlite3 (pid" mig-rollback --restore --offline --accept-loss
	exec 9>&-
	wait "$user"
	works mig-rollback --restore --offline --accept-loss -q
}

@test "--offline killed between its steps is seen by all, and finished by the next run" {
	works mig-backup -q
	works mig-apply -q --steps 1
	archive > app.db.mig-restoring
	sed -i "s#^#$PWD/#" app.db.mig-restoring
	mv app.db app.db.mig-old-x
	cp app.db.mig-old-x app.db
	for program in mig-status mig-apply mig-backup; do
		fails 3 "was interrupted" $program
	done
	# One that does not say how the files were left: somebody may have written.
	fails 3 "cannot be counted" mig-rollback --restore --offline
	works mig-rollback --restore --offline --accept-loss --no-safety-backup
	assert_file_not_exist app.db.mig-restoring
	works mig-status
	# A marker of something else lowers no guard.
	echo /no/such.migbak > app.db.mig-restoring
	fails 3 "cannot be counted" mig-rollback --restore --offline "$(archive)"
}

@test "somebody writes while the restore is prepared" {
	works mig-backup -q
	local a
	a=$(json .archive.path)
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO big SELECT randomblob(500) FROM n"
	( for i in $(seq 400); do sqlite3 -cmd '.timeout 3000' app.db "INSERT INTO child VALUES (NULL, 1, 'w')" || :; done ) 3>&- &
	local writer=$!
	run --separate-stderr mig-rollback --restore --accept-loss -q "$a"
	wait "$writer"
	# Refused and whole, or restored with every later write on top: never half.
	if [ "$status" -eq 4 ]; then
		[[ $stderr == *"written to while the restore was prepared"* ]]
		assert_equal "$(rows big)" 40000
	else
		assert_equal "$status" 0
	fi
	assert_equal "$(sqlite3 app.db 'PRAGMA integrity_check')" ok
}

@test "bad options" {
	fails 2 "say how to go back" mig-rollback
	fails 2 "three ways" mig-rollback --steps 1 --restore
	fails 2 "go with --restore" mig-rollback --steps 1 --offline
	fails 2 "go with --restore" mig-rollback --steps 1 x.migbak
	fails 2 "two places" mig-rollback --restore --into x --offline
	fails 2 "one archive" mig-rollback --restore a b
	fails 2 "goes with --offline" mig-rollback --restore --assume-stopped
}

@test "a down in no transaction: one statement, or several" {
	rm -f migrations/*
	mkdir -p migrations
	printf -- '-- migrate:up\nCREATE TABLE a (x);\n-- migrate:down transaction:false\nVACUUM;\n' > migrations/1_a.sql
	works mig-apply -q
	works mig-rollback -q --steps 1
	printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\nPRAGMA user_version = 7;\nVACUUM;\nPRAGMA optimize;\n' > migrations/1_a.sql
	works mig-apply -q
	works mig-rollback -q --steps 1
	assert_equal "$(sqlite3 app.db 'PRAGMA user_version; SELECT count(*) FROM mig_ledger')" "$(printf '7\n0')"
}

@test "a safety backup that has no room names the archive that was to come back" {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO big SELECT randomblob(2000) FROM n"
	mkdir backups other
	mount -t tmpfs -o size=30m none backups 2> /dev/null || skip "cannot mount a tmpfs"
	local newest said then
	run mig-backup -q -o none
	run mig-backup -q -o none -b other
	fallocate -l "$(($(stat -f -c '%a * %S' backups) - 1000000))" backups/fill
	sqlite3 app.db 'DELETE FROM child'
	newest=$(archive)
	run --separate-stderr mig-rollback --restore --accept-loss --yes -q
	said="$status $stderr"
	run --separate-stderr mig-rollback --restore --accept-loss --yes -q --backups other "$newest"
	then="$status $(sqlite3 app.db 'SELECT count(*) FROM child')"
	umount backups
	[[ $said == "4 "*"mig-rollback --restore --backups FOLDER backups/"* ]] || { echo "$said"; return 1; }
	assert_equal "$then" "0 5"
}

@test "a damaged database: what is said leads back, and no archive of the damage stays" {
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO big SELECT randomblob(900) FROM n; CREATE INDEX i ON big (x)"
	mig-backup -q | mig-verify -q -o none
	local there; there=$(ls backups)
	dd if=/dev/urandom of=app.db bs=4096 seek=5 count=20 conv=notrunc 2> /dev/null
	run --separate-stderr mig-rollback --restore --accept-loss --yes -q
	[ "$status" -ge 4 ]
	[[ $stderr == *"then: mig-rollback --restore --offline --accept-loss --no-safety-backup;"* ]] || { echo "$stderr"; return 1; }
	fails 5 "which is not kept" mig-rollback --restore --offline --accept-loss --yes -q
	assert_equal "$(ls backups)" "$there"
	works mig-rollback --restore --offline --accept-loss --no-safety-backup --yes -q
	works mig-verify --latest -q
	assert_equal "$(sqlite3 app.db 'PRAGMA integrity_check; SELECT count(*) FROM big' | xargs)" "ok 500"
}
