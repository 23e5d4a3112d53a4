load ../lib
load ../pg
load ../pg-app
# Every program on a PostgreSQL server of its own.

# ---------------------------------------------------------------- urls

@test "urls: every form that libpq and SQLAlchemy know" {
	mkdir migrations
	local form host
	host=$(pg_encode "$PGHOST")
	for form in "postgres://$PGUSER@/$DB?host=$host&port=$PGPORT" "postgresql://$PGUSER@$host:$PGPORT/$DB" \
		"postgresql+psycopg2://$PGUSER@$host:$PGPORT/$DB" "postgres+asyncpg:///$DB?host=$host&port=$PGPORT" \
		"host=$PGHOST port=$PGPORT dbname=$DB user=$PGUSER" "host='$PGHOST' dbname = '$DB'"; do
		works mig-status -d "$form"
		assert_equal "$(json '.database.engine, .database.name')" "$(printf 'postgresql\n%s' "$DB")"
	done
	printf '[mine]\nhost=%s\nport=%s\ndbname=%s\nuser=%s\n' "$PGHOST" "$PGPORT" "$DB" "$PGUSER" > services
	PGSERVICEFILE=$PWD/services works env -u PGHOST -u PGPORT -u PGUSER mig-status -d 'service=mine'
	PGSERVICEFILE=$PWD/services works env -u PGHOST -u PGPORT -u PGUSER mig-status -d 'postgresql://?service=mine'
	assert_equal "$(json .database.name)" "$DB"
}

@test "urls: what other tools have behind the question mark" {
	local host; host=$(pg_encode "$PGHOST")
	q 'CREATE SCHEMA "My"; CREATE SCHEMA "a b"; CREATE SCHEMA s'
	migration 1_a 'CREATE TABLE a (x int);'
	works mig-apply -q --no-backup -d "postgresql://$PGUSER@/$DB?socket=$host&port=$PGPORT&schema=My&connection_limit=5&pgbouncer=true&sslmode=disable"
	migration 2_b 'CREATE TABLE b (x int);'
	works mig-apply -q --no-backup -d "pgx5://$PGUSER@/$DB?host=$host&port=$PGPORT&search_path=s,public&options=-cwork_mem%3D7MB"
	migration 3_c 'CREATE TABLE c AS SELECT 1 AS x;'
	works mig-apply -q --no-backup -d "postgresql://$PGUSER@/$DB?host=$host&port=$PGPORT&schema=a%20b"
	assert_equal "$(q "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('a', 'b', 'c')")" "My.a s.b a b.c"
	fails 2 "has the parameter 'x-migrations-table', which libpq does not know" mig-status -d "postgresql://$PGUSER@/$DB?host=$host&x-migrations-table=m"
	fails 2 "file:./dev.db is sqlite:prisma/dev.db" mig-status -d file:./dev.db
}

@test "urls: a wrong one says what is wrong, in one line, and never the password" {
	mkdir migrations
	local host url
	host=$(pg_encode "$PGHOST")
	fails 4 "does not exist" mig-status -d "postgresql://$PGUSER:geheim77@$host:$PGPORT/absent"
	[[ $stderr$output != *geheim77* && $stderr == *"mig never does"* ]]
	fails 4 "mig-status: " mig-status -d "postgresql://$PGUSER:geheim77@localhost:1/$DB"
	[[ $stderr$output != *geheim77* ]]
	for url in "postgresql://$PGUSER:ge@heim77@$host:$PGPORT/$DB" "postgresql://$PGUSER:gehe/im77@$host/$DB" \
		"postgresql://$PGUSER:geheim77%@$host/$DB" "host=$PGHOST password=geheim77 nonsense=1" \
		"host=$PGHOST password='geheim77" "postgresql://$PGUSER:geheim77@$host:port/$DB" \
		"postgresql://$PGUSER:geheim77/x@localhost/$DB" "postgresql://$PGUSER:ge/heim77@localhost/$DB" \
		"postgresql://geheim77:5/ge/heim77@localhost/$DB?sslmode=disable" "postgresql://u:ge?im77=1&im77x=2@localhost/$DB" "postgresql://u@localhost/$DB?password=ge&heim77=" "host=$PGHOST port=geheim77"; do
		run --separate-stderr mig-status -d "$url"
		[ "$status" -eq 2 ] || [ "$status" -eq 4 ] || { echo "$url: $status $stderr"; return 1; }
		[[ $stderr$output != *heim77* && $stderr$output != *im77* ]] || { echo "$url: $stderr"; return 1; }
	done
	works mig-status -d "postgresql://$PGUSER:ge%40heim@$host:$PGPORT/$DB"
}

