load ../lib

@test "a database that has never seen mig is described, and nothing is written" {
	family
	migration 001_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	local before
	before=$(find . -type f -exec sha256sum {} + | sort)
	works mig-status
	assert_equal "$(json .kind,.ledger,.applied,.up_to_date)" "$(printf 'mig.status\nfalse\n0\nfalse')"
	assert_equal "$(json '.pending[0].migration')" 001
	assert_equal "$(find . -type f -exec sha256sum {} + | sort)" "$before"
	assert_equal "$(ls)" "$(printf 'app.db\nmigrations')"
}

@test "a WAL database with content stays as it is, -wal and all" {
	JOURNAL=wal family
	mkdir migrations
	# A writer that is killed leaves its WAL behind.
	mkfifo orders
	sqlite3 app.db < orders > said.txt 2>&1 3>&- &
	local writer=$! i
	exec 9> orders
	echo "PRAGMA wal_autocheckpoint = 0; INSERT INTO parent VALUES (9, 'z', NULL); SELECT 'done';" >&9
	for i in $(seq 100); do grep -q done said.txt && break; sleep 0.05; done
	kill -9 "$writer"
	exec 9>&-
	[ -s app.db-wal ]
	local before
	before=$(sha256sum app.db app.db-wal)
	works mig-status
	assert_equal "$(sha256sum app.db app.db-wal)" "$before"
}

@test "--check answers by exit status" {
	family
	migration 001_a 'CREATE TABLE a (x);'
	run mig-status --check
	assert_equal "$status" 1
	works mig-apply -q
	works mig-status --check
}

@test "--pending as text is a line each" {
	family
	migration 001_a 'CREATE TABLE a (x);'
	migration 002_b 'CREATE TABLE b (x);'
	works mig-status --pending -o text
	assert_equal "$output" "$(printf '001  migrations/001_a.sql\n002  migrations/002_b.sql')"
}

@test "changed and missing files, late versions and a changed schema are named" {
	family
	migration 001_a 'CREATE TABLE a (x);'
	migration 003_c 'CREATE TABLE c (x);'
	works mig-apply -q
	echo 'SELECT 1;' >> migrations/001_a.sql
	rm migrations/003_c.sql
	migration 002_b 'CREATE TABLE b (x);'
	sqlite3 app.db 'CREATE INDEX drift ON parent (name)'
	works mig-status
	assert_equal "$(json '[.problems[].reason] | sort | join(" ")')" "checksum missing order schema"
	assert_equal "$(json .schema)" changed
	run mig-status --check
	assert_equal "$status" 1
}

@test "other line ends are the same text" {
	family
	migration 001_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	works mig-apply -q
	sed -i 's/$/\r/' migrations/001_a.sql
	works mig-status --check
}

@test "the last backup: its receipt, its age, fresh or why not" {
	family
	migration 001_a 'CREATE TABLE a (x);'
	works mig-backup -q
	works mig-status
	assert_equal "$(json '.backup.receipt, .backup.fresh')" "$(printf 'none\nfalse')"
	mig-verify -q "$(archive)" > /dev/null
	works mig-status --all-backups
	assert_equal "$(json '.backup.receipt, .backup.fresh, (.backups | length)')" "$(printf 'default\ntrue\n1')"
	works mig-status --max-backup-age 0s
	touch -d '2020-01-01' "$(archive)"
	works mig-status
	assert_equal "$(json '.backup.receipt, .backup.fresh')" "$(printf 'stale\nfalse')"
}

@test "--history tells every event" {
	family
	migration 001_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	works mig-apply -q
	works mig-rollback -q --steps 1 --accept-loss
	works mig-status --history
	assert_equal "$(json '[.history[].event] | join(" ")')" "apply rollback"
}

@test "a running mig is named" {
	family
	mkdir migrations
	touch app.db.mig-lock
	flock app.db.mig-lock sh -c 'echo "mig-apply, pid 1, since now" > app.db.mig-lock; mig-status > out.json'
	assert_equal "$(jq -r .running out.json)" "mig-apply, pid 1, since now"
}

