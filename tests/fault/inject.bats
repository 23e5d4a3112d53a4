load ../lib
# Every write, sync, rename and open that can fail, fails once and for ever.
# After each: an exit status, no final file that is not whole, no file left
# over, the database as it was or as it was to become.

prepare() {
	command -v strace > /dev/null || skip "no strace"
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace here"
	family
	migration 1_a "CREATE TABLE a (x); INSERT INTO a VALUES (1);" "DROP TABLE a;"
}

inject() { # COMMAND: its status, whatever it is
	status=0
	bash -c "$1" || status=$?
}

@test "mig-backup: each failing call" {
	local call error n when bad=0 before
	before=$(sha256sum < app.db)
	for spec in write:ENOSPC pwrite64:EIO fsync:EIO openat:EACCES renameat2:EIO ftruncate:EIO; do
		call=${spec%%:*} error=${spec##*:}
		for n in 1 2 3 4 5 6 8 11 15 20 30; do
			for when in $n $n+; do
				rm -rf backups
				inject "strace -f -o trace -e trace=$call -e inject=$call:error=$error:when=$when mig-backup -q > out.json 2> err.txt"
				if [ "$status" -eq 0 ]; then
					mig-verify -q "$(jq -r .archive.path out.json)" > /dev/null || bad=1
				elif [ -n "$(find backups -type f 2> /dev/null)" ]; then
					# A failure after the rename may leave a whole archive.
					echo "left after $call $error $when: $(find backups -type f)"
					find backups -name '.*' -type f | grep . && bad=1
				fi
				[ "$(sha256sum < app.db)" = "$before" ] || bad=1
				[ "$bad" = 0 ] || { echo "$call $error $when: status $status"; cat err.txt; return 1; }
			done
		done
	done
}

@test "mig-apply: each failing call leaves the migration done and recorded, or neither" {
	works mig-backup -q
	mig-verify -q "$(archive)" > /dev/null
	cp app.db start.db
	local call error n when
	for spec in write:ENOSPC pwrite64:ENOSPC pwrite64:EIO fdatasync:EIO fsync:EIO unlink:EIO; do
		call=${spec%%:*} error=${spec##*:}
		for n in 1 2 3 4 5 6 7 8 10 12 15; do
			for when in $n $n+; do
				rm -f app.db app.db-journal
				cp start.db app.db
				inject "strace -f -o trace -e trace=$call -e inject=$call:error=$error:when=$when mig-apply -q --no-backup > out.json 2> err.txt"
				local state
				state=$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'a'")
				works mig-status
				if [ "$state" != "$(json .applied)" ] || { [ "$status" -eq 0 ] && [ "$(sqlite3 app.db 'PRAGMA integrity_check')" != ok ]; }; then
					echo "$call $error $when: table $state, ledger $(json .applied)"
					cat err.txt
					return 1
				fi
			done
		done
	done
}

@test "a restore: each failing call leaves the old or the new" {
	works mig-backup -q --to good.migbak
	sqlite3 app.db "DELETE FROM child; CREATE TABLE later (x)"
	cp app.db start.db
	local call error n
	for spec in pwrite64:ENOSPC pwrite64:EIO fsync:EIO fdatasync:EIO openat:EIO; do
		call=${spec%%:*} error=${spec##*:}
		for n in 1 2 3 5 8 12 20 40; do
			rm -rf app.db app.db-journal backups
			cp start.db app.db
			inject "strace -f -o trace -e trace=$call -e inject=$call:error=$error:when=$n+ mig-rollback --restore good.migbak --accept-loss --no-safety-backup -q > out.json 2> err.txt"
			local code=$status n5
			n5=$(rows child)
			[ "$(sqlite3 app.db 'PRAGMA integrity_check')" = ok ]
			if ! { [ "$n5" = 5 ] || { [ "$n5" = 0 ] && [ "$code" -ne 0 ]; }; }; then
				echo "$call $error $n: status $code, $n5 rows"
				cat err.txt
				return 1
			fi
		done
	done
}

@test "mig-backup killed at any write leaves nothing that looks like an archive" {
	local n
	for n in 1 2 3 5 8 9 10 12; do
		rm -rf backups
		inject "strace -f -o trace -e trace=write -e inject=write:signal=KILL:when=$n mig-backup -q > /dev/null 2>&1"
		for a in backups/*.migbak; do
			[ -e "$a" ] || continue
			works mig-verify -q "$a"
		done
	done
	works mig-backup -q
}

@test "mig-gen: both files of a pair or none, and no empty folder" {
	local f when
	for f in golang-migrate diesel; do
		for when in 1 2; do
			rm -rf migrations
			mkdir migrations
			inject "strace -f -o trace -e trace=renameat2 -e inject=renameat2:error=ENOSPC:when=$when mig-gen -q --format $f 'add it' > out.json 2> err.txt"
			assert_equal "$f $when $status $(ls -A migrations)" "$f $when 4 "
			grep -q "No space" err.txt
		done
	done
}