@test "--role: tables are its own, a wrong one is refused" {
	q "DROP ROLE IF EXISTS mig_test_role; CREATE ROLE mig_test_role; GRANT CREATE ON DATABASE $DB TO mig_test_role; GRANT CREATE ON SCHEMA public TO mig_test_role"
	migration 1_a 'CREATE TABLE a (x int);' 'DROP TABLE a;'
	works mig-apply -q --no-backup --role mig_test_role
	assert_equal "$(q "SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE tablename IN ('a', 'mig_ledger')")" mig_test_role
	fails 4 "mig_test_absent" mig-status --role mig_test_absent
	[[ $stderr == *"--role"* ]]
	q "DROP OWNED BY mig_test_role CASCADE"
}

# ---------------------------------------------------------------- the programs

@test "the six programs, and their documents" {
	family
	migration 1_a 'CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2);' 'DROP TABLE a;'
	migration 2_b "INSERT INTO parent VALUES (4, 'd', NULL);" 'DELETE FROM parent WHERE id = 4;'
	local engines='[.. | objects | select(has("engine")) | .engine] | unique | join(" ")' before
	before=$(contents)
	works mig-status
	assert_equal "$(json ".kind, ($engines), (.pending | length), .ledger")" "$(printf 'mig.status\npostgresql\n2\nfalse')"
	works mig-backup
	assert_equal "$(json ".kind, ($engines), .result")" "$(printf 'mig.backup\npostgresql\nnull')"
	printf '%s\n' "$output" > b.json
	run --separate-stderr bash -c 'mig-verify < b.json'
	assert_equal "$status $(json ".kind, ($engines), .result" | tr '\n' ' ')" "0 mig.verification postgresql passed "
	works mig-apply
	assert_equal "$(json ".kind, ($engines), .result, .current, (.applied | length), .backup.source")" "$(printf 'mig.apply\npostgresql\napplied\n2\n2\nreceipt')"
	assert_equal "$(json '.applied[0].delta[0] | "\(.table) \(.after) \(.inserted)"') $(json '.applied[1].delta[0] | "\(.table) \(.before) \(.after) \(.inserted)"')" "a 2 2 parent 3 4 1"
	works mig-status --check
	works mig-rollback --steps 1
	assert_equal "$(json ".kind, ($engines), .result, .current")" "$(printf 'mig.rollback\npostgresql\ndone\n1')"
	works mig-rollback --restore --accept-loss --yes
	assert_equal "$(json ".kind, ($engines), .result")" "$(printf 'mig.rollback\npostgresql\ndone')"
	assert_equal "$(contents)" "$before"
	works mig-rollback --restore --undo --accept-loss --yes
	assert_equal "$(rows a)" 2
	works mig-gen add_column -t add_column --table parent --column 'more text'
	assert_equal "$(json .kind)" mig.generation
	pg_drop "$(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_mig\\_off\\_%'")"
}

@test "--restore --into a new database beside; the live one and its sessions stay" {
	family
	works mig-backup -q
	q "DELETE FROM child"
	pg_drop "${DB}_copy"
	works mig-rollback --restore --into "${DB}_copy"
	assert_equal "$(rows child) $(pg_q "${DB}_copy" 'SELECT count(*) FROM child')" "0 5"
	assert_equal "$(pg_q "${DB}_copy" "SELECT count(*) FROM pg_shdescription WHERE description LIKE 'mig restore: %'")" 0
	fails 3 "${DB}_copy" mig-rollback --restore --into "${DB}_copy"
	assert_equal "$(pg_q "${DB}_copy" 'SELECT count(*) FROM child')" 5
	pg_drop "${DB}_copy"
}

@test "read-only programs write nothing" {
	family
	mkdir migrations
	local before
	before=$(pg_dump_text "$DB")
	works mig-status --check
	works mig-backup -q
	works mig-verify -q --latest
	works mig-status --history --all-backups
	works mig-apply --dry-run
	works mig-rollback --restore --dry-run
	assert_equal "$(pg_dump_text "$DB")" "$before"
	assert_equal "$(q "SELECT count(*) FROM pg_namespace WHERE nspname = 'mig'")" 0
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_mig\\_%'")" 0
}

# ---------------------------------------------------------------- apply

@test "the ledger has its own schema: a file of pg_dump, and another after it" {
	migration 1_dump "SELECT pg_catalog.set_config('search_path', '', false);
SET client_min_messages = warning; SET row_security = off; SET check_function_bodies = false;
CREATE TABLE public.a (id int NOT NULL, t text);
COPY public.a (id, t) FROM stdin;
1	one; two
2	\\\\.
3	\\N
\\.

ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);"
	migration 2_plain 'INSERT INTO a VALUES (4);'
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(version || state, ' ' ORDER BY version) FROM mig.mig_ledger")" "1applied 2applied"
	assert_equal "$(q "SELECT string_agg(coalesce(t, '-'), '|' ORDER BY id) FROM a")" 'one; two|\.|-|-'
	assert_equal "$(json '.applied[0].delta[0] | "\(.table) \(.inserted)"')" "a 3"
}

