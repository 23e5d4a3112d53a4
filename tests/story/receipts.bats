load ../lib
# Which backup mig-apply stands behind: these tests wait until one is old.

@test "the newest fresh receipt is taken; an unfit one leads to a new backup" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_b 'CREATE TABLE b (x);'
	mig-backup -q | mig-verify -q > /dev/null
	works mig-apply --steps 1
	assert_equal "$(json '.backup.source, .gap.written')" "$(printf 'receipt\nno')"
	works mig-apply # the schema has changed since
	assert_equal "$(json .backup.source)" taken
	migration 3_c 'CREATE TABLE c (x);'
	mig-backup -q | mig-verify -q --quick > /dev/null
	works mig-apply
	assert_equal "$(json .backup.source)" taken
	migration 4_d 'CREATE TABLE d (x);'
	mig-backup -q | mig-verify -q > /dev/null
	sleep 2.1
	works mig-apply --max-backup-age 1s
	assert_equal "$(json .backup.source)" taken
}

@test "a document that does not fit is refused, and the database is untouched" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	mig-backup -q > b.json
	mig-verify -q < b.json > v.json
	local before
	before=$(sha256sum app.db)
	run --separate-stderr bash -c 'mig-apply - < b.json'
	assert_equal "$status" 2
	[[ $stderr == *"is a mig.backup, not a mig.verification"* ]]
	run --separate-stderr bash -c 'mig-apply - < /dev/null'
	assert_equal "$status" 2
	family other.db
	run --separate-stderr bash -c 'mig-apply - < v.json'
	assert_equal "$status" 3
	[[ $stderr == *"of another database"* ]]
	export DATABASE_URL=app.db
	run --separate-stderr bash -c 'sleep 2.1; mig-apply --max-backup-age 1s - < v.json'
	assert_equal "$status" 3
	[[ $stderr == *"the limit is"* ]]
	rm backups/*.receipt.json
	mig-verify -q --quick < b.json > q.json
	run --separate-stderr bash -c 'mig-apply - < q.json'
	assert_equal "$status" 3
	[[ $stderr == *"quick level only"* ]]
	mig-verify -q < b.json > v.json
	touch "$(jq -r .path v.json)"
	run --separate-stderr bash -c 'mig-apply - < v.json'
	assert_equal "$status" 3
	[[ $stderr == *"was touched since it was verified"* ]]
	rm "$(jq -r .path v.json)"
	run --separate-stderr bash -c 'mig-apply - < v.json'
	assert_equal "$status" 4
	assert_equal "$(sha256sum app.db)" "$before"
}
