load ../lib

@test "a backup is taken, read back and described" {
	family
	works mig-backup
	assert_equal "$(json '.kind, .tables, .rows, .read_back, .checked, .spooled')" \
		"$(printf 'mig.backup\n2\n8\ntrue\ntrue\nfalse')"
	assert_file_exist "$(json .archive.path)"
	assert_equal "$(stat -c %a backups)" 700
	assert_equal "$(stat -c %a "$(json .archive.path)")" 600
	[[ $stderr == *"made the backups folder"* ]]
	assert_equal "$(find backups -name '.*' -type f | wc -l)" 0
}

@test "the restored file is the source bit for bit (rollback journal)" {
	family
	works mig-backup -q
	works mig-rollback --restore --into copy.db
	cmp app.db copy.db
}

@test "the WAL is respected" {
	JOURNAL=wal family
	printf '%s\n' "PRAGMA wal_autocheckpoint = 0;" "INSERT INTO parent VALUES (7, 'wal', NULL);" \
		".shell mig-backup -q > doc.json" | sqlite3 app.db
	assert_equal "$(jq .rows doc.json)" 9
	works mig-rollback --restore --into copy.db "$(archive)"
	assert_equal "$(sqlite3 copy.db "SELECT name FROM parent WHERE id = 7")" wal
}

@test "--spool gives the same" {
	family
	works mig-backup -q --spool
	assert_equal "$(json .spooled)" true
	works mig-verify -q "$(json .archive.path)"
	works mig-rollback --restore --into copy.db
	cmp app.db copy.db
}

@test "the source is as before, to the byte" {
	family
	local before
	before=$(sha256sum app.db)
	works mig-backup -q
	assert_equal "$(sha256sum app.db)" "$before"
	assert_equal "$(ls)" "$(printf 'app.db\nbackups')"
}

@test "--to PATH, and a target that exists" {
	family
	works mig-backup --to mine.migbak
	assert_equal "$(json .archive.path)" "$PWD/mine.migbak"
	local before
	before=$(sha256sum mine.migbak)
	fails 3 "'mine.migbak' exists" mig-backup --to mine.migbak
	assert_equal "$(sha256sum mine.migbak)" "$before"
	fails 4 "No such file" mig-backup --to no/such/folder/x.migbak
}

@test "--to -: the archive on stdout, the document where asked" {
	family
	run bash -c 'mig-backup --to - --document doc.json > a.migbak'
	assert_equal "$status" 0
	assert_equal "$(jq -r '.read_back, .archive.path' doc.json)" "$(printf 'false\nnull')"
	works mig-verify a.migbak
	run bash -c 'mig-backup --to - --document 3 3> doc3.json | mig-verify --archive -'
	assert_equal "$status" 0
	assert_equal "$(jq -r .kind doc3.json)" mig.backup
	assert_equal "$(json '.result, .receipt')" "$(printf 'passed\nnull')"
	run bash -c 'mig-backup --to - > b.migbak'
	assert_equal "$status" 2
	assert_equal "$(stat -c %s b.migbak)" 0
	run bash -c 'mig-backup --to - --document 9 > b.migbak'
	assert_equal "$status" 2
	run bash -c 'mig-backup --to - --document no/where.json > b.migbak'
	assert_equal "$status" 4
}

@test "a damaged source is refused, unless it is wanted" {
	family
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO big SELECT hex(randomblob(50)) FROM n"
	printf 'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX' | dd of=app.db bs=1 seek=$((4096 * 20)) conv=notrunc 2> /dev/null
	fails 3 "is damaged" mig-backup
	assert_equal "$(find backups -type f | wc -l)" 0
	works mig-backup --no-check
	assert_equal "$(json .checked)" false
	# The archive is faithful, and mig-verify says what it holds.
	fails 5 "quick_check: expected ok" mig-verify "$(archive)"
	assert_file_not_exist "$(archive).receipt.json"
}

@test "a full disk is said to be one, also by the files beside a WAL" {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	local said
	mkdir small
	mount -t tmpfs -o size=1m none small 2> /dev/null || skip "cannot mount a tmpfs"
	sqlite3 small/w.db 'PRAGMA journal_mode = WAL; CREATE TABLE t (x)' > /dev/null
	dd if=/dev/zero of=small/fill bs=1k 2> /dev/null || true
	mkdir -p migrations
	run --separate-stderr mig-status -d small/w.db
	said="$status $stderr"
	umount small
	[[ $said == "4 "*"[no-space]"* ]] || { echo "$said"; return 1; }
}

