# mig-apply -- COMMAND: another tool's command behind a verified backup.
load ../lib

prepare() {
	family
	cat > tool <<- 'SH'
		#!/bin/sh
		# tool SQL [STATUS]: runs SQL on the database that it is told.
		echo "on $DATABASE_URL, $MIG_GUARD"
		sqlite3 "${DATABASE_URL#sqlite:}" "$1" || exit 9
		exit "${2:-0}"
	SH
	chmod +x tool
}

journal() { jq -r "$1" "$(ls -t backups/*.journal.json | head -n 1)"; }
tidy() {
	run ls -A backups
	refute_output --partial .mig-
}

@test "a command that ends well: backup, delta, document" {
	works mig-apply -- ./tool 'CREATE TABLE log (a); INSERT INTO log VALUES (1)'
	[[ $stderr == *'on sqlite:app.db, run'* ]]
	[ "$(json '.result + .command.left + (.command.status | tostring)')" = appliedchanged0 ]
	[ "$(json '.command.effects[0] | .table + (.after | tostring)')" = log1 ]
	[ "$(json '.backup.source')" = taken ]
	[ "$(journal .state)" = done ]
	assert_file_exist "$(archive).receipt.json"
	# Another tool's database gets no table of mig's.
	[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'mig%'")" = 0 ]
}

@test "a command that fails half-way: 7, what it left, and the way back works" {
	before=$(contents)
	fails 7 "ended with status 3" mig-apply -- ./tool 'DELETE FROM child WHERE id < 3; CREATE TABLE half (a)' 3
	[[ $stderr == *"mig-rollback --restore "*"$(archive)"* ]]
	[ "$(json '.result + .command.left')" = failedchanged ]
	[ "$(json '.command.losses[0] | .name + (.amount | tostring)')" = child2 ]
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	back=$(json '.triage.back')
	works sh -c "$back --accept-loss"
	[ "$(contents)" = "$before" ]
	works mig-status
	[ "$(json '.triage')" = null ]
}