@test "SET ROLE, SET SESSION AUTHORIZATION and settings end with their migration" {
	q "DROP ROLE IF EXISTS mig_test_setrole; CREATE ROLE mig_test_setrole; GRANT CREATE ON SCHEMA public TO mig_test_setrole"
	migration 1_a 'SET ROLE mig_test_setrole; CREATE TABLE a (x int);'
	migration 2_b 'SET LOCAL ROLE mig_test_setrole; CREATE TABLE b (x int);'
	migration 3_c 'SET SESSION AUTHORIZATION mig_test_setrole; SET TimeZone = "Asia/Tokyo"; CREATE TABLE c (x int);'
	migration 4_d "CREATE TABLE d AS SELECT current_user::text AS u, current_setting('TimeZone') AS z;"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(tablename || ' ' || tableowner, ', ' ORDER BY 1) FROM pg_tables WHERE schemaname IN ('public')")" \
		"a mig_test_setrole, b mig_test_setrole, c mig_test_setrole, d mig_admin"
	assert_equal "$(q 'SELECT u, z FROM d')" "mig_admin|UTC"
	q "DROP OWNED BY mig_test_setrole CASCADE"
}

@test "a role taken by set_config ends with its migration, too" {
	q "DROP ROLE IF EXISTS mig_test_config; CREATE ROLE mig_test_config; GRANT CREATE ON SCHEMA public TO mig_test_config"
	migration 1_a "SELECT set_config('role', 'mig_test_config', false); CREATE TABLE a (x int);"
	migration 2_b 'CREATE TABLE b (x int);'
	run --separate-stderr mig-apply -q --no-backup
	local said="$status $stderr"
	q "DROP OWNED BY mig_test_config CASCADE"
	[[ $said == "0 "* ]] || { echo "$said"; return 1; }
}

@test "a migration that fails leaves everything but mig's tables as it was" {
	family
	migration 1_bad "CREATE TABLE a (x int); CREATE SEQUENCE s; INSERT INTO parent VALUES (9, 'z', NULL);
COMMENT ON TABLE parent IS 'new'; INSERT INTO absent VALUES (1);"
	local before
	before=$(contents)
	fails 6 "relation \"absent\" does not exist" mig-apply -q
	[[ $stderr == *"'migrations/1_bad.sql' line 3"* ]]
	assert_equal "$(json '.kind, .reason')" "$(printf 'mig.error\nstatement')"
	assert_equal "$(contents)" "$before"
	works mig-status --history
	assert_equal "$(json '[.history[].event] | join(" ")')" fail
	# At commit.
	q 'CREATE TABLE late (p int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)'
	migration 1_bad 'INSERT INTO late VALUES (99);'
	fails 6 "foreign key" mig-apply -q --no-backup
	assert_equal "$(rows late)" 0
}

@test "--format mig beside a history table of dbmate: refused; --baseline records it" {
	export MIG_FORMAT=mig
	q "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); INSERT INTO schema_migrations VALUES ('1')"
	migration 1_a 'CREATE TABLE a (x int);'
	fails 3 "history table 'schema_migrations' of dbmate" mig-apply
	[[ $stderr == *"mig-gen --baseline"* ]]
	works mig-gen --baseline 1
	migration 2_b 'CREATE TABLE b (x int);'
	works mig-apply -q
	assert_equal "$(json '.current, (.applied | length)')" "$(printf '2\n1')"
	assert_equal "$(q "SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL")" "t|f"
}

# ---------------------------------------------------------------- other tools

@test "the locks of other tools: taken beside ours, waited for" {
	mkdir migrations
	echo 'SELECT 1;' > migrations/1_a.up.sql
	local f id
	while read -r f id; do
		(q "SELECT pg_advisory_lock($id); SELECT pg_sleep(20)" > /dev/null) 3>&- &
		until_locked "$id"
		fails 8 "$f works on" mig-apply -q --no-backup --format "${f,,}"
		fails 8 "advisory lock $id" mig-apply -q --no-backup --format "${f,,}"
		q "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep.20' AND pid <> pg_backend_pid()" > /dev/null
	done < <(
		echo goose 4097083626
		echo Prisma 72707369
		echo Flyway 77433833903597
		echo golang-migrate "$(q "SELECT 1")" | sed "s/ 1$/ $(golang_lock "/$DB")/"
		echo golang-migrate "$(golang_lock "$DB")"
		echo sqlx "$((0x3d32ad9e * $(printf %s "$DB" | gzip -c | tail -c 8 | od -An -t u4 -N 4)))"
	)
}

until_locked() { # ID
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(q "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = $1")" = 0 ] || return 0
		sleep 0.05
	done
	return 1
}

golang_lock() { # NAME, as golang-migrate has it
	echo $(($(printf 'public\0schema_migrations\0%s' "$1" | gzip -c | tail -c 8 | od -An -t u4 -N 4) * 1486364155 % 4294967296))
}

