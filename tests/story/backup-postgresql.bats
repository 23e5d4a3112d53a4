load ../lib
load ../pg
load ../pg-app
# What happens on a server while a backup of it is read.

# half COMMAND...: runs it into a pipe nobody reads, so that it stays half-way.
half() {
	mkfifo pipe
	"$@" --to - --document doc.json > pipe 2> err.txt 3>&- &
	HALF=$!
	exec 9< pipe
	soon "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$DB' AND query LIKE 'COPY%' AND state = 'active' AND wait_event = 'ClientWrite'"
}
on() { # its other half; sets status and stderr
	cat <&9 > archive
	exec 9<&-
	status=0
	wait "$HALF" || status=$?
	stderr=$(cat err.txt)
	rm pipe
}

@test "a value, an attribute, a schema renamed while rows are read: no backup, and why" {
	q "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE place AS (x int, y int); CREATE SCHEMA s; CREATE TABLE s.t (m mood, p place, r regclass);
		INSERT INTO s.t VALUES ('ok', (1, 2), 's.t'); CREATE TYPE spare AS ENUM ('a');
		CREATE TABLE big AS SELECT string_agg(md5((g * 100 + k)::text), '') AS x FROM generate_series(1, 40000) AS g, generate_series(1, 40) AS k GROUP BY g;
		ALTER TABLE big ALTER x SET STORAGE EXTERNAL"
	local change
	for change in "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'" "ALTER TYPE place RENAME ATTRIBUTE y TO z" "ALTER SCHEMA s RENAME TO u"; do
		half mig-backup -q
		q "$change"
		on
		assert_equal "$status" 4
		[[ $stderr == *"was renamed or altered while rows were read"* ]] || { echo "$change: $stderr"; return 1; }
		fails 5 "" mig-verify -q archive
	done
	# What is in no row of it does no harm.
	half mig-backup -q
	q "DROP TYPE spare; CREATE TYPE other AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'glad'; CREATE SCHEMA v"
	on
	assert_equal "$status" 0
	works mig-verify --deep -q archive
}

@test "rows spread by the hash of a domain over an enum, and of an expression" {
	q "CREATE TYPE c AS ENUM ('a', 'b'); CREATE DOMAIN d AS c; CREATE TABLE p (x d) PARTITION BY HASH (x);
		CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		INSERT INTO p VALUES ('a'), ('b'); CREATE TABLE e (x text) PARTITION BY HASH ((CASE x WHEN 'a' THEN 'a'::c ELSE 'b'::c END));
		CREATE TABLE e0 PARTITION OF e FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO e VALUES ('a'), ('z')"
	works mig-backup -q --to a.migbak
	works mig-verify --deep -q a.migbak
	q "DELETE FROM p"
	works mig-rollback -q --restore a.migbak --yes --accept-loss
	assert_equal "$(rows p)" 2
}
