load ../lib
# What comes after what: '-- mig: after', heads, merges, repeatable migrations.

prepare() {
	mkdir migrations
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
}

after() { # VERSION [PARENTS]
	printf '%s\n-- migrate:up\nCREATE TABLE t%s (a);\n-- migrate:down\nDROP TABLE t%s;\n' \
		"${2:+-- mig: after $2}" "$1" "$1" > "migrations/$1_m$1.sql"
}
apply() { works mig-apply -q --no-backup "$@"; }
versions() { sqlite3 app.db "SELECT version FROM mig_event WHERE event = 'apply' ORDER BY rowid" | paste -sd' '; }
two_heads() {
	after 1
	after 2
	after 3
	after 4 3
	after 5 3
	after 6 5
}

@test "two heads: status names them, apply refuses, merge joins them" {
	two_heads
	works mig-status
	assert_equal "$(json '.heads | join(" ")')" "4 6"
	assert_equal "$(json '.problems[].reason')" heads
	works mig-status --heads -o text
	assert_equal "$output" $'4\n6'
	fails 1 "" mig-status --check
	fails 3 "nothing comes after each of 4 (m4) and 6 (m6); join them: mig-gen --merge" mig-apply --no-backup
	assert_equal "$(json .reason)" heads
	assert_equal "$(sqlite3 app.db .tables)" own
	fails 3 "[heads]" mig-gen "one more"
	works mig-gen --merge
	assert_equal "$(json '.files[0]')" migrations/7_merge.sql
	grep -qx -- '-- mig: after 4, 6' migrations/7_merge.sql
	fails 3 "nothing to merge" mig-gen --merge
	works mig-gen "one more"
	grep -qx -- '-- mig: after 7' migrations/8_one_more.sql
	apply
	assert_equal "$(versions)" "1 2 3 4 5 6 7 8"
	works mig-status --check
}

@test "one of two heads can be applied by its version" {
	two_heads
	apply --to 6
	assert_equal "$(json '[.applied[].migration] | join(" ")')" "1 2 3 5 6"
	works mig-status
	assert_equal "$(json .current)" 6
	# The other branch is no late migration: nothing stands on it.
	apply --to 4
	assert_equal "$(versions)" "1 2 3 5 6 4"
	works mig-gen --merge joined
	apply
	assert_equal "$(json '[.applied[].migration] | join(" ")')" 7
}

@test "a way back leaves what the named version stands on" {
	two_heads
	after 7 "4, 6"
	apply
	works mig-rollback --to 6 --dry-run
	assert_equal "$(json '[.plan[].migration] | join(" ")')" "7 4"
	works mig-rollback --to 6 -q
	assert_equal "$(json .current)" 6
	assert_equal "$(sqlite3 app.db "SELECT group_concat(name, ' ') FROM sqlite_schema WHERE name LIKE 't_'")" "t1 t2 t3 t5 t6"
	works mig-rollback --steps 2 -q
	assert_equal "$(json '[.done[].migration] | join(" ")')" "6 5"
	apply
	works mig-status --check
}

@test "a version may come after a higher one" {
	after 1
	after 5 9
	after 9 1
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "1 9 5"
	assert_equal "$(json .head)" 5
	apply --to 9
	apply
	works mig-status --check
	assert_equal "$(json .current)" 5
	works mig-rollback --steps 1 -q
	assert_equal "$(json '[.done[].migration] | join(" ")')" 5
	assert_equal "$(json .current)" 9
	# Something above is applied, and it is not: late.
	apply
	printf -- '-- mig: after 1\n-- migrate:up\nCREATE TABLE t7 (a);\n' > migrations/7_m7.sql
	printf -- '-- mig: after 7\n-- migrate:up\nCREATE TABLE t9 (a);\n-- migrate:down\nDROP TABLE t9;\n' > migrations/9_m9.sql
	works mig-status
	assert_equal "$(json '.problems[] | select(.reason == "order") | .text')" \
		"migration 7 (m7) is pending, but 9, which comes after it, is applied"
}

