load ../lib
# Other migration tools themselves, where they are installed.

prepare() {
	export DATABASE_URL=sqlite:app.db
}

need() { command -v "$1" > /dev/null || skip "$1 is not installed"; }
states() { works mig-status "$@"; json '[.pending[].name] | join(" ")'; }

@test "Alembic: revisions, a merge, up and down: both agree at each step" {
	need alembic
	alembic init db > /dev/null
	sed -i 's|sqlalchemy.url.*|sqlalchemy.url = sqlite:///app.db|' alembic.ini
	local one two three
	rev() { basename "$(ls db/versions/*_"$1".py)" "_$1.py"; }
	alembic revision -m one > /dev/null
	alembic revision -m two > /dev/null
	one=$(rev one)
	two=$(rev two)
	alembic revision -m three --head "$one" --splice > /dev/null
	three=$(rev three)
	alembic upgrade "$one" 2> /dev/null
	export MIG_MIGRATIONS=db
	works mig-status --heads -o text
	assert_equal "$(sort <<< "$output")" "$(alembic heads | cut -d' ' -f1 | sort)"
	works mig-status
	assert_equal "$(json '.current, .applied' | xargs)" "$one 1"
	alembic upgrade "$two" 2> /dev/null
	alembic upgrade "$three" 2> /dev/null
	works mig-status
	assert_equal "$(json '[.applied, (.pending | length)] | join(" ")')" "3 0"
	alembic merge heads -m four > /dev/null
	assert_equal "$(states)" four
	works mig-status --heads -o text
	assert_equal "$output" "$(alembic heads | cut -d' ' -f1)"
	alembic upgrade head 2> /dev/null
	works mig-status --check
	alembic downgrade "$one" 2> /dev/null
	works mig-status
	assert_equal "$(json '.current, .applied' | xargs)" "$one 1"
}

@test "Sqitch: a plan with a reworked change, deployed and reverted: both agree" {
	need sqitch
	export SQITCH_FULLNAME=X SQITCH_EMAIL=x@example.org MIG_MIGRATIONS=.
	export HOME=$PWD
	sqitch init flipr --engine sqlite > /dev/null
	sqlite3 app.db 'CREATE TABLE own (x)'
	local name
	for name in one two three; do
		sqitch add "$name" -n "$name" > /dev/null
		echo "CREATE TABLE $name (x);" > "deploy/$name.sql"
		echo "DROP TABLE $name;" > "revert/$name.sql"
		echo "SELECT x FROM $name;" > "verify/$name.sql"
	done
	sqitch tag v1 -n v1 > /dev/null
	sqitch rework two -n again > /dev/null
	echo "CREATE TABLE two_more (x);" > deploy/two.sql
	echo "DROP TABLE two_more;" > revert/two.sql
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "one two@v1 three two"
	sqitch deploy --to three db:sqlite:app.db > /dev/null
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" two
	assert_equal "$(json .current)" three
	sqitch deploy db:sqlite:app.db > /dev/null
	works mig-status --check
	sqitch revert -y --to one db:sqlite:app.db > /dev/null
	works mig-status
	assert_equal "$(json '.current, .applied' | xargs)" "one 1"
	echo '-- edited' >> deploy/one.sql
	works mig-status
	assert_equal "$(json '[.problems[].reason] | unique | join(" ")')" "checksum code"
}

@test "dbmate: up and down by either, both agree at each step" {
	need dbmate
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DBMATE_MIGRATIONS_DIR=migrations DBMATE_NO_DUMP_SCHEMA=true
	mkdir migrations
	local n
	for n in 1 2 3 4; do
		printf -- '-- migrate:up\nCREATE TABLE t%d (x);\n\n-- migrate:down\nDROP TABLE t%d;\n' "$n" "$n" > "migrations/000${n}_t$n.sql"
	done
	mv migrations/000[34]* .
	dbmate up > /dev/null
	works mig-status --check
	assert_equal "$(json .format)" dbmate
	mv 0003* migrations/
	works mig-apply -q
	assert_equal "$(dbmate status | grep -c '^\[X\]')" 3
	mv 0004* migrations/
	dbmate up > /dev/null
	works mig-status --check
	works mig-rollback --steps 2 -q
	assert_equal "$(dbmate status | grep -c '^\[X\]')" 2
	dbmate rollback > /dev/null
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "0002 0003 0004"
	works mig-apply -q
	assert_equal "$(dbmate status | grep -c '^\[X\]')" 4
	works mig-status --check
}
