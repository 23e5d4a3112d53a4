load ../lib
load ../pg
load ../pg-app
# Losses on PostgreSQL that come by a side door; loses() is in pg-app.

hundred() { q "CREATE TABLE t (x int, e int, note text); INSERT INTO t SELECT g, NULL, 'n' FROM generate_series(1, 100) AS g"; }

@test "losses: a column retyped behind one that is dropped, and before" {
	hundred
	loses "'t.x': 100 values" "ALTER TABLE t DROP COLUMN e, ALTER COLUMN x TYPE text USING NULL;"
	migration 1_x "ALTER TABLE t ALTER COLUMN x TYPE bigint, DROP COLUMN e;"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(x) FROM t")" 100
}

@test "losses: every row, whatever brackets are around it" {
	hundred
	loses "'t': 100 rows" "DELETE FROM t WHERE (1 = 1);"
	loses "'t': 100 rows" "DELETE FROM ONLY (t) WHERE ((true));"
	loses "'t.x': 100 values" "UPDATE t SET x = NULL WHERE (true);"
	loses "'t.x': 100 values" "UPDATE ONLY (t) SET x = NULL;"
	migration 1_x "DELETE FROM t WHERE (1 = 1) AND x = 1; DELETE FROM t WHERE (x) = (2);"
	works mig-apply -q --no-backup
	assert_equal "$(rows t)" 98
}

@test "losses: more rows of the table that is named than the statement speaks of" {
	q "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE); INSERT INTO tree SELECT g, CASE WHEN g > 1 THEN g / 2 END FROM generate_series(1, 100) AS g"
	hundred
	loses "'tree': 99 rows" "DELETE FROM tree WHERE id = 1;"
	loses "'t': 100 rows" "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO t SELECT * FROM gone WHERE x < 5;"
	loses "'t': 100 rows" "WITH gone AS (DELETE FROM t RETURNING *) DELETE FROM t WHERE x = 0;"
	q "CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t WHERE x < 90; RETURN NULL; END'; CREATE TRIGGER s AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION sweep()"
	loses "'t': 89 rows" "INSERT INTO t VALUES (101);"
	q "DROP TRIGGER s ON t; CREATE TABLE p (x int, k text) PARTITION BY LIST (k); CREATE TABLE pa PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE pb PARTITION OF p FOR VALUES IN ('b'); INSERT INTO p SELECT g, 'a' FROM generate_series(1, 9) AS g"
	migration 1_x "UPDATE p SET k = 'b' WHERE x < 5; DELETE FROM p WHERE x = 1; DELETE FROM tree WHERE id > 90; INSERT INTO t VALUES (7);"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(*) FROM p"), $(rows tree)" "8, 90"
}

@test "losses: emptied in place, after it was written anew" {
	q "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE t (x int, p int REFERENCES p); INSERT INTO t SELECT g, 1 FROM generate_series(1, 100) AS g"
	loses "'t': 100 rows" "ALTER TABLE t ALTER COLUMN p TYPE bigint; TRUNCATE p CASCADE;" --allow-loss p
	loses "'t': 100 rows" "ALTER TABLE t ALTER x TYPE bigint; DO \$\$BEGIN TRUNCATE t; END\$\$;"
	migration 1_x "ALTER TABLE t ALTER x TYPE bigint; INSERT INTO t VALUES (101, 1); UPDATE t SET x = x + 1 WHERE x > 50;"
	works mig-apply -q --no-backup
	assert_equal "$(rows t)" 101
}

