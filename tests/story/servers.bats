load ../lib
load ../pg
load ../pg-app
# Servers that are not quite the server: a pooler before it, a standby of it.

finish() {
	local pid
	for pid in ${PIDS:-}; do
		kill -INT "$pid" 2> /dev/null || true
		for _ in {1..100}; do pg_gone "$pid" && break; sleep 0.1; done
	done
	if [ -n "${DB:-}" ]; then pg_drop "$DB"; fi
}

# beside FOLDER COMMAND...: a program of the server's user, ended with the test.
beside() {
	(cd "$1" && shift && pg_as "$@") > "$1.log" 2>&1 < /dev/null 3>&- &
	PIDS="${PIDS:-} $!"
}

# place NAME: a folder that the server's user may write to.
place() {
	mkdir "$PG_ROOT/$1"
	chmod 700 "$PG_ROOT/$1"
	if [ "$(id -u)" = 0 ]; then chown "$(pg_user)" "$PG_ROOT/$1"; fi
	echo "$PG_ROOT/$1"
}

answers() { # URL
	for _ in {1..100}; do
		"$PG_BIN/psql" -XAtqd "$1" -c 'SELECT 1' > /dev/null 2>&1 && return
		sleep 0.1
	done
	echo "no answer from $1"
	return 1
}

@test "through pgbouncer every program refuses, whatever its mode, and nothing is done" {
	command -v pgbouncer > /dev/null || skip "pgbouncer is not installed"
	local at mode direct=$DATABASE_URL url program
	at=$(place pooler)
	url="postgresql:///$DB?host=$(pg_encode "$at")&port=6432&user=$PGUSER"
	migration 1_t 'CREATE TABLE t (x integer);'
	works mig-backup -q --to good.migbak
	for mode in session transaction statement; do
		printf '[databases]\n* = host=%s port=%s user=%s\n[pgbouncer]\nunix_socket_dir = %s\nlisten_port = 6432\nauth_type = any\npool_mode = %s\nunix_socket_mode = 0777\n' \
			"$PGHOST" "$PGPORT" "$PGUSER" "$at" "$mode" > "$PG_ROOT/pgbouncer.ini"
		chmod 644 "$PG_ROOT/pgbouncer.ini"
		chmod 755 "$at"
		PIDS=
		beside "$at" "$(command -v pgbouncer)" "$PG_ROOT/pgbouncer.ini"
		answers "$url" || { cat "$at.log"; return 1; }
		for program in mig-status "mig-apply -q" "mig-backup -q --to a.migbak" "mig-rollback -q --restore good.migbak --yes"; do
			# shellcheck disable=SC2086
			fails 3 "through a pooler" $program -d "$url"
			[[ $stderr == *"connect to the server itself"* ]]
		done
		assert_file_not_exist a.migbak
		kill -INT "${PIDS# }"
		for _ in {1..100}; do pg_gone "${PIDS# }" && break; sleep 0.1; done
	done
	DATABASE_URL=$direct
	assert_equal "$(q "SELECT count(*) FROM pg_namespace WHERE nspname = 'mig'")" 0
}

@test "a standby: status and backup work, what writes is refused, and it is as it was" {
	local at url
	migration 1_t 'CREATE TABLE t (x integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);'
	works mig-apply -q
	at=$(place standby)
	(pg_as "$PG_BIN/pg_basebackup" -D "$at" -R -c fast --no-sync -d "host=$PGHOST port=$PGPORT user=$PGUSER") 3>&-
	printf 'port = 54330\nunix_socket_directories = %s\n' "'$PGHOST'" >> "$at/postgresql.conf"
	PIDS=
	beside "$at" "$PG_BIN/postgres" -D "$at"
	url="postgresql:///$DB?host=$(pg_encode "$PGHOST")&port=54330&user=$PGUSER"
	answers "$url" || { cat "$at.log"; return 1; }
	works mig-status --check -d "$url"
	assert_equal "$(json .schema)" same
	works mig-backup -q --to s.migbak -d "$url"
	works mig-verify --deep s.migbak
	migration 2_u 'CREATE TABLE u (x integer);'
	fails 3 "is a standby" mig-apply -q -d "$url"
	[[ $stderr == *"connect to the primary"* ]]
	fails 3 "is a standby" mig-rollback -q --restore s.migbak --yes -d "$url"
	fails 3 "is a standby" mig-rollback -q --steps 1 --yes -d "$url"
	# It is the primary's, and is restored there.
	q "DELETE FROM t"
	works mig-rollback -q --restore s.migbak --yes --accept-loss
	assert_equal "$(rows t)" 1000
}