@test "the other tool's table is written whatever a migration sets" {
	mkdir migrations
	q "CREATE SCHEMA app; ALTER DATABASE \"$DB\" SET search_path = app"
	printf -- '-- +goose Up\nSELECT pg_catalog.set_config($$search_path$$, $$$$, false);\nCREATE TABLE app.a (x int);\n' > migrations/1_a.sql
	printf -- '-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON app.a (x);\n' > migrations/2_b.sql
	works mig-apply -q --no-backup
	assert_equal "$(q 'SELECT string_agg(version_id::text, $$,$$ ORDER BY id) FROM app.goose_db_version')" 0,1,2
}

@test "the table in another schema of the search_path: refused, never run twice" {
	mkdir migrations
	q 'CREATE SCHEMA app; CREATE TABLE log (x int)'
	printf -- '-- +goose Up\nINSERT INTO public.log VALUES (1);\n' > migrations/1_a.sql
	works mig-apply -q --no-backup -d "$DATABASE_URL&options=-csearch_path%3Dapp"
	fails 3 "the table of goose is not there" mig-apply -q --no-backup
	assert_equal "$(q 'SELECT count(*) FROM log')" 1
}

@test "what golang-migrate says failed is not resumed by what mig once did" {
	mkdir migrations
	q 'CREATE TABLE t (x int)'
	echo 'CREATE INDEX CONCURRENTLY tx ON t (x);' > migrations/1_i.up.sql
	works mig-apply -q --no-backup --format golang-migrate
	q 'DROP INDEX tx; UPDATE schema_migrations SET dirty = true'
	fails 3 "golang-migrate: force" mig-apply -q --no-backup --resume
	assert_equal "$(q 'SELECT version, dirty FROM schema_migrations')" "1|t"
}

@test "golang-migrate: a single CONCURRENTLY runs outside, and is dirty if it fails" {
	mkdir migrations
	echo 'BEGIN; CREATE TABLE a (x int); INSERT INTO a VALUES (1), (1); COMMIT;' > migrations/1_a.up.sql
	echo 'CREATE UNIQUE INDEX CONCURRENTLY i ON a (x)' > migrations/2_b.up.sql
	echo 'DROP INDEX CONCURRENTLY i' > migrations/2_b.down.sql
	fails 7 "could not create unique index" mig-apply -q --no-backup --format golang-migrate
	assert_equal "$(q 'SELECT version, dirty FROM schema_migrations')" "2|t"
	q 'DROP INDEX i; DELETE FROM a'
	works mig-apply -q --no-backup --resume
	assert_equal "$(q 'SELECT version, dirty FROM schema_migrations')" "2|f"
	works mig-rollback -q --steps 1
	assert_equal "$(q "SELECT version, dirty, to_regclass('i') IS NULL FROM schema_migrations")" "1|f|t"
}