@test "text on a terminal, JSON in a pipe, -o and MIG_OUTPUT override" {
	family
	mkdir migrations
	works mig-status
	[[ $output == '{"kind":"mig.status","version":1,'* ]]
	works mig-status -o text
	[[ $output != '{'* ]]
	works env MIG_OUTPUT=text mig-status
	[[ $output != '{'* ]]
	works mig-status -o none
	assert_equal "$output" ""
	run script -qec "mig-status" /dev/null
	[[ $output == *"up to date"* ]]
	fails 2 "not json, text or none" mig-status -o yaml
}

@test "odd beginnings, each with its sentence" {
	mkdir migrations empty
	fails 2 "no database is named" mig-status
	fails 4 "no database at 'no.db'" mig-status -d no.db
	fails 2 "is a folder, not a database" mig-status -d empty
	head -c 5000 /dev/urandom > junk.db
	fails 2 "not a SQLite database" mig-status -d junk.db
	fails 2 "not a regular file" mig-status -d /dev/null
	: > zero.db
	works mig-status -d zero.db
	assert_equal "$(json .up_to_date)" true
	assert_equal "$(stat -c %s zero.db)" 0
	family
	fails 2 "no migrations folder at 'nowhere'" mig-status -m nowhere
	fails 4 "host" mig-status -d postgres://user:secret@nowhere.invalid/db
	[[ $stderr != *secret* ]]
	fails 2 "no driver for 'mysql:' urls" mig-status -d mysql://user:secret@host/db
	[[ $stderr != *secret* ]]
	fails 4 "unreachable" mig-status -d 'host=nowhere.invalid password=secret'
	[[ $stderr != *secret* ]]
}

@test "the forms of a url, and two readings that both exist" {
	family
	mkdir migrations
	for url in app.db sqlite:app.db sqlite3:app.db sqlite://app.db "sqlite:$PWD/app.db" \
		"sqlite:///$PWD/app.db" sqlite:///app.db sqlite+pysqlite:///app.db "sqlite:app.db?mode=rwc"; do
		works mig-status -d "$url"
		assert_equal "$(json .database.path)" "$PWD/app.db"
	done
	fails 2 "'timeout=3'" mig-status -d 'sqlite:app.db?timeout=3'
	fails 2 "names no file" mig-status -d sqlite::memory:
	mkdir -p "./$PWD"
	cp app.db "./$PWD/other.db"
	cp app.db other.db
	fails 2 "both exist" mig-status -d "sqlite://$PWD/other.db"
	fails 2 "both exist" mig-status -d "sqlite:a%2edb" || works true
	cp app.db a.db
	works mig-status -d "sqlite:a%2edb"
}

@test "a hot journal is rolled back, and said" {
	family
	mkdir migrations
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO big SELECT hex(randomblob(50)) FROM n"
	mkfifo orders
	sqlite3 app.db < orders > said.txt 2>&1 3>&- &
	local writer=$! i
	exec 9> orders
	echo "PRAGMA cache_size = 5; BEGIN; UPDATE big SET x = 'y'; SELECT 'done';" >&9
	for i in $(seq 100); do grep -q done said.txt && break; sleep 0.05; done
	kill -9 "$writer"
	exec 9>&-
	[ -s app.db-journal ]
	works mig-status
	[[ $stderr == *"hot journal"* ]]
	assert_equal "$(sqlite3 app.db "SELECT count(*) FROM big WHERE x = 'y'")" 0
}

@test "a read-only file and folder can be looked at" {
	family
	mkdir migrations
	chmod 444 app.db
	works mortal mig-status
}

@test "the history of another tool is named by its columns" {
	family
	mkdir migrations
	sqlite3 app.db 'CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)'
	works mig-status
	assert_equal "$(json .format)" dbmate
	sqlite3 app.db 'ALTER TABLE schema_migrations ADD COLUMN dirty bool'
	works mig-status
	assert_equal "$(json .format)" golang-migrate
	migration 1_a 'SELECT 1;'
	works mig-status --format mig
	[[ $(json '.problems[0].text') == *golang-migrate* ]]
}

@test "bad options" {
	fails 2 "unknown option '--nonsense'" mig-status --nonsense
	[[ $stderr == *'; mig-status --help lists the options [usage]' ]]
	fails 2 "unknown option '-x'" mig-status -x
	fails 2 "unknown option '--hist'" mig-status --hist
	fails 2 "is given twice" mig-status -m a -m b
	fails 2 "needs a value" mig-status -d
	fails 2 "takes no value" mig-status --check=1
	fails 2 "takes no operand" mig-status x
	fails 2 "not a time" mig-status --max-backup-age soon
}