@test "--statement-timeout: ended by the server, said, and nothing is changed" {
	local before
	migration 1_t 'CREATE TABLE t (x integer);
SELECT pg_sleep(20);'
	before=$(contents)
	SECONDS=0
	fails 4 "statement timeout" mig-apply -q --statement-timeout 400ms
	[ "$SECONDS" -lt 10 ]
	[[ $stderr == *"1_t.sql' line 3"*"--statement-timeout"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(contents)" "$before"
	# The limit is of each statement, and mig's own have none.
	migration 1_t 'SELECT pg_sleep(0.3);
SELECT pg_sleep(0.3);'
	works mig-apply -q --statement-timeout 400ms
}

@test "mig-verify --deep asks amcheck of every index" {
	[ -n "$(q "SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'")" ] || skip "amcheck is not installed"
	q "CREATE TABLE t (x integer PRIMARY KEY, y text UNIQUE); CREATE INDEX ON t (y, x); INSERT INTO t SELECT g, g FROM generate_series(1, 500) AS g; CREATE INDEX ON t USING hash (y)"
	works mig-backup -q --to a.migbak
	works mig-verify --deep a.migbak
	[[ $stderr == *"dumped again: the same, "*" indexes by amcheck"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(q "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'")" 0
	# Who may not make the extension has restored it all the same.
	q "DO \$\$ BEGIN CREATE ROLE mig_test_owner LOGIN; EXCEPTION WHEN duplicate_object THEN END \$\$; ALTER ROLE mig_test_owner CREATEDB; DROP TABLE t"
	pg_q postgres "ALTER DATABASE $DB OWNER TO mig_test_owner"
	PGUSER=mig_test_owner q "CREATE TABLE t (x integer PRIMARY KEY)"
	works mig-backup -q --to plain.migbak -d "${DATABASE_URL/user=$PGUSER/user=mig_test_owner}"
	works mig-verify --deep --scratch "postgresql:///postgres?host=$(pg_encode "$PGHOST")&port=$PGPORT&user=mig_test_owner" plain.migbak
	[[ $stderr == *"not looked at by amcheck: "*"permission denied"* ]] || { echo "$stderr"; return 1; }
}

@test "a restore for which the server's disk has no room is refused before it begins" {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	local own=$PG_ROOT host=$PGHOST small status said url
	small=$(mktemp -d /tmp/mig-small.XXXXXX)
	chmod 755 "$small"
	mount -t tmpfs -o size=250m,mode=1777 none "$small" 2> /dev/null || { rmdir "$small"; skip "cannot mount a tmpfs"; }
	TMPDIR=$small pg_start
	pg_new full
	url=$(pg_url full)
	pg_q full "CREATE TABLE t AS SELECT g, repeat(md5(g::text), 20) AS x FROM generate_series(1, 40000) AS g; CHECKPOINT"
	run --separate-stderr mig-backup -q -d "$url"
	fallocate -l "$(($(stat -f -c '%a * %S' "$small") - 12000000))" "$small/fill"
	run --separate-stderr mig-rollback --restore --accept-loss --no-safety-backup --yes -q -d "$url"
	said="$status $stderr $(pg_q full 'SELECT count(*) FROM t')"
	pg_stop
	umount "$small" && rmdir "$small"
	PG_ROOT=$own PGHOST=$host
	[[ $said == "4 "*"needs about 24."*" MiB beside the live one"*"[no-space] 40000" ]] || { echo "$said"; return 1; }
}