@test "--restore-on-failure brings everything back" {
	before=$(contents)
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./tool 'DELETE FROM parent; CREATE TABLE half (a)' 3
	[ "$(contents)" = "$before" ]
	[ "$(json '.command.left')" = restored ]
	[ "$(json '.command.kept | length')" = 1 ]
	[ "$(jq -r .state "$(ls backups/*.journal.json)")" = restored ]
	works mig-status
	[ "$(json '.triage')" = null ]
	tidy
}

@test "--restore-on-failure restores what was there just before" {
	works mig-apply -- ./tool 'CREATE TABLE one (a)'
	sqlite3 app.db "INSERT INTO one VALUES (7)"
	fails 6 'restored' mig-apply --restore-on-failure -- ./tool 'DROP TABLE one' 1
	[ "$(sqlite3 app.db 'SELECT a FROM one')" = 7 ]
}

@test "one that fails and changes nothing: 6" {
	fails 6 'nothing was written' mig-apply -- ./tool 'SELECT 1' 4
	[ "$(json '.command.left')" = unchanged ]
	works mig-status
	[ "$(json '.triage')" = null ]
}

@test "a loss is found in the rehearsal, before it happens" {
	before=$(contents)
	fails 3 "would lose 'child': 1 row" mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'DELETE FROM child WHERE id = 1'
	[ "$(contents)" = "$before" ]
	[ "$(json '.rehearsal.result')" = refused ]
	[ "$(json '.command')" = null ]
	works mig-apply --rehearse --url-env DATABASE_URL --allow-loss child -- ./tool 'DELETE FROM child WHERE id = 1'
	[[ $stderr == *'.mig-scratch-'*', rehearse'*'on sqlite:app.db, run'* ]]
	[ "$(json '.rehearsal.result')" = passed ]
	tidy
}

@test "a loss that was not rehearsed is found afterwards, and taken back if asked" {
	fails 7 "the command has lost 'child': 1 row" mig-apply -- ./tool 'DELETE FROM child WHERE id = 1'
	fails 6 'restored' mig-apply --restore-on-failure -- ./tool 'DELETE FROM child WHERE id = 2'
	[ "$(rows child)" = 4 ]
}

@test "a column and a table that only get another name are no loss, once rehearsed" {
	works mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'ALTER TABLE parent RENAME COLUMN note TO remark; ALTER TABLE child RENAME TO kid'
	[ "$(json '[.rehearsal.migrations[0].effects[].columns[] | .change + .column] | join(" ")')" = renamedremark ]
}

@test "a rehearsal that fails refuses, and nothing is touched" {
	before=$(sha256sum app.db)
	fails 3 "ended with status 9 on the copy" mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'DROP TABLE nothing'
	[ "$(sha256sum app.db)" = "$before" ]
	tidy
}

@test "a command that does not go to the copy is noticed" {
	fails 2 "there is no variable 'OTHER_URL'" mig-apply --rehearse --url-env OTHER_URL -- ./tool 'SELECT 1'
	export OTHER_URL=$DATABASE_URL
	works mig-apply --rehearse --url-env OTHER_URL -- ./tool 'SELECT 1'
	[[ $stderr == *'has changed nothing on the copy'* ]]
	[ "$(json '.command.left')" = unchanged ]
	[[ $(json '.rehearsal.notes | join(" ")') == *'changed nothing on the copy'* ]]
	fails 7 'takes its url from somewhere else than OTHER_URL' mig-apply --rehearse --url-env OTHER_URL -- ./tool "UPDATE child SET x = 'q'"
	fails 7 'takes its url from somewhere else than OTHER_URL' mig-apply --rehearse --url-env OTHER_URL -- ./tool 'CREATE TABLE wrong (a)'
	fails 2 '--url-env NAME' mig-apply --rehearse -- ./tool 'SELECT 1'
	# It is told of as of any command that was run, and can come back like one.
	works mig-status
	assert_equal "$(json '.triage.state')" partly
	[[ $(json .triage.back) == "mig-rollback --restore --accept-loss "* ]]
	local before=$(contents)
	fails 6 'the backup is restored' mig-apply --rehearse --restore-on-failure --url-env OTHER_URL -- ./tool 'DROP TABLE child'
	[ "$(contents)" = "$before" ]
	[ "$(json '.command.left + .rehearsal.result')" = restoredpassed ]
	fails 6 "allow it: --allow-loss 'child'" mig-apply --restore-on-failure -- ./tool 'DELETE FROM child WHERE id = 1'
	[ "$(contents)" = "$before" ]
}

@test "the real run must come to what was rehearsed" {
	printf '#!/bin/sh\nsqlite3 "${DATABASE_URL#sqlite:}" "CREATE TABLE t_$MIG_GUARD (a)"\n' > tool
	fails 7 'is not the one that the rehearsal proved' mig-apply --rehearse --url-env DATABASE_URL -- ./tool
}

@test "the url of the copy has the form of the one that it replaces" {
	printf '#!/bin/sh\necho "$X_URL" >> urls\nsqlite3 "$(echo "$X_URL" | sed "s|.*:/*\\(/[^?]*\\).*|\\1|")" "CREATE TABLE t$((($(wc -l < urls) + 1) / 2)) (a)"\n' > tool
	full=$PWD/app.db
	for url in "sqlite:///$full" "db:sqlite:$full" "sqlite3:$full" "sqlite:$full?cache=shared" "$full" "sqlite+aiosqlite:////$full"; do
		X_URL=$url mig-apply -o none -q --rehearse --url-env X_URL -- ./tool
	done
	run sed -n 'p;n' urls
	assert_line --index 0 --regexp '^sqlite:////.*/\.mig-scratch-'
	assert_line --index 1 --regexp '^db:sqlite:/.*/\.mig-scratch-'
	assert_line --index 2 --regexp '^sqlite3:/.*/\.mig-scratch-'
	assert_line --index 3 --regexp '^sqlite:/.*/\.mig-scratch-.*\?cache=shared$'
	assert_line --index 4 --regexp '^/.*/\.mig-scratch-'
	assert_line --index 5 --regexp '^sqlite\+aiosqlite:////.*/\.mig-scratch-'
}

@test "words that may be secret are shown nowhere" {
	works mig-apply -- ./tool 'CREATE TABLE x (a)' 0 --password=hunter2 -p hunter3 postgres://u:hunter4@h/d
	refute_regex "$output$stderr$(cat backups/*.journal.json)" 'hunter'
	[ "$(json .command.command)" = './tool ... 0 --password=... -p ... ...' ]
	fails 4 "'...' cannot be run" mig-apply -- PGPASSWORD=hunter5 ./tool
	works mig-apply -- ./tool 'CREATE TABLE xx (a)' 0 -phunter6
	refute_regex "$output$stderr$(cat backups/*.journal.json)" 'hunter'
}

@test "a command that cannot be run, a signal, another runner" {
	fails 4 "'./nothing' cannot be run: No such file" mig-apply -- ./nothing
	[ "$(journal .state)" = failed ]
	printf '#!/bin/sh\nkill -9 $$\n' > tool
	fails 6 'was ended by signal 9' mig-apply -- ./tool
	printf '#!/bin/sh\nexec mig-apply -- true\n' > tool
	fails 6 'ended with status 8' mig-apply -- ./tool
}

@test "an interrupted command is ended with all that it has started" {
	local nap=47.$RANDOM$RANDOM
	printf '#!/bin/sh\nsqlite3 app.db "CREATE TABLE early (a)"\ntouch began\nsleep %s & sleep %s\n' $nap $nap > tool
	mig-apply -- ./tool > doc 2> said 3>&- &
	pid=$!
	for _ in $(seq 200); do [ -e began ] && break; sleep 0.05; done
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 7 ] || { cat said; return 1; }
	run ! pgrep -f "sleep $nap"
	works mig-status
	[ "$(json '.triage.state')" = partly ]
}

@test "hooks, the document from a pipe, and what does not go together" {
	mkdir hooks
	printf '#!/bin/sh\ncat > seen-$MIG_HOOK\n' | tee hooks/before-apply > hooks/after-apply
	chmod +x hooks/*
	mig-backup -q | mig-verify -q > v.json
	works sh -c "mig-apply - --hooks hooks -- ./tool 'CREATE TABLE x (a)' < v.json"
	[ "$(json '.backup.source')" = document ]
	[ "$(jq -r .result seen-after-apply)" = applied ]
	[ "$(jq -r .result seen-before-apply)" = planned ]
	fails 2 'are for a command' mig-apply --url-env X
	fails 2 'are for migrations' mig-apply --to 1 -- true
	fails 2 'is for a rehearsal of migrations' mig-apply --sample 5
	[[ $stderr == *'mig-apply --help lists the options [usage]' ]]
	DATABASE_URL=sqlite:app.db fails 2 'is for a rehearsal of migrations' mig-apply --sample 5 --rehearse --url-env DATABASE_URL -- true
	fails 2 'needs a backup' mig-apply --no-backup --restore-on-failure -- true
	fails 2 'for one database' mig-apply --database sqlite:a --database sqlite:b -- true
	works mig-apply --no-backup -- ./tool 'CREATE TABLE y (a)'
	works mig-apply --dry-run -- ./tool 'CREATE TABLE z (a)'
	[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'z'")" = 0 ]
}

@test "production asks for the variable, and rehearses" {
	printf '[p]\npolicy = production\n' > mig.conf
	fails 2 '--url-env NAME' mig-apply --env p --yes -- ./tool 'CREATE TABLE x (a)'
	works mig-apply --env p --yes --url-env DATABASE_URL -- ./tool 'CREATE TABLE x (a)'
	[ "$(json '.rehearsal.result')" = passed ]
}

@test "values that change and counts that do not are a change" {
	before=$(contents)
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./tool "UPDATE parent SET name = 'z'" 1
	[ "$(contents)" = "$before" ]
	fails 7 'ended with status 1' mig-apply -- ./tool "UPDATE parent SET name = 'z'" 1
	[ "$(json '.command.left')" = changed ]
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	works sh -c "$(json '.triage.back')"
	[ "$(contents)" = "$before" ]
}

@test "a file that was replaced is looked at, not the one that is gone" {
	printf '#!/bin/sh\ncp app.db n.db; sqlite3 n.db "DROP TABLE child"; mv n.db app.db; exit 1\n' > tool
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./tool
	[ "$(rows child)" = 5 ]
}

@test "Ctrl-C restores, too, and ends all that was started" {
	local nap=46.$RANDOM$RANDOM
	printf '#!/bin/sh\nsqlite3 app.db "DELETE FROM child"\ntouch began\n(trap "" TERM INT; sleep %s; sqlite3 app.db "DELETE FROM parent") & sleep %s\n' $nap $nap > tool
	# A job in the background would ignore SIGINT.
	env --default-signal=INT mig-apply --restore-on-failure -- ./tool > doc 2> said 3>&- &
	pid=$!
	for _ in $(seq 200); do [ -e began ] && break; sleep 0.05; done
	kill -INT "$pid"
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 6 ] || { cat said; return 1; }
	[ "$(rows child)" = 5 ]
	run ! pgrep -f "sleep $nap"
}

@test "a later run of another command does not hide what was left" {
	fails 7 'ended with status 1' mig-apply -- ./tool 'CREATE TABLE half (a)' 1
	works mig-apply -- true
	fails 4 'cannot be run' mig-apply -- ./nothing
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	fails 7 'status 1' mig-apply -- ./tool 'CREATE TABLE more (a)' 1
	# The same command, this time well: that was it.
	printf '#!/bin/sh\nexit 0\n' > tool
	works mig-apply -- ./tool 'any thing' 1
	works mig-status
	[ "$(json '.triage.state')" = partly ]
	works mig-apply -- ./tool 'CREATE TABLE half (a)' 1
	works mig-apply -- ./tool 'CREATE TABLE more (a)' 1
	works mig-status
	[ "$(json '.triage')" = null ]
}

@test "the printed commands are for a shell" {
	mkdir "it's"
	cat > ok.sh <<- 'SH'
		#!/bin/sh
		[ -e good ] && exit 0
		sqlite3 "${DATABASE_URL#sqlite:}" 'CREATE TABLE half (a)'
		exit 1
	SH
	chmod +x ok.sh
	export MIG_BACKUPS="it's/b"
	fails 7 'status 1' mig-apply --allow-loss "a'b" -- ./ok.sh go
	works mig-status
	[ "$(json '.triage.forward')" = "mig-apply --allow-loss 'a'\\''b' -- ./ok.sh go" ]
	touch good
	works sh -c "$(json '.triage.forward')"
	rm good
	sqlite3 app.db 'DROP TABLE half'
	fails 7 'status 1' mig-apply -- ./ok.sh go
	works mig-status
	works sh -c "$(json '.triage.back')"
	[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'half'")" = 0 ]
}

@test "a second run of a command that has nothing to do is no failure" {
	printf '#!/bin/sh\nsqlite3 "${DATABASE_URL#sqlite:}" "CREATE TABLE IF NOT EXISTS once (a)"\n' > tool
	works mig-apply --rehearse --url-env DATABASE_URL -- ./tool
	works mig-apply --rehearse --url-env DATABASE_URL -- ./tool
	[ "$(json '.command.left')" = unchanged ]
}

@test "the printed way back is one, wherever the archive is and whatever the tool's name" {
	before=$(contents)
	cp tool 'my tool'
	export MIG_BACKUPS="it's \$HOME here"
	fails 7 'go back with: mig-rollback' mig-apply -- './my tool' 'DELETE FROM child; CREATE TABLE half (a)' 3
	back=${stderr##*go back with: }
	works sh -c "${back% \[command\]*} --accept-loss"
	[ "$(contents)" = "$before" ]
	fails 7 'go back with: mig-rollback' mig-apply -- './my tool' 'DELETE FROM child; CREATE TABLE half (a)' 3
	works mig-status
	[[ $(json .triage.forward) == *"'./my tool' ..."* ]]
	works sh -c "$(json .triage.back)"
	[ "$(contents)" = "$before" ]
	fails 4 "program" mig-apply -- './no tool' x
	[[ $stderr == *"'./no tool' cannot be run"* ]]
}

@test "a signal that comes as the command ends does not stop the restore" {
	printf '#!/bin/sh\nsqlite3 app.db "DELETE FROM child"; kill -INT $PPID; exit 1\n' > tool
	fails 6 'the backup is restored' env --default-signal=INT mig-apply --restore-on-failure -- ./tool
	[ "$(rows child)" = 5 ]
}

@test "a file that the command has taken away is not said to be restored" {
	printf '#!/bin/sh\nrm app.db; exit 1\n' > tool
	fails 7 'could not be restored (no database at' mig-apply --restore-on-failure -- ./tool
	[[ $stderr == *"mig-rollback --restore --offline "*"$(archive)"* ]]
	works mig-rollback --restore --offline --accept-loss --no-safety-backup -q "$(archive)"
	[ "$(rows child)" = 5 ]
}

@test "a command that failed: what the database is at is said all the same" {
	migration 1_a 'CREATE TABLE a (x);'
	works mig-apply -q
	run --separate-stderr mig-apply -q -- false
	assert_equal "$(json .current)" 1
	run --separate-stderr mig-apply -q -- nosuchcommand
	assert_equal "$(json .current)" 1
}

@test "a history in a file of its own is no part of a backup, which is said" {
	sqlite3 sqitch.db 'CREATE TABLE changes (change_id TEXT, script_hash TEXT, change TEXT, project TEXT, committed_at TEXT, planned_at TEXT)'
	fails 6 "the backup is restored" mig-apply --restore-on-failure -- ./tool 'DELETE FROM child WHERE id = 1'
	assert_equal "$(grep -c "sqitch.db', where Sqitch keeps what is applied, is no part of a backup" <<< "$stderr")" 2
	works mig-rollback --restore --accept-loss
	[[ $stderr == *"sqitch revert --log-only"* ]]
}

@test "the copy is found from another folder, also behind a backup that was there" {
	mkdir sub
	printf '#!/bin/sh\ncd sub && exec sqlite3 "$(echo "$DATABASE_URL" | sed "s|^[a-z]*:/*|/|")" "$1"\n' > tool
	mig-backup -q | mig-verify -q -o none
	DATABASE_URL=sqlite:$PWD/app.db works mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'CREATE TABLE x (a)'
	mig-backup -q | mig-verify -q -o none
	DATABASE_URL=sqlite:///$PWD/app.db works mig-apply --rehearse --url-env DATABASE_URL -- ./tool 'CREATE TABLE y (a)'
	[ "$(json .backup.source)" = receipt ]
}
