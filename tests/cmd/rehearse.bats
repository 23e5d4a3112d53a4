# The rehearsal: the plan on the restored backup, before the real run.
load ../lib

prepare() {
	family
	mkdir -p migrations
}

# Nothing is left beside the archives and their receipts.
tidy() {
	run ls -A backups
	refute_output --partial .mig-
}

rehearse() { # OPTION...
	rm -rf backups
	mig-backup -q -o none
	run --separate-stderr mig-verify --latest --rehearse "$@"
}

@test "a plan that is good passes, and the database is not touched" {
	migration 1_a 'ALTER TABLE parent ADD COLUMN age INTEGER;
		UPDATE parent SET age = 7 WHERE id > 1;' 'ALTER TABLE parent DROP COLUMN age;'
	before=$(sha256sum app.db)
	rehearse
	[ "$status" -eq 0 ]
	[ "$before" = "$(sha256sum app.db)" ]
	[ "$(json '.rehearsal.result')" = passed ]
	[ "$(json '.rehearsal.comparable')" = true ]
	[ "$(json '.rehearsal.migrations[0] | .migration + .down')" = 1exact ]
	[ "$(json '[.rehearsal.migrations[0].statements[] | .updated] | add')" = 2 ]
	[ "$(json '.rehearsal.migrations[0].effects[0].columns[0] | .column + .change + (.after | tostring)')" = ageadded2 ]
	tidy
}

@test "a large table is read in ranges, from the lowest rowid to the highest" {
	sqlite3 app.db "CREATE TABLE large (id INTEGER PRIMARY KEY, n, r REAL, s TEXT, b BLOB, z);
		WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 60000)
		INSERT INTO large SELECT x * 1000, x * 7 - 200000, x / 3.0, 's' || x, x'00ff', NULL FROM i;
		INSERT INTO large VALUES (-9223372036854775808, 1, 1, '1', NULL, 1), (9223372036854775807, -9223372036854775808, 1, '', NULL, 1);
		CREATE TABLE made (id INTEGER PRIMARY KEY, n, _ROWID_ AS (CASE WHEN id > 60000000 THEN id END)); INSERT INTO made (id, n) SELECT id, n FROM large;
		CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
		INSERT INTO keyed SELECT s || id, n FROM large;
		CREATE TABLE \"Odd one\" (_rowid_ TEXT, v); INSERT INTO \"Odd one\" SELECT s, n FROM large"
	# Nothing becomes another: a type and a text of the same number are the same.
	migration 1_a 'UPDATE large SET n = CAST(n AS TEXT) WHERE id <> 5; UPDATE keyed SET v = v WHERE k > 0; UPDATE "Odd one" SET v = CAST(v AS TEXT) WHERE v <> 5; CREATE INDEX i ON large (s);'
	rehearse
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	assert_equal "$(json '.rehearsal.migrations[0].effects | map(.columns | length) | add')" 0
	# One value of the first row, one of the last, and one in between.
	for id in -9223372036854775808 9223372036854775807 30000000; do
		migration 1_a "UPDATE large SET n = n + 1 WHERE id = $id;"
		rehearse
		[ "$status" -eq 0 ]
		assert_equal "$(json '.rehearsal.migrations[0].effects | map(.table + " " + (.before | tostring) + " " + (.after | tostring)) | join(",")')" "large 60002 60002"
		assert_equal "$(json '.rehearsal.migrations[0].effects[0].columns | map(.column) | join(" ")')" n
	done
	migration 1_a "UPDATE large SET n = 2 WHERE id = -9223372036854775808; UPDATE keyed SET v = 0 WHERE k = 's11000'; UPDATE made SET n = 0 WHERE id = 1000; UPDATE \"Odd one\" SET v = 0 WHERE _rowid_ = 's1';"
	rehearse
	assert_equal "$(json '.rehearsal.migrations[0].effects | map(.table + "." + (.columns | map(.column) | join("+"))) | sort | join(" ")')" "Odd one.v keyed.v large.n made.n"
}

