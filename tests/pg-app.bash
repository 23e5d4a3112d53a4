# A database for each test on the file's own server, with a few tables and
# words to ask it.  Load it after pg.bash with: load ../pg-app

prepare() {
	pg_prepare app$BATS_TEST_NUMBER
	pg_new "$DB"
}

finish() { if [ -n "${DB:-}" ]; then pg_drop "$DB"; fi; }

# A parent, its children (cascade) and a few rows.
family() {
	q "CREATE TABLE parent (id int PRIMARY KEY, name text, note text);
	CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE, x text);
	INSERT INTO parent VALUES (1, 'a', NULL), (2, 'b', 'x'), (3, 'c', 'y');
	INSERT INTO child VALUES (1, 1, 'p'), (2, 2, 'q'), (3, 2, 'r'), (4, 3, 's'), (5, 3, 't')"
}

contents() { pg_dump_text "${1:-$DB}" -N mig; }
rows() { q "SELECT count(*) FROM $1"; }
outside() { mkdir -p migrations; printf -- '-- migrate:up transaction:false\n%s\n' "$2" > "migrations/$1.sql"; }

# soon SQL [DB]: until the server answers t.
soon() {
	local n
	for ((n = 0; n < 100; n++)); do
		if [ "$(pg_q "${2:-$DB}" "$1")" = t ]; then return 0; fi
		sleep 0.05
	done
	echo "never came: $1"
	return 1
}

# loses WORDS SQL [OPTION ...]: refused with the words, and nothing is changed.
loses() {
	local words=$1 before
	migration 1_x "$2"
	shift 2
	before=$(contents)
	fails 3 "$words" mig-apply -q --no-backup "$@" || { cat migrations/1_x.sql; return 1; }
	assert_equal "$(contents)" "$before"
}

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
