load ../lib
load ../pg
load ../pg-app
# What takes its time on a server: locks that are waited for, formats, a squash.

@test "a table that somebody has locked: a backup ends, and names him" {
	family
	q "CREATE VIEW v AS SELECT * FROM child"
	migration 1_x "SELECT 1;"
	works mig-apply -q --no-backup
	(q "BEGIN; LOCK TABLE child; SELECT pg_sleep(30)" > /dev/null 2>&1 || true) 3>&- &
	soon "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'child'::regclass AND granted)"
	SECONDS=0
	fails 4 "child is locked by process" mig-backup -q --to a.migbak --busy-timeout 1s
	[[ $stderr == *"(psql, role mig_admin), active since "*"[busy]"* ]]
	[ "$SECONDS" -lt 20 ]
	# The text of a view takes a lock, too.
	fails 4 "[lock-timeout]" mig-status -q --busy-timeout 1s
	assert_file_not_exist a.migbak
	q "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND pid <> pg_backend_pid()" > /dev/null
	works mig-backup -q --to a.migbak
}

@test "--lock-timeout: a lock that is held changes nothing, and is said" {
	family
	migration 1_a 'CREATE TABLE a (x int); ALTER TABLE parent ADD y int;'
	mkfifo orders
	"$PG_BIN/psql" -XAtq -d "$DB" < orders > said.txt 2>&1 3>&- &
	local holder=$! before
	exec 9> orders
	echo "BEGIN; LOCK TABLE parent IN ACCESS SHARE MODE; SELECT 'held';" >&9
	soon "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'parent'::regclass AND mode = 'AccessShareLock' AND pid <> pg_backend_pid()"
	before=$(contents)
	run --separate-stderr mig-apply -q --no-backup --lock-timeout 0
	local said="$status $(json .reason)" now
	now=$(contents)
	echo 'COMMIT;' >&9
	exec 9>&-
	wait "$holder"
	assert_equal "$said" "4 lock-timeout"
	assert_equal "$now" "$before"
	works mig-apply -q --no-backup --lock-timeout 1s
}

@test "a runner is killed, its statement is not: nobody begins beside it" {
	migration 1_a 'CREATE TABLE a (x int); SELECT pg_sleep(1.2);'
	mig-apply -q --no-backup > /dev/null 2>&1 3>&- &
	local one=$!
	soon "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE '%pg_sleep(1.2)%' AND pid <> pg_backend_pid()"
	kill -9 "$one"
	wait "$one" || true
	fails 8 "another runner works on" mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(*) FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE '%pg_sleep(1.2)%' AND pid <> pg_backend_pid()")" 1
	soon "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE '%pg_sleep(1.2)%' AND pid <> pg_backend_pid()"
	assert_equal "$(q "SELECT to_regclass('a') IS NULL")" t
	works mig-apply -q --no-backup
	assert_equal "$(q 'SELECT count(*) FROM mig.mig_ledger')" 1
}

@test "squash: one file makes the same schema and rows, functions and grants too" {
	migration 1_a "CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n text DEFAULT 'it''s;'); INSERT INTO p (n) VALUES ('a;b'), (NULL); COMMENT ON TABLE p IS '-- note; \$\$';"
	migration 2_b "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE SCHEMA s; CREATE TABLE s.c (p_id int REFERENCES p, m mood); INSERT INTO s.c VALUES (1, 'a');
		CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN -- a; comment
SET LOCAL work_mem = ''4MB'';
RETURN x; END';
		CREATE VIEW v AS SELECT f(id) FROM p; GRANT SELECT ON v TO PUBLIC; CREATE TRIGGER t BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
	migration 3_c 'CREATE TABLE later (x int);'
	works mig-gen --squash 2 -q
	run ! grep -E '^SET [a-z]|set_config' <(grep -v '^SET LOCAL' migrations/2_baseline.sql)
	works mig-apply -q --no-backup
	assert_equal "$(json '[.applied[].migration] | join(" ")')" "2 3"
	assert_equal "$(q 'SELECT string_agg(id || coalesce(n, $$-$$), $$,$$ ORDER BY id) FROM p')" "1a;b,2-"
	assert_equal "$(q 'SELECT count(*) FROM v, s.c')" 2
	assert_equal "$(q "INSERT INTO p DEFAULT VALUES RETURNING id" | head -n 1)" 3
	works mig-status --check
}

