load ../lib
# Folders of 10,000 migrations.

prepare() {
	mkdir migrations
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db
}

# fastest COMMAND...: the shortest of seven runs, in microseconds.
fastest() {
	local best=999999999 start took i
	for i in 1 2 3 4 5 6 7; do
		start=${EPOCHREALTIME//[.,]/}
		"$@" > /dev/null
		took=$((${EPOCHREALTIME//[.,]/} - start))
		[ $took -ge $best ] || best=$took
	done
	echo "$best"
}
cat_all() { find migrations -type f -print0 | xargs -0 cat; }

@test "10,000 files of goose: status in less than 3 times what cat takes, under 64 MiB" {
	seq 1 10000 | awk '{ f = sprintf("migrations/%05d_step.sql", $1);
		printf "-- +goose Up\nCREATE TABLE t%d (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE INDEX t%d_name ON t%d (name);\n\n-- +goose Down\nDROP TABLE t%d;\n", $1, $1, $1, $1 > f; close(f) }'
	sqlite3 app.db "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		WITH RECURSIVE i (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM i WHERE i < 9000) INSERT INTO goose_db_version (version_id, is_applied) SELECT i, 1 FROM i"
	works mig-status
	assert_equal "$(json '[.format, .applied, (.pending | length)] | join(" ")')" "goose 9000 1000"
	local ours theirs kib
	theirs=$(fastest cat_all)
	ours=$(fastest mig-status)
	kib=$(command time -f %M mig-status 2>&1 > /dev/null | tail -n 1)
	echo "mig-status $ours us, cat $theirs us, $kib KiB"
	[ "$ours" -lt $((3 * theirs)) ]
	[ "$kib" -lt 65536 ]
}

@test "10,000 migrations that name their parents are read in a moment" {
	seq 2 10000 | awk '{ f = sprintf("migrations/%d_m.sql", $1);
		printf "-- mig: after %d\n-- migrate:up\nSELECT 1;\n", $1 - 1 > f; close(f) }'
	printf -- '-- migrate:up\nSELECT 1;\n' > migrations/1_m.sql
	works timeout 10 mig-status
	assert_equal "$(json '.pending | length')" 10000
	# A chain from the lowest version to the highest.
	seq 1 9999 | awk '{ f = sprintf("migrations/%d_m.sql", $1);
		printf "-- mig: after %d\n-- migrate:up\nSELECT 1;\n", $1 + 1 > f; close(f) }'
	sed -i 1d migrations/10000_m.sql
	fails 2 "[cycle]" timeout 10 mig-status
}
