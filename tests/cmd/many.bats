load ../lib
# One program over several databases.

prepare() {
	local i
	for i in 1 2 3 4; do
		sqlite3 "db$i.db" 'CREATE TABLE own (x)'
		echo "db$i.db" >> list
	done
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
}
# line N: that document of the output.
line() { sed -n "$1p" <<< "$output" | jq -r "$2"; }

@test "a file of databases: a document of each in its order, and a summary" {
	works mig-apply --databases list --no-backup -q --jobs 4
	assert_equal "${#lines[@]}" 5
	assert_equal "$(jq -r '.database.name // .kind' <<< "$output" | paste -sd' ')" "db1.db db2.db db3.db db4.db mig.summary"
	assert_equal "$(line 5 '[.program, .done, .failed, .left] | join(" ")')" "mig-apply 4 0 0"
	works mig-status --databases list --check
	works mig-apply --databases list -q
	assert_equal "$(jq -r '.result // empty' <<< "$output" | sort -u)" nothing
	works mig-rollback --databases list --to 0 -q --accept-loss -j 2
	assert_equal "$(sqlite3 db4.db "SELECT count(*) FROM sqlite_schema WHERE name = 'a'")" 0
	fails 1 "4 databases: 0 done, 4 failed" mig-status --databases list --check --keep-going
}

@test "options repeated, a list with comments, sections of mig.conf" {
	works mig-apply -d db1.db --database=db2.db -q --no-backup
	assert_equal "$(line 3 .done)" 2
	mkdir other
	printf -- '-- migrate:up\nCREATE TABLE z (x);\n' > other/9_z.sql
	printf '[three]\ndatabase = db3.db\nmigrations = other\n' > mig.conf
	printf '# all\n\n  db4.db \n[three]\r\n' > list
	works mig-apply --databases list -q --no-backup
	assert_equal "$(line 1 .current) $(line 2 .current)" "1 9"
	assert_equal "$(line 3 '.results[1].database')" "[three]"
	DATABASE_URL=db1.db MIG_DATABASE_URL=db1.db works mig-status --databases list --check
	works mig-backup --databases list -q
	assert_equal "$(ls backups/*.migbak | wc -l)" 2
}

@test "the first failure ends the run, or does not; it can be run again" {
	sqlite3 db2.db 'CREATE TABLE a (x)'
	fails 6 "FAILED db2.db: status 6 [statement]" mig-apply --databases list --jobs 1 --no-backup
	assert_equal "$(tail -n 1 <<< "$output" | jq -r '[.done, .failed, .left] | join(" ")')" "1 1 2"
	assert_equal "$(tail -n 1 <<< "$output" | jq -r '.results[3].status')" null
	fails 6 "4 databases: 3 done, 1 failed, 0 not begun" mig-apply --databases list -k --no-backup -q
	assert_equal "$(line 2 '.kind + " " + .reason')" "mig.error statement"
	sqlite3 db2.db 'DROP TABLE a'
	works mig-apply --databases list --no-backup -q
	local i
	for i in 1 2 3 4; do
		assert_equal "$(sqlite3 "db$i.db" "SELECT count(*) FROM mig_event WHERE event = 'apply'")" 1
	done
}

@test "as text: each in its turn, and who said what" {
	sqlite3 db2.db 'CREATE TABLE a (x)'
	run --separate-stderr mig-apply --databases list -k -o text --no-backup
	assert_equal "$status" 6
	[[ $output == *"db1.db: 1 applied"*"db3.db: 1 applied"*"db4.db: 1 applied"* ]]
	[[ $stderr == *"mig-apply: db2.db: migration 1 (a), 'migrations/1_a.sql' line 2: table a already exists"* ]]
	[[ $stderr != *"mig-apply: db2.db: mig-apply:"* ]]
}

@test "what is of one database is refused with several; a bad list, too" {
	fails 2 "'-' is of one database" mig-apply --databases list -
	fails 2 "--to is of one database" mig-backup --databases list --to x
	fails 2 "--pending is of one database" mig-status --databases list --pending
	fails 2 "--into is of one database" mig-rollback --databases list --restore --into x
	fails 2 "mig-verify works on one database" mig-verify --databases list --latest
	fails 2 "mig-gen works on one database" mig-gen --databases list x
	fails 2 "a database is named twice: db1.db" mig-status -d db1.db -d db1.db
	fails 2 "absent" mig-status --databases absent
	echo db1.db >> list
	fails 2 "'list' line 5: it is listed before: db1.db" mig-status --databases list
	printf '# none\n' > list
	fails 2 "lists no database" mig-status --databases list
	fails 2 "is not a number" mig-status -d db1.db -d db2.db --jobs x
	printf 'db1.db\nabsent.db\n' > list
	fails 4 "absent.db: no database at" mig-apply --databases list
	# With several nobody can be asked.
	printf 'policy = production\n' > mig.conf
	fails 3 "there is no terminal" mig-apply -d db1.db -d db2.db
	works mig-apply -d db1.db -d db2.db --yes -q
}