@test "expect unchanged: values that change places are a change" {
	migration 1_a $'-- mig: expect unchanged parent\nUPDATE parent SET name = CASE id WHEN 1 THEN \'n2\' ELSE \'n1\' END WHERE id < 3;'
	sqlite3 app.db "UPDATE parent SET name = 'n' || id"
	fails 6 'the same values are in other rows' mig-apply --no-backup
	assert_equal "$(sqlite3 app.db 'SELECT group_concat(name) FROM parent')" n1,n2,n3
	migration 1_a $'-- mig: expect unchanged parent\nALTER TABLE parent ADD COLUMN more;'
	works mig-apply --no-backup -q
}

@test "a statement that fails is refused with its line, and the receipt is there" {
	migration 1_a 'SELECT 1;
INSERT INTO parent (id) VALUES (1);'
	rehearse
	[ "$status" -eq 3 ]
	[[ $stderr == *"'migrations/1_a.sql' line 3: UNIQUE constraint failed"*"[rehearsal]" ]]
	[ "$(json '.result + .rehearsal.result + .rehearsal.error.reason')" = passedfailedstatement ]
	assert_file_exist "$(archive).receipt.json"
	tidy
	fails 3 'nothing was applied' mig-apply --rehearse
	[ "$(rows parent)" = 3 ]
	[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'mig%'")" = 0 ]
}

@test "what a cascade takes along is found before the real run" {
	migration 1_a 'DELETE FROM parent WHERE id = 2;'
	rehearse
	[ "$status" -eq 3 ]
	[[ $stderr == *"would lose 'child': 2 rows"*"--allow-loss 'child'"* ]]
	[ "$(json '.rehearsal.result')" = refused ]
	rehearse --allow-loss child
	[ "$status" -eq 0 ]
	# It was allowed in the rehearsal: the real run asks again.
	fails 3 "would lose 'child'" mig-apply
	works mig-apply --allow-loss child
	[[ $stderr == *'rehearsed'*'ago on this backup'* ]]
	[ "$(rows child)" = 3 ]
}

@test "the real run is held to the rehearsed schema" {
	migration 1_a 'CREATE TABLE x (a);'
	migration 2_b 'CREATE TABLE y (a);'
	rehearse
	receipt=$(archive).receipt.json
	other=$(printf %064d 0)
	jq -c --arg f "$other" '.rehearsal.migrations[1].fingerprint = $f' "$receipt" > r
	cat r > "$receipt"
	fails 6 'not the one that the rehearsal proved' mig-apply
	[ "$(json '.applied | length')" = 1 ]
	[ "$(sqlite3 app.db "SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('x', 'y')")" = x ]
	works mig-apply --no-rehearse
	[[ $stderr == *'NO REHEARSAL'* ]]
}

@test "a rehearsal of another plan is not used" {
	migration 1_a 'CREATE TABLE x (a);'
	rehearse
	migration 1_a 'CREATE TABLE x (b);'
	works mig-apply -v
	[[ $stderr == *'was of another plan'* ]]
	[ "$(json .rehearsal)" = null ]
}

@test "production rehearses by itself, and it takes two words not to" {
	migration 1_a 'CREATE TABLE x (a);'
	printf '[p]\npolicy = production\n' > mig.conf
	fails 3 '--force-no-rehearse' mig-apply --env p --yes --no-rehearse
	works mig-apply --env p --yes
	[ "$(json '.rehearsal.result')" = passed ]
	migration 2_a 'CREATE TABLE y (a);'
	works mig-apply --env p --yes --force-no-rehearse
	[ "$(json '.rehearsal')" = null ]
}

@test "a document of a rehearsal that did not pass stops the pipe" {
	migration 1_a 'DROP TABLE nothing;'
	mig-backup -q | mig-verify --rehearse > v.json || true
	fails 3 'the rehearsal on the restored backup did not pass' sh -c 'mig-apply - < v.json'
}