@test "losses: what is deferred to the commit happens before it is looked at" {
	hundred
	q "CREATE TABLE u (x int); CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER c AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wipe();
		CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (pid int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
	loses "'t': 100 rows" "INSERT INTO u VALUES (1);"
	migration 1_x "INSERT INTO child VALUES (7);"
	fails 6 "violates foreign key constraint" mig-apply -q --no-backup
	migration 1_x "INSERT INTO child VALUES (7); INSERT INTO parent VALUES (7);"
	works mig-apply -q --no-backup
}

@test "losses: names that differ in case only, types and databases" {
	q 'CREATE TABLE t ("A" int, a int); INSERT INTO t (a) SELECT generate_series(1, 100); CREATE TYPE addr AS (street text, zip text); CREATE TABLE o OF addr'
	loses "'t.a': 100 values" "ALTER TABLE t DROP COLUMN a;"
	outside 1_x "ALTER TYPE addr DROP ATTRIBUTE zip CASCADE, ADD ATTRIBUTE c text CASCADE;"
	fails 3 "transaction:false" mig-apply -q --no-backup
	outside 1_x "DROP DATABASE postgres;"
	fails 3 "no backup of this run holds that database" mig-apply -q --no-backup
	q "ALTER DATABASE $DB SET track_counts = off"
	migration 1_x "CREATE TABLE z ();"
	fails 3 "track_counts is off" mig-apply -q --no-backup
}

@test "losses: the attribute of a type goes from every column of it" {
	q "CREATE TYPE addr AS (street text, zip text); CREATE TYPE unused AS (a int, b int); CREATE TABLE t (id int, home addr, old addr[]); CREATE TABLE u (\"A\" addr); CREATE TABLE part (a addr, k int) PARTITION BY RANGE (k); CREATE TABLE part1 PARTITION OF part DEFAULT;
		INSERT INTO t VALUES (1, ROW('s', 'z'), ARRAY[ROW('s', 'y')::addr, ROW('s', NULL)::addr]), (2, ROW('s', NULL), NULL), (3, NULL, NULL); INSERT INTO u VALUES (ROW('s', 'x')); INSERT INTO part VALUES (ROW('s', 'w'))"
	loses "would lose 'addr.zip': 4 values" "ALTER TYPE addr DROP ATTRIBUTE zip;"
	loses "would lose 'addr.zip': 4 values" "ALTER TYPE public.addr ADD ATTRIBUTE more text, DROP ATTRIBUTE IF EXISTS zip CASCADE;"
	q "UPDATE t SET home.zip = NULL; UPDATE t SET old = NULL; UPDATE u SET \"A\".zip = NULL; UPDATE part SET a.zip = NULL"
	migration 1_x "ALTER TYPE addr DROP ATTRIBUTE zip; ALTER TYPE unused DROP ATTRIBUTE b; ALTER TYPE unused ADD ATTRIBUTE c text;"
	works mig-apply -q
	migration 2_x "ALTER TYPE addr DROP ATTRIBUTE street;"
	works mig-apply -q --rehearse --allow-loss addr.street
	assert_equal "$(json '.applied[0].losses[0] | "\(.name) \(.amount)"')" "addr.street 4"
}

@test "losses: every row by an UPDATE of a view" {
	hundred
	q "CREATE VIEW v AS SELECT x AS y FROM t; CREATE VIEW sums AS SELECT count(*) AS n FROM t"
	loses "would lose 'v.y': 100 values" "UPDATE v SET y = NULL;"
	loses "would lose 'w.x': 100 values" "CREATE VIEW w AS SELECT * FROM t; UPDATE w SET x = 1 WHERE true;"
	loses "would lose 't': 100 rows (taken along" "DELETE FROM v;" # counted once, where they are
	migration 1_x "DROP VIEW sums; UPDATE v SET y = NULL WHERE y = 1; UPDATE v SET y = y + 1;"
	works mig-apply -q --rehearse --allow-loss v.y
}

@test "what would be lost is not waited for without an end" {
	hundred
	hold "$DB" BEGIN "LOCK TABLE t"
	migration 1_x "DROP TABLE t;"
	SECONDS=0
	run --separate-stderr timeout 30 mig-apply -q --no-backup --lock-timeout 300ms
	let_go
	assert_equal "$status" 4
	[[ $stderr == *"[lock-timeout]"* && $SECONDS -lt 15 ]] || { echo "$SECONDS: $stderr"; return 1; }
}

@test "losses: what the migration has made itself is nobody's" {
	hundred
	migration 1_x "CREATE TABLE tmp AS SELECT * FROM t; UPDATE tmp SET x = NULL; DELETE FROM tmp; DROP TABLE tmp;
CREATE TEMP TABLE tmp AS SELECT * FROM t; UPDATE tmp SET x = NULL; TRUNCATE tmp; DROP TABLE tmp;
SELECT * INTO n FROM t; ALTER TABLE n ALTER x TYPE text USING NULL; ALTER TABLE n DROP COLUMN note;"
	works mig-apply -q --no-backup
	assert_equal "$(q "SELECT count(*), count(x) FROM n"), $(rows t)" "100|0, 100"
	migration 2_x "ALTER TABLE t RENAME TO old; CREATE TABLE t AS SELECT * FROM old; DROP TABLE old;"
	fails 3 "100 rows" mig-apply -q --no-backup
	migration 2_x "CREATE TEMP TABLE t (x int); INSERT INTO t VALUES (1); DROP TABLE t; DROP TABLE t;"
	fails 3 "'t': 100 rows" mig-apply -q --no-backup
}

@test "losses: what somebody commits while a DROP waits for him is counted" {
	q "CREATE TABLE t (x int, y int); CREATE TABLE u (x int)"
	local what lost
	for what in "DROP TABLE t;" "DROP TABLE u, t;" "TRUNCATE t;" "ALTER TABLE t DROP COLUMN y, DROP COLUMN x;" \
		"ALTER TABLE t ALTER COLUMN x TYPE text USING NULL;"; do
		q "TRUNCATE t"
		"$PG_BIN/psql" -Xqd "$DB" -c BEGIN -c "INSERT INTO t (x) SELECT generate_series(1, 1000)" -c "SELECT pg_sleep(1.5)" -c COMMIT > /dev/null 2>&1 3>&- &
		local writer=$!
		soon "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE 'SELECT pg_sleep%'"
		migration 1_x "$what"
		[[ $what == ALTER* ]] && lost="'t.x': 1,000 values" || lost="'t': 1,000 rows"
		fails 3 "$lost" mig-apply -q --no-backup
		wait "$writer"
		assert_equal "$(rows t)" 1000
	done
}

@test "an error of mig's own statement in a migration is said, not what follows from it" {
	migration 1_x "CREATE TABLE z (x int);"
	works mig-apply -q --no-backup
	hold "$DB" BEGIN "LOCK TABLE mig.mig_ledger IN SHARE MODE"
	migration 2_x "CREATE TABLE y (x int);"
	run --separate-stderr timeout 40 mig-apply -q --no-backup --lock-timeout 300ms
	let_go
	assert_equal "$status" 4
	[[ $stderr == *"[lock-timeout]"* ]] || { echo "$stderr"; return 1; }
	works mig-apply -q --no-backup
}

@test "losses: what is allowed is no other name that differs in case only" {
	q 'CREATE TABLE "Users" (a int); CREATE TABLE "USERS" (a int); CREATE TABLE u (id int PRIMARY KEY, "userId" int, userid int);
		INSERT INTO "Users" VALUES (1); INSERT INTO "USERS" SELECT generate_series(1, 7); INSERT INTO u VALUES (1, 100, 1), (2, 200, 2)'
	loses "would lose '\"USERS\"': 7 rows" 'DROP TABLE "USERS"; DROP TABLE "Users";' --allow-loss '"Users"'
	loses "would lose 'u.userId': 2 values" 'ALTER TABLE u DROP COLUMN "userId";' --allow-loss u.userid
	loses "would lose 'u.userid': 2 values" 'ALTER TABLE u DROP COLUMN userid;' --allow-loss u.userId
	# A rehearsal tells them apart, too.
	migration 1_x 'UPDATE "Users" SET a = 2 WHERE a = 1; DELETE FROM "USERS" WHERE a < 100; ALTER TABLE u DROP COLUMN "userId";'
	works mig-apply -q --rehearse --allow-loss 'u."userId"' --allow-loss '"USERS"'
	assert_equal "$(json '[.rehearsal.migrations[0].effects[] | "\(.table) \(.before) \(.after) \([.columns[] | "\(.column) \(.change)"] | join(","))"] | sort | join("; ")')" \
		'"USERS" 7 0 ; "Users" 1 1 a changed; u 2 2 userId dropped'
	assert_equal "$(rows '"Users"') $(rows '"USERS"')" "1 0"
	# Without quotes a name means what SQL takes it for.
	migration 2_x 'ALTER TABLE U DROP COLUMN USERID;'
	works mig-apply -q --allow-loss U.USERID
}

@test "losses: what the migration itself makes, by the name that SQL takes it for" {
	q "CREATE TABLE users (id int); INSERT INTO users VALUES (1)"
	migration 1_x "ALTER TABLE users ADD COLUMN Note text; UPDATE users SET note = 'x' WHERE id = 1; ALTER TABLE users DROP COLUMN NOTE;"
	fails 3 "'users.note': 1 value" mig-apply -q --no-backup
	works mig-apply -q --no-backup --allow-loss users.Note
}

@test "an application that reads and then writes is not hurt by the proof that a column is empty" {
	hundred
	"$PG_BIN/psql" -Xd "$DB" -c BEGIN -c "SELECT count(*) FROM t" -c "SELECT pg_sleep(1.5)" -c "UPDATE t SET x = 0 WHERE x = 1" -c COMMIT > app.txt 2>&1 3>&- &
	local app=$!
	soon "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE 'SELECT pg_sleep%'"
	migration 1_x "ALTER TABLE t DROP COLUMN e;"
	works mig-apply -q --no-backup
	wait "$app"
	run cat app.txt
	[[ $output != *ERROR* && $output == *COMMIT* ]] || { cat app.txt; return 1; }
}

@test "a signal ends the wait for the lock of a table that is to be counted" {
	hundred
	hold "$DB" BEGIN "SELECT * FROM t"
	migration 1_x "ALTER TABLE t DROP COLUMN e;"
	mig-apply -q --no-backup --lock-timeout 60s > out.txt 2> err.txt 3>&- &
	local runner=$! status=0
	soon "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted"
	SECONDS=0
	kill -TERM "$runner"
	wait "$runner" || status=$?
	let_go
	assert_equal "$status" 4
	[ "$SECONDS" -lt 10 ]
	assert_equal "$(q "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'e'")" 1
}

@test "losses: a down allows them by any name that the server finds" {
	mkdir -p migrations
	printf -- '-- migrate:up\nCREATE TABLE "Users" (id int); CREATE TABLE people (id int);\n-- migrate:down\n-- mig: allow-loss public."Users"\n-- mig: allow-loss PEOPLE\nDROP TABLE "Users"; DROP TABLE people;\n' > migrations/1_x.sql
	works mig-apply -q --no-backup
	q 'INSERT INTO "Users" VALUES (1); INSERT INTO people VALUES (1)'
	works mig-rollback -q --steps 1
}

@test "a change of type that leaves the rows where they are reads none of them" {
	q "CREATE TABLE t (id int, v varchar(10), n numeric(8,2)); INSERT INTO t SELECT g, 'v', 1 FROM generate_series(1, 1000) AS g;
		CREATE TABLE p (id int, v varchar(10)) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000); INSERT INTO p VALUES (1, 'v')"
	local reads="SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('t', 'p1')" before
	q 'SELECT pg_stat_force_next_flush()' > /dev/null
	before=$(q "$reads")
	migration 0_x "ALTER TABLE t ALTER v TYPE varchar(20), ALTER COLUMN n SET DATA TYPE numeric(12,2); ALTER TABLE t ALTER v TYPE text; ALTER TABLE p ALTER v TYPE text;"
	works mig-apply -q --no-backup
	assert_equal "$(q "$reads")" "$before"
	assert_equal "$(q "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attrelid, attnum) FROM pg_attribute WHERE attrelid IN ('t'::regclass, 'p1'::regclass) AND attnum > 1")" "text,numeric(12,2),text"
	# One that makes them anew is counted, as before; a cast of one's own may give null.
	q "CREATE FUNCTION nothing(int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT NULL::text'; CREATE TABLE c (x int, y int); INSERT INTO c VALUES (1, 1);
		CREATE TYPE own AS (a text); CREATE FUNCTION to_own(int) RETURNS own IMMUTABLE LANGUAGE sql AS 'SELECT NULL::own'; CREATE CAST (int AS own) WITH FUNCTION to_own(int) AS ASSIGNMENT"
	loses "'c.x': 1 value" "ALTER TABLE c ALTER x TYPE text USING nothing(x);"
	loses "'c.x': 1 value" "ALTER TABLE c ALTER x TYPE own;"
	# What is wrong is said as ever, and once.
	rm -r migrations
	migration 2_x "ALTER TABLE t ALTER v TYPE int;"
	fails 6 "cannot be cast automatically" mig-apply -q --no-backup --allow-missing
}

