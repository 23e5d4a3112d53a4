# The rehearsal on PostgreSQL: what a server tells that a file does not.
load ../lib
load ../pg

setup_file() { if pg_available; then pg_start; fi; }
teardown_file() { pg_stop; }

prepare() {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists app
	createdb app
	export DATABASE_URL=postgresql:///app
	psql -q app <<- 'SQL'
		CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, score numeric(10,2), made timestamp);
		CREATE TABLE orders (id serial PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE, total int);
		INSERT INTO users SELECT i, 'u' || i, i + 0.25, now() FROM generate_series(1, 200) i;
		INSERT INTO orders (user_id, total) SELECT 1 + i % 200, i % 50 FROM generate_series(1, 600) i;
	SQL
	mkdir -p migrations
}

rehearse() { # OPTION...
	rm -rf backups
	mig-backup -q -o none
	run --separate-stderr mig-verify --latest --rehearse "$@"
}

@test "a migration may name any role of the live server" {
	psql -q app -c "CREATE ROLE rehearse_reader"
	migration 1_a 'GRANT SELECT ON users TO rehearse_reader;'
	works mig-apply --rehearse -q
	assert_equal "$(json '.rehearsal.result')" passed
}

@test "locks, rewrites and scans, in the words of the server" {
	migration 1_a 'ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();
ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;'
	rehearse
	[ "$status" -eq 0 ]
	[ "$(json '.rehearsal.migrations[0].statements[0].works[0] | .relation + "|" + .action + "|" + .why')" = 'users|rewritten|rewriting table "users"' ]
	[ "$(json '.rehearsal.migrations[0].statements[0].locks[0] | .relation + "|" + .mode')" = 'users|AccessExclusive' ]
	[ "$(json '.rehearsal.migrations[0].statements[1].works[0].why')" = 'verifying table "orders"' ]
	[ "$(json '.rehearsal.migrations[0].statements[0].locks[0].held_us >= .rehearsal.migrations[0].statements[1].duration_us')" = true ]
	[ "$(json '.rehearsal.migrations[0].statements[0].wal_bytes > 0')" = true ]
}

@test "an index made concurrently: its locks while it runs, and no other" {
	migration 1_a 'INSERT INTO orders (user_id, total) SELECT 1, i FROM generate_series(1, 200000) i;'
	printf -- '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY o ON orders (total);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY o;\n' > migrations/2_b.sql
	rehearse
	[ "$status" -eq 0 ]
	[ "$(json '[.rehearsal.migrations[1].statements[0].locks[] | select(.relation == "orders")][0].mode')" = ShareUpdateExclusive ]
	[ "$(json '.rehearsal.migrations[1].down')" = exact ]
	works mig-apply
	[ "$(psql -Atc "SELECT count(*) FROM pg_class WHERE relname = 'o'" app)" = 1 ]
}

@test "one that fails on duplicates leaves an invalid index on the copy only" {
	printf -- '-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY o ON orders (total);\n' > migrations/1_b.sql
	rehearse
	[ "$status" -eq 3 ]
	[[ $stderr == *'could not create unique index'* ]]
	[ "$(psql -Atc "SELECT count(*) FROM pg_class WHERE relname = 'o'" app)" = 0 ]
}

@test "a narrowing cast is counted, refused, and allowed by name" {
	migration 1_a 'ALTER TABLE users ALTER COLUMN score TYPE int;'
	rehearse
	[ "$status" -eq 3 ]
	[[ $stderr == *"'users.score': 200 values (not kept by the new type)"* ]]
	[ "$(json '.rehearsal.migrations[0].effects[0].columns[0] | .change, .lossy, .samples[0]' | paste -sd '|')" = 'converted|200|1: 1.25 -> 1' ]
	fails 3 'not kept by the new type' mig-apply --rehearse
	works mig-apply --rehearse --allow-loss users.score
}

@test "what was not compared counts as lost" {
	migration 1_a 'ALTER TABLE users ALTER COLUMN score TYPE int;'
	psql -q app -c 'UPDATE users SET score = id'
	rehearse --sample 50
	[ "$status" -eq 3 ]
	[[ $stderr == *"'users.score': 150 values (not kept by the new type, or not compared (--sample))"* ]]
	rehearse
	[ "$status" -eq 0 ]
}

@test "an index that is invalid is no statement that is done" {
	psql -q app -c 'DELETE FROM orders WHERE id > 50'
	printf -- '-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY o ON orders (total);\n' > migrations/1_b.sql
	rehearse
	[ "$status" -eq 0 ]
	psql -q app -c 'INSERT INTO orders (user_id, total) VALUES (1, 7), (1, 7)'
	fails 7 'could not create unique index' mig-apply
	fails 7 '' mig-apply --resume
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	[ "$(json '.applied')" = 0 ]
}

