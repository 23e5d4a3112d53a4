load ../lib

prepare() {
	family
	mig-backup -q > backup.json
	A=$(jq -r .archive.path backup.json)
}

@test "a document on standard input, passed on inside its own" {
	run --separate-stderr bash -c 'mig-verify < backup.json'
	assert_equal "$status" 0
	assert_equal "$(json '.result, .level, .backup.kind')" "$(printf 'passed\ndefault\nmig.backup')"
	assert_equal "$(json '[.checks[].name] | join(" ")')" \
		"members quick_check tables rows schema foreign_key_check"
	assert_file_exist "$A.receipt.json"
	assert_equal "$(stat -c %a "$A.receipt.json")" 600
}

@test "levels, and what the receipt records" {
	works mig-verify --quick "$A"
	assert_equal "$(jq -r .level "$A.receipt.json")" quick
	assert_equal "$(json '.checks | length')" 1
	works mig-verify --deep "$A"
	assert_equal "$(jq -r .level "$A.receipt.json")" deep
	works mig-verify --quick "$A"
	assert_equal "$(jq -r .level "$A.receipt.json")" deep
	touch "$A"
	works mig-verify --quick "$A"
	assert_equal "$(jq -r .level "$A.receipt.json")" quick
	works mig-verify --deep "$A"
	[[ $output == *integrity_check* ]]
}

@test "paths, --archive, --latest, several at once" {
	works mig-verify "$A"
	works mig-verify --archive "$A"
	works mig-verify --latest
	assert_equal "$(json .path)" "$A"
	mig-backup -q > /dev/null
	works mig-verify backups/*.migbak
	assert_equal "$(printf '%s\n' "$output" | wc -l)" 2
	printf x | dd of="$A" bs=1 seek=2000 conv=notrunc 2> /dev/null
	run --separate-stderr mig-verify backups/*.migbak
	assert_equal "$status" 5
	assert_equal "$(printf '%s\n' "$output" | jq -r .result | sort | tr '\n' ' ')" "failed passed "
}

@test "an archive streamed in" {
	run --separate-stderr bash -c "cat '$A' | mig-verify --archive -"
	assert_equal "$status" 0
	assert_equal "$(json '.path, .receipt')" "$(printf 'null\nnull')"
	assert_file_not_exist "$A.receipt.json"
	run --separate-stderr bash -c "head -c 3000 '$A' | mig-verify --archive -"
	assert_equal "$status" 5
	[[ $stderr == *"ends early"* ]]
}

@test "text says what was expected and found" {
	works mig-verify -o text "$A"
	[[ $output == *"verified $A (default level"* && $output == *"quick_check        expected ok, found ok"* && $output == *receipt* ]]
	printf x | dd of="$A" bs=1 seek=2000 conv=notrunc 2> /dev/null
	run --separate-stderr mig-verify -o text "$A"
	[[ $output == *"NOT verified"* && $output == *BAD* && $output == *"expected every digest"* ]]
}

@test "dangling foreign keys of the source are stated, and are no damage" {
	sqlite3 app.db "INSERT INTO child VALUES (9, 77, 'z')"
	mig-backup -q > backup.json
	run --separate-stderr bash -c 'mig-verify < backup.json'
	assert_equal "$status" 0
	[[ $stderr == *"1 dangling rows as in the source"* ]]
}

@test "what is not a document, or not the right one" {
	run --separate-stderr bash -c 'mig-verify < /dev/null'
	assert_equal "$status" 2
	[[ $stderr == *"ended without a document"* ]]
	run --separate-stderr bash -c 'head -c 100 backup.json | mig-verify'
	assert_equal "$status" 2
	run --separate-stderr bash -c 'mig-status -m . | mig-verify'
	assert_equal "$status" 2
	[[ $stderr == *"is a mig.status, not a mig.backup"* ]]
	run --separate-stderr bash -c 'cat backup.json backup.json | mig-verify'
	assert_equal "$status" 2
	run script -qec "mig-verify" /dev/null
	[[ $output == *"is a terminal"* && $output == *--latest* ]]
}

@test "an error from upstream is passed on with its status" {
	run --separate-stderr bash -c 'mig-backup -d no.db | mig-verify'
	assert_equal "$status" 4
	assert_equal "$(json '.kind, .program')" "$(printf 'mig.error\nmig-backup')"
	[[ $stderr == *"mig-verify: mig-backup before it in the pipe failed"* ]]
}

@test "an archive that became another since the document" {
	mig-backup -q > second.json
	mv "$(jq -r .archive.path second.json)" "$A"
	run --separate-stderr bash -c 'mig-verify < backup.json'
	assert_equal "$status" 5
	[[ $stderr == *"not the one of the document"* ]]
	assert_file_not_exist "$A.receipt.json"
}

@test "scratch: read-only folders, no room, what a killed run left" {
	chmod 555 backups
	chmod 644 "$A"
	chmod 755 .
	works mortal mig-verify --archive - < "$A"
	chmod 755 backups
	: > backups/.mig-scratch-aaaaaa
	works mig-verify -q "$A"
	assert_equal "$(find backups -name '.*' -type f | wc -l)" 0
	mkdir there
	works mig-verify --scratch there "$A"
	fails 4 "No such file" mig-verify --scratch nowhere "$A"
}

@test "bad options and paths" {
	fails 2 "two levels" mig-verify --quick --deep "$A"
	fails 2 "more than one way" mig-verify --latest "$A"
	fails 2 "'-' is a document" mig-verify -
	fails 4 "open the archive 'no.migbak'" mig-verify no.migbak
	fails 2 "is a folder" mig-verify backups
	fails 5 "not a mig archive" mig-verify app.db
	fails 5 "ends early" mig-verify /dev/null
	rm backups/*
	fails 3 "no backup of it" mig-verify --latest
}
