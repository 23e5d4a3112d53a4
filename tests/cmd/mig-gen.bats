load ../lib

@test "a title becomes a versioned file, after the newest" {
	works mig-gen "Add users' table!"
	[[ $(json '.files[0]') =~ ^migrations/[0-9]{14}_add_users_table\.sql$ ]]
	works mig-gen second
	assert_equal "$(ls migrations | wc -l)" 2
	rm migrations/*
	migration 0041_x 'SELECT 1;'
	works mig-gen next
	assert_equal "$(json .migration)" 0042
	fails 2 "no letter" mig-gen '!!'
}

@test "each template has a true down: up and down lead back" {
	family
	works mig-gen "t" --template add_table --table "new t" -c 'id INTEGER PRIMARY KEY' -c 'name TEXT NOT NULL'
	works mig-gen "c" --template add_column --table parent -c 'age INTEGER' -c 'size TEXT'
	works mig-gen "i" --template add_index --table child -c x -c parent_id
	works mig-gen "u" --template add_index --table parent -c name --unique
	local before
	before=$(contents)
	works mig-apply -q
	assert_equal "$(json '.applied | length')" 4
	works mig-rollback --to 0 -q
	assert_equal "$(contents)" "$before"
}

@test "add_foreign_key rebuilds the table with all that hangs on it" {
	sqlite3 app.db "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT);
	CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT, p_id INTEGER NOT NULL,
		price REAL CHECK (price > 0), twice REAL GENERATED ALWAYS AS (price * 2) STORED,
		v TEXT AS (upper(n)) VIRTUAL, n TEXT DEFAULT 'x''y', -- a note
		UNIQUE (n, p_id) /* and ( more */
	) STRICT;
	CREATE TABLE k (a TEXT, b TEXT, p_id INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
	CREATE TABLE r (x TEXT, p_id INTEGER);
	CREATE TABLE g (c_id REFERENCES c (id) ON DELETE CASCADE);
	CREATE INDEX c_price ON c (price) WHERE price > 1;
	CREATE TRIGGER c_t AFTER INSERT ON c BEGIN UPDATE p SET n = 'seen' WHERE id = new.p_id; END;
	CREATE TRIGGER p_t AFTER UPDATE ON p BEGIN UPDATE c SET n = n WHERE p_id = new.id; END;
	CREATE VIEW v1 AS SELECT id, price FROM c;
	CREATE VIEW v2 AS SELECT count(*) AS n FROM v1;
	CREATE TRIGGER v_t INSTEAD OF INSERT ON v1 BEGIN SELECT 1; END;
	INSERT INTO p VALUES (1, 'a'), (2, 'b');
	INSERT INTO c (p_id, price, n) VALUES (1, 2.5, 'i'), (2, 3.5, 'j'), (2, 4.5, 'k');
	UPDATE c SET n = id;
	DELETE FROM c WHERE id = 3;
	INSERT INTO k VALUES ('x', 'y', 1);
	INSERT INTO r VALUES ('one', 1), ('two', 2); DELETE FROM r WHERE x = 'one';
	INSERT INTO g VALUES (1), (2)"
	export DATABASE_URL=app.db
	local before
	before=$(sqlite3 app.db "SELECT name, type, replace(replace(sql, '\"', ''), 'CREATE TABLE c (', 'CREATE TABLE c (') FROM sqlite_schema ORDER BY 1, 2; SELECT rowid, * FROM r; SELECT * FROM c; SELECT * FROM sqlite_sequence")
	for table in c k r; do
		works mig-gen "fk $table" --template add_foreign_key --table $table -c p_id --references 'p(id)' --on-delete cascade
	done
	works mig-apply -q
	works mig-status --check
	for table in c k r; do
		assert_equal "$(sqlite3 app.db "SELECT \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list('$table')")" "p|p_id|id|CASCADE"
	done
	assert_equal "$(sqlite3 app.db 'SELECT seq FROM sqlite_sequence; SELECT count(*) FROM g; SELECT rowid FROM r; SELECT twice FROM c WHERE id = 2; SELECT n FROM v2' | tr '\n' ' ')" "3 2 2 7.0 2 "
	assert_equal "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name IN ('c_price', 'c_t', 'p_t', 'v1', 'v2', 'v_t')")" 6
	sqlite3 app.db "PRAGMA foreign_keys = ON; DELETE FROM p WHERE id = 1"
	assert_equal "$(rows c)" 1
	sqlite3 app.db "INSERT INTO p VALUES (1, 'a'); INSERT INTO c (id, p_id, price, n) VALUES (1, 1, 2.5, '1'); INSERT INTO k VALUES ('x', 'y', 1); INSERT INTO g VALUES (1); UPDATE p SET n = 'a' WHERE id = 1; UPDATE p SET n = 'b' WHERE id = 2"
	works mig-rollback --to 0 -q --accept-loss
	assert_equal "$(sqlite3 app.db "SELECT sum(1) FROM pragma_foreign_key_list('c')")" ""
	sqlite3 app.db "SELECT sql FROM sqlite_schema WHERE name = 'c'" | grep -q 'AUTOINCREMENT'
	sqlite3 app.db "SELECT sql FROM sqlite_schema WHERE name = 'c'" | grep -q 'STRICT'
}

