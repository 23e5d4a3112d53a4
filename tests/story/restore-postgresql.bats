load ../lib
load ../pg
load ../pg-app
# A restore on a server where others are: their sessions, locks and rights.

finish() {
	local each
	[ -n "${DB:-}" ] || return 0
	for each in $(kept_of "") "$DB"; do pg_drop "$each"; done
}

# kept_of KIND: the databases beside it.
kept_of() { pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '$DB\\_mig\\_$1%' ORDER BY 1 DESC"; }

# role NAME OPTIONS: made once for the server.
role() { pg_q postgres "DO \$\$ BEGIN CREATE ROLE $1 LOGIN; EXCEPTION WHEN duplicate_object THEN END \$\$; ALTER ROLE $1 $2"; }
as() { echo "${DATABASE_URL/user=$PGUSER/user=$1}"; }

# hold DB SQL...: a session that stays, until let_go.
hold() {
	local db=$1 sql args=()
	shift
	for sql in "$@"; do args+=(-c "$sql"); done
	"$PG_BIN/psql" -Xqd "$db" "${args[@]}" -c "SELECT pg_sleep(90) AS held" > held.txt 2>&1 3>&- &
	HELD=$!
	soon "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(90) AS held%'" postgres
}
let_go() {
	pg_q postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(90) AS held%'" > /dev/null
	wait "$HELD" 2> /dev/null || true
}

@test "sessions of other roles are ended by a role that may not see what they are" {
	role mig_test_owner "CREATEDB NOSUPERUSER"
	role mig_test_app "NOSUPERUSER"
	pg_q postgres "GRANT pg_signal_backend TO mig_test_owner; ALTER DATABASE $DB OWNER TO mig_test_owner"
	q "ALTER SCHEMA public OWNER TO mig_test_owner; CREATE TABLE t (x int); ALTER TABLE t OWNER TO mig_test_owner; INSERT INTO t VALUES (1); GRANT ALL ON t TO mig_test_app"
	works mig-backup -q --to a.migbak -d "$(as mig_test_owner)"
	q "INSERT INTO t VALUES (2)"
	# What it has written without an end is counted: nothing is lost.
	PGUSER=mig_test_app hold "$DB" BEGIN "INSERT INTO t VALUES (3)"
	fails 4 "was written to while" mig-rollback -q --restore a.migbak --yes --accept-loss -d "$(as mig_test_owner)"
	wait "$HELD" && { echo "its session was not ended"; return 1; }
	PGUSER=mig_test_app hold "$DB" BEGIN "SELECT * FROM t"
	SECONDS=0
	works mig-rollback -q --restore a.migbak --yes --accept-loss -d "$(as mig_test_owner)"
	[ "$SECONDS" -lt 15 ]
	wait "$HELD" && { echo "its session was not ended"; return 1; }
	assert_equal "$(rows t)" 1
	assert_equal "$(pg_q "$(kept_of old)" "SELECT max(x) FROM t")" 2
}

@test "a session in the new database, a temporary table in the old: no reason to give up" {
	q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak
	hold "$DB" "CREATE TEMP TABLE z (i int)"
	(
		for _ in {1..400}; do
			new=$(kept_of new) && [ -n "$new" ] && "$PG_BIN/psql" -Xqd "$new" -c "SELECT pg_sleep(90)" > /dev/null 2>&1
			sleep 0.02
		done
	) 3>&- &
	local visitor=$!
	works mig-rollback -q --restore a.migbak --yes --accept-loss
	kill "$visitor" 2> /dev/null || true
	wait "$visitor" 2> /dev/null || true
	wait "$HELD" 2> /dev/null || true
	assert_equal "$(rows t)" 1
}

@test "who has the database locked from another one is not waited for without an end" {
	q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak
	hold postgres BEGIN "COMMENT ON DATABASE $DB IS 'x'"
	SECONDS=0
	run --separate-stderr timeout 100 mig-rollback -q --restore a.migbak --yes --accept-loss
	let_go
	assert_equal "$status" 4
	[[ $stderr == *"--resume"* ]] || { echo "$stderr"; return 1; }
	[ "$SECONDS" -lt 80 ]
	assert_equal "$(rows t)" 1
	works mig-rollback -q --restore --resume
	assert_equal "$(rows t)" 1
}

@test "an undo that was killed is done when it is asked for again" {
	q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak
	q "INSERT INTO t VALUES (2)"
	works mig-rollback -q --restore a.migbak --yes --accept-loss
	assert_equal "$(rows t)" 1
	# As after a kill between the fence and the names.
	pg_q postgres "ALTER DATABASE $DB ALLOW_CONNECTIONS false"
	works mig-rollback --restore --undo
	[[ $stderr == *"allows connections again"*"--accept-loss"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(rows t)" 1
	pg_q postgres "ALTER DATABASE $DB ALLOW_CONNECTIONS false"
	works mig-rollback -q --restore --undo --accept-loss
	assert_equal "$(rows t)" 2
}
