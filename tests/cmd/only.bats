# mig-rollback --restore --only: single tables and columns, beside the live ones.
load ../lib

prepare() { family; }

new() { json ".brought[$1].into" | tr -d '"'; }

@test "a table that lost rows, and its rows put back by the command that is printed" {
	mig-backup -q -o none
	sqlite3 app.db 'DELETE FROM child WHERE id > 2'
	before=$(sqlite3 app.db 'SELECT * FROM parent; SELECT * FROM child')
	works mig-rollback --restore --only child
	[ "$(json '.mode + .result + (.brought[0].rows | tostring)')" = onlydone5 ]
	[ "$(rows "$(new 0)")" = 5 ]
	[ "$(sqlite3 app.db 'SELECT * FROM parent; SELECT * FROM child')" = "$before" ]
	sqlite3 app.db "$(json '.brought[0].sql')"
	[ "$(rows child)" = 5 ]
	[ "$(sqlite3 app.db 'SELECT x FROM child WHERE id = 5')" = t ]
	run ls -A backups
	refute_output --partial .mig-
}

@test "a column that was dropped, by key" {
	mig-backup -q -o none
	sqlite3 app.db "ALTER TABLE parent DROP COLUMN note; INSERT INTO parent VALUES (9, 'new')"
	works mig-rollback --restore --only parent.note
	[ "$(sqlite3 app.db "SELECT group_concat(name) FROM pragma_table_info('$(new 0)')")" = id,note ]
	sqlite3 app.db "$(json '.brought[0].sql')"
	[ "$(sqlite3 app.db "SELECT group_concat(id || coalesce(note, '-')) FROM parent")" = 1-,2x,3y,9- ]
}

@test "a table that is gone, several at once, and all or none" {
	mig-backup -q -o none
	sqlite3 app.db 'DROP TABLE child'
	fails 2 "no table 'nobody'" mig-rollback --restore --only child,nobody
	fails 2 "no table and column 'parent.nothing'" mig-rollback --restore --only child --only parent.nothing
	[ "$(sqlite3 app.db 'SELECT count(*) FROM sqlite_schema WHERE type = "table"')" = 1 ]
	works mig-rollback --restore --only child,parent.name
	sqlite3 app.db "$(json '.brought[0].sql')"
	[ "$(rows child)" = 5 ]
	[ "$(sqlite3 app.db "SELECT group_concat(name) FROM (SELECT name FROM \"$(new 1)\" ORDER BY id)")" = a,b,c ]
}

@test "rows that are there twice come back twice" {
	sqlite3 app.db "CREATE TABLE n (a, b); CREATE TABLE c (x COLLATE NOCASE); INSERT INTO c VALUES ('A'), ('a'); INSERT INTO n VALUES (1, 2), (1, 2), (1, NULL), (1, NULL), (3, 4)"
	mig-backup -q -o none
	sqlite3 app.db 'DELETE FROM n WHERE rowid IN (1, 3, 5); INSERT INTO n VALUES (9, 9); DELETE FROM c WHERE rowid = 1'
	works mig-rollback --restore --only n --only c
	sqlite3 app.db "$(json '.brought[0].sql')"
	sqlite3 app.db "$(json '.brought[1].sql')"
	assert_equal "$(sqlite3 app.db "SELECT group_concat(x) FROM (SELECT x FROM c ORDER BY x COLLATE BINARY)")" A,a
	assert_equal "$(sqlite3 app.db "SELECT group_concat(a || coalesce(b, '-')) FROM (SELECT * FROM n ORDER BY a, b)")" "1-,1-,12,12,34,99"
}

@test "many names, with commas between" {
	sqlite3 app.db 'CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x); CREATE TABLE d (x); CREATE TABLE e (x)'
	run --separate-stderr bash -c 'mig-backup -q | mig-verify -q'
	sqlite3 app.db 'DROP TABLE a; DROP TABLE b; DROP TABLE c; DROP TABLE d; DROP TABLE e'
	works mig-rollback -q --restore --only a,b,c,d,e --only a --only b
}

@test "what mig has recorded stays true" {
	migration 1_a 'CREATE TABLE x (a);'
	works mig-apply
	mig-backup -q -o none
	works mig-rollback --restore --only parent
	works mig-status --check
	[ "$(json .schema)" = same ]
	works mig-status --history
	[ "$(json '.history[-1].event')" = only ]
}

@test "no key, another database, a plan, and what does not go together" {
	sqlite3 app.db 'CREATE TABLE bag (a, b); INSERT INTO bag VALUES (1, 2), (1, 2)'
	mig-backup -q -o none
	fails 3 'has no primary key' mig-rollback --restore --only bag.a
	works mig-rollback --restore --only bag
	[ "$(json '.brought[0].rows')" = 2 ]
	works mig-rollback --restore --only parent --dry-run
	[ "$(json '.result')" = planned ]
	fails 2 'not with --into' mig-rollback --restore --only parent --into x.db
	fails 2 'go with --restore' mig-rollback --steps 1 --only parent
	fails 2 "''" mig-rollback --restore --only ''
	sqlite3 other.db 'CREATE TABLE t (a)'
	fails 3 'of another database' mig-rollback --database sqlite:other.db --restore --only parent "$(archive)"
	works mig-rollback --database sqlite:other.db --restore --other-database --only parent "$(archive)"
	[ "$(sqlite3 other.db "SELECT count(*) FROM \"$(new 0)\"")" = 3 ]
}

@test "names that are not plain" {
	sqlite3 app.db 'CREATE TABLE "My ""Table""" ("Key 1" TEXT PRIMARY KEY, "x.y" BLOB) WITHOUT ROWID; INSERT INTO "My ""Table""" VALUES (1, x'"'00ff'"')'
	mig-backup -q -o none
	sqlite3 app.db 'DELETE FROM "My ""Table"""'
	works mig-rollback --restore --only 'My "Table"'
	sqlite3 app.db "$(json '.brought[0].sql')"
	[ "$(sqlite3 app.db 'SELECT hex("x.y") FROM "My ""Table"""')" = 00FF ]
}

@test "what the database makes itself is not put back" {
	sqlite3 app.db "CREATE TABLE g (id INTEGER PRIMARY KEY, a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, gone INT); INSERT INTO g (id, a, gone) VALUES (1, 5, 6), (2, 7, 8)"
	mig-backup -q -o none
	sqlite3 app.db 'DELETE FROM g WHERE id = 1; ALTER TABLE g DROP COLUMN gone'
	works mig-rollback --restore --only g
	sqlite3 app.db "$(json '.brought[0].sql')"
	[ "$(sqlite3 app.db 'SELECT group_concat(id || a || b) FROM g')" = 1510,2714 ]
}
