load ../lib
# What is recorded, and what it is believed to mean.

@test "--resume goes on only behind the statements that were done" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	mkdir -p migrations out
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 7;\nVACUUM INTO "absent/x.db";\nPRAGMA application_id = 9;\n' > migrations/1_x.sql
	fails 7 "absent" mig-apply -q --no-backup
	printf -- '-- migrate:up transaction:false\nVACUUM INTO "out/x.db";\nPRAGMA application_id = 9;\n' > migrations/1_x.sql
	fails 3 "another one, or none, at number 1" mig-apply -q --no-backup --resume
	assert_file_not_exist out/x.db
	printf -- '-- migrate:up transaction:false\n-- the same\nPRAGMA user_version = 7;\nVACUUM INTO "out/x.db";\nPRAGMA application_id = 9;\n' > migrations/1_x.sql
	works mig-apply -q --no-backup --resume
	assert_equal "$(sqlite3 app.db 'PRAGMA user_version; PRAGMA application_id' | tr '\n' ' ')" "7 9 "
	assert_file_exist out/x.db
}

@test "a repair in production is not refused for what it repairs" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	printf 'policy = production\n' > mig.conf
	migration 1_a 'CREATE TABLE a (x);'
	works mig-apply -q --yes
	migration 1_a 'CREATE TABLE a (x); -- changed'
	works mig-apply -q --yes --repair
	works mig-status --check
}

@test "diesel: versions are ordered as text, byte by byte" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	mkdir -p migrations/20240101_create migrations/20240101120000_alter
	echo 'CREATE TABLE users (id INTEGER PRIMARY KEY);' > migrations/20240101_create/up.sql
	echo 'DROP TABLE users;' > migrations/20240101_create/down.sql
	echo 'ALTER TABLE users ADD COLUMN x;' > migrations/20240101120000_alter/up.sql
	echo 'ALTER TABLE users DROP COLUMN x;' > migrations/20240101120000_alter/down.sql
	works mig-apply -q --no-backup --format diesel
	works mig-rollback --format diesel --steps 1 --dry-run
	assert_equal "$(json '.plan[].migration')" 20240101120000
}

@test "Flyway: a version without a description is a migration" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	mkdir migrations
	echo 'CREATE TABLE one (x);' > migrations/V1__init.sql
	echo 'CREATE TABLE two (x);' > migrations/V2.sql
	echo 'CREATE TABLE three (x);' > migrations/V3__three.sql
	works mig-apply -q --no-backup --format flyway
	assert_equal "$(sqlite3 app.db "SELECT group_concat(version || ':' || description) FROM flyway_schema_history ORDER BY installed_rank")" "1:init,2:,3:three"
	works mig-status --check
}

@test "an expectation is filled as the statements are" {
	sqlite3 app.db "CREATE TABLE zz (a)"
	export DATABASE_URL=sqlite:app.db
	mkdir migrations
	printf -- "-- mig: placeholders\n-- migrate:up\n-- mig: expect none SELECT 1 FROM zz WHERE a = '\${who}'\nINSERT INTO zz VALUES ('\${who}');\n" > migrations/1_x.sql
	fails 6 "1_x.sql' line 3" mig-apply -q --no-backup --set who=bob
	echo bob > who
	fails 6 "1_x.sql' line 3" mig-apply -q --no-backup --set-file who=who
	[[ $stderr != *bob* ]]
	sed -i "s/none SELECT 1 FROM zz WHERE a =/none SELECT 1 FROM zz WHERE a <>/" migrations/1_x.sql
	works mig-apply -q --no-backup --set who=bob
	assert_equal "$(rows zz)" 1
}

@test "a file that is renamed from 7 to 007 has one record, whatever is done to it" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	migration 7_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	works mig-apply -q --no-backup
	mv migrations/7_a.sql migrations/007_a.sql
	echo '-- changed' >> migrations/007_a.sql
	works mig-apply -q --no-backup --repair --yes
	works mig-status --check
	works mig-rollback -q --steps 1 --yes
	assert_equal "$(sqlite3 app.db 'SELECT count(*) FROM mig_ledger')" 0
	works mig-apply -q --no-backup
	rm migrations/*
	printf -- '-- migrate:up transaction:false\nVACUUM INTO "absent/x.db";\n' > migrations/8_x.sql
	fails 7 "absent" mig-apply -q --no-backup --allow-missing
	mkdir absent
	mv migrations/8_x.sql migrations/008_x.sql
	works mig-apply -q --no-backup --allow-missing --resume
	assert_equal "$(sqlite3 app.db "SELECT group_concat(version || state) FROM mig_ledger WHERE version LIKE '%8'")" 8applied
}

@test "--resume of one with placeholders compares its text, not its values" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	mkdir migrations
	printf -- '-- mig: placeholders\n-- migrate:up transaction:false\nPRAGMA user_version = ${n};\nVACUUM INTO "${to}/x.db";\n' > migrations/1_x.sql
	fails 7 "absent" mig-apply -q --no-backup --set n=7 --set to=absent
	echo '-- more' >> migrations/1_x.sql
	mkdir out
	works mig-apply -q --no-backup --resume --set n=7 --set to=out
	assert_file_exist out/x.db
	assert_equal "$(sqlite3 app.db 'PRAGMA user_version')" 7
}

@test "what is refused before it begins is not among what was applied" {
	sqlite3 app.db "CREATE TABLE t (x)"
	export DATABASE_URL=sqlite:app.db
	mkdir migrations
	printf -- '-- migrate:up transaction:false\nPRAGMA user_version = 7;\nVACUUM INTO "absent/x.db";\n' > migrations/1_x.sql
	fails 7 "absent" mig-apply -q --no-backup
	sed -i 2d migrations/1_x.sql
	fails 3 "[failed]" mig-apply -q --no-backup --resume
	assert_equal "$(json '[.applied[]?] | length')" 0
}
