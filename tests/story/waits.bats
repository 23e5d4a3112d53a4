# What needs a second or more to show.
load ../lib

prepare() { family; }

@test "a runner whose transaction lets nobody read is named, and waited for as its lock is" {
	mkdir -p migrations
	printf 'CREATE TABLE waited (x);\n' > migrations/1_w.sql
	cat > holds <<- 'END'
		PRAGMA cache_size = 1;
		BEGIN EXCLUSIVE;
		CREATE TABLE spilt AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, hex(randomblob(50)) FROM n;
		.shell touch holding; sleep 1.5
		COMMIT;
	END
	flock app.db.mig-lock sh -c 'echo "mig-apply, pid $$, since now" > app.db.mig-lock; sqlite3 app.db < holds; true > app.db.mig-lock' 3>&- &
	local runner=$! i
	for i in $(seq 50); do [ -e holding ] && break; sleep 0.1; done
	run --separate-stderr mig-status --busy-timeout 100ms
	assert_equal "$status" 8
	[[ $stderr == *"another runner works on 'app.db': mig-apply, pid"* ]] || { echo "$stderr"; return 1; }
	fails 8 "another runner works on" mig-apply -q --no-backup --busy-timeout 100ms
	works mig-apply -q --no-backup --busy-timeout 100ms --wait 20s
	# It has committed: nothing was rolled back.
	[[ $stderr != *"hot journal"* ]] || { echo "$stderr"; return 1; }
	assert_equal "$(sqlite3 app.db 'SELECT count(*) FROM spilt')" 20000
	wait "$runner"
}

@test "rows that are others in each run are told of, without their values" {
	mkdir -p migrations
	migration 1_a "CREATE TABLE k (s, t); INSERT INTO k VALUES (hex(randomblob(16)), 1); CREATE TABLE w (t); INSERT INTO w VALUES (CURRENT_TIMESTAMP); CREATE TABLE n (x); INSERT INTO n VALUES (7);"
	run --separate-stderr mig-gen --squash 1
	assert_equal "$status" 0
	assert_equal "$(grep -c 'makes other rows' <<< "$stderr")" 2
	[[ $stderr == *"other rows: INSERT INTO \"k\""*"other rows: INSERT INTO \"w\""* && $stderr != *"VALUES"* ]] || { echo "$stderr"; return 1; }
}

@test "a quick look after a deep one does not renew it" {
	local A
	A=$(mig-backup -q | jq -r .archive.path)
	works mig-verify --deep "$A"
	local when
	when=$(jq -r .verified "$A.receipt.json")
	sleep 1.1
	works mig-verify --quick "$A"
	assert_equal "$(jq -r '.level + " " + .verified' "$A.receipt.json")" "deep $when"
	works mig-verify --deep "$A"
	[ "$(jq -r .verified "$A.receipt.json")" != "$when" ]
}

@test "--latest: the newest one, also when nothing in it can be read" {
	mig-backup -q > /dev/null
	sleep 1.1
	mig-backup -q > /dev/null
	local newest
	newest=$(ls -t backups/*.migbak | head -n 1)
	truncate -s -1024 "$newest"
	cp "$newest" "backups/zz.20990101T000000Z.none.00000000.migbak" # of another database
	run --separate-stderr mig-verify --latest
	assert_equal "$status $(json .path)" "5 $PWD/$newest"
	fails 0 "'$newest' is damaged and was passed over" mig-rollback --restore --dry-run
	[[ $stderr != *zz.2099* ]]
	# What cannot be read for another reason is no damage, and nothing is passed over.
	ln -s "$newest" "backups/app.db.20980101T000000Z.none.00000000.migbak"
	rm "$newest"
	fails 4 "No such file or directory" mig-rollback --restore --dry-run
	mkdir -p migrations
	run --separate-stderr mig-status
	assert_equal "$(json '[.problems[] | select(.text | contains("20980101")) | .text | contains("damaged")] | any')" false
}
