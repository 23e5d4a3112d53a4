load ../lib
# The canonical line, whole and broken at every place.

prepare() {
	family
	migration 1_a 'CREATE TABLE a (x); INSERT INTO a VALUES (1);' 'DROP TABLE a;'
}

untouched() { assert_equal "$(sha256sum < app.db)" "$BEFORE"; }

@test "from a shell, with nothing but DATABASE_URL" {
	run bash -c 'mig-backup | mig-verify && mig-apply'
	assert_equal "$status" 0
	assert_equal "$(rows a)" 1
}

@test "from cron's empty environment and stdin" {
	run env -i "DATABASE_URL=sqlite:$PWD/app.db" "PATH=$PATH" HOME="$PWD" \
		sh -c 'mig-backup -q | mig-verify -q && mig-apply -q' < /dev/null
	assert_equal "$status" 0
	assert_equal "$(rows a)" 1
}

@test "over a standard input that never closes, and with it closed" {
	mkfifo never
	sleep 60 > never 3>&- &
	local keeper=$!
	run timeout 20 bash -c '(mig-backup | mig-verify && mig-apply) < never'
	kill "$keeper"
	assert_equal "$status" 0
	assert_equal "$(rows a)" 1
	migration 2_b 'CREATE TABLE b (x);'
	run bash -c '(mig-backup | mig-verify && mig-apply) <&-'
	assert_equal "$status" 0
}

@test "through one pipe of three, with the operand -" {
	run bash -c 'mig-backup -q | mig-verify -q | mig-apply -q -'
	assert_equal "$status" 0
	assert_equal "$(json '.verification.backup.kind, .backup.source')" "$(printf 'mig.backup\ndocument')"
}

@test "the real databases" {
	local data=$TOP/../shared/data
	[ -d "$data" ] || skip "no ../shared/data: a stranger's clone"
	for name in chinook northwind; do
		cp "$data/$name.sqlite" "$name.db"
		chmod 644 "$name.db"
		export DATABASE_URL=sqlite:$name.db
		contents "$name.db" > before.sql
		run bash -c 'mig-backup | mig-verify && mig-apply'
		assert_equal "$status" 0
		assert_equal "$(rows a "$name.db")" 1
		works mig-rollback --restore --accept-loss -q
		contents "$name.db" > after.sql
		cmp before.sql after.sql
	done
}

@test "broken: the backup fails" {
	BEFORE=$(sha256sum < app.db)
	run --separate-stderr bash -c 'mig-backup -b /proc/nowhere | mig-verify && mig-apply'
	assert_equal "$status" 4
	[[ $stderr == *"mig-verify: mig-backup before it in the pipe failed"* ]]
	run --separate-stderr bash -c 'mig-backup -b /proc/nowhere 2> /dev/null | mig-verify 2> /dev/null | mig-apply -'
	assert_equal "$status" 4
	[[ $stderr == *"mig-apply: mig-backup before it in the pipe failed"* ]]
	untouched
}

@test "broken: nothing comes, half of it comes, something else comes" {
	BEFORE=$(sha256sum < app.db)
	mig-backup -q > b.json
	mig-verify -q < b.json > v.json
	for into in 'mig-verify' 'mig-apply -'; do
		run --separate-stderr bash -c "true | $into"
		assert_equal "$status" 2
		[[ $stderr == *"ended without a document"* ]]
		for n in 1 17 200 400; do
			run --separate-stderr bash -c "head -c $n v.json | $into"
			assert_equal "$status" 2
			[[ $stderr == *"not a JSON document"* ]]
		done
		run --separate-stderr bash -c "echo hello | $into"
		assert_equal "$status" 2
	done
	run --separate-stderr bash -c 'mig-apply - < b.json'
	assert_equal "$status" 2
	untouched
}

# spoil NAME STATUS WORDS: spoil the archive $A, then the rest of the line.
spoiled() {
	run --separate-stderr bash -c 'mig-verify -q < b.json && mig-apply -q'
	if [ "$status" -ne "$1" ] || [[ $stderr != *"$2"* ]]; then
		echo "status $status, wanted $1; stderr: $stderr; wanted: $2"
		return 1
	fi
	untouched
	assert_file_not_exist "$A.receipt.json"
}

@test "broken: the archive" {
	BEFORE=$(sha256sum < app.db)
	mig-backup -q > b.json
	A=$(jq -r .archive.path b.json)
	cp "$A" good
	# One byte flipped, in every part.
	local at
	for at in 3 600 1600 2100 $(($(stat -c %s good) - 1500)) $(($(stat -c %s good) - 3)); do
		cp good "$A"
		printf '\377' | dd of="$A" bs=1 seek="$at" conv=notrunc 2> /dev/null
		cmp -s good "$A" && continue
		spoiled 5 damage
	done
	# One byte missing, at the end and in the middle; the last member missing.
	head -c -1 good > "$A"
	spoiled 5 "ends early"
	{ head -c 2000 good; tail -c +2002 good; } > "$A"
	spoiled 5 damage
	head -c $(($(grep -a -b -o MANIFEST.json good | head -n 1 | cut -d: -f1))) good > "$A"
	spoiled 5 "ends early"
	# Another member, one more, two archives spliced.
	sqlite3 app.db "UPDATE parent SET name = 'other'"
	BEFORE=$(sha256sum < app.db)
	mig-backup -q --to other.migbak > /dev/null
	{ head -c 1536 good; tail -c +1537 other.migbak; } > "$A"
	spoiled 5 damage
	cat good other.migbak > "$A"
	spoiled 5 "after the manifest"
	cp other.migbak "$A"
	spoiled 5 "not the one of the document"
	: > "$A"
	spoiled 5 "ends early"
	rm "$A"
	spoiled 4 "No such file"
}

@test "broken: the archive changes after its verification" {
	mig-backup -q | mig-verify -q > v.json
	BEFORE=$(sha256sum < app.db)
	A=$(jq -r .path v.json)
	printf x | dd of="$A" bs=1 seek=2000 conv=notrunc 2> /dev/null
	run --separate-stderr bash -c 'mig-apply -q - < v.json'
	assert_equal "$status" 3
	[[ $stderr == *"touched since it was verified"* ]]
	untouched
}