@test "squash: what belongs to another role still does, and no role of the scratch server is named" {
	q "DROP ROLE IF EXISTS mig_low; CREATE ROLE mig_low"
	migration 1_a 'CREATE TABLE secrets (x text); GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC;
		CREATE FUNCTION peek() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$SELECT x FROM public.secrets$$;
		ALTER FUNCTION peek() OWNER TO mig_low; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO mig_low;'
	works mig-gen --squash 1 -q
	run ! grep -i "$PGUSER" migrations/1_baseline.sql
	works mig-gen --validate
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT proowner::regrole FROM pg_proc WHERE proname = 'peek'")" mig_low
	assert_equal "$(q "SELECT relowner::regrole = current_user::regrole FROM pg_class WHERE relname = 'secrets'")" t
	q "CREATE TABLE after (x int)"
	assert_equal "$(q "SELECT has_table_privilege('mig_low', 'after', 'SELECT')")" t
	q "DROP TABLE after; DROP OWNED BY mig_low; DROP ROLE mig_low"
}

@test "a large table is not counted under the locks of a migration, what changes in it is" {
	q "CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 58) AS x FROM generate_series(1, 150000) AS g; CREATE TABLE small (x int); INSERT INTO small VALUES (1), (2)"
	assert_equal "$(q "SELECT pg_relation_size('big') > 256 * 1024 * 1024")" t
	migration 1_x "UPDATE big SET id = 0 WHERE id = 1; DELETE FROM big WHERE id < 4; UPDATE small SET x = 3 WHERE x = 1;"
	works mig-apply -q --no-backup
	assert_equal "$(json '[.applied[0].delta[] | "\(.table) \(.counted) \(.before) \(.after) \(.updated) \(.deleted)"] | sort | join("; ")')" \
		"big false null null 1 3; small true 2 2 1 0"
	migration 2_x "DELETE FROM big WHERE id = 9;"
	works mig-apply -q --no-backup -o text
	[[ $output == *"big: rows not counted, 0 inserted, 1 deleted"* ]] || { echo "$output"; return 1; }
}

@test "status: a server that is asked while files are read is heard out" {
	local at large="DO \$\$ BEGIN EXECUTE format('CREATE FUNCTION long() RETURNS text LANGUAGE sql AS %L', 'SELECT ' || quote_literal(repeat('x', 3000000))); END \$\$"
	migration 1_t 'CREATE TABLE t (x integer);'
	works mig-apply -q
	q "$large"
	works mig-status
	assert_equal "$(json .schema)" changed
	q "DROP FUNCTION long()"
	works mig-status
	assert_equal "$(json .schema)" same
	q "$large"
	at=$(wc -c < "$PG_ROOT/log")
	echo '-- migrate:up' > migrations/1_twice.sql
	fails 2 "1_twice" mig-status
	sleep 0.3
	tail -c +"$at" "$PG_ROOT/log" > log
	run ! grep -E "could not send|client lost" log
}

