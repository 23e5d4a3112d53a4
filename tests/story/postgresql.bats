load ../lib
load ../pg
# PostgreSQL, the slow half: nasty and real databases there and back, backups
# that race with rewrites, runners killed at every step of a restore.

prepare() {
	pg_prepare story$BATS_TEST_NUMBER
}

finish() {
	local each
	[ -n "${DB:-}" ] || return 0
	for each in $(others) "$DB"; do pg_drop "$each"; done
}

others() { pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '$DB\\_mig\\_%'"; }
old() { pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '$DB\\_mig\\_old\\_%' ORDER BY 1 DESC LIMIT 1"; }

# until SQL: loops on the server, so within 2 ms, until it is true; 20 s.
until_true() {
	pg_q postgres "DO \$\$ BEGIN FOR i IN 1..10000 LOOP PERFORM pg_stat_clear_snapshot(); IF ($1) THEN RETURN; END IF; PERFORM pg_sleep(0.002); END LOOP;
		RAISE 'never came'; END \$\$"
}

family() {
	pg_new "$DB"
	q "CREATE TABLE parent (id int PRIMARY KEY, name text);
	CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY, parent_id int REFERENCES parent ON DELETE CASCADE);
	INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c');
	INSERT INTO child (parent_id) VALUES (1), (2), (2), (3), (3)"
}

# Every row that a restore must bring back, whatever the order of rows and of
# columns, and in which leaf of a table spread by the hash of an enum.
everything() { # DB
	pg_dump_text "$1" -s -N mig | sed 's/,$//; s/^ *//' | LC_ALL=C sort
	pg_q "$1" "CREATE FUNCTION pg_temp.look(t oid) RETURNS text LANGUAGE plpgsql AS \$\$ DECLARE out text; columns text; BEGIN
			SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname COLLATE \"C\") INTO columns FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND NOT attisdropped;
			EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(r, E''\\n'' ORDER BY r COLLATE \"C\")), '''') FROM (SELECT ROW(%s)::text AS r FROM %s %s) AS x',
				columns, (SELECT CASE relkind WHEN 'r' THEN 'ONLY' END FROM pg_class WHERE oid = t), t::regclass) INTO out;
			RETURN out; END \$\$;
		SET row_security = off; SET search_path = '';
		SELECT 'rows', c.oid::regclass, pg_temp.look(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
			WHERE (relkind IN ('r', 'm') AND relname !~ '^by_colour_' OR relkind = 'p' AND relname = 'by_colour') AND relpersistence <> 't'
			AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'mig', 'mig_test_config') AND relispopulated ORDER BY c.oid::regclass::text COLLATE \"C\";
		SELECT 'populated', c.oid::regclass, relispopulated FROM pg_class c WHERE relkind = 'm' ORDER BY c.oid::regclass::text COLLATE \"C\";
		SELECT 'sequence', schemaname, sequencename, last_value FROM pg_sequences WHERE schemaname <> 'mig' ORDER BY schemaname::text COLLATE \"C\", sequencename::text COLLATE \"C\";
		SELECT 'object', oid, lomowner::regrole, lomacl, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY oid"
}

# What belongs to the database and is not in it.
facts() { # DB
	pg_q postgres "SELECT datdba::regrole, datconnlimit, encoding, datcollate, datctype, dattablespace, datallowconn, datistemplate,
			shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$1';
		SELECT grantor::regrole, grantee::regrole, privilege_type, is_grantable FROM pg_database, aclexplode(datacl) WHERE datname = '$1' ORDER BY 1, 2, 3;
		SELECT setrole, unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = '$1' ORDER BY 1, 2"
}

# The next value of every sequence, or why there is none.
numbers() { # DB
	pg_q "$1" "CREATE FUNCTION pg_temp.next(s regclass) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN nextval(s); EXCEPTION WHEN others THEN RETURN sqlerrm; END';
		SELECT c.oid::regclass, pg_temp.next(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S' AND nspname <> 'mig'" | LC_ALL=C sort
}

# there_and_back: backed up, verified, changed, restored by swap: the same.
there_and_back() {
	everything "$DB" > before.txt
	facts "$DB" > before.facts
	run --separate-stderr bash -c 'mig-backup -q | mig-verify -q'
	[ "$status" -eq 0 ] || { echo "$status: $stderr"; return 1; }
	q "CREATE TABLE public.mig_test_new (x int)" 2> /dev/null || q "CREATE SCHEMA mig_test_new"
	works mig-rollback --restore --accept-loss --yes -q || return 1
	everything "$DB" > after.txt
	facts "$DB" > after.facts
	diff before.txt after.txt && diff before.facts after.facts || return 1
	numbers "$(old)" > old.numbers
	numbers "$DB" > new.numbers
	diff old.numbers new.numbers
}

# ---------------------------------------------------------------- there and back

@test "the nasty database" {
	pg_new "$DB" "$TOP/tests/data/nasty.sql" no_subscription=1
	there_and_back
	[ "$(wc -l < new.numbers)" -gt 10 ]
	[ "$(grep -c '^rows|' before.txt)" -gt 100 ]
	[ "$(grep -c '^object|' before.txt)" -gt 0 ]
}

@test "the nasty database: SQL_ASCII" {
	ENCODING=SQL_ASCII pg_new "$DB" "$TOP/tests/data/nasty-ascii.sql"
	pg_dump_text "$DB" > before.sql
	works mig-backup -q
	works mig-verify -q --latest
	works mig-rollback --restore --accept-loss --yes -q
	pg_dump_text "$DB" -N mig > after.sql
	cmp before.sql after.sql
}

@test "owner, privileges, settings, comment and limit stay with the name" {
	family
	q "DO \$\$ BEGIN CREATE ROLE mig_test_fact LOGIN; EXCEPTION WHEN duplicate_object THEN END \$\$;
		COMMENT ON DATABASE $DB IS 'it''s; \"ours\"'; ALTER DATABASE $DB CONNECTION LIMIT 17;
		ALTER DATABASE $DB SET search_path = '\$user', public, \"My App\"; ALTER DATABASE $DB SET DateStyle = 'SQL, DMY';
		ALTER DATABASE $DB SET my.thing = 'a, b''c'; ALTER ROLE mig_test_fact IN DATABASE $DB SET work_mem = '5MB';
		ALTER DATABASE $DB SET default_transaction_read_only = off; ALTER DATABASE $DB SET TimeZone = 'Asia/Tokyo';
		REVOKE CONNECT ON DATABASE $DB FROM PUBLIC; GRANT TEMPORARY ON DATABASE $DB TO mig_test_fact WITH GRANT OPTION; ALTER DATABASE $DB OWNER TO mig_test_fact"
	there_and_back
	[ "$(wc -l < after.facts)" -gt 7 ]
}

@test "chinook and pagila" {
	local data=$TOP/../shared/data
	[ -d "$data" ] || skip "no ../shared/data: a stranger's clone"
	# Chinook's script makes its own database.
	sed -E '/^(DROP|CREATE) DATABASE/d; /^\\c/d' "$data/chinook-postgresql.sql" > chinook.sql
	pg_new "$DB" chinook.sql
	there_and_back
	finish
	pg_new "$DB" "$data/pagila-schema.sql" "$data/pagila-data.sql"
	there_and_back
	[ "$(q 'SELECT count(*) FROM rental')" -gt 10000 ]
}

@test "an archive without mig: tar, zstd, pg_restore" {
	family
	works mig-backup -q
	mkdir x
	tar -C x -xf "$(archive)"
	cat x/data/*/*.zst | zstd -dcq > dump
	pg_new "${DB}_mig_hand"
	"$PG_BIN/pg_restore" --exit-on-error -d "${DB}_mig_hand" dump
	diff <(pg_dump_text "$DB") <(pg_dump_text "${DB}_mig_hand")
}

# More than 16 MiB each, so that mig reads them by COPY of its own, most of
# them in ranges of pages.
large() {
	q "CREATE SCHEMA \"S x\"; CREATE TYPE mood AS ENUM ('a', 'b');
	CREATE TABLE \"S x\".\"a\"\".b
c\$|*é\" (gone int, \"select\" bigint GENERATED ALWAYS AS IDENTITY, \"A b\" text, twice bigint GENERATED ALWAYS AS (n * 2) STORED, n bigint,
		at timestamptz DEFAULT now(), d interval, f float8, raw bytea);
	ALTER TABLE \"S x\".\"a\"\".b
c\$|*é\" DROP gone;
	INSERT INTO \"S x\".\"a\"\".b
c\$|*é\" (\"A b\", n, d, f, raw) SELECT CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN E'\\\\.\n\t' WHEN 2 THEN '' ELSE repeat(md5(i::text), 4) END, i,
		i * interval '1 hour', i / 3.0, decode(md5(i::text), 'hex') FROM generate_series(1, 240000) AS i;
	DELETE FROM \"S x\".\"a\"\".b
c\$|*é\" WHERE n BETWEEN 60000 AND 160000;
	CREATE TABLE parent (id int PRIMARY KEY, t text); CREATE TABLE child (more int) INHERITS (parent);
	INSERT INTO parent SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, 100000) AS i;
	INSERT INTO child SELECT i, repeat(md5(i::text), 6), i FROM generate_series(1, 150000) AS i;
	CREATE TABLE other (more int, t text, id int NOT NULL); ALTER TABLE other INHERIT parent; INSERT INTO other SELECT i, repeat(md5(i::text), 6), -i FROM generate_series(1, 100000) AS i;
	CREATE TABLE wide (t text); ALTER TABLE wide ALTER t SET STORAGE EXTERNAL;
	INSERT INTO wide SELECT repeat(md5(i::text), 30000) FROM generate_series(1, 20) AS i;
	CREATE UNLOGGED TABLE part (i int, k mood, t text) PARTITION BY LIST (i);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1); CREATE TABLE part_2 (k mood, t text, i int); ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
	INSERT INTO part SELECT 1 + i % 2, 'a', repeat(md5(i::text), 6) FROM generate_series(1, 200000) AS i;
	CREATE TABLE by_colour (k mood, t text) PARTITION BY HASH (k);
	CREATE TABLE by_colour_0 PARTITION OF by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE by_colour_1 PARTITION OF by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO by_colour SELECT 'b', repeat(md5(i::text), 6) FROM generate_series(1, 100000) AS i;
	CREATE TABLE small AS SELECT 1 AS one; CREATE INDEX ON wide (md5(t))"
}

@test "large tables, read in ranges: there and back, and pg_dump would say the same" {
	pg_new "$DB"
	large
	there_and_back
	works mig-backup -q --to a.migbak --jobs 3 -v
	mkdir x
	tar -C x -xf a.migbak
	cat x/data/*/*.zst | zstd -dcq > ours
	"$PG_BIN/pg_dump" -Fc -Z0 -C -f theirs -d "$DB"
	# The contents are those of pg_dump, but for their numbers.
	"$PG_BIN/pg_restore" -l ours | sed 's/^[0-9][0-9]*; //; /^;/d' > ours.list
	"$PG_BIN/pg_restore" -l theirs | sed 's/^[0-9][0-9]*; //; /^;/d' > theirs.list
	diff ours.list theirs.list
	# So is every line of them.
	"$PG_BIN/pg_restore" -f - ours | sed '/^--/d; /^.\(un\)*restrict/d' | LC_ALL=C sort | sha256sum > ours.sum
	"$PG_BIN/pg_restore" -f - theirs | sed '/^--/d; /^.\(un\)*restrict/d' | LC_ALL=C sort | sha256sum > theirs.sum
	diff ours.sum theirs.sum
	# And it can be restored in parallel, without mig.
	pg_new "${DB}_mig_hand"
	"$PG_BIN/pg_restore" -j 3 --exit-on-error -d "${DB}_mig_hand" ours
	diff <(pg_dump_text "$DB" -s) <(pg_dump_text "${DB}_mig_hand" -s)
}

@test "large tables are read by several connections, if the server has room for them" {
	pg_new "$DB"
	q "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 8) AS t FROM generate_series(1, 400000) AS i;
		ALTER DATABASE $DB SET log_statement = 'all'"
	local at who=mig_test_few_$BATS_TEST_NUMBER
	at=$(wc -c < "$PG_ROOT/log")
	works mig-backup -q --jobs 2 --no-check
	tail -c +"$at" "$PG_ROOT/log" > log
	[ "$(grep -c 'COPY (SELECT i, t FROM ONLY public.t WHERE ctid >= ' log)" -ge 6 ]
	[ "$(grep 'COPY (SELECT i, t' log | grep -o '\[[0-9]*\]' | sort -u | wc -l)" -eq 2 ]
	works mig-verify -q --latest
	tar -xOf "$(archive)" TABLES.jsonl.zst | zstd -dcq > all
	# 2 for itself and 1 for pg_dump: none is left.  With 4, one is.
	q "CREATE ROLE $who LOGIN; GRANT pg_read_all_data TO $who"
	DATABASE_URL=${DATABASE_URL/user=mig_admin/user=$who}
	for at in 3 4 5; do
		q "ALTER DATABASE $DB CONNECTION LIMIT $at"
		run --separate-stderr mig-backup --jobs 2 --to $at.migbak
		assert_equal "$status" 0
		[ "$at" = 5 ] || [[ $stderr == *"$((at - 3)) of 2 further connections to read with"* ]]
		[[ $stderr != *"roles and tablespaces"* ]]
		tar -xOf $at.migbak TABLES.jsonl.zst | zstd -dcq | cmp - all
	done
}

@test "a byte flipped, an archive cut: refused as damage, the database untouched" {
	family
	works mig-backup -q
	local a at before
	a=$(archive)
	before=$(pg_dump_text "$DB")
	cp "$a" good
	for at in 3 1600 2100 $(($(stat -c %s good) / 2)) $(($(stat -c %s good) - 1500)) $(($(stat -c %s good) - 3)); do
		cp good "$a"
		printf '\377' | dd of="$a" bs=1 seek="$at" conv=notrunc 2> /dev/null
		cmp -s good "$a" && continue
		fails 5 damage mig-verify -q "$a"
		fails 5 "" mig-rollback --restore --yes -q "$a"
	done
	for at in 1 1024 $(($(stat -c %s good) / 2)) $(($(stat -c %s good) - 1)); do
		head -c "$at" good > "$a"
		fails 5 "" mig-verify -q "$a"
		fails 5 "" mig-rollback --restore --yes -q "$a"
	done
	assert_equal "$(pg_dump_text "$DB")" "$before"
	assert_equal "$(others)" ""
}

@test "more tables than the server has locks for: said before the dump begins" {
	pg_new "$DB"
	local n each
	each=$(q "SHOW max_locks_per_transaction")
	n=$(q "SELECT $each * (1 + sum(current_setting(x)::int)) * 3 / 2 + 1 FROM unnest(ARRAY['max_connections', 'max_prepared_transactions',
		'autovacuum_max_workers', 'max_worker_processes', 'max_wal_senders']) AS x")
	for ((; n > 0; n--)); do echo "CREATE TABLE t$n ();"; done > tables.sql
	"$PG_BIN/psql" -Xq -d "$DB" -f tables.sql
	fails 4 "the server has room for" mig-backup -q --to a.migbak
	[[ $stderr == *"(max_locks_per_transaction = $each); raise max_locks_per_transaction"* ]]
	assert_file_not_exist a.migbak
	# Below that it is pg_dump who tries.
	for ((n = 1; n <= 3000; n++)); do echo "DROP TABLE t$n;"; done | "$PG_BIN/psql" -Xq -d "$DB"
	works mig-backup -q --to a.migbak
	works mig-verify -q a.migbak
}

@test "large tables: another client_encoding, quote_all_identifiers, short timeouts of idle sessions" {
	pg_new "$DB"
	q "CREATE TABLE t AS SELECT i, repeat('é', 90) AS t FROM generate_series(1, 150000) AS i; CREATE TABLE s AS SELECT 'é'::text AS t; ALTER TABLE s ADD CHECK (t <> '');
		ALTER DATABASE $DB SET client_encoding = 'LATIN1'; ALTER DATABASE $DB SET quote_all_identifiers = on; ALTER DATABASE $DB SET idle_session_timeout = '300ms'"
	works mig-backup -q
	works mig-verify -q --latest
	works mig-rollback --restore --yes -q
	assert_equal "$(PGCLIENTENCODING=UTF8 q "SELECT count(*), min(length(t)), max(t) = repeat('é', 90) FROM t")" "150000|90|t"
	assert_equal "$(PGCLIENTENCODING=UTF8 q "SELECT t FROM s")" é
}

@test "a database in LATIN1, names and rows that are not ASCII" {
	ENCODING=LATIN1 pg_new "$DB"
	PGCLIENTENCODING=UTF8 q "CREATE TABLE \"größe\" (i int, \"ä\" text); INSERT INTO \"größe\" SELECT i, repeat('ö', 120) FROM generate_series(1, 150000) AS i;
		CREATE TABLE \"é\" AS SELECT 'ü'::text AS x"
	there_and_back
}

@test "a check that looks into another table: the rows are loaded in the order of the dump" {
	pg_new "$DB"
	q "CREATE TABLE countries (code text PRIMARY KEY); INSERT INTO countries SELECT 'c' || i FROM generate_series(1, 100) AS i;
		CREATE FUNCTION known(c text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM public.countries WHERE code = c)';
		CREATE TABLE orders (i int, c text CHECK (public.known(c)), t text);
		INSERT INTO orders SELECT i, 'c' || (1 + i % 100), repeat('x', 150) FROM generate_series(1, 120000) AS i"
	there_and_back
	q "DROP FUNCTION known CASCADE; ALTER TABLE orders ADD CHECK (i > 5) NOT VALID"
	there_and_back
}

@test "an owner who may not write his own table: rows come before privileges" {
	local who=mig_test_revoked
	pg_q postgres "CREATE ROLE $who LOGIN CREATEDB"
	pg_q postgres "CREATE DATABASE \"$DB\" OWNER $who TEMPLATE template0"
	DATABASE_URL=${DATABASE_URL/user=mig_admin/user=$who}
	PGUSER=$who q "CREATE TABLE t AS SELECT 1 AS i; CREATE TABLE big AS SELECT i, repeat('x', 150) AS t FROM generate_series(1, 120000) AS i;
		CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t; CREATE SEQUENCE s; SELECT nextval('s');
		REVOKE ALL ON t, big FROM $who; GRANT SELECT ON t, big, s TO $who" > /dev/null
	works mig-backup -q
	q "DELETE FROM t"
	works mig-rollback --restore --yes -q --accept-loss
	assert_equal "$(q "SELECT (SELECT count(*) FROM t) || ' ' || (SELECT count(*) FROM big) || ' ' || (SELECT count FROM m) || ' ' || has_table_privilege('$who', 't', 'INSERT')")" "1 120000 1 false"
}

@test "a COPY that a small socket takes in pieces" {
	command -v cc > /dev/null || skip "no C compiler"
	cat > small.c <<- 'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <sys/socket.h>
		int connect(int s, const struct sockaddr *a, socklen_t n) {
			int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
			int room = 2304;
			setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
			return next(s, a, n);
		}
	END
	cc -shared -fPIC -o small.so small.c
	pg_new "$DB"
	q "SELECT 'CREATE TABLE t (' || string_agg('a_column_with_a_name_that_is_long_' || i || ' text', ', ') || ')' FROM generate_series(1, 1500) AS i" > create.sql
	q "$(cat create.sql); INSERT INTO t SELECT 'x' FROM generate_series(1, 1000)"
	works mig-backup -q
	LD_PRELOAD=$PWD/small.so works timeout -s KILL 50 mig-rollback --restore --into "${DB}_new" -q
	assert_equal "$(pg_q "${DB}_new" "SELECT count(*) FROM t")" 1000
	pg_drop "${DB}_new"
}

@test "a gap is not counted while a table is emptied" {
	pg_new "$DB"
	q "CREATE TABLE d AS SELECT i, repeat(md5(i::text), 6) AS t FROM generate_series(1, 120000) AS i; CREATE TABLE other ()"
	works mig-backup -q
	q "DROP TABLE other; CREATE TABLE other ()"
	(q "BEGIN; TRUNCATE d; INSERT INTO d SELECT i, 'new' FROM generate_series(1, 777) AS i; SELECT pg_sleep(2); COMMIT" > /dev/null) 3>&- &
	local other=$!
	until_true "EXISTS (SELECT FROM pg_stat_activity WHERE query ~ '^BEGIN; TRUNCATE d' AND wait_event = 'PgSleep')"
	works mig-rollback --restore --dry-run
	wait "$other"
	jq -e '.gap.tables == [{"table": "d", "rows_then": 120000, "rows_now": 777, "added": null, "changed": null, "removed": null}]' <<< "$output"
}

# ---------------------------------------------------------------- races

@test "TRUNCATE, a rewrite, DROP and CREATE race 50 backups: whole or refused, never short" {
	pg_new "$DB"
	q "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) AS i; CREATE TABLE u AS SELECT i FROM generate_series(1, 1000) AS i;
		CREATE TABLE v AS SELECT i FROM generate_series(1, 500) AS i"
	local racers=() sql n whole=0 id
	for sql in "BEGIN; TRUNCATE t; INSERT INTO t SELECT generate_series(1, 1000); COMMIT" \
		"ALTER TABLE u ALTER i TYPE bigint; ALTER TABLE u ALTER i TYPE int" \
		"BEGIN; DROP TABLE v; CREATE TABLE v AS SELECT i FROM generate_series(1, 500) AS i; COMMIT"; do
		(
			for ((n = 0; n < 4000; n++)); do
				[ -e stop ] && break
				echo "$sql;"
				# Without a pause there is never an instant to begin in:
				# see the next test.
				echo "SELECT pg_sleep(random() * 0.8);"
			done | "$PG_BIN/psql" -Xq -d "$DB" > /dev/null 2>> racers.log
		) 3>&- &
		racers+=($!)
	done
	SECONDS=0
	for ((id = 0; id < 50 && SECONDS < 240; id++)); do
		run --separate-stderr timeout -k 5 15 mig-backup -q --to "$id.migbak" -l 1 --busy-timeout 5s
		if [ "$status" -ne 0 ]; then
			[ "$status" -eq 4 ] || { echo "$status: $stderr"; break; }
			assert_file_not_exist "$id.migbak"
			continue
		fi
		whole=$((whole + 1))
		tar -xOf "$id.migbak" TABLES.jsonl.zst | zstd -dcq | jq -r '"\(.name) \(.rows)"' | sort | tr '\n' ' ' >> counts
		echo >> counts
		mig-verify -q "$id.migbak" > /dev/null || { echo "$id does not verify"; break; }
	done
	touch stop
	q "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND pid <> pg_backend_pid()" > /dev/null
	for n in "${racers[@]}"; do wait "$n" || true; done
	echo "$id tried, $whole whole"
	sort counts | uniq -c
	assert_equal "$id" 50
	[ "$whole" -ge 25 ]
	assert_equal "$(sort -u counts)" "t 1000 u 1000 v 500 "
}

@test "TRUNCATE without a pause: a backup is whole or refused as busy, and nobody waits" {
	pg_new "$DB"
	q "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) AS i"
	(
		for ((n = 0; n < 20000; n++)); do
			[ -e stop ] && break
			echo "BEGIN; TRUNCATE t; INSERT INTO t SELECT generate_series(1, 1000); COMMIT;"
		done | "$PG_BIN/psql" -Xq -d "$DB" > /dev/null 2>> racer.log
	) 3>&- &
	local racer=$!
	SECONDS=0
	run --separate-stderr mig-backup -q --to a.migbak -l 1 --busy-timeout 1s
	touch stop
	q "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND pid <> pg_backend_pid()" > /dev/null
	wait "$racer" || true
	[ "$SECONDS" -lt 20 ]
	if [ "$status" = 0 ]; then
		tar -xOf a.migbak TABLES.jsonl.zst | zstd -dcq | jq -e '.rows == 1000'
	else
		assert_equal "$status" 4
		echo "$stderr"
		[[ $stderr == *"[busy]"* ]]
		assert_file_not_exist a.migbak
	fi
}

@test "a client that reconnects in a loop sees a few retries" {
	family
	works mig-backup -q
	(
		last=$(date +%s%N)
		for ((n = 0; n < 2000; n++)); do
			[ -e stop ] && break
			if said=$("$PG_BIN/psql" -XAtq -d "$DB" -c 'SELECT count(*) FROM parent' 2>&1); then
				now=$(date +%s%N)
				echo "ok $said $(((now - last) / 1000000))"
				last=$now
			else
				echo "no $said"
			fi
		done > client.txt
	) 3>&- &
	local client=$!
	works mig-rollback --restore --yes -q
	sleep 0.5
	touch stop
	wait "$client"
	grep '^no' client.txt || true
	assert_equal "$(awk '$1 == "ok" { print $2 }' client.txt | sort -u)" 3
	local longest
	longest=$(awk '$1 == "ok" && $3 > m { m = $3 } END { print m }' client.txt)
	echo "longest: $longest ms; refused: $(grep -c ^no client.txt)"
	[ "$longest" -lt 2000 ]
}

@test "sessions that write while a restore is prepared: refused, nothing is lost" {
	family
	q "CREATE TABLE big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 60000) AS i; CREATE SEQUENCE s"
	works mig-backup -q
	local sql runner result
	: > results
	for sql in "INSERT INTO parent VALUES (99, 'written')" "UPDATE parent SET name = 'written'" "TRUNCATE child" \
		"CREATE TABLE written AS SELECT 1" "ALTER TABLE parent ADD more int" "SELECT lo_from_bytea(0, 'x')" "SELECT nextval('s')"; do
		result=0
		mig-rollback --restore --yes -q --accept-loss > out.json 2> err.txt 3>&- &
		runner=$!
		until_true "SELECT count(*) > 0 FROM pg_database WHERE datname LIKE '$DB\\_mig\\_new\\_%'"
		q "$sql" > /dev/null
		wait "$runner" || result=$?
		echo "$result $(jq -r .reason out.json): $sql" >> results
		# Bring back what went away.
		if [ "$result" = 0 ]; then
			mig-rollback --restore --undo --accept-loss --yes -q > /dev/null
			for each in $(others); do pg_drop "$each"; done
		fi
	done
	cat results
	assert_equal "$(grep -v '^4 written' results)" ""
	assert_equal "$(q 'SELECT count(*) FROM written')" 1
}

# ---------------------------------------------------------------- killed

# kill_at CONDITION: a restore, killed when the server is so.
kill_at() {
	mig-rollback --restore --yes -q --accept-loss > kill.json 2> kill.err 3>&- &
	local runner=$! waited=0
	until_true "$1" 2> /dev/null || waited=1
	if [ -n "${2:-}" ]; then sleep "$2"; fi
	kill -9 "$runner" 2> /dev/null || true
	wait "$runner" 2> /dev/null || true
	return $waited
}

# The live database has 3 rows (restored) or 4 (as it was), and can be reached.
serves() { [[ $(q 'SELECT count(*) FROM parent') == [34] ]]; }

@test "kill -9 at every step, then --undo or --resume: the old or the new database serves" {
	family
	q "CREATE TABLE big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 30000) AS i"
	works mig-backup -q
	q "INSERT INTO parent VALUES (4, 'since')"
	local step way condition
	local new="SELECT count(*) > 0 FROM pg_database WHERE datname LIKE '$DB\\_mig\\_new\\_%'"
	local filling="SELECT count(*) > 0 FROM pg_shdescription WHERE description LIKE 'mig restore: filling $DB%'"
	local ready="SELECT count(*) > 0 FROM pg_shdescription WHERE description LIKE 'mig restore: ready $DB%'"
	local closed="SELECT NOT datallowconn FROM pg_database WHERE datname = '$DB'"
	local swapped="SELECT count(*) > 0 FROM pg_database WHERE datname LIKE '$DB\\_mig\\_old\\_%'"
	for step in new filling ready closed swapped; do
		for way in --undo --resume; do
			condition=${!step}
			kill_at "$condition" || { echo "$step was never seen: $(cat kill.err)"; return 1; }
			# What is under way on the server ends first.
			sleep 0.3
			run --separate-stderr mig-rollback --restore $way --yes -q
			local said="$step $way: $status $stderr"
			echo "$said" >> said.txt
			if [ "$way" = --resume ] && [ "$status" -ne 0 ]; then
				run --separate-stderr mig-rollback --restore --undo --yes -q
				echo "  then --undo: $status $stderr" >> said.txt
			fi
			serves || { cat said.txt; return 1; }
			assert_equal "$(pg_q postgres "SELECT datallowconn FROM pg_database WHERE datname = '$DB'")" t
			# Back to the state before, for the next round.
			if [ "$(q 'SELECT count(*) FROM parent')" = 3 ]; then q "INSERT INTO parent VALUES (4, 'since')"; fi
			for each in $(others); do pg_drop "$each"; done
		done
	done
	cat said.txt
	run grep -c ': [457]' said.txt
	assert_output 0
	# Killed after the swap: that restore is finished, and not taken back unasked.
	grep -q 'swapped --undo: 3 .*--accept-loss' said.txt
}

@test "killed at once after the new database is made: the next restore leaves nothing behind" {
	family
	works mig-backup -q
	local n
	for n in 1 2 3 4 5; do
		kill_at "SELECT count(*) > 0 FROM pg_database WHERE datname LIKE '$DB\\_mig\\_new\\_%'" || true
		sleep 0.3
	done
	works mig-rollback --restore --yes -q --accept-loss
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$DB\\_mig\\_new\\_%'")" 0
}

@test "--resume does not throw away what was written since the kill" {
	family
	works mig-backup -q
	# Whoever has changed the database's row keeps it from being closed.
	(echo "BEGIN; ALTER DATABASE $DB CONNECTION LIMIT 50;"; for ((n = 0; n < 200; n++)); do [ -e stop ] && break; sleep 0.1; done; echo 'ROLLBACK;') |
		"$PG_BIN/psql" -Xq -d postgres 3>&- > /dev/null &
	local holder=$!
	kill_at "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
	pg_q postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER DATABASE $DB ALLOW_CONNECTIONS%'" > /dev/null
	touch stop
	wait "$holder"
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_shdescription WHERE description LIKE 'mig restore: ready $DB%'")" 1
	q "INSERT INTO parent VALUES (77, 'after the kill')"
	run --separate-stderr mig-rollback --restore --resume --yes -q
	echo "$status $stderr"
	assert_equal "$(q 'SELECT count(*) FROM parent WHERE id = 77')" 1
	[ "$status" -eq 3 ] || [ "$status" -eq 4 ]
}

@test "a logical slot, a prepared transaction: refused before anything is made" {
	family
	works mig-backup -q
	q "SELECT pg_create_logical_replication_slot('mig_test_slot', 'pgoutput')" > /dev/null
	fails 3 "mig_test_slot" mig-rollback --restore --yes -q
	q "SELECT pg_drop_replication_slot('mig_test_slot')"
	q "BEGIN; INSERT INTO parent VALUES (9, 'p'); PREPARE TRANSACTION 'mig_test_2pc'"
	fails 3 "mig_test_2pc" mig-rollback --restore --yes -q
	q "ROLLBACK PREPARED 'mig_test_2pc'"
	assert_equal "$(others)" ""
	works mig-rollback --restore --yes -q
}

# ---------------------------------------------------------------- pgbench

@test "the canonical line under pgbench: the totals agree after the restore" {
	local pgbench=$PG_BIN/pgbench
	[ -x "$pgbench" ] || pgbench=$(command -v pgbench) || skip "no pgbench"
	pg_new "$DB"
	"$pgbench" -iq -s 2 "$DB" > /dev/null 2>&1
	migration 1_a 'CREATE TABLE a (x int); INSERT INTO a VALUES (1);' 'DROP TABLE a;'
	"$pgbench" -n -c 2 -T 8 "$DB" > bench.txt 2>&1 3>&- &
	local load=$!
	sleep 1
	run --separate-stderr env -i DATABASE_URL="$DATABASE_URL" PATH="$PATH" HOME="$PWD" sh -c 'mig-backup -q | mig-verify -q && mig-apply -q' < /dev/null
	local said="$status $stderr"
	wait "$load"
	[[ $said == 0* ]] || { echo "$said"; return 1; }
	assert_equal "$(q 'SELECT x FROM a')" 1
	local now then
	now=$(q 'SELECT count(*) FROM pgbench_history')
	works mig-rollback --restore --accept-loss --yes -q
	then=$(q 'SELECT count(*) FROM pgbench_history')
	echo "history: $then of $now"
	[ "$then" -gt 0 ] && [ "$then" -lt "$now" ]
	assert_equal "$(q 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history),
		(SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history),
		(SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history), (SELECT count(*) FROM pgbench_accounts)')" "t|t|t|200000"
	assert_equal "$(q "SELECT to_regclass('a') IS NULL")" t
}

@test "--lock-timeout 1s: tried again, then said; nothing is changed" {
	family
	migration 1_a 'CREATE TABLE a (x int);'
	migration 2_b 'ALTER TABLE parent ADD y int;'
	(echo "BEGIN; LOCK TABLE parent IN ACCESS SHARE MODE;"; for ((n = 0; n < 200; n++)); do [ -e stop ] && break; sleep 0.1; done) |
		"$PG_BIN/psql" -Xq -d "$DB" 3>&- > /dev/null &
	local holder=$!
	until_true "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE datname = '$DB' AND mode = 'AccessShareLock' AND locktype = 'relation' AND relation >= 16384"
	run --separate-stderr mig-apply -q --no-backup --lock-timeout 1s
	touch stop
	wait "$holder"
	assert_equal "$status" 4
	# The first is applied, and the document names it.
	assert_equal "$(q "SELECT to_regclass('a') IS NULL")" f
	assert_equal "$(json '.kind, .error.reason, .current, (.applied | length)')" "$(printf 'mig.apply\nlock-timeout\n1\n1')"
	works mig-apply -q --no-backup
}

@test "the first migration of all waits for a lock, and is tried again" {
	family
	migration 1_b 'CREATE TABLE a (x int); ALTER TABLE parent ADD y int;'
	(echo "BEGIN; LOCK TABLE parent IN ACCESS SHARE MODE;"; for ((n = 0; n < 200; n++)); do [ -e stop ] && break; sleep 0.1; done) |
		"$PG_BIN/psql" -Xq -d "$DB" 3>&- > /dev/null &
	local holder=$!
	until_true "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE datname = '$DB' AND mode = 'AccessShareLock' AND locktype = 'relation' AND relation >= 16384"
	mig-apply --no-backup --lock-timeout 1s > out.json 2> err.txt 3>&- &
	local runner=$!
	for ((n = 0; n < 200; n++)); do grep -q "tried again" err.txt && break; sleep 0.1; done
	touch stop
	wait "$holder"
	wait "$runner" || { cat err.txt; return 1; }
	assert_equal "$(jq -r '.applied | length' out.json)" 1
}

@test "losses: rows of others that come in before a DO block takes the table" {
	family
	q 'CREATE TABLE none (x int)'
	migration 1_a 'SELECT pg_sleep(1.5); DO $$ BEGIN DROP TABLE none; END $$;'
	mig-apply -q --no-backup > doc.json 2> err.txt 3>&- &
	local pid=$!
	# Behind the first try and its rollback, while the second one sleeps.
	sleep 2.2
	q 'INSERT INTO none VALUES (1), (2)' || true
	wait "$pid" || true
	# Either it waited until the table was gone, or the migration was refused.
	if [ "$(q "SELECT to_regclass('none') IS NULL")" = t ]; then
		assert_equal "$(jq -r '[.applied[0].delta[] | select(.table == "none") | .before] | join(",")' doc.json)" 0
		[ "$(jq -r .result doc.json)" = applied ]
		run q 'SELECT count(*) FROM none'
		[ "$status" -ne 0 ]
	else
		assert_equal "$(q 'SELECT count(*) FROM none')" 2
	fi
}

@test "a service file leads no child elsewhere" {
	family
	pg_new "${DB}_prod"
	pg_q "${DB}_prod" 'CREATE TABLE important (x int)'
	printf '[prod]\nhost=%s\nport=%s\nuser=%s\ndbname=%s\n' "$PGHOST" "$PGPORT" "$PGUSER" "${DB}_prod" > service.conf
	mkdir migrations
	works env PGSERVICEFILE="$PWD/service.conf" PGSERVICE=prod mig-backup -q
	works env PGSERVICEFILE="$PWD/service.conf" PGSERVICE=prod mig-verify -q --latest --deep
	q "INSERT INTO child (parent_id) VALUES (1)"
	run --separate-stderr env PGSERVICEFILE="$PWD/service.conf" PGSERVICE=prod mig-rollback --restore --yes
	assert_equal "$status" 3
	[[ $stderr == *"'child' (5 rows then, 6 now)"* && $stderr != *important* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(pg_q "${DB}_prod" "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace")" important
}

@test "--into never drops a database that it did not make" {
	family
	works mig-backup -q
	(mig-rollback --restore --into "${DB}_both" -q > one.out 2>&1; echo $? > one.status) 3>&- &
	local one=$!
	mig-rollback --restore --into "${DB}_both" -q > two.out 2>&1 || true
	wait "$one" || true
	assert_equal "$(pg_q "${DB}_both" 'SELECT count(*) FROM child')" 5
	pg_drop "${DB}_both"
}

@test "a second --undo does not go back further" {
	family
	works mig-backup -q
	works mig-rollback --restore --yes -q --accept-loss
	q "INSERT INTO child (parent_id) VALUES (1)"
	sleep 1
	works mig-backup -q
	works mig-rollback --restore --yes -q --accept-loss
	sleep 1
	works mig-rollback --restore --undo --accept-loss --yes
	assert_equal "$(q 'SELECT count(*) FROM child')" 6
	fails 3 "is undone already" mig-rollback --restore --undo --accept-loss --yes
	assert_equal "$(q 'SELECT count(*) FROM child')" 6
	for each in $(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '$DB\\_mig\\_%'"); do pg_drop "$each"; done
}