@test "a full or closed output is an error" {
	family
	mkdir migrations
	run bash -c 'mig-status > /dev/full'
	assert_equal "$status" 4
	run bash -c 'mig-status >&-'
	assert_equal "$status" 4
	run bash -c 'mig-status -o none >&-'
	assert_equal "$status" 0
}

@test "mig.conf: sections, policy, and its errors by line" {
	family
	unset DATABASE_URL
	mkdir m
	printf 'database = app.db\nmigrations = m\n\n[live]\npolicy = production\n' > mig.conf
	works mig-status
	works mig-status --env live
	works env MIG_ENV=live mig-status
	fails 2 "no section [other]" mig-status --env other
	printf 'database = app.db\nfruit = apple\n' > bad.conf
	fails 2 "'bad.conf' line 2: unknown key 'fruit'" mig-status --config bad.conf
	printf 'x\n' > bad.conf
	fails 2 "'bad.conf' line 1" mig-status --config bad.conf
	fails 2 "bad2.conf" mig-status --config bad2.conf
	printf 'policy = wild\n' > bad.conf
	fails 2 "policy 'wild'" mig-status --config bad.conf
}

@test "pairs with a V and a full stop are pairs, and nothing else is" {
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=app.db
	mkdir -p migrations
	echo 'CREATE TABLE a (x);' > migrations/V0001.Initial_Schema.up.sql
	echo 'DROP TABLE a;' > migrations/V0001.Initial_Schema.down.sql
	echo 'CREATE TABLE b (x);' > migrations/V2-more.up.sql
	echo 'x' > migrations/V3.words.sql
	echo 'x' > migrations/Vx.words.up.sql
	works mig-status
	assert_equal "$(json '[.pending[] | .migration + " " + .name] | join(", ")')" "0001 Initial_Schema, 2 more"
	assert_equal "$(json '.ignored | join(" ")')" "V3.words.sql Vx.words.up.sql"
	works mig-apply -q --no-backup
	fails 3 'no down script' mig-rollback --to 0
}

@test "the lock of a runner that is gone: what it has started holds it" {
	family
	mkdir -p migrations
	sh -c 'exit' &
	local gone=$!
	wait "$gone"
	flock app.db.mig-lock sh -c "echo 'mig-apply, pid $gone, since now' > app.db.mig-lock; mig-apply -q --no-backup > out 2> err; echo \$? > code"
	assert_equal "$(cat code)" 8
	[[ $(cat err) == *"if that process is gone, what it started still runs"* ]] || { cat err; return 1; }
}

@test "a name cannot steer the terminal" {
	family
	mkdir -p migrations
	printf 'CREATE TABLE a (x);\n' > "migrations/1_$(printf 'a\033[31mred').sql"
	run mig-status -o text
	[[ $output != *$'\033'* && $output == *"a?[31mred"* ]] || { cat -v <<< "$output"; return 1; }
	run mig-status -o text --pending
	[[ $output != *$'\033'* ]]
}

@test "a value that cannot be used is named by where it comes from" {
	family
	mkdir -p migrations
	MIG_BUSY_TIMEOUT=foo fails 2 "MIG_BUSY_TIMEOUT: --busy-timeout or --lock-timeout: 'foo' is not a time" mig-status
	MIG_OUTPUT=xml fails 2 "MIG_OUTPUT: --output: 'xml' is not json, text or none" mig-status
	fails 2 "mig-status: --busy-timeout or --lock-timeout: '2d' is longer than a day" mig-status --busy-timeout 2d
	printf 'hook-timeout = soon\n' > mig.conf
	fails 2 "'mig.conf': --hook-timeout: 'soon' is not" mig-status
	printf 'busy-timeout = soon\n' > mig.conf
	fails 2 "'mig.conf': --busy-timeout" mig-status
	fails 2 "mig-status: --busy-timeout" mig-status --busy-timeout soon
}

@test "who only looks whether the lock is held makes no runner fail" {
	family
	mkdir -p migrations
	: > app.db.mig-lock
	flock -s app.db.mig-lock sh -c 'touch looking; sleep 0.2' 3>&- &
	local looks=$! i
	for i in $(seq 50); do [ -e looking ] && break; sleep 0.02; done
	works mig-apply -q --no-backup
	wait "$looks"
}
