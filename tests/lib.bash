# What the bats files share: a folder of its own for each test, a database,
# migrations.  Load it with: load ../lib

bats_require_minimum_version 1.5.0

# bats-assert and its kind take longer to load than most tests to run, and are
# needed for what they say of a failure: loaded then, they take these names.
assert_equal() { [[ $1 == "$2" ]] || with_helpers assert_equal "$@"; }
assert_file_exist() { [ -e "$1" ] || with_helpers assert_file_exist "$@"; }
assert_file_not_exist() { [ ! -e "$1" ] || with_helpers assert_file_not_exist "$@"; }
assert_line() { with_helpers assert_line "$@"; }
assert_output() { with_helpers assert_output "$@"; }
refute_output() { with_helpers refute_output "$@"; }
refute_regex() { with_helpers refute_regex "$@"; }

with_helpers() { # ASSERTION [ARGUMENT ...]
	local helper place
	for helper in bats-support bats-assert bats-file; do
		for place in /usr/lib/bats /usr/lib /usr/local/lib; do
			if [ -e "$place/$helper/load.bash" ]; then
				load "$place/$helper/load"
				break
			fi
		done
	done
	# Not there, it would call itself for ever.
	[[ $(declare -f "$1") != *with_helpers* ]] || { echo "$1: bats-assert is not installed" >&2; return 1; }
	"$@"
}

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export TOP
case ":$PATH:" in *":${B:-$TOP/build}/bin:"*) ;; *) PATH="${B:-$TOP/build}/bin:$PATH" ;; esac

setup() {
	unset DATABASE_URL MIG_DATABASE_URL MIG_MIGRATIONS MIG_BACKUPS \
		MIG_CONFIG MIG_ENV MIG_FORMAT MIG_OUTPUT MIG_BUSY_TIMEOUT MIG_HOOKS MIG_SCRATCH
	# bats 1.8 makes no folder per test for the whole run of a file.
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/mig-test.XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	if declare -F prepare > /dev/null; then prepare; fi
}

teardown() {
	cd / || return 1
	if declare -F finish > /dev/null; then finish; fi
	rm -rf "$WORK"
}

# A database with a parent, its children (cascade) and a few rows.
family() { # [FILE]
	sqlite3 "${1:-app.db}" "PRAGMA journal_mode = ${JOURNAL:-delete};
	CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT, note TEXT);
	CREATE TABLE child (id INTEGER PRIMARY KEY,
		parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE, x TEXT);
	CREATE INDEX child_parent ON child (parent_id);
	INSERT INTO parent VALUES (1, 'a', NULL), (2, 'b', 'x'), (3, 'c', 'y');
	INSERT INTO child VALUES (1, 1, 'p'), (2, 2, 'q'), (3, 2, 'r'), (4, 3, 's'), (5, 3, 't');" \
		> /dev/null
	export DATABASE_URL=sqlite:${1:-app.db}
}

# migration VERSION_name UP [DOWN]: one file in dbmate's layout.
migration() {
	mkdir -p migrations
	printf -- '-- migrate:up\n%s\n' "$2" > "migrations/$1.sql"
	if [ $# -gt 2 ]; then
		printf -- '-- migrate:down\n%s\n' "$3" >> "migrations/$1.sql"
	fi
}

# Everything in the database but mig's own tables.
contents() { # [FILE]
	rm -f contents.tmp
	sqlite3 "${1:-app.db}" '.backup contents.tmp'
	sqlite3 contents.tmp 'DROP TABLE IF EXISTS mig_ledger;
		DROP TABLE IF EXISTS mig_event; DROP TABLE IF EXISTS mig_identity' .dump
	rm -f contents.tmp
}

rows() { sqlite3 "${2:-app.db}" "SELECT count(*) FROM $1"; }

archive() { ls -t backups/*.migbak | head -n 1; }

# json EXPRESSION: of the output of the last run.
json() { printf '%s\n' "$output" | jq -r "$1"; }

# fails STATUS WORDS COMMAND...: exits so, says so on stderr on one line.
fails() {
	local want=$1 words=$2
	shift 2
	run --separate-stderr "$@"
	if [ "$status" -ne "$want" ] || [[ $stderr != *"$words"* ]]; then
		echo "command: $*"
		echo "wanted:  $want, '$words'"
		echo "status:  $status"
		echo "stderr:  $stderr"
		echo "stdout:  $output"
		return 1
	fi
}

# works COMMAND...: exits 0.
works() {
	run --separate-stderr "$@"
	if [ "$status" -ne 0 ]; then
		echo "command: $*"
		echo "status:  $status"
		echo "stderr:  $stderr"
		return 1
	fi
}

# As somebody who is not root, when we are root.
mortal() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
