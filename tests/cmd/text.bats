load ../lib
# What a migration leaves open: included files, placeholders.

prepare() {
	mkdir -p migrations/parts
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
}
sql() { sqlite3 app.db "$1"; }
apply() { works mig-apply -q --no-backup "$@"; }

@test "a placeholder has its value from option, file or mig.conf; the ledger keeps its name" {
	migration 1_a $'-- mig: placeholders\nCREATE TABLE ${prefix}_a (x DEFAULT \'${word}\', y DEFAULT \'$${word} ${key}\');' $'-- mig: placeholders\nDROP TABLE ${prefix}_a;'
	fails 2 "\${prefix} has no value; give it: --set prefix=VALUE" mig-apply
	assert_equal "$(json .reason)" placeholder
	assert_file_not_exist backups
	printf 's3cret\n' > key.txt
	printf 'set.prefix = top\nset.word = conf\nset-file.key = key.txt\n[live]\nset.prefix = live\n' > mig.conf
	apply --env live --set word=option
	assert_equal "$(sql "SELECT dflt_value FROM pragma_table_info('live_a')")" $'\'option\'\n\'${word} s3cret\''
	[[ "$(sql 'SELECT up_text FROM mig_ledger')" == *'${key}'* ]]
	run ! grep -q s3cret <(sqlite3 app.db 'SELECT * FROM mig_ledger; SELECT * FROM mig_event')
	# Other values are no change of the file.
	works mig-status --check
	rm migrations/1_a.sql
	works mig-rollback --steps 1 -q --env live
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = 'live_a'")" 0
}

@test "asked for at the top, it holds for both directions" {
	printf -- '-- mig: placeholders\n\n-- migrate:up\nCREATE TABLE ${t} (x);\nSELECT nope;\n-- migrate:down\nDROP TABLE ${t};\n' > migrations/1_a.sql
	fails 6 "1_a.sql' line 5: " mig-apply --no-backup --set t=one
	sed -i 5d migrations/1_a.sql
	apply --set t=one
	rm migrations/1_a.sql
	fails 2 "'ledger': \${t} has no value" mig-rollback --steps 1
	works mig-rollback --steps 1 -q --set t=one
	assert_equal "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = 'one'")" 0
}

@test "a file that does not ask is left as it is; a broken one is refused" {
	migration 1_a "CREATE TABLE a (x DEFAULT '\${HOME}');"
	apply
	assert_equal "$(sql "SELECT dflt_value FROM pragma_table_info('a')")" "'\${HOME}'"
	migration 2_b $'-- mig: placeholders\nCREATE TABLE b (x DEFAULT \'${not closed\');'
	fails 2 "is no placeholder: \${NAME}" mig-apply --set not=1
	fails 2 "'x' is not NAME=VALUE" mig-apply --set x
	fails 2 "'a b' is not NAME=VALUE" mig-apply --set 'a b=1'
	fails 2 "absent.txt" mig-apply --set-file key=absent.txt
	printf 'set. = x\n' > mig.conf
	fails 2 "no name, or no value" mig-apply
	# Who only looks needs no value, nor the secret's file.
	printf 'set-file.key = absent.txt\n' > mig.conf
	works mig-status
	fails 2 "'mig.conf'" mig-apply
}

@test "a secret is in no message, in no event, in no document" {
	migration 1_a $'-- mig: placeholders\nSELECT * FROM "${key}";'
	echo topsecretvalue > key.txt
	fails 6 "its words are not shown" mig-apply --no-backup --set-file key=key.txt
	run ! grep -q topsecretvalue <(echo "$output$stderr"; sql 'SELECT * FROM mig_event; SELECT * FROM mig_ledger')
}

