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

@test "a session whose role is gone is ended, too" {
	role mig_test_gone ""
	q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak
	PGUSER=mig_test_gone hold "$DB" "SELECT 1"
	pg_q postgres "DROP ROLE mig_test_gone"
	SECONDS=0
	works mig-rollback -q --restore a.migbak --yes --accept-loss
	[ "$SECONDS" -lt 10 ]
	wait "$HELD" && { echo "its session was not ended"; return 1; }
	assert_equal "$(rows t)" 1
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
	run --separate-stderr timeout 50 mig-rollback -q --restore a.migbak --yes --accept-loss --lock-timeout 400ms
	let_go
	assert_equal "$status" 4
	[[ $stderr == *"--resume"* ]] || { echo "$stderr"; return 1; }
	[ "$SECONDS" -lt 40 ]
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

@test "a database with a name that libpq could read as more than one" {
	local odd="$DB a=b 'c' \\d" other=$DB
	DB="$odd" pg_new "$odd"
	pg_q "$odd" "CREATE TABLE t AS SELECT 1 AS x; CREATE VIEW v AS SELECT * FROM t"
	DATABASE_URL=$(pg_url "$odd")
	works mig-backup -q --to a.migbak
	[[ $stderr != *"roles and tablespaces"* ]]
	pg_q "$odd" "INSERT INTO t VALUES (2)"
	works mig-rollback -q --restore a.migbak --yes --accept-loss
	assert_equal "$(pg_q "$odd" "SELECT count(*) FROM v")" 1
	works mig-rollback -q --restore a.migbak --into "dbname=$other" --yes
	assert_equal "$(pg_q "$other" "SELECT to_regclass('t')")" ""
	assert_equal "$(pg_q "dbname=$other" "SELECT count(*) FROM v")" 1
	migration 1_u 'CREATE TABLE u (x int);'
	works mig-apply -q
	for odd in $(pg_q postgres "SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE '%$other%' AND datname <> '$other'" | tr ' ' '@'); do
		pg_q postgres "DROP DATABASE ${odd//@/ }"
	done
}

@test "a statement that pg_restore could not run is not shown: it may hold a password" {
	role mig_test_reporter ""
	q "CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE USER MAPPING FOR mig_test_reporter SERVER s OPTIONS (user 'x', password 'geheim77')" ||
		skip "postgres_fdw is not installed"
	works mig-backup -q --to a.migbak
	q "DROP USER MAPPING FOR mig_test_reporter SERVER s; DROP ROLE mig_test_reporter"
	run --separate-stderr mig-rollback --restore a.migbak --yes --accept-loss
	assert_equal "$status" 4
	[[ $stderr == *'role "mig_test_reporter" does not exist'* ]] || { echo "$stderr"; return 1; }
	[[ $output$stderr != *geheim* && $output$stderr != *"CREATE USER"* ]] || { echo "$output$stderr"; return 1; }
}

@test "PGTZ and PGDATESTYLE of the caller change no digest" {
	q "CREATE TABLE t AS SELECT timestamptz '2026-01-01 12:00Z' + g * interval '1 hour' AS at, g FROM generate_series(1, 10) AS g;
		CREATE TABLE big AS SELECT timestamptz '2026-01-01 12:00Z' + g * interval '1 s' AS at, repeat('x', 100) AS x FROM generate_series(1, 200000) AS g"
	PGTZ=Asia/Tokyo PGDATESTYLE="SQL, DMY" works mig-backup -q --to a.migbak
	works mig-verify --deep -q a.migbak
	PGTZ=America/New_York works mig-rollback -q --restore a.migbak --yes
	PGTZ=America/New_York works mig-rollback --restore a.migbak --dry-run
	assert_equal "$(json '.gap | .written, (.tables | length)')" $'no\n0'
}

@test "what the role may not carry over is known before anything is filled" {
	role mig_test_owner "CREATEDB NOSUPERUSER"
	role mig_test_app "NOSUPERUSER"
	pg_q postgres "ALTER DATABASE $DB OWNER TO mig_test_owner; ALTER ROLE mig_test_app IN DATABASE $DB SET search_path = app"
	PGUSER=mig_test_owner q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak -d "$(as mig_test_owner)"
	fails 4 "carry over what belongs to the database" mig-rollback --restore a.migbak --yes -d "$(as mig_test_owner)"
	[[ $stderr == *"a superuser if need be"* && $stderr != *"filling"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(kept_of "")" ""
	pg_q postgres "ALTER ROLE mig_test_app IN DATABASE $DB RESET ALL"
	# The statistics take as long as they take.
	pg_q postgres "ALTER ROLE mig_test_owner SET statement_timeout = '250ms'; ALTER ROLE mig_test_owner IN DATABASE postgres SET statement_timeout = '20ms'"
	PGUSER=mig_test_owner q "SET statement_timeout = 0; CREATE TABLE wide AS SELECT g, md5(g::text) AS a, md5(g::text || 'b') AS b FROM generate_series(1, 300000) AS g; ALTER TABLE wide ALTER a SET STATISTICS 10000, ALTER b SET STATISTICS 10000"
	works mig-backup -q --to b.migbak -d "$(as mig_test_owner)"
	works mig-rollback -q --restore b.migbak --yes -d "$(as mig_test_owner)"
	pg_q postgres "ALTER ROLE mig_test_owner RESET statement_timeout; ALTER ROLE mig_test_owner IN DATABASE postgres RESET statement_timeout"
	assert_equal "$(rows wide)" 300000
}

@test "what pg_dump leaves out for this role is said" {
	role mig_test_owner "CREATEDB NOSUPERUSER"
	q "CREATE EXTENSION postgres_fdw" || skip "postgres_fdw is not installed"
	q "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user 'x', password 'geheim77');
		CREATE SUBSCRIPTION sub CONNECTION 'dbname=absent' PUBLICATION p WITH (connect = false); GRANT SELECT ON ALL TABLES IN SCHEMA public TO mig_test_owner" 2> /dev/null
	works mig-backup --to a.migbak
	[[ $stderr != *"user mappings"* && $stderr != *warning* ]] || { echo "$stderr"; return 1; }
	works mig-backup -q --to b.migbak -d "$(as mig_test_owner)"
	[[ $stderr == *"1 user mappings show this role no options"* && $stderr == *"subscriptions not dumped"* ]] || { echo "$stderr"; return 1; }
	[[ $stderr != *geheim* ]]
}

@test "a rehearsal that fails while its copy is filled leaves nothing on somebody's server" {
	role mig_test_owner "CREATEDB NOSUPERUSER"
	q "CREATE EXTENSION postgres_fdw" || skip "postgres_fdw is not installed"
	q "CREATE TABLE t AS SELECT 1 AS x"
	migration 1_t 'CREATE TABLE u (x int);'
	run --separate-stderr mig-apply --rehearse --scratch "postgresql:///postgres?host=$(pg_encode "$PGHOST")&port=$PGPORT&user=mig_test_owner"
	[ "$status" -ne 0 ] || { echo "$stderr"; return 1; }
	[[ $stderr == *"restore into scratch"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_database WHERE datname LIKE 'mig\\_scratch%'")" 0
}

# An owner without a right over other roles' sessions, and a backup of his.
owned() {
	role mig_test_owner "CREATEDB NOSUPERUSER"
	pg_q postgres "REVOKE pg_signal_backend FROM mig_test_owner" 2> /dev/null || true
	pg_q postgres "ALTER DATABASE $DB OWNER TO mig_test_owner"
	PGUSER=mig_test_owner q "CREATE TABLE t AS SELECT 1 AS x"
	works mig-backup -q --to a.migbak -d "$(as mig_test_owner)"
}

@test "a session that the role may not end is waited for" {
	owned
	"$PG_BIN/psql" -Xqd "$DB" -c "SELECT pg_sleep(4)" > /dev/null 2>&1 3>&- &
	local sleeper=$!
	soon "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE 'SELECT pg_sleep%'"
	works mig-rollback -q --restore a.migbak --yes -d "$(as mig_test_owner)"
	wait "$sleeper" || true
	assert_equal "$(rows t)" 1
}

@test "a session that the role may not end, and that stays, is named" {
	owned
	hold "$DB" "SELECT 1"
	fails 4 "sessions of '$DB' do not end" mig-rollback -q --restore a.migbak --yes --accept-loss -d "$(as mig_test_owner)"
	[[ $stderr == *pg_signal_backend* && $stderr == *--resume* ]] || { echo "$stderr"; return 1; }
	let_go
	assert_equal "$(rows t)" 1
}

@test "mig-status names the copy of a restore that was killed, and how to end it" {
	mkdir -p migrations
	q "CREATE TABLE t (x int)"
	q "CREATE DATABASE \"${DB}_mig_new_20260101T000000Z\""
	run mig-status
	assert_equal "$(json '.problems[0].reason')" interrupted-restore
	[[ $output == *"${DB}_mig_new_20260101T000000Z"* ]]
	run --separate-stderr mig-rollback -q --restore --undo
	assert_equal "$status" 0
	works mig-status
	assert_equal "$(json '.problems | length')" 0
}

@test "two restores within a second: the second one waits for names of its own" {
	family
	works mig-backup -q
	local at name
	for at in 0 1 2 3 4; do
		name=${DB}_mig_old_$(date -u -d "$at seconds" +%Y%m%dT%H%M%SZ)
		pg_new "$name"
	done
	works mig-rollback --restore --yes -q
	works mig-rollback --restore --undo --accept-loss --yes -q
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '${DB}\\_mig\\_o%'")" 6
	for name in $(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_mig\\_o%'"); do pg_drop "$name"; done
}

@test "a database that is new gets what belonged to the old one from the backup" {
	family
	role mig_test_reader ""
	q "CREATE SCHEMA s; ALTER TABLE child SET SCHEMA s; ALTER DATABASE \"$DB\" SET search_path = s, public; ALTER DATABASE \"$DB\" SET work_mem = '7MB'; ALTER DATABASE \"$DB\" CONNECTION LIMIT 17;
		ALTER ROLE mig_test_reader IN DATABASE \"$DB\" SET statement_timeout = '9s'; REVOKE CONNECT ON DATABASE \"$DB\" FROM PUBLIC; GRANT CREATE ON DATABASE \"$DB\" TO mig_test_reader; ALTER DATABASE \"$DB\" OWNER TO mig_test_reader"
	local facts="SELECT datconnlimit, datdba::regrole, (SELECT array_agg(x ORDER BY x::text) FROM unnest(datacl) AS x), (SELECT array_agg(setrole::regrole || ' ' || setconfig::text ORDER BY 1) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = '$DB'" before
	before=$(pg_q postgres "$facts")
	works mig-backup -q
	pg_drop "$DB"
	pg_new "$DB"
	works mig-rollback --restore --accept-loss --yes
	[[ $stderr == *"is new: its owner, privileges and settings are those of the backup"* ]]
	assert_equal "$(pg_q postgres "$facts")" "$before"
	assert_equal "$(q 'SELECT count(*) FROM child')" 5
	# One that says something of itself keeps it.
	q "ALTER DATABASE \"$DB\" SET work_mem = '8MB'"
	works mig-rollback --restore --accept-loss --yes -q
	assert_equal "$(q 'SHOW work_mem')" 8MB
	for name in $(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_mig\\_o%'"); do pg_drop "$name"; done
	pg_q postgres "ALTER DATABASE \"$DB\" OWNER TO CURRENT_USER; DROP OWNED BY mig_test_reader"
	q "DROP OWNED BY mig_test_reader; DROP ROLE mig_test_reader"
}

@test "what pg_dump and pg_restore say comes with what to do" {
	family
	local limit
	role mig_test_few "NOSUPERUSER"
	pg_q postgres "GRANT pg_read_all_data TO mig_test_few"
	for limit in 1 2; do
		pg_q postgres "ALTER ROLE mig_test_few CONNECTION LIMIT $limit"
		fails 4 "too many are connected: end sessions, or raise the limit" mig-backup -q -d "$(as mig_test_few)"
	done
	mig-backup -q -o none
	role mig_test_maker "CREATEDB NOSUPERUSER"
	pg_q postgres "GRANT pg_read_all_data TO mig_test_maker; ALTER DATABASE \"$DB\" OWNER TO mig_test_maker"
	fails 4 "[permission]" mig-rollback --restore --yes -q --accept-loss -d "$(as mig_test_maker)"
	[[ $stderr == *"as a superuser, or as a member of the roles that own"* ]] || { echo "$stderr"; return 1; }
	pg_q postgres "ALTER DATABASE \"$DB\" OWNER TO CURRENT_USER; DROP OWNED BY mig_test_few; DROP OWNED BY mig_test_maker; DROP ROLE mig_test_few; DROP ROLE mig_test_maker"
}
