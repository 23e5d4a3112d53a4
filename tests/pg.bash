# A private PostgreSQL server for one bats file: a folder of its own, a Unix
# socket in it, no network.  Load it after lib.bash with: load ../pg
#
#	setup_file() { if pg_available; then pg_start; fi; }
#	teardown_file() { pg_stop; }
#	prepare() { pg_available || skip "$PG_REASON"; }
#
# pg_start belongs in setup_file: the server ends with the process that started
# it, even if that one is killed.  It exports PGHOST, PGPORT and PGUSER for
# libpq, PG_BIN (the programs' folder; set before, it chooses them), PG_MAJOR
# (their version) and PG_ROOT (the server's folder; its log is $PG_ROOT/log).

# Can a server run here?  If not, PG_REASON says why.
pg_available() {
	local initdb
	PG_REASON=
	if [ -z "${PG_BIN:-}" ]; then
		initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
		[ -x "$initdb" ] || initdb=$(realpath "$(command -v initdb)" 2> /dev/null || true)
		PG_BIN=${initdb%/*}
	fi
	if [ ! -x "$PG_BIN/initdb" ] || [ ! -x "$PG_BIN/postgres" ]; then
		PG_REASON="no PostgreSQL server is installed"
	elif [ "$(id -u)" = 0 ] && [ -z "$(pg_user)" ]; then
		PG_REASON="PostgreSQL does not run as root, and there is no other user"
	fi
	[ -z "$PG_REASON" ]
}

# Who the server runs as when we are root.
pg_user() {
	local user
	for user in postgres nobody; do
		if [ "$(id -u "$user" 2> /dev/null || echo 0)" != 0 ]; then
			echo "$user"
			return
		fi
	done
}

# pg_as COMMAND...: become it, but not as root; SIGINT when the parent dies.
pg_as() {
	local user
	if [ "$(id -u)" != 0 ]; then
		if setpriv --pdeathsig INT true 2> /dev/null; then exec setpriv --pdeathsig INT "$@"; fi
		exec "$@"
	fi
	user=$(pg_user)
	if setpriv --pdeathsig INT true 2> /dev/null; then
		exec setpriv --reuid="$(id -u "$user")" --regid="$(id -g "$user")" \
			--clear-groups --pdeathsig INT "$@"
	fi
	# shellcheck disable=SC2016 # for the inner shell
	exec su -s /bin/sh -c 'exec "$0" "$@"' -- "$user" "$@"
}

# The server looks for extensions beside its program, and none of those that
# come with it has configuration tables, whose rows are dumped while the tables
# are not.  So: a copy of the program, links to what belongs to it, and one
# extension more.  Prints the program to run: the installed one, if in doubt.
pg_program() {
	local share lib own=$PG_ROOT/program
	share=$("$PG_BIN/pg_config" --sharedir 2> /dev/null || true)
	lib=$("$PG_BIN/pg_config" --pkglibdir 2> /dev/null || true)
	if [ -n "$share" ] && [ -n "$lib" ] && mkdir -p "$own$PG_BIN" "$own$share" "$own${lib%/*}" &&
		cp "$PG_BIN/postgres" "$own$PG_BIN" && cp -rs "$share/." "$own$share" 2> /dev/null &&
		ln -s "$lib" "$own$lib" && [ "$("$own$PG_BIN/postgres" -V 2> /dev/null)" = "$("$PG_BIN/postgres" -V)" ]; then
		pg_extension "$own$share/extension/mig_test_config"
		echo "$own$PG_BIN/postgres"
	else
		echo "$PG_BIN/postgres"
	fi
}

pg_extension() { # FILE
	cat > "$1.control" <<- 'END'
		comment = 'configuration tables, for the tests of mig'
		default_version = '1.0'
		schema = mig_test_config
	END
	cat > "$1--1.0.sql" <<- 'END'
		CREATE TABLE zone (name text PRIMARY KEY, own boolean NOT NULL DEFAULT true);
		CREATE TABLE city (name text PRIMARY KEY, zone text NOT NULL REFERENCES zone);
		CREATE TABLE fixed (name text);
		CREATE SEQUENCE number;
		INSERT INTO zone VALUES ('given', false);
		INSERT INTO fixed VALUES ('given');
		SELECT pg_catalog.pg_extension_config_dump('zone', 'WHERE own');
		SELECT pg_catalog.pg_extension_config_dump('city', '');
		SELECT pg_catalog.pg_extension_config_dump('number', '');
	END
	chmod 644 "$1.control" "$1--1.0.sql"
}

pg_start() {
	local place name pid i
	pg_available || { echo "pg_start: $PG_REASON" >&2; return 1; }
	for name in $(compgen -e PG); do
		case $name in PG_*) ;; *) unset "$name" ;; esac
	done
	for place in "${TMPDIR:-/tmp}" /tmp; do
		PG_ROOT=$(mktemp -d "$place/mig-pg.XXXXXX") || continue
		chmod 755 "$PG_ROOT"
		# The server's user must reach it, and a socket has at most 107 bytes.
		if [ ${#PG_ROOT} -lt 80 ] && (pg_as test -x "$PG_ROOT"); then break; fi
		rm -rf "$PG_ROOT"
		PG_ROOT=
	done
	[ -n "$PG_ROOT" ] || { echo "pg_start: no folder for it in ${TMPDIR:-/tmp}" >&2; return 1; }
	export PG_ROOT PG_BIN PGHOST=$PG_ROOT/socket PGPORT=54329 PGUSER=mig_admin
	PG_MAJOR=$("$PG_BIN/postgres" -V | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	export PG_MAJOR
	mkdir "$PG_ROOT/data" "$PG_ROOT/socket"
	chmod 700 "$PG_ROOT/data"
	chmod 755 "$PG_ROOT/socket"
	if [ "$(id -u)" = 0 ]; then chown "$(pg_user)" "$PG_ROOT" "$PG_ROOT/data" "$PG_ROOT/socket"; fi
	if ! (cd "$PG_ROOT" && pg_as "$PG_BIN/initdb" -D "$PG_ROOT/data" -U "$PGUSER" -A trust \
		-E UTF8 --locale=C --no-sync) > "$PG_ROOT/log" 2>&1 3>&-; then
		pg_failed "initdb failed"
		return 1
	fi
	cat >> "$PG_ROOT/data/postgresql.conf" <<- END
		listen_addresses = ''
		port = $PGPORT
		unix_socket_directories = '../socket'
		unix_socket_permissions = 0777
		max_connections = 40
		max_prepared_transactions = 5
		wal_level = logical
		autovacuum = off
		fsync = off
		full_page_writes = off
		shared_buffers = 16MB
		min_wal_size = 32MB
		jit = off
		timezone = 'UTC'
		log_timezone = 'UTC'
		log_line_prefix = '%m [%p] %d '
	END
	name=$(pg_program)
	(cd "$PG_ROOT" && pg_as "$name" -D "$PG_ROOT/data") >> "$PG_ROOT/log" 2>&1 < /dev/null 3>&- &
	pid=$!
	disown "$pid"
	for ((i = 0; i < 300; i++)); do
		# Pagila's objects belong to a role postgres.
		if "$PG_BIN/pg_isready" -q -d postgres 3>&- && pg_q postgres "CREATE ROLE postgres" 2> /dev/null; then return 0; fi
		if pg_gone "$pid"; then break; fi
		sleep 0.1
	done
	pg_failed "the server did not start"
	return 1
}

pg_failed() { # WHY
	echo "pg_start: $1" >&2
	tail -n 20 "$PG_ROOT/log" >&2
	pg_stop
}

pg_gone() { # PID
	case $(ps -o stat= -p "$1" 2> /dev/null || true) in '' | Z*) return 0 ;; esac
	return 1
}

pg_stop() {
	local pid='' signal i
	[ -n "${PG_ROOT:-}" ] || return 0
	if [ -e "$PG_ROOT/data/postmaster.pid" ]; then read -r pid < "$PG_ROOT/data/postmaster.pid" || true; fi
	# A server that was killed leaves the file; the number may be another's by now.
	if [ -n "$pid" ] && [[ $(ps -o args= -p "$pid" 2> /dev/null || true) == *"$PG_ROOT/data"* ]]; then
		for signal in INT QUIT; do
			kill -"$signal" "$pid" 2> /dev/null || true
			for ((i = 0; i < 100; i++)); do
				if pg_gone "$pid"; then break 2; fi
				sleep 0.1
			done
		done
		if ! pg_gone "$pid"; then
			echo "pg_stop: the server $pid does not end; its folder is $PG_ROOT" >&2
			return 1
		fi
	fi
	rm -rf "$PG_ROOT" 2> /dev/null || { sleep 1 && rm -rf "$PG_ROOT"; }
	unset PG_ROOT PGHOST PGPORT PGUSER
}

pg_conn() { # DB: a connection string; a bare name with a = in it would be one
	local name=${1//\\/\\\\}
	echo "dbname='${name//\'/\\\'}'"
}

# pg_new NAME [SQLFILE | VARIABLE=VALUE ...]: an empty database, loaded with
# the files.  In another encoding: ENCODING=SQL_ASCII pg_new NAME
pg_new() {
	local name=$1 arg args=()
	shift
	for arg in "$@"; do
		case $arg in
		*/* | *.sql) args+=(-f "$arg") ;;
		*=*) args+=(-v "$arg") ;;
		*) args+=(-f "$arg") ;;
		esac
	done
	"$PG_BIN/createdb" -T template0 -E "${ENCODING:-UTF8}" -- "$name" || return
	[ ${#args[@]} -gt 0 ] || return 0
	PGOPTIONS='-c client_min_messages=warning' "$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 \
		-d "$(pg_conn "$name")" "${args[@]}" > /dev/null
}

pg_q() { # DB SQL
	"$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$(pg_conn "$1")" -c "$2"
}

# Subscriptions keep a database from being dropped; slots and sessions too.
pg_drop() { # NAME
	local each
	if pg_q "$1" "" 2> /dev/null; then
		for each in $(pg_q "$1" "SELECT oid FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"); do
			pg_q "$1" "DO \$\$ DECLARE n text; BEGIN
				SELECT quote_ident(subname) INTO n FROM pg_catalog.pg_subscription WHERE oid = $each;
				EXECUTE 'ALTER SUBSCRIPTION ' || n || ' DISABLE';
				EXECUTE 'ALTER SUBSCRIPTION ' || n || ' SET (slot_name = NONE)';
				EXECUTE 'DROP SUBSCRIPTION ' || n; END \$\$" || return
		done
		pg_q "$1" "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active" > /dev/null || return
	fi
	"$PG_BIN/dropdb" --if-exists --force -- "$1" 2> /dev/null
}

pg_encode() { # TEXT: percent-encoded
	local LC_ALL=C text=$1 out='' i c
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $c in
		[A-Za-z0-9_.~-]) ;;
		*)
			printf -v c %d "'$c"
			printf -v c '%%%02X' $((c & 255))
			;;
		esac
		out+=$c
	done
	echo "$out"
}

pg_url() { # DB
	echo "postgresql:///$(pg_encode "$1")?host=$(pg_encode "$PGHOST")&port=$PGPORT&user=$PGUSER"
}

# pg_dump_text DB [ARGUMENT...]: for diff, so without the random keys, and as
# if the database had no settings of its own that change how data look.
pg_dump_text() {
	local db=$1
	shift
	PGOPTIONS='-c TimeZone=UTC -c bytea_output=hex' "$PG_BIN/pg_dump" --no-sync -d "$(pg_conn "$db")" "$@" |
		sed -E '/^\\(un)?restrict [A-Za-z0-9]+$/d'
	return "${PIPESTATUS[0]}"
}

# --- for the files of tests: a server for each, a database name for each test

setup_file() { if pg_available; then pg_start; fi; }
teardown_file() { pg_stop; }

# pg_prepare DB: nothing of the caller's, and DATABASE_URL leads to it.
pg_prepare() {
	pg_available || skip "$PG_REASON"
	unset PGSERVICE PGSERVICEFILE PGPASSFILE PGPASSWORD PGDATABASE PGOPTIONS
	DB=$1
	DATABASE_URL=$(pg_url "$DB")
	export DATABASE_URL
}

q() { pg_q "$DB" "$1"; }