@test "cycles, missing parents and duplicate versions: each its own error" {
	after 1
	after 2 3
	after 3 2
	fails 2 "come after each other: 2 after 3 after 2" mig-status
	assert_equal "$(json .reason)" cycle
	after 3
	fails 2 "2 after 3 after 2" mig-apply --no-backup
	after 2 2
	fails 2 "2 after 2" mig-apply --no-backup
	after 2 9
	fails 2 "migration 2 ('2_m2.sql') comes after 9, and no migration has that version" mig-status
	assert_equal "$(json .reason)" parent
	after 2 1
	cp migrations/2_m2.sql migrations/02_twice.sql
	fails 2 "two migrations have the version" mig-status
	assert_equal "$(json .reason)" duplicate
	run --separate-stderr mig-gen --validate
	assert_equal "$status" 1
	assert_equal "$(json '.findings[].level')" error
}

@test "the directive is read at the top, in the up, in a pair; not in a down" {
	after 1
	printf 'CREATE TABLE a (x);\n-- mig: after 1\n' > migrations/2_a.up.sql
	printf -- '-- migrate:up\n-- mig: after 1 , 2\nCREATE TABLE b (x);\n' > migrations/3_b.sql
	works mig-status --graph
	assert_equal "$(json '.graph[] | .after | join(" ")' | paste -sd,)" ",1,1 2"
	printf -- '-- migrate:up\nSELECT 1;\n-- migrate:down\n-- mig: after 1\n' > migrations/4_c.sql
	fails 2 "belong into the up" mig-status
	printf -- '-- mig: after\n-- migrate:up\nSELECT 1;\n' > migrations/4_c.sql
	fails 2 "4_c.sql' line 1: the directive names no version" mig-status
	printf -- '-- mig: allow-loss x\n-- migrate:up\nSELECT 1;\n' > migrations/4_c.sql
	fails 2 "4_c.sql' line 1: stands before" mig-status
	rm migrations/2* migrations/4*
	fails 2 "are for mig's own format, and this is dbmate" mig-status --format dbmate
}

@test "the graph is drawn, the newest on top" {
	two_heads
	after 7 3
	after 8 "4, 6, 7"
	apply --to 6
	works mig-status --graph -o text
	diff - <(printf '%s\n' "$output") <<- 'END'
	o  8  m8  (pending)
	|\
	|_|\
	| | o  7  m7  (pending)
	| * |  6  m6
	| * |  5  m5
	o | |  4  m4  (pending)
	|/  |
	|__/
	*  3  m3
	*  2  m2
	*  1  m1
	END
	works mig-status --graph
	assert_equal "$(json '.graph | map(.state) | unique | join(" ")')" "applied pending"
}

@test "a baseline records what its version stands on" {
	two_heads
	works mig-gen --baseline 6
	assert_equal "$(sqlite3 app.db 'SELECT version FROM mig_ledger ORDER BY version' | xargs)" "1 2 3 5 6"
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" 4
}

@test "a repeatable migration runs last, and again when it changes" {
	after 1
	printf -- '-- migrate:up\n-- mig: repeatable\nDROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1 AS n;\n' > migrations/0_view.sql
	printf 'DROP VIEW IF EXISTS w; CREATE VIEW w AS SELECT n FROM v;\n' > migrations/R__w.sql
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "1 R:0_view R:w"
	assert_equal "$(json .head)" 1
	apply
	works mig-status --check
	assert_equal "$(json .current)" 1
	sed -i 's/SELECT 1/SELECT 2/' migrations/0_view.sql
	works mig-status
	assert_equal "$(json '[.pending[].migration] | join(" ")')" "R:0_view"
	assert_equal "$(json '.problems | length')" 0
	apply
	assert_equal "$(sqlite3 app.db 'SELECT n FROM w')" 2
	works mig-status --check
	works mig-rollback --to 0 -q --accept-loss
	assert_equal "$(json '[.done[].migration] | join(" ")')" 1
	printf -- '-- migrate:down\nDROP VIEW v;\n' >> migrations/0_view.sql
	fails 2 "has no way back" mig-status
	printf -- '-- mig: repeatable\n-- mig: after 1\n-- migrate:up\nSELECT 1;\n' > migrations/0_view.sql
	fails 2 "comes after all others" mig-status
	rm migrations/0_view.sql
	after 2 R:w
	fails 2 "[parent]" mig-status
}