@test "no room is known before, and when it comes all the same nothing stays" {
	[ "$(id -u)" = 0 ] || skip "needs root for a small file system"
	family
	sqlite3 app.db "CREATE TABLE big (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO big SELECT randomblob(2000) FROM n"
	mkdir small
	mount -t tmpfs -o size=6m none small 2> /dev/null || skip "cannot mount a tmpfs"
	run --separate-stderr mig-backup -b small
	umount small
	assert_equal "$status" 4
	[[ $stderr == *"no-space"* ]]
	# A limit that cannot be asked for.
	run --separate-stderr bash -c 'ulimit -f 1000; mig-backup -b full'
	assert_equal "$status" 4
	assert_equal "$(find full -type f | wc -l)" 0
}

@test "a folder that cannot be written" {
	family
	mkdir locked
	chmod 555 locked
	chmod 644 app.db
	fails 4 "Permission denied" mortal mig-backup -b locked
	fails 4 "Permission denied" mortal mig-backup -b locked/new
}

@test "odd databases: empty, without tables, many page sizes, odd names" {
	: > zero.db
	works mig-backup -q -d zero.db
	assert_equal "$(json '.raw_bytes, .tables')" "$(printf '0\n0')"
	works mig-verify -q "$(json .archive.path)"
	for size in 512 1024 8192 65536; do
		sqlite3 "p$size.db" "PRAGMA page_size = $size; CREATE TABLE \"a b'c\" (x);
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
			INSERT INTO \"a b'c\" SELECT randomblob(500) FROM n"
		works mig-backup -q -d "p$size.db"
		works mig-verify -q "$(json .archive.path)"
		works mig-rollback --restore --into "c$size.db" -d "p$size.db"
		cmp "p$size.db" "c$size.db"
	done
	sqlite3 'we ird;name.db' 'CREATE TABLE t (x)'
	works mig-backup -q -d 'we ird;name.db'
	[[ $(json .archive.path) == */we_ird_name.db.* ]]
}

@test "full-text search tables come along" {
	sqlite3 app.db "CREATE VIRTUAL TABLE f USING fts5 (a); INSERT INTO f VALUES ('hello world')"
	export DATABASE_URL=app.db
	works mig-backup -q
	works mig-verify -q "$(json .archive.path)"
	works mig-rollback --restore --into copy.db
	assert_equal "$(sqlite3 copy.db "SELECT count(*) FROM f WHERE f MATCH 'hello'")" 1
}

@test "the archive opens without mig" {
	family
	works mig-backup -q
	mkdir out
	tar -xf "$(archive)" -C out
	cat out/data/main/*.zst | zstd -d -q > out/db.sqlite
	assert_equal "$(sqlite3 out/db.sqlite 'PRAGMA integrity_check')" ok
	cmp app.db out/db.sqlite
	zstd -d -q -c out/TABLES.jsonl.zst | jq -s -e 'map(select(.name == "child"))[0].rows == 5'
	# Every digest of the list, by hand.
	zstd -d -q -c out/MEMBERS.jsonl.zst | jq -r '"\(.sha256)  out/\(.name)"' | sha256sum -c --quiet
	assert_equal "$(sha256sum < out/MEMBERS.jsonl.zst | cut -d' ' -f1)" "$(jq -r .members_sha256 out/MANIFEST.json)"
	# The manifest's own digest: its text with zeros for the digest.
	assert_equal "$(sed 's/"digest":"[0-9a-f]*"}$/"digest":"0000000000000000000000000000000000000000000000000000000000000000"}/' \
		out/MANIFEST.json | head -c -1 | sha256sum | cut -d' ' -f1)" "$(jq -r .digest out/MANIFEST.json)"
}

@test "what a killed run leaves is cleared away by the next" {
	family
	works mig-backup -q --to x.migbak
	rm x.migbak
	: > .x.migbak.partial
	works mig-backup -q --to x.migbak
	assert_file_not_exist .x.migbak.partial
}

@test "bad options" {
	family
	fails 2 "number from 1 to 19" mig-backup --level 20
	fails 2 "number from 1 to 64" mig-backup --jobs 0
	fails 2 "takes no operand" mig-backup x
	fails 2 "goes with --to -" mig-backup --document x
	assert_file_not_exist backups
}

@test "a usage error is a document, too, for the next in the pipe" {
	family
	fails 2 "it takes no operand" mig-backup foo
	assert_equal "$(json '.kind, .status' | xargs)" "mig.error 2"
	fails 2 "--to names no file" mig-backup --to ''
}