@test "a later verification keeps the rehearsal, and mig-status reads an old receipt" {
	migration 1_a 'CREATE TABLE x (a);'
	rehearse
	works mig-verify --latest --deep
	[ "$(jq -r '.rehearsal.result' "$(archive).receipt.json")" = passed ]
	works mig-verify --latest
	[ "$(jq -r '.level + .rehearsal.result' "$(archive).receipt.json")" = deeppassed ]
	jq -c 'del(.rehearsal) | .version = 1' "$(archive).receipt.json" > r
	cat r > "$(archive).receipt.json"
	works mig-status
	[ "$(json '.backup.fresh')" = true ]
	works mig-apply
}

@test "downs are labelled" {
	migration 1_exact 'CREATE INDEX i ON child (x);' 'DROP INDEX i;'
	migration 2_none 'CREATE TABLE n (a);'
	migration 3_forgets 'CREATE TABLE f (a); CREATE INDEX j ON child (x);' 'DROP TABLE f;'
	migration 4_fails 'CREATE TABLE g (a);' 'DROP TABLE gg;'
	migration 5_rows "DELETE FROM child WHERE id = 1;" 'SELECT 1;'
	migration 6_outside 'PRAGMA user_version = 5;' 'PRAGMA user_version = 0;'
	migration 7_again 'DROP TABLE n;' 'CREATE TABLE n (a);'
	rehearse --allow-loss n
	[ "$status" -eq 0 ]
	[ "$(json '[.rehearsal.migrations[].down] | join(" ")')" = 'exact none broken broken schema-only exact exact' ]
}

@test "a value that does not lead back is counted, with samples" {
	sqlite3 app.db "CREATE TABLE p (id INTEGER PRIMARY KEY, price TEXT); INSERT INTO p VALUES (1, '1.5'), (2, '2'), (3, '007')"
	migration 1_a 'CREATE TABLE q (id INTEGER PRIMARY KEY, price INTEGER);
		INSERT INTO q SELECT id, CAST(price AS INTEGER) FROM p; DROP TABLE p; ALTER TABLE q RENAME TO p;'
	rehearse --allow-loss p.price
	[ "$status" -eq 0 ]
	[ "$(json '.rehearsal.migrations[0].effects[0].columns[0] | [.column, .lossy] + .samples | map(tostring) | join("|")')" = \
		"price|2|1: '1.5' -> 1|3: '007' -> 7" ]
}

@test "expectations hold in the rehearsal and in the real run" {
	migration 1_a '-- mig: expect rows child = 5
-- mig: expect parent >= 4
-- mig: expect unchanged child
-- mig: expect none SELECT id FROM parent WHERE name IS NULL
INSERT INTO parent VALUES (4, NULL, NULL);'
	rehearse
	[ "$status" -eq 3 ]
	[[ $stderr == *"line 5: expected no row of SELECT id FROM parent WHERE name IS NULL, and there is one"* ]]
	fails 6 'expected no row' mig-apply --no-rehearse
	[ "$(rows parent)" = 3 ]
	sed -i "s/(4, NULL/(4, 'd'/" migrations/1_a.sql
	works mig-apply --rehearse
	[ "$(rows parent)" = 4 ]
}

@test "without data nothing is expected" {
	migration 1_a '-- mig: expect rows x >= 100
CREATE TABLE x (a);'
	works mig-gen --validate
	[ "$(json '.findings | map(select(.level == "error")) | length')" = 0 ]
}