@test "a down of several statements in no transaction begins anew after a failure" {
	family
	migration 1_a 'ALTER TABLE child DROP CONSTRAINT IF EXISTS none; CREATE INDEX one ON child (id); CREATE INDEX three ON child (id);'
	cat >> migrations/1_a.sql <<- 'SQL'
		-- migrate:down transaction:false
		DROP INDEX CONCURRENTLY IF EXISTS one;
		CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS two ON child (parent_id);
		DROP INDEX CONCURRENTLY three;
	SQL
	works mig-apply -q
	fails 7 "line 5: could not create unique index" mig-rollback -q --steps 1
	[[ $stderr == *'DROP INDEX CONCURRENTLY'*'; and run it again'* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(q "SELECT to_regclass('one') IS NULL, (SELECT count(*) FROM mig.mig_ledger)")" "t|1"
	q 'DROP INDEX two; DELETE FROM child WHERE id NOT IN (SELECT min(id) FROM child GROUP BY parent_id)'
	works mig-rollback -q --steps 1
	assert_equal "$(q "SELECT to_regclass('two') IS NULL, to_regclass('three') IS NULL, (SELECT count(*) FROM mig.mig_ledger)")" "f|t|0"
	# What IF NOT EXISTS passes by is said.
	works mig-apply -q
	q 'UPDATE pg_index SET indisvalid = false WHERE indexrelid = $$two$$::regclass'
	works mig-rollback --steps 1
	[[ $stderr == *'warning: the index two of child is invalid'*'DROP INDEX CONCURRENTLY two; then make it again'* ]] || { echo "$stderr"; return 1; }
	q 'DROP INDEX two'
	# One that could not bear it stops all, before anything runs.
	sed -i 's/DROP INDEX CONCURRENTLY IF EXISTS one/CREATE INDEX CONCURRENTLY four ON child (id)/' migrations/1_a.sql
	works mig-apply -q
	fails 3 "1_a.sql' line 4: a statement of a down that runs in no transaction could not be run again" mig-rollback -q --steps 1
	assert_equal "$(q "SELECT to_regclass('four') IS NULL")" t
}

# ---------------------------------------------------------------- losses

@test "losses: inserted into, then taken along by TRUNCATE CASCADE" {
	family
	loses "'child': " "INSERT INTO child VALUES (6, 1, 'u'); TRUNCATE parent CASCADE;" --allow-loss parent
}

@test "losses: altered, then truncated in a DO block" {
	family
	loses "'child': " "ALTER TABLE child ADD y int; DO \$\$ BEGIN TRUNCATE child; END \$\$;"
}

@test "losses: dropped in a DO block, then made again" {
	family
	loses "'child': " "DO \$\$ BEGIN DROP TABLE child; END \$\$; CREATE TABLE child (id int);"
}

@test "losses: a small DELETE hides no large one in a DO block" {
	family
	loses "'child': " "DELETE FROM child WHERE id = 99; DO \$\$ BEGIN DELETE FROM child; END \$\$;"
}

@test "losses: a column that goes with its type" {
	family
	q "CREATE TYPE mood AS ENUM ('ok'); ALTER TABLE parent ADD m mood; UPDATE parent SET m = 'ok'"
	loses "'parent.m': 3 values" 'DROP TYPE mood CASCADE;'
}

@test "losses: a column that a DO block drops" {
	family
	loses "'parent.note': 2 values" 'DO $$ BEGIN ALTER TABLE parent DROP COLUMN note; END $$;'
}

@test "losses: what a DO block drops of nothing is no loss" {
	family
	q "ALTER TABLE child ADD COLUMN old text; CREATE TABLE \"Empty one\" (x int); CREATE TABLE none (x int)"
	migration 1_a 'DO $$ BEGIN ALTER TABLE child DROP COLUMN old; DROP TABLE "Empty one"; TRUNCATE none; INSERT INTO none VALUES (1); END $$;' \
		'DO $$ BEGIN DROP TABLE none; END $$;'
	works mig-apply
	assert_equal "$(json '.applied | length')" 1
	assert_equal "$(json '[.applied[0].delta[].table] | sort | join(" ")')" '"Empty one" child none'
	assert_equal "$(q "SELECT count(*) FROM none")" 1
	fails 3 "'none': 1 row" mig-rollback --steps 1
	works mig-rollback --steps 1 --accept-loss
	assert_equal "$(q "SELECT to_regclass('none') IS NULL")" t
}

# Each is run twice, for what goes without a name; the second time all of it counts.
@test "losses: a name that is another table's by then hides nothing" {
	family
	q "CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO b VALUES (1), (2), (3); CREATE SCHEMA s; CREATE TABLE s.a (x int); INSERT INTO s.a VALUES (1), (2)"
	loses "'b': 3 rows" 'ALTER TABLE a RENAME TO a_old; ALTER TABLE b RENAME TO a; DO $$ BEGIN DROP TABLE a; END $$;'
	loses "'b': 3 rows" 'DO $$ BEGIN DROP TABLE a; END $$; ALTER TABLE b RENAME TO a; DO $$ BEGIN DROP TABLE a; END $$;'
	loses "'s.a': 2 rows" 'DROP TABLE a; ALTER TABLE s.a SET SCHEMA public; DO $$ BEGIN TRUNCATE a; END $$;'
	loses "'a': 3 rows" 'DO $$ BEGIN DROP TABLE a; ALTER TABLE b RENAME TO a; DELETE FROM a; END $$;'
	# Allowing the one allows not the other.
	migration 1_x 'ALTER TABLE a RENAME TO a_old; ALTER TABLE b RENAME TO a; DO $$ BEGIN DROP TABLE a; END $$;'
	fails 3 "'b': 3 rows" mig-apply -q --no-backup --allow-loss a
	assert_equal "$(q 'SELECT count(*) FROM b')" 3
}

@test "losses: names that differ in nothing but case, and columns with a dot" {
	family
	q 'CREATE TABLE "FOO" (x int); CREATE TABLE "Foo" (x int); INSERT INTO "Foo" VALUES (1), (2), (3); CREATE TABLE t ("a.b" int, "C" int, c int); INSERT INTO t (c) VALUES (7)'
	loses "'\"Foo\"': 3 rows" 'DO $$ BEGIN DROP TABLE "FOO"; DROP TABLE "Foo"; END $$;'
	loses "'t.c': 1 value" 'ALTER TABLE t DROP COLUMN "C"; DO $$ BEGIN ALTER TABLE t DROP COLUMN c; END $$;'
	migration 1_x 'DO $$ BEGIN ALTER TABLE t DROP COLUMN "a.b"; DROP TABLE "FOO"; END $$; ALTER TABLE t ADD d int; ALTER TABLE t DROP COLUMN D;'
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped")" C,c
}

@test "losses: no second count by a snapshot that is older than its lock" {
	family
	q 'CREATE TABLE none (x int)'
	migration 1_x 'DO $$ BEGIN DROP TABLE none; END $$;'
	q "DO \$\$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(), 'repeatable read'); END \$\$"
	fails 3 "cannot be counted beforehand; name the table" mig-apply -q --no-backup
	assert_equal "$(q "SELECT to_regclass('none') IS NULL")" f
}

@test "losses: values that a new type does not keep" {
	family
	loses "'parent.name'" 'ALTER TABLE parent ALTER COLUMN name TYPE int USING NULL;'
}

@test "losses: values set to null by an upsert" {
	family
	loses "'parent.name'" "INSERT INTO parent SELECT id FROM parent ON CONFLICT (id) DO UPDATE SET name = NULL;"
}

@test "losses: a DELETE with WHERE and a row that moves are none, on a partitioned table too" {
	q "CREATE TABLE p (id int, x text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1, 'a'), (2, 'b'), (11, 'c')"
	migration 1_x "UPDATE p SET id = 12 WHERE id = 1; DELETE FROM p WHERE id = 2;"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(id || x, ' ' ORDER BY id) FROM p")" "11c 12a"
}

@test "losses: allowing a partitioned table allows its partitions" {
	q "CREATE TABLE p (id int, x text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1, 'a'), (2, 'b'), (11, 'c')"
	migration 2_x 'TRUNCATE p;'
	works mig-apply -q --no-backup --allow-loss p
	migration 3_x "INSERT INTO p VALUES (1, 'z'), (11, 'z');"
	migration 4_x 'DROP TABLE p;'
	works mig-apply -q --no-backup --allow-loss p
}

@test "losses: allowed by option and by marker, with schema and without; none needs none" {
	family
	migration 1_a 'DROP TABLE child;'
	works mig-apply -q --no-backup --allow-loss public.child
	assert_equal "$(json '.applied[0].losses[0].amount')" 5
	migration 2_b '-- mig: allow-loss parent.note
ALTER TABLE parent DROP COLUMN note;'
	works mig-apply -q --no-backup
	q 'CREATE SCHEMA s; CREATE TABLE s.t (x int); INSERT INTO s.t VALUES (1); CREATE TABLE empty (x int); ALTER TABLE parent ADD unused text'
	migration 3_c 'DROP TABLE s.t;'
	fails 3 "'s.t': 1 row" mig-apply -q --no-backup --allow-loss t
	works mig-apply -q --no-backup --allow-loss s.t
	migration 4_d 'DROP TABLE empty; TRUNCATE parent_of_none; ALTER TABLE parent DROP COLUMN unused, ADD fresh int; UPDATE parent SET fresh = 1; DROP SCHEMA s CASCADE;'
	q 'CREATE TABLE parent_of_none (x int)'
	works mig-apply -q --no-backup
}

# ---------------------------------------------------------------- scripts

@test "scripts are cut as psql cuts them" {
	migration 1_cut "CREATE TABLE t (x text); -- ; DROP TABLE t;
/* ; /* nested ; */ DROP TABLE t; */
INSERT INTO t VALUES (E'it\\'s; one'), ('a''b;'), (\$\$c;\$\$), (\$x_1\$d;\$\$;\$x_1\$), (U&'d\\0061t;');
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS \$body\$ BEGIN PERFORM 1; RETURN 'x;\$\$'; END; \$body\$;
CREATE TABLE \"semi;colon\" (x int);
DO \$\$ BEGIN IF true THEN INSERT INTO t VALUES ('do;'); END IF; END \$\$;
CREATE RULE r AS ON INSERT TO \"semi;colon\" DO ALSO (INSERT INTO t VALUES ('r1'); INSERT INTO t VALUES ('r2'));
INSERT INTO \"semi;colon\" VALUES (1);
COPY t (x) FROM stdin;
copied; row
\\\\.
\\.
SELECT 1 AS \"\$\$\", f()"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(x, '|' ORDER BY ctid) FROM t")" "it's; one|a'b;|c;|d;\$\$;|dat;|do;|r1|r2|copied; row|\\."
	assert_equal "$(q "SELECT f()")" "x;\$\$"
	if [ "$PG_MAJOR" -ge 14 ]; then
		migration 2_atomic "CREATE FUNCTION g(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC
	INSERT INTO t VALUES ('at;'); SELECT CASE WHEN n > 0 THEN 1 ELSE 2 END; END;
CREATE PROCEDURE h() BEGIN ATOMIC DELETE FROM t WHERE x = 'no'; END;
CREATE TABLE after_atomic (x int);"
		works mig-apply -q --no-backup
		assert_equal "$(q "SELECT g(1), to_regclass('after_atomic') IS NULL")" "1|f"
	fi
}

@test "scripts: what is psql's or ends the transaction is refused before anything runs" {
	local sql before
	before=$(contents)
	for sql in 'BEGIN; SELECT 1; COMMIT;' 'START TRANSACTION;' 'ROLLBACK;' 'END;' 'ABORT;' "PREPARE TRANSACTION 'x';" 'SAVEPOINT s;' 'VACUUM;' \
		'CREATE DATABASE no;' 'DROP INDEX CONCURRENTLY i;' 'ALTER SYSTEM SET work_mem = 1;' 'REINDEX TABLE CONCURRENTLY t;'; do
		migration 1_x "CREATE TABLE a (x int); $sql"
		fails 3 "cannot run in a migration" mig-apply || { echo "$sql"; return 1; }
	done
	migration 1_x 'CREATE TABLE a (x int);
\i other.sql'
	run --separate-stderr mig-apply
	[ "$status" -eq 2 ] || [ "$status" -eq 3 ]
	[[ $stderr == *psql* ]]
	for sql in "SELECT 'x" 'SELECT $$x' '/* x' 'SELECT "x'; do
		migration 1_x "CREATE TABLE a (x int); $sql"
		fails 2 "line 2" mig-apply
	done
	assert_equal "$(contents)" "$before"
	assert_file_not_exist backups
	# Hidden from the words.
	migration 1_x "DO \$\$ BEGIN CREATE TABLE a (x int); COMMIT; END \$\$;"
	run mig-apply -q --no-backup
	[ "$status" -eq 6 ] || [ "$status" -eq 7 ]
	migration 1_x "CREATE TABLE a (x int); DELETE FROM mig.mig_event;"
	run mig-apply -q --no-backup
	[ "$status" -eq 3 ]
	assert_equal "$(contents)" "$before"
}

# ---------------------------------------------------------------- outside a transaction

@test "CREATE INDEX CONCURRENTLY: marked, failing, said, resumed" {
	q "CREATE TABLE t (x int, y int); INSERT INTO t VALUES (1, 1), (1, 2)"
	migration 1_i 'CREATE INDEX CONCURRENTLY t_y ON t (y);'
	fails 3 "transaction:false" mig-apply
	assert_file_not_exist backups
	outside 1_i 'CREATE INDEX CONCURRENTLY t_y ON t (y);
CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x);
CREATE INDEX CONCURRENTLY t_xy ON t (x, y);'
	fails 7 "could not create unique index" mig-apply -q
	[[ $stderr == *--resume* && $stderr == *"line 3"* ]]
	assert_equal "$(q "SELECT state, statements FROM mig.mig_ledger")" "failed|1"
	run --separate-stderr mig-status
	assert_equal "$(json '[.problems[].reason] | contains(["failed"])')" true
	[[ $output == *t_x* ]] || { echo "the invalid index is not named: $output"; return 1; }
	fails 3 "failed after 1 of its statements" mig-apply -q
	q "DELETE FROM t WHERE y = 2; DROP INDEX t_x"
	works mig-apply -q --resume
	assert_equal "$(q "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid")" 3
	assert_equal "$(q "SELECT state, statements FROM mig.mig_ledger")" "applied|3"
	works mig-status --check
}

@test "transaction:false: what it sets holds to its end, and after --resume, and no longer" {
	q "CREATE SCHEMA tenant; CREATE TABLE orders (x int, y int); CREATE TABLE tenant.orders (x int, y int); INSERT INTO tenant.orders VALUES (1, 1), (1, 2)"
	outside 1_i "SET search_path = tenant; SET work_mem = '5MB'; RESET work_mem;
CREATE INDEX CONCURRENTLY i ON orders (y);
CREATE UNIQUE INDEX CONCURRENTLY u ON orders (x);"
	fails 7 "could not create unique index" mig-apply -q --no-backup
	assert_equal "$(q "SELECT string_agg(schemaname || '.' || indexname, ' ' ORDER BY 1) FROM pg_indexes WHERE tablename = 'orders'")" "tenant.i tenant.u"
	q "DROP INDEX tenant.u; DELETE FROM tenant.orders WHERE y = 2"
	works mig-apply -q --resume --no-backup
	assert_equal "$(q "SELECT count(*) FROM pg_indexes WHERE schemaname = 'tenant'")" 2
	migration 2_t 'CREATE TABLE here (x int);'
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT schemaname FROM pg_tables WHERE tablename = 'here'")" public
}

@test "transaction:false: nothing that destroys gets past the gates there" {
	family
	local before sql
	before=$(contents)
	for sql in 'DROP TABLE child;' 'TRUNCATE child;' 'DELETE FROM child;' 'DO $$ BEGIN DELETE FROM child; END $$;' 'BEGIN;' \
		'VACUUM; SELECT 1;' "CALL x();"; do
		outside 1_x "$sql"
		run --separate-stderr mig-apply -q --no-backup
		[ "$status" -eq 3 ] || { echo "$sql: $status $stderr"; return 1; }
	done
	assert_equal "$(contents)" "$before"
}

# ---------------------------------------------------------------- locks

@test "a backup that could not be had is refused before it begins, and says why" {
	local who=mig_test_reader url
	url=${DATABASE_URL/user=mig_admin/user=$who}
	q "DO \$\$ BEGIN CREATE ROLE $who LOGIN; EXCEPTION WHEN duplicate_object THEN END \$\$; CREATE SCHEMA s; CREATE SCHEMA t; GRANT USAGE ON SCHEMA t TO $who;
		CREATE TABLE open (x int); GRANT SELECT ON open TO $who; CREATE TABLE s.a (x int); CREATE TABLE t.b (x int); CREATE SEQUENCE t.c; CREATE TABLE d (); CREATE TABLE e (); CREATE TABLE f ()"
	fails 4 "the role may not read d, e, f, s.a, t.b and 1 more; GRANT pg_read_all_data" mig-backup -q --to a.migbak -d "$url"
	q "GRANT USAGE ON SCHEMA s TO $who; GRANT SELECT ON ALL TABLES IN SCHEMA public, s, t TO $who"
	fails 4 "the role may not read t.c;" mig-backup -q --to a.migbak -d "$url"
	q "GRANT SELECT ON t.c TO $who; ALTER TABLE s.a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON s.a USING (x > 0)"
	fails 3 "row security hides rows from this role in s.a;" mig-backup -q --to a.migbak -d "$url"
	works mig-backup -q --to a.migbak
	q "ALTER ROLE $who BYPASSRLS; SELECT lo_from_bytea(7, 'x')" > /dev/null
	fails 4 "the role may not read 1 large objects;" mig-backup -q --to b.migbak -d "$url"
	q "GRANT SELECT ON LARGE OBJECT 7 TO $who"
	works mig-backup -q --to b.migbak -d "$url"
	assert_equal "$(ls -A)" "$(printf 'a.migbak\nb.migbak')"
}

@test "two at once: one applies, the other exits 8 and says who" {
	migration 1_a 'CREATE TABLE a (x int); SELECT pg_sleep(0.7);'
	mig-apply -q --no-backup > one.json 2> one.err 3>&- &
	local one=$!
	soon "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE '%pg_sleep(0.7)%' AND pid <> pg_backend_pid()"
	fails 8 "another runner works on" mig-apply -q --no-backup
	works mig-apply -q --no-backup --wait 20s
	assert_equal "$(json .result)" nothing
	wait "$one"
	assert_equal "$(q 'SELECT count(*) FROM mig.mig_ledger')" 1
}

# ------------------------------------------------- what a second reader found

@test "the contract of a driver" {
	MIG_CONTRACT_URL=$(pg_url "$DB") "${B:-$TOP/build}/unit/contract" > contract.tap || { cat contract.tap; return 1; }
}

@test "a migration that lets go of the lock is not committed" {
	family
	migration 1_a 'CREATE TABLE a (x int); SELECT pg_advisory_unlock_all();'
	fails 3 "let go of mig's lock" mig-apply -q --no-backup
	assert_equal "$(q "SELECT to_regclass('a') IS NULL")" t
}

@test "an error of a deferred trigger is not the loss of the lock" {
	family
	q "CREATE TABLE d (x int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.x := 1 / NEW.x; RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER t AFTER INSERT ON d DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()"
	migration 1_a 'INSERT INTO d VALUES (0);'
	fails 6 "division by zero" mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(*) FROM d")" 0
}

@test "track_counts off: a restore would not notice what is written, and is refused" {
	family
	works mig-backup -q
	q "ALTER DATABASE \"$DB\" SET track_counts = off"
	fails 3 "track_counts is off" mig-rollback --restore --yes -q --accept-loss
	assert_equal "$(pg_q postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$DB\\_mig\\_%'")" 0
}

@test "a role called mig, a user name with an @" {
	family
	q 'CREATE ROLE mig SUPERUSER LOGIN; CREATE ROLE "a@b.c" SUPERUSER LOGIN'
	migration 1_a 'CREATE TABLE a (x int);'
	fails 3 "role is called 'mig'" mig-apply -q --no-backup -d "$(pg_url "$DB")&user=mig"
	works mig-apply -q --no-backup -d "postgresql://a%40b.c@$(pg_encode "$PGHOST"):$PGPORT/$DB"
	q 'DROP ROLE mig'
}

@test "a notice shows no secret" {
	printf 'HunterTwoSECRET' > key.txt
	migration 1_a $'-- mig: placeholders\nDO $$ BEGIN RAISE NOTICE \'%\', \'${key}\'; RAISE WARNING \'%\', \'${key}\'; END $$;'
	works mig-apply -v --no-backup --set-file key=key.txt
	[[ $output$stderr != *HunterTwo* ]]
	migration 2_b $'-- mig: placeholders\nSELECT ${key};'
	fails 6 "its words are not shown" mig-apply -v --no-backup --set-file key=key.txt
	run ! grep -q -i huntertwo <(echo "$output$stderr"; q 'SELECT * FROM mig.mig_event; SELECT * FROM mig.mig_ledger')
}