@test "losses: a statement inside a WITH is what it says, and loses what it does" {
	q "CREATE TABLE o (id int PRIMARY KEY, x int, up int); INSERT INTO o SELECT g, g, g - 1 FROM generate_series(1, 100) AS g; CREATE TABLE a (LIKE o)"
	local move="DELETE FROM o WHERE id % 10 = 0 RETURNING *"
	# With a condition it is meant, wherever it stands; whatever the brackets hold.
	migration 0_x "WITH m AS ($move) INSERT INTO a SELECT * FROM m;
		WITH n (i) AS (SELECT 1), m AS MATERIALIZED (WITH k AS (SELECT 1 AS j) DELETE FROM o USING k WHERE id = j RETURNING o.*), u AS (UPDATE o SET x = NULL WHERE id = 2) INSERT INTO a SELECT * FROM m;
		WITH \"update\" AS (SELECT 1 AS \"delete\") SELECT * FROM \"update\";"
	works mig-apply -q --no-backup
	assert_equal "$(rows o) $(rows a) $(q "SELECT count(x) FROM o")" "89 11 88"
	assert_equal "$(jq -r '.applied[0].delta[] | "\(.table) \(.deleted)"' <<< "$output" | sort | xargs)" "a 0 o 11"
	rm -r migrations
	loses "'o': 89 rows (DELETE, line 2)" "WITH m AS (DELETE FROM o RETURNING *) INSERT INTO a SELECT * FROM m;" --allow-missing
	loses "'o.x': 88 values (UPDATE, line 2)" "WITH m AS (UPDATE ONLY o SET x = NULL RETURNING *) SELECT count(*) FROM m;" --allow-missing
	# What keys and triggers take with it nobody has said.
	q "ALTER TABLE o ADD FOREIGN KEY (up) REFERENCES o ON DELETE CASCADE NOT VALID"
	loses "'o': " "WITH m AS (DELETE FROM o WHERE id = 51 RETURNING *) INSERT INTO a SELECT * FROM m;" --allow-missing
	q "ALTER TABLE o DROP CONSTRAINT o_up_fkey;
		CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM o WHERE id < 50; RETURN NULL; END';
		CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION more()"
	loses "'o': " "WITH m AS (DELETE FROM o WHERE id = 51 RETURNING *) INSERT INTO a SELECT * FROM m;" --allow-missing
}
