# Alembic, Sqitch and dbmate themselves under guard, where they are installed: success, a
# failure half-way with a restore, a rehearsal that refuses; on both engines.
load ../lib
load ../pg

setup_file() { if pg_available; then pg_start; fi; }
teardown_file() { pg_stop; }

need() { command -v "$1" > /dev/null || skip "$1 is not installed"; }

on_sqlite() {
	sqlite3 app.db "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
		INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c');"
	export DATABASE_URL=sqlite:$PWD/app.db
	ask() { sqlite3 app.db "$1"; }
}

on_postgresql() {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists --force app
	createdb app
	psql -q app -c "CREATE TABLE users (id int PRIMARY KEY, name text);
		INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c');"
	export DATABASE_URL="postgresql://$PGUSER@/app?host=$PGHOST&port=$PGPORT"
	ask() { psql -Atc "$1" app; }
}

users() { ask 'SELECT id, name FROM users ORDER BY id' | tr '|\n' '= '; }

# Three steps, whatever the tool: a good one, one that fails behind a DELETE that it has
# committed, one that loses rows.  $1 good, $2 breaks, $3 loses: commands of the tool.
three() {
	local good=$1 breaks=$2 loses=$3 variable=$4
	# shellcheck disable=SC2086 # lists of words
	works mig-apply --rehearse --url-env "$variable" -- $good
	[ "$(json '.rehearsal.result + .command.left')" = passedchanged ]
	[ "$(ask 'SELECT count(*) FROM good')" = 0 ]
	[ "$(users)" = '1=a 2=b 3=c ' ]
	# shellcheck disable=SC2086
	fails 3 'on the copy' mig-apply --rehearse --url-env "$variable" -- $breaks
	[ "$(users)" = '1=a 2=b 3=c ' ]
	# shellcheck disable=SC2086
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- $breaks
	[ "$(users)" = '1=a 2=b 3=c ' ]
	# shellcheck disable=SC2086
	fails 3 "would lose 'users': 2 rows" mig-apply --rehearse --url-env "$variable" -- $loses
	[ "$(users)" = '1=a 2=b 3=c ' ]
	works mig-status
	[ "$(json .triage)" = null ]
	# shellcheck disable=SC2086
	works mig-apply --rehearse --allow-loss users --url-env "$variable" -- $loses
	[ "$(users)" = '1=a ' ]
}

alembic_project() { # URL
	export ALEMBIC_URL=$1
	alembic init alembic > /dev/null
	sed -i '/^target_metadata/i import os\nconfig.set_main_option("sqlalchemy.url", os.environ["ALEMBIC_URL"].replace("%", "%%"))' alembic/env.py
	local n=0 name body previous=None
	for name in good breaks loses; do
		n=$((n + 1))
		case $name in
		good) body='op.execute("CREATE TABLE good (a int)")' ;;
		breaks) body='
    with op.get_context().autocommit_block():
        op.execute("DELETE FROM users WHERE id = 1")
    op.execute("INSERT INTO nowhere VALUES (1)")' ;;
		loses) body='op.execute("DELETE FROM users WHERE id > 1")' ;;
		esac
		[ $name = loses ] && previous="'good'"
		printf "from alembic import op\nrevision = '%s'\ndown_revision = %s\ndef upgrade():\n    %s\ndef downgrade():\n    pass\n" \
			$name "$previous" "$body" > alembic/versions/$name.py
		previous="'good'"
	done
}

@test "Alembic on SQLite" {
	need alembic
	on_sqlite
	alembic_project "sqlite:///$PWD/app.db"
	three 'alembic upgrade good' 'alembic upgrade breaks' 'alembic upgrade loses' ALEMBIC_URL
}