@test "a password in a list is in no argument and in no word" {
	printf 'postgresql://me:s3cretword@127.0.0.1:1/one\npostgresql://me:s3cretword@127.0.0.1:1/two\n' > list
	run --separate-stderr mig-status --databases list -k
	assert_equal "$status" 4
	assert_equal "$(tail -n 1 <<< "$output" | jq -r '.results[1].database')" 127.0.0.1/two
	[[ $output$stderr != *s3cretword* ]]
	mig-status --databases list -k > /dev/null 2>&1 3>&- &
	local pid=$! seen=0
	while kill -0 $pid 2> /dev/null; do
		if ps -eo args | grep -v grep | grep -q s3cretword; then seen=1; fi
	done
	assert_equal "$seen" 0
}

@test "a signal ends all of them, and the summary says how far it came" {
	# Each waits for a lock that somebody holds.
	local i
	for i in 1 2 3 4; do
		timeout 20 sqlite3 "db$i.db" 'BEGIN EXCLUSIVE' ".shell touch held$i; exec sleep 15" > /dev/null 2>&1 3>&- &
	done
	for i in 1 2 3 4; do until [ -e "held$i" ]; do sleep 0.05; done; done
	mig-apply --databases list --no-backup --jobs 2 --busy-timeout 60 > out 2> said 3>&- &
	local pid=$! status=0
	sleep 1
	kill -TERM $pid
	wait $pid || status=$?
	pkill -P $$ -x timeout || true
	assert_equal "$status" 4
	assert_equal "$(tail -n 1 out | jq -r '[.kind, .done, .failed, .left] | join(" ")')" "mig.summary 0 2 2"
}

@test "what a run leaves behind keeps nobody waiting; words without an end are passed on" {
	mkdir hooks
	printf '#!/bin/sh\nsleep 20 &\necho $! >> "%s"\nhead -c 3000000 /dev/zero | tr "\\0" x >&2\n' "$PWD/pids" > hooks/before-apply
	chmod +x hooks/before-apply
	SECONDS=0
	run --separate-stderr mig-apply -d db1.db -d db2.db --hooks hooks --no-backup
	assert_equal "$status" 0
	[ $SECONDS -lt 10 ]
	[ "${#stderr}" -gt 6000000 ]
	xargs kill < pids || true
}

@test "what goes on writing behind a run does not keep it" {
	mkdir hooks
	printf '#!/bin/sh\nyes >&2 &\necho $! >> "%s"\nsleep 0.3\n' "$PWD/pids" > hooks/before-apply
	chmod +x hooks/before-apply
	timeout 20 mig-apply -d db1.db -d db2.db --hooks hooks --no-backup > out 2> /dev/null
	assert_equal "$(tail -n 1 out | jq -r '[.done, .failed] | join(" ")')" "2 0"
	xargs kill < pids 2> /dev/null || true
	rm out
}

@test "a section of a list has a database of its own; one page is of one database" {
	sqlite3 top.db 'CREATE TABLE t (x)'
	sqlite3 one.db 'CREATE TABLE t (x)'
	mkdir -p migrations
	printf 'database = top.db\n[one]\npolicy = development\n[two]\ndatabase = one.db\n' > mig.conf
	printf '[two]\n[one]\n' > list
	unset DATABASE_URL MIG_DATABASE_URL
	fails 2 "'list' line 2: the section [one] of 'mig.conf' has no database of its own" mig-status --databases list
	printf '[two]\n' > list
	works mig-status --databases list -q
	[[ $output == *one.db* ]]
	fails 2 "--report is of one database" mig-apply -d top.db -d one.db --report r.html
}

@test "a password given where none is expected is shown nowhere" {
	local url=postgres://u:s3cretpw4@h/x words
	mkdir -p migrations
	touch app.db
	for words in "mig-status $url" "mig-status -d ' $url'" "mig-status -d 'sslmode=require host=/nope password=s3cretpw4'" \
		"mig-status -d 'password=s3cretpw4 HOST=x'" "mig-status -d 'HOST=x password=s3cretpw4'" "mig-status -d u:s3cretpw4@h/x" \
		"mig-status -d sqlite:$url" "mig-status -e $url" "mig-backup $url" "mig-verify $url" "mig-apply $url" \
		"mig-apply -d app.db -m $url" "mig-rollback --restore -d app.db $url" "mig-gen -d app.db $url" "mig-gen -d app.db --baseline $url" \
		"mig-verify \"postgresql://u:pa'ss4cretpw4@h/db\"" "mig-verify 'postgres://u:p\"s3cretpw4@h/db'" "mig-verify 'host=h password = s3cretpw4'" \
		"mig-verify \"password='a\\\\'s3cretpw4'\""; do
		run bash -c "$words 2>&1"
		[ "$status" -ne 0 ] && [[ $output != *s3cretpw4* ]] || { echo "$words: $output"; return 1; }
	done
	printf 'database: %s?a=b\n' "$url" > mig.conf
	run mig-status
	[[ $output == *"unknown key"* && $output != *s3cretpw4* ]] || { echo "$output"; return 1; }
	[ -z "$(find . -name '*s3cretpw4*')" ]
}

@test "a url with a slip in it shows no password" {
	printf 'postgres//u:s3cretpw3@h/db\npostgresql:/u:s3cretpw3@h/db\n' > list
	run --separate-stderr mig-status --databases list -k
	assert_equal "$status" 2
	[[ $output$stderr != *s3cretpw3* ]] || { echo "$output$stderr"; return 1; }
	fails 2 "cannot be read" mig-status -d 'postgres//u:s3cretpw3@h/db'
	[[ $output$stderr != *s3cretpw3* ]]
}
