# kill -9 of a guarded run at random moments: mig-status tells the truth each time, and
# the command that it prints mends it.  MIG_KILLS: how many times (50).
load ../lib
load ../pg

setup_file() { if pg_available; then pg_start; fi; }
teardown_file() { pg_stop; }

export BATS_TEST_TIMEOUT=300

# A name of its own, by which it is found among the processes.
prepare() {
	mkdir migrations
	TOOL=./tool-$RANDOM-$RANDOM
}

# A tool of four steps, each committed by itself; done again it begins anew.
tool() { # HOW TO RUN SQL
	cat > "$TOOL" <<- SH
		#!/bin/sh
		run() { $1; }
		run 'DROP TABLE IF EXISTS one; DROP TABLE IF EXISTS two'
		run 'CREATE TABLE one (a int)'
		sleep 0.02
		run 'INSERT INTO one VALUES (1)'
		sleep 0.02
		run 'CREATE TABLE two (a int)'
		sleep 0.02
	SH
	chmod +x "$TOOL"
}

# What is there: before, after, or something in between.
there() {
	case "$(schema)" in
	users) echo before ;;
	one,two,users) echo after ;;
	one,users) echo between ;;
	*) schema ;;
	esac
}

# One run, killed after a while with all that it has started; status, then the mend.
one_kill() { # SECONDS WAY
	local state there
	setsid mig-apply -q -o none --rehearse --url-env DATABASE_URL -- "$TOOL" > /dev/null 2>&1 3>&- &
	local pid=$!
	sleep "$1"
	# The guard first, so that it cannot say anything any more; then its children.
	kill -KILL "$pid" 2> /dev/null || true
	wait "$pid" 2> /dev/null || true
	pkill -KILL -f "$PWD/backups/.mig-scratch" 2> /dev/null || true
	for _ in $(seq 100); do pgrep -f "sh $TOOL" > /dev/null || break; sleep 0.05; done
	run --separate-stderr timeout 20 mig-status
	[ "$status" -eq 0 ] || { echo "mig-status: $status $stderr"; return 1; }
	state=$(json '.triage.state // "none"')
	there=$(there)
	echo "$1 $2 $state $there" >> seen
	case "$state $there" in
	'none before' | 'none after') return 0 ;;
	'not-applied before' | 'applied-unrecorded after' | 'partly between') ;;
	*) echo "after $1 s: it says '$state', and it is '$there'"; json .triage; return 1 ;;
	esac
	if [ "$2" = back ]; then
		works timeout 40 sh -c "$(json '.triage.back') --yes --accept-loss -q -o none"
		[ "$(there)" = before ]
	else
		works timeout 40 sh -c "$(json '.triage.forward') > /dev/null"
		[ "$(there)" = after ]
	fi
	works mig-status
	[ "$(json '.triage')" = null ] || { json .triage; return 1; }
}

# From WHERE to WHERE in a run, in ms; half of them go on, half go back.
kills() { # N FROM TO
	local i ms
	for i in $(seq "$1"); do
		ms=$(($2 + RANDOM % ($3 - $2)))
		reset
		if [ $((i % 2)) = 0 ]; then
			one_kill "$(printf '0.%03d' "$ms")" back || return 1
		else
			one_kill "$(printf '0.%03d' "$ms")" on || return 1
		fi
	done
	sort seen | cut -d' ' -f2- | sort | uniq -c >&3 || true
}

on_sqlite() {
	sqlite3 app.db 'CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (1), (2)'
	export DATABASE_URL=sqlite:$PWD/app.db
	tool 'sqlite3 -cmd ".timeout 5000" "${DATABASE_URL#sqlite:}" "$1"'
	schema() { sqlite3 app.db "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE name NOT LIKE 'mig%' AND type = 'table' ORDER BY 1)"; }
	reset() { sqlite3 app.db 'DROP TABLE IF EXISTS one; DROP TABLE IF EXISTS two'; rm -rf backups; }
}

@test "SQLite: killed in the first half of its kills" {
	on_sqlite
	kills $((${MIG_KILLS:-50} * 2 / 5)) 5 250
}

@test "SQLite: killed in the second half of its kills" {
	on_sqlite
	kills $((${MIG_KILLS:-50} * 2 / 5)) 100 350
}

@test "PostgreSQL: killed in each of its kills" {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists --force app
	createdb app
	psql -q app -c 'CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2)'
	export DATABASE_URL="postgresql://$PGUSER@/app?host=$PGHOST&port=$PGPORT"
	tool 'psql -q "$DATABASE_URL" -c "$1" 2> /dev/null'
	schema() { psql -Atc "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace" app; }
	reset() { psql -q app -c 'DROP TABLE IF EXISTS one; DROP TABLE IF EXISTS two' 2> /dev/null; rm -rf backups; }
	kills $((${MIG_KILLS:-50} / 5)) 300 2500
}

@test "what the caller ignores is not caught: nohup, a job of a shell" {
	sqlite3 app.db "CREATE TABLE t (x); INSERT INTO t SELECT hex(randomblob(500)) FROM generate_series(1, 15000)"
	export DATABASE_URL=sqlite:app.db
	bash -c 'trap "" HUP INT; mig-backup -q -l 19 -o none & p=$!; sleep 0.3; kill -HUP $p; kill -INT $p; wait $p'
	[ -n "$(ls backups/*.migbak)" ]
}