@test "each expectation can fail" {
	while IFS='|' read -r expectation words; do
		migration 1_a "-- mig: expect $expectation
UPDATE child SET x = 'z' WHERE id = 1; DELETE FROM child WHERE id = 5;"
		fails 6 "$words" mig-apply --no-rehearse
	done <<- 'ROWS'
		rows child = 5|expected child = 5 rows, and there are 4
		child != 4|and there are 4
		rows child < 4|and there are 4
		rows child <= 3|and there are 4
		rows child > 4|and there are 4
		rows child >= 5|and there are 4
		rows nobody = 0|there is no such table
		unchanged child|expected unchanged child, and it has 4 rows, not 5
		unchanged nobody|there is no such table
		none SELECT 1 FROM child|and there is one
		none DELETE FROM child|cannot be asked
		none SELECT nothing FROM child|cannot be asked
	ROWS
	migration 1_a "-- mig: expect unchanged child
UPDATE child SET x = 'z' WHERE id = 1;"
	fails 6 'its column x has other values' mig-apply
	[ "$(sqlite3 app.db 'SELECT x FROM child WHERE id = 1')" = p ]
}

@test "an expectation that cannot be read is an error with its line" {
	while IFS='|' read -r expectation words; do
		migration 1_a "SELECT 1;
-- mig: expect $expectation"
		fails 2 "line 3: expect: $words" mig-status
	done <<- 'ROWS'
		|nothing is said
		rows|no table behind rows
		rows child|no =, !=
		rows child ~ 5|no =, !=
		rows child = many|no number of rows
		rows child = 5 or 6|no number of rows
		unchanged|no table behind unchanged
		unchanged child parent|one table only
		none|no query behind none
	ROWS
}

@test "usage: what does not go together" {
	migration 1_a 'CREATE TABLE x (a);'
	mig-backup -q -o none
	fails 2 'no copy to rehearse on' mig-verify --latest --quick --rehearse
	fails 2 'are for a rehearsal' mig-verify --latest --to 1
	fails 2 'name one' mig-apply --rehearse --no-rehearse
	fails 2 'restored backup' mig-apply --rehearse --no-backup
	fails 2 "--sample: 'x'" mig-apply --rehearse --sample x
}

@test "a killed rehearsal leaves nothing that the next does not sweep" {
	migration 1_a 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000)
		INSERT INTO child (x) SELECT i FROM n;'
	mig-backup -q -o none
	mig-verify --latest --rehearse > /dev/null 2>&1 3>&- &
	local killed=$!
	sleep 1
	kill -KILL "$killed"
	wait "$killed" || true # timeout(1) kills itself, and does not wait for its end
	migration 1_a 'CREATE TABLE x (a);'
	works mig-verify --latest --rehearse
	tidy
}

@test "a report replaces no file that is none of its own, and is looked at first" {
	migration 1_a 'CREATE TABLE x (a);'
	fails 3 'is no page of HTML' mig-apply --rehearse --report app.db
	fails 3 'is no page of HTML' mig-apply --rehearse --report migrations/1_a.sql
	fails 4 'write the report' mig-apply --rehearse --report no/such/r.html
	[ ! -e backups ]
	works mig-apply --rehearse --report r.html
	migration 2_a 'CREATE TABLE y (a);'
	works mig-apply --rehearse --report r.html
	grep -q 'CREATE TABLE y' r.html
}

@test "what says nothing of the migrations is no verdict" {
	migration 1_a 'CREATE TABLE x (a);'
	mig-backup -q -o none
	fails 2 'no migrations folder' mig-verify --latest --rehearse -m nosuch
	fails 2 "no command behind '--'" mig-apply --rehearse --url-env DATABASE_URL --
}

@test "a way back that is broken is said" {
	migration 1_a 'CREATE TABLE x (a); CREATE INDEX i ON child (x);' 'DROP TABLE x;'
	rehearse
	[ "$status" -eq 0 ]
	[[ $stderr == *'the way back of migration 1 (a) is broken: it runs, but the schema is not as before: new or other: index i of child'* ]]
}

@test "values that came back into other rows did not come back" {
	migration 1_a 'ALTER TABLE child ADD COLUMN y;' "ALTER TABLE child DROP COLUMN y;
UPDATE child SET x = CASE id WHEN 1 THEN 'q' WHEN 2 THEN 'p' ELSE x END;"
	rehearse
	[ "$(json '.rehearsal.migrations[0] | .down + ": " + .down_text')" = 'lossy: child: the same values, in other rows' ]
}