@test "a wait for a lock at the commit ends, too, whatever the migration did before" {
	q "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
		CREATE TABLE child (pid int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
	hold "$DB" BEGIN "SELECT 1 FROM parent WHERE id = 1 FOR UPDATE"
	migration 1_x 'ALTER TABLE child ADD x int; INSERT INTO child (pid) VALUES (1);'
	fails 2 "busy-timeout or --lock-timeout: '0ms' is not a time" mig-apply -q --lock-timeout 0ms
	SECONDS=0
	run --separate-stderr timeout 40 mig-apply -q --no-backup --lock-timeout 300ms
	let_go
	assert_equal "$status" 4
	[[ $stderr == *"lock timeout"* && $SECONDS -lt 30 ]] || { echo "$SECONDS s: $stderr"; return 1; }
	assert_equal "$(q "SELECT count(*) FROM pg_attribute WHERE attrelid = 'child'::regclass AND attname = 'x'")" 0
}

@test "templates: names as the catalog has them, blanks or not" {
	q 'CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE t ("userId" int, email text)'
	works mig-gen a -t add_foreign_key --table t -c userId --references 'users (id)'
	works mig-gen b -t add_index --table t -c userId
	works mig-gen c -t add_index --table t -c 'lower(email)' -c 'email DESC'
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(*) FROM pg_indexes WHERE tablename = 't'")" 2
	works mig-status --check
}

@test "squash: by a role that gives things away; a right of whoever runs it is refused" {
	q "CREATE ROLE mig_app; CREATE ROLE mig_deployer LOGIN; GRANT mig_app TO mig_deployer; GRANT ALL ON SCHEMA public TO mig_app, mig_deployer; GRANT CREATE ON DATABASE $DB TO mig_deployer"
	migration 1_a 'CREATE TABLE t (id int PRIMARY KEY, x int CHECK (x > 0)); ALTER TABLE t OWNER TO mig_app; CREATE INDEX t_x ON t (x);'
	works mig-gen --squash 1 -q
	works mig-apply -q --no-backup -d "${DATABASE_URL/user=$PGUSER/user=mig_deployer}"
	assert_equal "$(q "SELECT relowner::regrole FROM pg_class WHERE relname = 't'")" mig_app
	rm -rf migrations
	migration 1_a 'CREATE TABLE u (id int); ALTER TABLE u OWNER TO mig_app; GRANT SELECT ON u TO session_user;'
	fails 3 "the role that runs them, whoever that is" mig-gen --squash 1 -q
	assert_equal "$(ls migrations)" 1_a.sql
	q "DROP OWNED BY mig_app, mig_deployer CASCADE; DROP ROLE mig_app, mig_deployer"
}

@test "--resume: the way back stays that from before the first try" {
	q "CREATE TABLE t (x int); INSERT INTO t VALUES (1), (1)"
	outside 1_x 'CREATE INDEX CONCURRENTLY i1 ON t (x); CREATE UNIQUE INDEX CONCURRENTLY i2 ON t (x);'
	run --separate-stderr mig-apply -q
	assert_equal "$status" 7
	[[ $stderr == *"DROP INDEX CONCURRENTLY i2; and run mig-apply --resume, or go back with mig-rollback --restore"* ]] || { echo "$stderr"; return 1; }
	local first back
	first=$(ls backups/*.migbak)
	q "DROP INDEX CONCURRENTLY i2"
	sleep 1.1
	run --separate-stderr mig-apply -q --resume
	assert_equal "$status" 7
	[[ $stderr == *"go back by the command that mig-status prints"* ]] || { echo "$stderr"; return 1; }
	run mig-status
	back=$(json .triage.back)
	[[ $back == *"$first" && $(json .triage.forward) == "DROP INDEX CONCURRENTLY i2; then mig-apply --resume" ]] || { json .triage; return 1; }
	# What is printed is what works.
	bash -c "$back -q --yes"
	assert_equal "$(q "SELECT count(*) FROM pg_class WHERE relname IN ('i1', 'i2')")" 0
	works mig-status
	assert_equal "$(json '.pending | length')" 1
}

@test "what another tool left undone is no way for mig to go on" {
	mkdir migrations
	printf 'CREATE TABLE t (x int);' > migrations/1_a.up.sql
	q "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean); INSERT INTO schema_migrations VALUES (1, true)"
	run mig-status
	assert_equal "$(json '.triage, (.problems[0].text | contains("what it left is not known"))' | xargs)" "null true"
}

@test "each format: its table made, written, read, and taken back from" {
	local f table down rows
	while read -r f table down rows; do
		rm -rf migrations
		works mig-gen --format $f -t add_table --table t_${f//-/_} -c 'x int' "add it"
		works mig-apply -q --no-backup --format $f
		works mig-status --format $f
		assert_equal "$f $(json '.up_to_date, .applied, .pending' | tr -d '\n')" "$f true1[]"
		assert_equal "$f $(q "SELECT count(*) FROM $table")" "$f ${rows:-1}"
		[ "$down" = 1 ] || { q "DROP TABLE $table; DELETE FROM mig.mig_ledger"; continue; }
		works mig-rollback -q --steps 1 --accept-loss --format $f
		works mig-status --format $f
		assert_equal "$f $(json '.applied, (.pending | length)' | tr -d '\n')" "$f 01"
		q "DROP TABLE $table"
	done <<- 'END'
		dbmate schema_migrations 1
		goose goose_db_version 1 2
		golang-migrate schema_migrations 1
		sqlx _sqlx_migrations 1
		flyway flyway_schema_history 0
		diesel __diesel_schema_migrations 1
		refinery refinery_schema_history 0
		prisma _prisma_migrations 0
	END
}

@test "each format: an index made concurrently says so in its own words, or is refused" {
	local f
	q "CREATE TABLE people (email text)"
	for f in mig dbmate goose golang-migrate sqlx flyway diesel prisma pop; do
		rm -rf migrations
		works mig-gen --format $f -t add_index --table people -c email "by email"
		works mig-apply -q --no-backup --format $f
		assert_equal "$f $(q "SELECT count(*) FROM pg_index WHERE indrelid = 'people'::regclass AND indisvalid")" "$f 1"
		q "DROP INDEX people_email_idx; DELETE FROM mig.mig_ledger; DROP TABLE IF EXISTS schema_migrations, schema_migration,
			goose_db_version, _sqlx_migrations, flyway_schema_history, __diesel_schema_migrations, _prisma_migrations"
	done
	rm -rf migrations
	fails 2 "refinery runs every file in a transaction" mig-gen --format refinery -t add_index --table people -c email "by email"
	[ ! -e migrations ] || assert_equal "$(ls -A migrations)" ""
}

@test "a restore: the other tool's own rows are no loss, and go back with it" {
	mkdir migrations
	q 'CREATE TABLE own (x int)'
	printf -- '-- +goose Up\nCREATE TABLE a (x int);\n' > migrations/00001_a.sql
	works mig-apply -q --no-backup
	run --separate-stderr bash -c 'mig-backup -q | mig-verify -q'
	assert_equal "$status" 0
	printf -- '-- +goose Up\nCREATE INDEX i ON own (x);\n' > migrations/00002_b.sql
	works mig-apply -q --no-backup
	works mig-rollback -q --restore --yes
	assert_equal "$(q 'SELECT max(version_id) FROM goose_db_version')" 1
	works mig-status
	assert_equal "$(json '.current, .pending[0].migration')" "$(printf '00001\n00002')"
	q 'INSERT INTO own VALUES (1)'
	fails 3 "'own' (0 rows then, 1 now)" mig-rollback -q --restore --yes
}

@test "--undo never takes the kept database of another one" {
	family
	works mig-backup -q
	local other="app ${BATS_TEST_NUMBER}" twin="app_${BATS_TEST_NUMBER}" kept
	# Names that differ only in what a name without quotes cannot have.
	pg_new "$other" && pg_new "$twin"
	pg_q "$twin" 'CREATE TABLE of_the_twin (x int)'
	pg_q "$other" 'CREATE TABLE of_the_other (x int)'
	works mig-backup -q -d "$(pg_url "$twin")"
	works mig-rollback --restore --yes -q -d "$(pg_url "$twin")"
	kept=$(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${twin}\\_mig\\_old\\_%'")
	[ -n "$kept" ]
	run --separate-stderr mig-rollback --restore --undo --accept-loss --yes -d "$(pg_url "$other")"
	local said="$status $stderr" tables
	tables=$(pg_q "$other" "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")
	for each in "$other" "$twin" $(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${twin}\\_mig\\_%'"); do pg_drop "$each"; done
	assert_equal "$tables" of_the_other
	[[ $said == "3 "* ]]
}

@test "a dump that is about to end is waited for, one that goes on is named" {
	family
	migration 1_x 'ALTER TABLE parent ADD y int;'
	(PGAPPNAME=pg_dump q "BEGIN; SELECT FROM parent; SELECT pg_sleep(0.3)" > /dev/null) 3>&- &
	soon "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'parent'::regclass AND granted)"
	works mig-apply -q --no-backup
	migration 2_y 'ALTER TABLE parent ADD z int;'
	(PGAPPNAME=pg_dump q "BEGIN; SELECT FROM parent; SELECT pg_sleep(30)" > /dev/null 2>&1 || true) 3>&- &
	soon "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'parent'::regclass AND granted)"
	fails 3 "parent is held by process" mig-apply -q --no-backup
	q "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DB' AND pid <> pg_backend_pid()" > /dev/null
}

@test "a password is in no output, no document, no archive and no process list" {
	family
	# Its own: the process list shows what tests beside this one run.
	local secret="geheim$RANDOM$RANDOM"
	q "DROP ROLE IF EXISTS mig_test_pw; CREATE ROLE mig_test_pw LOGIN SUPERUSER PASSWORD '$secret'"
	migration 1_a 'CREATE TABLE a (x int); SELECT pg_sleep(0.3);' 'DROP TABLE a;'
	local url seen
	url="postgresql://mig_test_pw:$secret@$(pg_encode "$PGHOST"):$PGPORT/$DB"
	export MIG_DATABASE_URL=$url
	(for ((n = 0; n < 200; n++)); do [ -e done ] && break; ps -eo args --no-headers; sleep 0.02; done > seen.txt) 3>&- &
	seen=$!
	mig-status -v > status.out 2> status.err
	mig-backup -v > backup.out 2> backup.err
	mig-verify -v < backup.out > verify.out 2> verify.err
	mig-apply -v > apply.out 2> apply.err
	mig-rollback -v --steps 1 > rollback.out 2> rollback.err
	mig-rollback -v --restore --accept-loss --yes > restore.out 2> restore.err
	touch done
	wait "$seen"
	# On a command line it is the caller who shows it; a message must not.
	mig-backup -v -d "${url/$DB/absent}" > absent.out 2> absent.err || true
	unset MIG_DATABASE_URL
	grep -q mig-rollback seen.txt
	run grep -h "$secret" ./*.out ./*.err seen.txt
	assert_output ""
	run bash -c "for f in backups/*.migbak; do tar -xOf \$f | zstd -dcq 2> /dev/null; tar -xOf \$f; done | grep -a -c $secret"
	assert_output 0
	q "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'mig_test_pw'" > /dev/null
	local old
	old=$(pg_q postgres "SELECT datname FROM pg_database WHERE datname LIKE '${DB}\\_mig\\_old\\_%'")
	pg_drop "$old"
}

@test "losses: what the words say" {
	family
	loses "'child': 5 rows (DROP TABLE" 'DROP TABLE child;'
	loses "'child': 5 rows (DROP TABLE" 'DROP TABLE parent, child;'
	[[ $stderr == *"'parent': 3 rows (DROP TABLE"* ]]
	loses "'parent.note': 2 values (DROP COLUMN" 'ALTER TABLE parent ADD y int, DROP COLUMN IF EXISTS note;'
	loses "'child': 5 rows (TRUNCATE" 'TRUNCATE child;'
	loses "'child': 5 rows (DELETE" 'DELETE FROM ONLY public.child AS c;'
	loses "'child': 5 rows (DELETE" 'WITH x AS (SELECT 1) DELETE FROM child;'
	loses "'child.x': 5 values (UPDATE" 'UPDATE child SET x = NULL;'
	q 'CREATE SCHEMA "My App"; CREATE TABLE "My App"."T 1" ("A b" text); INSERT INTO "My App"."T 1" VALUES (1), (2)'
	loses '"My App"."T 1"' 'DROP TABLE "My App"."T 1";'
	loses '2 rows' 'SET search_path = "My App"; DROP TABLE "T 1";'
	loses '2 values' 'ALTER TABLE "My App"."T 1" DROP "A b";'
}

@test "losses: what comes along without being named" {
	family
	loses "'child': 5 rows" 'TRUNCATE parent CASCADE;' --allow-loss parent
	loses "'child': 2 rows" 'DELETE FROM parent WHERE id = 2;'
	loses "'child': 5 rows" 'DELETE FROM parent;' --allow-loss parent
	loses "'child': 5 rows" 'DO $$ BEGIN TRUNCATE child; END $$;'
	loses "'child': 1 row" 'DO $$ BEGIN DELETE FROM child WHERE id = 1; END $$;'
	loses "'child': 5 rows" 'DO $$ BEGIN DROP TABLE child; END $$;'
	q "CREATE TABLE pet (id int PRIMARY KEY, owner int REFERENCES parent ON DELETE SET NULL); INSERT INTO pet VALUES (1, 1), (2, 1)"
	loses "'pet.owner': 2 values" 'DELETE FROM parent WHERE id = 1;' --allow-loss child
	q "CREATE SCHEMA s; CREATE TABLE s.t (x int); INSERT INTO s.t VALUES (1), (2), (3)"
	loses "'s.t': 3 rows" 'DROP SCHEMA s CASCADE;'
	q "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.t; RETURN NEW; END';
		CREATE TRIGGER gone AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION gone()"
	loses "'s.t': 3 rows" "INSERT INTO parent VALUES (7, 'x', NULL);"
}

# A table that the file names for another reason is no exception.

@test "losses: rows of a partition are rows of its table" {
	q "CREATE TABLE p (id int, x text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1, 'a'), (2, 'b'), (11, 'c')"
	loses "'p': 3 rows" 'TRUNCATE p;'
	loses "'p': 3 rows" 'DROP TABLE p;'
	loses "'p1': 2 rows" 'DROP TABLE p1;'
	loses "'p.x': 3 values" 'ALTER TABLE p DROP COLUMN x;'
}

@test "repair: a failed one is forgotten or recorded, a checksum is bytes" {
	q "CREATE TABLE t (x int); INSERT INTO t VALUES (1), (1)"
	outside 1_i 'CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x);'
	fails 7 "could not create unique index" mig-apply -q
	works mig-status --repair-plan
	assert_equal "$(json '.repairs[].action')" forget
	q "DROP INDEX t_x; DELETE FROM t; CREATE UNIQUE INDEX t_x ON t (x)"
	works mig-apply --repair-applied 1 -q
	assert_equal "$(q "SELECT state FROM mig.mig_ledger")" applied
	works mig-status --check
	rm -r migrations
	mkdir migrations
	q "DROP SCHEMA mig CASCADE"
	echo 'CREATE TABLE a (x int);' > migrations/1_a.sql
	works mig-apply -q --no-backup --format sqlx
	echo 'CREATE TABLE a (x int, y int);' > migrations/1_a.sql
	works mig-apply -q --repair
	assert_equal "$(q "SELECT encode(checksum, 'hex') FROM _sqlx_migrations")" "$(sha384sum < migrations/1_a.sql | cut -c1-96)"
	works mig-status
	assert_equal "$(json '.problems | length')" 0
}


@test "losses: a search_path that does not lead to public hides nothing" {
	family
	q "CREATE SCHEMA app; ALTER DATABASE \"$DB\" SET search_path = app"
	loses "'child': 5 rows" 'DROP TABLE public.child;'
	loses "'child': 5 rows" 'TRUNCATE public.child;'
	loses "'parent.name'" 'UPDATE public.parent SET name = NULL;'
	loses "'child': 5 rows" 'DO $$ BEGIN TRUNCATE public.child; END $$;'
	assert_equal "$(q 'SELECT count(*) FROM mig.mig_ledger' 2> /dev/null || echo 0)" 0
}

@test "histories with names in capitals and schemas of their own are known" {
	migration 1_a 'CREATE TABLE a (x int);'
	q 'CREATE TABLE "SequelizeMeta" (name text)'
	fails 3 "of Sequelize and no ledger of mig" mig-apply -q
	q 'DROP TABLE "SequelizeMeta"; CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id int, hash text)'
	fails 3 "of Drizzle and no ledger of mig" mig-apply -q
	# What the tool writes there is no loss, what it drops elsewhere is one.
	q "DROP SCHEMA drizzle CASCADE; CREATE TABLE knex_migrations (id int, batch int, name text); INSERT INTO knex_migrations VALUES (1, 1, 'a'); CREATE TABLE b (x int); INSERT INTO b VALUES (1)"
	works mig-apply --restore-on-failure -- "$PG_BIN/psql" -qXd "$DB" -c 'DELETE FROM knex_migrations'
	fails 6 "allow it: --allow-loss 'b'" mig-apply --restore-on-failure -- "$PG_BIN/psql" -qXd "$DB" -c 'DELETE FROM b'
	q 'INSERT INTO knex_migrations VALUES (2)'
	fails 6 "allow it: --allow-loss 'knex_migrations'" mig-apply --restore-on-failure -- "$PG_BIN/psql" -qXd "$DB" -c 'DROP TABLE knex_migrations'
}

@test "a restore from a server that does not answer says to look at the server" {
	local url="postgresql:///$DB?host=/nowhere&port=1"
	fails 4 "the server runs" mig-rollback --restore --undo --yes -d "$url"
	[[ $stderr != *"let the role connect"* ]]
}