@test "Alembic on PostgreSQL" {
	need alembic
	/usr/bin/python3 -c 'import psycopg2' 2> /dev/null || skip "psycopg2 is not installed"
	on_postgresql
	alembic_project "postgresql+psycopg2://$PGUSER@/app?host=$PGHOST&port=$PGPORT"
	three 'alembic upgrade good' 'alembic upgrade breaks' 'alembic upgrade loses' ALEMBIC_URL
}

sqitch_project() { # ENGINE
	export SQITCH_FULLNAME=X SQITCH_EMAIL=x@example.org HOME=$PWD
	sqitch init app --engine "$1" > /dev/null
	local name
	for name in good loses breaks; do sqitch add $name -n $name > /dev/null; done
	echo 'CREATE TABLE good (a int);' > deploy/good.sql
	echo 'DELETE FROM users WHERE id > 1;' > deploy/loses.sql
	printf 'DELETE FROM users WHERE id = 1;\nINSERT INTO nowhere VALUES (1);\n' > deploy/breaks.sql
	rm -f revert/* verify/*
	printf '#!/bin/sh\nexec sqitch deploy --to "$1" --target "$SQITCH_URL"\n' > deploy.sh
	# One that fails is wanted before the one that loses.
	printf '#!/bin/sh\nsed -i "/^loses/d" sqitch.plan; sqitch deploy --to breaks --target "$SQITCH_URL"\n' > breaks.sh
	cp sqitch.plan plan
	printf '#!/bin/sh\ncp plan sqitch.plan; exec sqitch deploy --to loses --target "$SQITCH_URL"\n' > loses.sh
	chmod +x ./*.sh
}

@test "Sqitch on SQLite" {
	need sqitch
	on_sqlite
	sqitch_project sqlite
	# Its registry, sqitch.db, stands beside the database, and in no backup.
	export SQITCH_URL=db:sqlite:$PWD/app.db
	works mig-apply -- ./deploy.sh good
	[ "$(ask 'SELECT count(*) FROM good')" = 0 ]
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./breaks.sh
	[ "$(users)" = '1=a 2=b 3=c ' ]
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./loses.sh
	[ "$(users)" = '1=a 2=b 3=c ' ]
}

@test "Sqitch on PostgreSQL" {
	need sqitch
	perl -e 'use DBD::Pg' 2> /dev/null || skip "DBD::Pg is not installed"
	on_postgresql
	sqitch_project pg
	export SQITCH_URL="db:pg://$PGUSER@/app?host=$PGHOST&port=$PGPORT"
	three './deploy.sh good' ./breaks.sh ./loses.sh SQITCH_URL
}

dbmate_project() {
	export DBMATE_MIGRATIONS_DIR=$PWD/m DBMATE_NO_DUMP_SCHEMA=true
	mkdir m later
	printf -- '-- migrate:up\nCREATE TABLE good (a int);\n-- migrate:down\n' > m/1_good.sql
	printf -- '-- migrate:up transaction:false\nDELETE FROM users WHERE id = 1;\n-- migrate:down\n' > later/2_breaks.sql
	printf -- '-- migrate:up\nINSERT INTO nowhere VALUES (1);\n-- migrate:down\n' > later/3_breaks.sql
	printf -- '-- migrate:up\nDELETE FROM users WHERE id > 1;\n-- migrate:down\n' > later/4_loses.sql
	printf '#!/bin/sh\nrm -f m/[234]*; for f; do cp later/$f m/; done; exec dbmate up\n' > up
	chmod +x up
}

@test "dbmate on SQLite" {
	need dbmate
	on_sqlite
	dbmate_project
	three ./up './up 2_breaks.sql 3_breaks.sql' './up 4_loses.sql' DATABASE_URL
}

@test "dbmate on PostgreSQL" {
	need dbmate
	on_postgresql
	export DATABASE_URL="postgres://$PGUSER@/app?host=$PGHOST&port=$PGPORT&sslmode=disable"
	dbmate_project
	three ./up './up 2_breaks.sql 3_breaks.sql' './up 4_loses.sql' DATABASE_URL
}