@test "a repeatable one outside a transaction runs from its first statement each time" {
	after 1
	printf -- '-- mig: repeatable\n-- migrate:up transaction:false\nPRAGMA user_version = 5;\nPRAGMA application_id = 7;\n' > migrations/2_r.sql
	apply
	sed -i 's/= 5/= 50/; s/= 7/= 70/' migrations/2_r.sql
	apply
	assert_equal "$(sqlite3 app.db 'PRAGMA user_version; PRAGMA application_id' | xargs)" "50 70"
	# Failed, mended and resumed, it runs once.
	sed -i 's/= 50/= 51/; s/= 70/= (/' migrations/2_r.sql
	fails 7 "" mig-apply --no-backup
	sed -i 's/= (/= 71/' migrations/2_r.sql
	apply --resume
	assert_equal "$(json '[.applied[].migration] | join(" ")')" R:2_r
	assert_equal "$(sqlite3 app.db 'PRAGMA application_id')" 71
	works mig-status --check
}

@test "a repeatable one is no version to go to" {
	after 1
	after 2 1
	printf 'CREATE VIEW IF NOT EXISTS v AS SELECT 1;\n' > migrations/R__v.sql
	fails 2 "'R:v' is a repeatable migration" mig-apply --to R:v
	fails 2 "'R:v' is a repeatable migration" mig-gen --baseline R:v
	fails 2 "'R:v' is a repeatable migration" mig-gen --squash R:v
	apply
	fails 2 "repeatable ones have no place" mig-rollback --to R:v
	assert_equal "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name IN ('t1', 't2')")" 2
}

@test "a folder of repeatable migrations alone is mig's" {
	printf 'CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS n;\n' > migrations/R__v.sql
	apply
	after 1
	works mig-status
	assert_equal "$(json '.format, .pending[0].migration' | xargs)" "mig 1"
}

@test "a file that is gone does not stop what its ledger row can answer" {
	after 1
	after 2 1
	after 3 2
	apply
	rm migrations/2_m2.sql
	works mig-status
	assert_equal "$(json '[.problems[].reason] | join(" ")')" missing
	works mig-gen next
	grep -qx -- '-- mig: after 3' migrations/4_next.sql
	apply --allow-missing
	works mig-rollback --steps 3 -q
	assert_equal "$(json '[.done[].migration] | join(" ")')" "4 3 2"
	assert_equal "$(sqlite3 app.db "SELECT group_concat(name) FROM sqlite_schema WHERE name LIKE 't_'")" t1
	# It is not applied any more: nobody knows what 3 stands on.
	fails 2 "migration 3 ('3_m3.sql') comes after 2, and no migration has that version" mig-status
	run --separate-stderr mig-gen --validate
	assert_equal "$status $(json '.findings[].text')" "1 migration 3 ('3_m3.sql') comes after 2, and no migration has that version"
}

@test "a file that is gone is taken back before what it may stand on" {
	after 1
	after 3 1
	after 2 3
	after 4 2
	apply
	rm migrations/4_m4.sql
	works mig-rollback --steps 1 -q
	assert_equal "$(json '[.done[].migration] | join(" ")')" 4
	works mig-rollback --to 3 -q
	assert_equal "$(json '[.done[].migration] | join(" ")')" 2
}

@test "--validate: what a repeatable one makes is in no down's way" {
	after 1
	after 2
	printf 'CREATE VIEW v AS SELECT a FROM t2;\n' > migrations/R__v.sql
	works mig-gen --validate
	assert_equal "$(json '.findings | length')" 0
	assert_equal "$(json '.files | length')" 3
	printf 'CREATE VIEW v AS SELECT nope FROM t2; SELECT * FROM v;\n' > migrations/R__v.sql
	run --separate-stderr mig-gen --validate
	assert_equal "$status $(json '.findings[].file')" "1 migrations/R__v.sql"
}

@test "where a file is gone, what was applied last goes back first" {
	after 1
	after 5 1
	after 2 5
	after 3 2
	after 4 3
	apply
	cp app.db kept.db
	local gone to want
	while read -r gone to want; do
		cp kept.db app.db
		mkdir away
		for gone in ${gone//,/ }; do mv "migrations/${gone}_m$gone.sql" away/; done
		works mig-rollback "--${to%=*}" "${to#*=}" -q --dry-run
		assert_equal "$gone $to: $(json '[.plan[].migration] | join(",")')" "$gone $to: $want"
		mv away/* migrations/
		rmdir away
	done <<- 'END'
	5 to=3 4
	5 to=2 4,3
	2 steps=1 4
	2 to=3 4
	3 to=5 4,3,2
	2,3 to=5 4,3,2
	END
}