@test "a foreign server is not reached from the copy" {
	psql -q app -c 'CREATE EXTENSION postgres_fdw' 2> /dev/null || skip "no postgres_fdw"
	psql -q app <<- SQL
		CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$PGHOST', port '$PGPORT', dbname 'app');
		CREATE USER MAPPING FOR PUBLIC SERVER me OPTIONS (user '$PGUSER');
		CREATE FOREIGN TABLE far (id int, total int) SERVER me OPTIONS (table_name 'orders');
	SQL
	migration 1_a 'UPDATE far SET total = 9999;'
	rehearse
	[ "$status" -eq 3 ]
	[[ $output == *'their wrappers have no handler there'* ]]
	[ "$(psql -Atc 'SELECT count(*) FROM orders WHERE total = 9999' app)" = 0 ]
}

@test "the settings of the live database are those of the copy" {
	psql -q app -c "ALTER DATABASE app SET timezone TO 'Asia/Tokyo'"
	migration 1_a 'ALTER TABLE users ALTER COLUMN made TYPE timestamptz;'
	rehearse
	[ "$status" -eq 0 ]
	# With UTC there would be nothing to rewrite.
	[ "$(json '.rehearsal.migrations[0].statements[0].works[0].action')" = rewritten ]
	[ "$(json '[.rehearsal.notes[] | select(test("locale|settings"))] | length')" = 0 ]
}

@test "a sequence that goes back, a constraint not validated" {
	migration 1_a "SELECT setval('orders_id_seq', 5);
ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 1) NOT VALID;"
	rehearse
	[ "$status" -eq 0 ]
	[ "$(json '.rehearsal.migrations[0].sequences[0]')" = 'orders_id_seq: 600 -> 5' ]
	[ "$(json '.rehearsal.migrations[0].left[0]')" = 'constraint c of orders is not validated' ]
}

@test "production is held to the rehearsal" {
	migration 1_a 'CREATE TABLE x (a int);' 'DROP TABLE x;'
	migration 2_a 'CREATE TABLE y (a int);'
	printf '[p]\npolicy = production\n' > mig.conf
	rehearse
	receipt=$(archive).receipt.json
	jq -c --arg f "$(printf %064d 0)" '.rehearsal.migrations[1].fingerprint = $f' "$receipt" > r
	cat r > "$receipt"
	fails 6 'not the one that the rehearsal proved' mig-apply --env p --yes
	[ "$(psql -Atc "SELECT to_regclass('x'), to_regclass('y')" app)" = 'x|' ]
}

@test "a scratch server that somebody named is left as it was" {
	migration 1_a 'CREATE TABLE x (a int);'
	rehearse --scratch postgresql:///postgres
	[ "$status" -eq 0 ]
	[ "$(psql -Atc "SELECT count(*) FROM pg_database WHERE datname LIKE 'mig_scratch%'" postgres)" = 0 ]
}

@test "without the live database the copy says what it does not know" {
	migration 1_a 'CREATE TABLE x (a int);'
	mig-backup -q -o none
	run --separate-stderr env -u DATABASE_URL mig-verify --rehearse "$(archive)"
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[[ $output == *'were not at hand'* ]]
}