@test "a secret is in no rehearsal, in no receipt and in no report" {
	sql 'CREATE TABLE s (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO s VALUES (1, 1)'
	migration 1_a $'-- mig: placeholders\nCREATE TABLE k (a TEXT DEFAULT \'${key}\');\nUPDATE s SET v = \'${key}\' WHERE id = 1;\nCREATE TABLE r (id INTEGER PRIMARY KEY, v TEXT);\nINSERT INTO r SELECT id, \'${key}\' FROM s;\nDROP TABLE s;\nALTER TABLE r RENAME TO s;' 'SELECT 1;'
	echo topsecretvalue > key.txt
	works mig-apply --rehearse --set-file key=key.txt --allow-loss s.v --report r.html
	[ "$(json '.rehearsal.migrations[0].down')" = broken ]
	run ! grep -r -q topsecretvalue <(echo "$output$stderr") backups/*.json r.html
}

@test "an include is part of the migration: its text, its checksum, its losses" {
	sql 'CREATE TABLE old (x); INSERT INTO old VALUES (1)'
	printf -- '-- mig: allow-loss old\nDROP TABLE old;' > migrations/parts/drop.sql
	printf 'CREATE TABLE a (x);\nCREATE TABLE b (x);\n' > migrations/parts/tables.sql
	migration 1_a $'-- mig: include parts/tables.sql\nCREATE TABLE c (x);\n-- mig: include parts/drop.sql' 'DROP TABLE c; DROP TABLE b; DROP TABLE a;'
	apply
	assert_equal "$(sql "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE length(name) = 1 ORDER BY 1)")" a,b,c
	[[ "$(sql 'SELECT up_text FROM mig_ledger')" == *'-- mig: included parts/tables.sql'*'CREATE TABLE b'* ]]
	works mig-status --check
	works mig-rollback --steps 1 -q
	sql 'CREATE TABLE old (x)'
	apply
	echo '-- more' >> migrations/parts/drop.sql
	works mig-status
	assert_equal "$(json '.problems[].reason')" checksum
}

@test "an error in an included file names that file and its line" {
	printf 'CREATE TABLE a (x);\n\nSELECT nope;\n' > migrations/parts/p.sql
	migration 1_a $'CREATE TABLE z (x);\n-- mig: include parts/p.sql\nSELECT 1;'
	fails 6 "'migrations/parts/p.sql' line 3: no such column" mig-apply --no-backup
	printf "CREATE TABLE a (x);\n\nSELECT 'open;\n" > migrations/parts/p.sql
	fails 2 "in 'migrations/parts/p.sql' line 3" mig-apply --no-backup
	printf "CREATE TABLE a (x);\nBEGIN;\n" > migrations/parts/p.sql
	fails 3 "'migrations/parts/p.sql' line 2: BEGIN cannot run" mig-apply --no-backup
	printf "CREATE TABLE a (x);\n" > migrations/parts/p.sql
	migration 1_a $'CREATE TABLE z (x);\n-- mig: include parts/p.sql\nSELECT nope;'
	fails 6 "'migrations/1_a.sql' line 4: no such column" mig-apply --no-backup
}

@test "what an include may not name" {
	local path
	echo 'SELECT 1;' > outside.sql
	ln -s ../../outside.sql migrations/parts/link.sql
	for path in ../outside.sql "$PWD/outside.sql" parts/link.sql parts/../../outside.sql; do
		migration 1_a "-- mig: include $path"
		fails 2 "line 2: '$path' is not within the folder of the migrations" mig-apply
	done
	migration 1_a '-- mig: include parts/absent.sql'
	fails 2 "'migrations/1_a.sql' line 2: 'migrations/parts/absent.sql' is not there" mig-apply
	migration 1_a '-- mig: include parts'
	fails 2 "parts" mig-apply
	migration 1_a '-- mig: include'
	fails 2 "names nothing" mig-apply
	echo '-- mig: include parts/again.sql' > migrations/parts/again.sql
	migration 1_a '-- mig: include parts/again.sql'
	fails 2 "an included file may hold no" mig-apply
	echo 'CREATE TABLE a (x);' > migrations/parts/a.sql
	migration 1_a '-- mig: include parts/a.sql'
	fails 2 "are for mig's own format" mig-apply --format dbmate
	: > migrations/parts/a.sql
	apply
}

@test "a secret in pieces, in other words, or beside a longer one is not shown either" {
	local secret
	for secret in "p'hunter2SecretTail'q" 'hunter2SecretTail"; x' "$(printf 'hunter2SecretTail%.0s' $(seq 300))"; do
		printf '%s' "$secret" > key.txt
		migration 1_a $'-- mig: placeholders\nSELECT ${key};'
		run --separate-stderr mig-apply --no-backup --set-file key=key.txt
		[ "$status" -ne 0 ]
		[[ $output$stderr != *hunter2SecretTail* ]] || { echo "$output$stderr"; return 1; }
		run ! grep -q hunter2SecretTail <(sql 'SELECT * FROM mig_event')
	done
	printf 'sk_live_AAAA' > a.txt
	printf 'sk_live_AAAABBBBCCCC' > b.txt
	sql 'CREATE TABLE sk_live_AAAABBBBCCCC (x); INSERT INTO sk_live_AAAABBBBCCCC VALUES (1)'
	migration 1_a $'-- mig: placeholders\nSELECT \'${a}\'; DROP TABLE ${b};'
	fails 3 "" mig-apply --no-backup --set-file a=a.txt --set-file b=b.txt
	[[ $stderr != *BBBB* ]]
}

@test "an included file is of one direction; its place is known on the way back, too" {
	printf -- 'CREATE TABLE a (x);\n-- migrate:down\nDROP TABLE a;\n' > migrations/parts/p.sql
	migration 1_a '-- mig: include parts/p.sql'
	fails 2 "may hold no '-- migrate:' marker" mig-apply
	printf 'SELECT 1;\nSELECT nope;\n' > migrations/parts/p.sql
	migration 1_a 'CREATE TABLE a (x);' '-- mig: include parts/p.sql'
	apply
	fails 6 "'migrations/parts/p.sql' line 2: no such column: nope; mend the down script and run mig-rollback again" mig-rollback --steps 1
}

@test "a file is UTF-8 text" {
	migration 1_a "CREATE TABLE \"$(printf 'y\xfc')\" (x);"
	fails 2 "'migrations/1_a.sql' is not UTF-8 text; convert it" mig-apply -q --no-backup
	migration 1_a 'CREATE TABLE "yü" (x);'
	works mig-apply -q --no-backup
	works mig-backup -q
	# Who only looks is not stopped by it.
	migration 2_b "-- $(printf 'caf\xe9')"
	works mig-status
	assert_equal "$(json '.pending | length')" 1
}

@test "a path with a = in it is a path" {
	mkdir env=prod
	cp app.db env=prod/app.db
	cp app.db a=b.db
	works mig-backup -q -d env=prod/app.db
	works mig-backup -q -d ./a=b.db
	works mig-backup -q -d "$PWD/env=prod/app.db"
	fails 2 "begins with no parameter of libpq" mig-backup -q -d HOST=x
}