@test "add_foreign_key says what is not there" {
	family
	fails 2 "the table 'absent' is not in the database" mig-gen x --template add_foreign_key --table absent -c a --references 'parent(id)'
	fails 2 "the column 'child.absent'" mig-gen x --template add_foreign_key --table child -c absent --references 'parent(id)'
	fails 2 "the referenced 'parent.absent'" mig-gen x --template add_foreign_key --table child -c x --references 'parent(absent)'
	fails 2 "is not cascade" mig-gen x --template add_foreign_key --table child -c x --references parent --on-delete explode
	assert_file_not_exist migrations
}

@test "--baseline records, runs nothing, and only once" {
	family
	migration 1_a 'CREATE TABLE parent (x);'
	migration 2_b 'CREATE TABLE child (x);'
	migration 3_c 'CREATE TABLE c (x);' 'DROP TABLE c;'
	local before
	before=$(contents)
	works mig-gen --baseline 2
	assert_equal "$(json '.action, .migration, (.files | length)')" "$(printf 'baseline\n2\n2')"
	assert_equal "$(contents)" "$before"
	works mig-status
	assert_equal "$(json '.current, (.pending | length), (.problems | length)')" "$(printf '2\n1\n0')"
	fails 3 "has a ledger" mig-gen --baseline 2
	works mig-gen --validate
	assert_equal "$(json '.files[0], (.files | length)')" "$(printf 'migrations/3_c.sql\n1')"
	fails 2 "no migration has the version" mig-gen --baseline 9 -d other.db || fails 4 "no database" mig-gen --baseline 9 -d other.db
}

@test "--validate runs every up and down on an empty copy" {
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	migration 2_b 'CREATE TABLE b (x); CREATE INDEX b_x ON b (x);' 'DROP TABLE b;'
	works mig-gen --validate
	assert_equal "$(json '.findings | length')" 0
	migration 3_c 'ALTER TABLE b ADD COLUMN y; CREATE INDEX b_y ON b (y);' 'DROP INDEX b_y;'
	works mig-gen --validate
	assert_equal "$(json '.findings[0] | "\(.level) \(.file)"')" "warning migrations/3_c.sql"
	migration 4_d 'CREATE TABLE d (x); SELEC;' 'DROP TABLE d;'
	run --separate-stderr mig-gen --validate
	assert_equal "$status" 1
	[[ $(json '.findings[0].text') == *"line 2"*"syntax error"* ]]
	rm migrations/4_d.sql
	migration 03_twice 'SELECT 1;'
	run --separate-stderr mig-gen --validate
	assert_equal "$status" 1
	[[ $(json '.findings[0].text') == *"two migrations"* ]]
	assert_equal "$(ls)" migrations
}

@test "bad options" {
	fails 2 "say what to write" mig-gen
	fails 2 "put the title in quotes" mig-gen add users
	fails 2 "different things" mig-gen x --validate
	fails 2 "no template 'nonsense'" mig-gen x --template nonsense
	fails 2 "needs --table" mig-gen x --template add_table
	fails 2 "no migrations folder" mig-gen --validate
	assert_file_not_exist migrations
}

@test "several at once choose versions of their own" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		mig-gen -o none "m $i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	assert_equal "$(ls migrations | wc -l)" 6
	assert_equal "$(ls migrations | cut -d_ -f1 | sort -u | wc -l)" 6
}

@test "a reference may have a blank before its column" {
	family
	works mig-gen "k" --template add_foreign_key --table child -c x --references 'parent ( id )'
	grep -q 'REFERENCES "parent"' migrations/*.sql || grep -q 'REFERENCES parent' migrations/*.sql
}