@test "after a crash the schema tells how far it came, and --resume believes it" {
	printf -- '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a ON orders (total);\nCREATE INDEX CONCURRENTLY b ON orders (total);\nCREATE INDEX CONCURRENTLY c ON orders (total);\n' > migrations/1_b.sql
	works mig-apply --rehearse
	works mig-status
	[ "$(json .triage)" = null ]
	# As if it had been killed behind the second, before the ledger heard of that.
	psql -q app -c "DROP INDEX c; UPDATE mig.mig_ledger SET state = 'running', statements = 1"
	works mig-status
	[ "$(json '.triage | .what + .state + (.statement | tostring)')" = 1applied-up-to2 ]
	[ "$(json '.triage.forward')" = 'mig-apply --resume' ]
	works mig-apply --resume
	[[ $stderr == *'2 of its statements are done, as the schema says'* ]]
	[ "$(psql -Atc "SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b', 'c')" app)" = 3 ]
	psql -q app -c "UPDATE mig.mig_ledger SET state = 'running', statements = 1"
	works mig-status
	[ "$(json '.triage.state')" = applied-unrecorded ]
	works mig-apply --resume
	works mig-status --check
	# Without a rehearsal the ledger is all there is.
	jq -c '.rehearsal = null' "$(archive).receipt.json" > r
	for file in backups/*.receipt.json; do cat r > "$file"; done
	psql -q app -c "DROP INDEX c; UPDATE mig.mig_ledger SET state = 'running', statements = 1"
	works mig-status
	[ "$(json '.triage | .state + (.statement | tostring)')" = applied-up-to1 ]
	[[ $(json '.triage.text') == *'no rehearsal to compare'* ]]
}

@test "an invalid index is part of the truth" {
	migration 0_dup 'SELECT 1;'
	works mig-apply -q
	printf -- '-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY o ON orders (total);\n' > migrations/1_b.sql
	fails 7 'could not create unique index' mig-apply
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	[[ $(json '.triage.forward') == *'mig-apply --resume' ]]
}

@test "guard: a command on PostgreSQL, its rehearsal, its way back" {
	printf '#!/bin/sh\nexec psql -q -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "$1"\n' > tool
	chmod +x tool
	works mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'CREATE TABLE x (a int)'
	[ "$(json '.rehearsal.result + .command.left')" = passedchanged ]
	[ "$(json '.rehearsal.migrations[0].wal_bytes > 0')" = true ]
	fails 3 "would lose 'orders': 3 rows" mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'DELETE FROM users WHERE id = 1'
	fails 6 'restored' mig-apply --restore-on-failure -- ./tool 'DELETE FROM users WHERE id = 1'
	[ "$(psql -Atc 'SELECT count(*) FROM orders' app)" = 600 ]
	[ "$(psql -Atc "SELECT to_regclass('x')" app)" = x ]
	works mig-apply --rehearse --scratch postgresql:///postgres --url-env DATABASE_URL -- ./tool 'CREATE TABLE y (a int)'
	[ "$(psql -Atc "SELECT count(*) FROM pg_database WHERE datname LIKE 'mig_scratch%'" postgres)" = 0 ]
}

@test "guard: what a tool takes from the url of the copy cannot lead to the real one" {
	# Tools that read the authority, and no host behind it; and one that has its own form.
	printf '#!/bin/sh\necho "$DATABASE_URL" > "url.$MIG_GUARD"\nexec psql -q -v ON_ERROR_STOP=1 "${DATABASE_URL%%%%\\?*}" -c "$1"\n' > tool
	chmod +x tool
	works mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'CREATE TABLE x (a int)'
	[[ $(cat url.rehearse) =~ ^postgresql://[^/@:]+:[0-9a-f]{32}@127\.0\.0\.1:[0-9]+/app\?sslmode=disable ]] || { cat url.rehearse; return 1; }
	DATABASE_URL=jdbc:postgresql://127.0.0.1:1/app?user=me\&ApplicationName=x mig-apply -q -d "$DATABASE_URL" --rehearse --url-env DATABASE_URL -- sh -c 'echo "$DATABASE_URL" > url.jdbc' > /dev/null
	[[ $(cat url.jdbc) == "jdbc:postgresql://127.0.0.1:1/app?user=me&ApplicationName=x" ]]
	DATABASE_URL=jdbc:postgresql://127.0.0.1:1/app?user=me\&ApplicationName=x mig-apply -q -d "$DATABASE_URL" --rehearse --url-env DATABASE_URL -- sh -c '[ $MIG_GUARD = run ] || echo "$DATABASE_URL" > url.jdbc' > /dev/null
	[[ $(cat url.jdbc) =~ ^jdbc:postgresql://127\.0\.0\.1:[0-9]+/app\?sslmode=disable\&user=[a-z_]+\&password=[0-9a-f]{32}\&ApplicationName=x$ ]] || { cat url.jdbc; return 1; }
	# A scratch server behind a socket: who does not know sockets finds nothing.
	works mig-apply --rehearse --scratch postgresql:///postgres --url-env DATABASE_URL -- sh -c '[ $MIG_GUARD = run ] || echo "$DATABASE_URL" > url.scratch'
	[[ $(cat url.scratch) == postgresql://*@scratch.invalid/mig_scratch_*host=%2F* ]] || { cat url.scratch; return 1; }
	# The copy asks for its password.
	fails 3 "on the copy" mig-apply --rehearse --url-env DATABASE_URL -- sh -c '[ $MIG_GUARD = run ] || PGPASSWORD=wrong psql "$(echo "$DATABASE_URL" | sed "s/:[0-9a-f]\{32\}@/@/")" -c "SELECT 1"'
}

@test "guard: what a killed one leaves running keeps the lock, on a server, too" {
	printf '#!/bin/sh\ntouch began\nsh -c "trap : TERM; sleep 3; touch over"\n' > tool
	chmod +x tool
	mig-apply -- ./tool > doc 2> said 3>&- &
	pid=$!
	for _ in $(seq 200); do [ -e began ] && break; sleep 0.05; done
	kill -KILL "$pid"
	wait "$pid" || true
	[ ! -e over ]
	fails 8 'another runner' mig-apply -- true
	for _ in $(seq 200); do [ -e over ] && break; sleep 0.05; done
	works mig-apply --wait 5s -- true
}

@test "guard: a restore that could not be made is refused beforehand" {
	psql -q app -c "DROP ROLE IF EXISTS plain" -c "CREATE ROLE plain LOGIN" -c "GRANT ALL ON ALL TABLES IN SCHEMA public TO plain"
	export DATABASE_URL="postgresql://plain@/app"
	fails 3 'the role may not restore' mig-apply --restore-on-failure -- psql -q app -c 'DELETE FROM orders'
	[ "$(psql -Atc 'SELECT count(*) FROM orders' app)" = 600 ]
	psql -q app -c 'DROP OWNED BY plain' -c 'DROP ROLE plain'
}
