load ../lib
load ../pg
# Many databases in one run, which is killed, and run again.

# events DB: how often each migration was applied to it.
events() { sqlite3 "$1" "SELECT group_concat(n) FROM (SELECT count(*) AS n FROM mig_event WHERE event = 'apply' GROUP BY version)"; }

@test "50 databases, killed half-way, run again: each is migrated exactly once" {
	local i round
	for i in $(seq 50); do
		sqlite3 "db$i.db" 'CREATE TABLE own (x)'
		echo "db$i.db" >> list
	done
	migration 1_a 'CREATE TABLE a (x); INSERT INTO a WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 20000) SELECT i FROM i;'
	migration 2_b 'CREATE TABLE b (x); INSERT INTO b SELECT count(*) FROM a;'
	for round in 5 20 35; do
		mig-apply --databases list --jobs 3 > out 2> said 3>&- &
		local pid=$!
		until [ "$(wc -l < out)" -ge "$round" ] || ! kill -0 $pid 2> /dev/null; do sleep 0.01; done
		kill -KILL $pid 2> /dev/null || true
		wait $pid || true
		# Those that run end by themselves, at a safe point.
		until ! pgrep -f -- "mig-apply --output=json --jobs=" > /dev/null; do sleep 0.05; done
		rm out
	done
	works mig-apply --databases list -q
	assert_equal "$(tail -n 1 <<< "$output" | jq -r '[.done, .failed, .left] | join(" ")')" "50 0 0"
	for i in $(seq 50); do
		assert_equal "$i $(events "db$i.db") $(sqlite3 "db$i.db" 'SELECT x FROM b')" "$i 1,1 20000"
	done
	works mig-status --databases list --check
}

@test "20 databases on one server, killed half-way, run again: each exactly once" {
	pg_prepare many
	local i pid before
	for i in $(seq 20); do
		pg_new "${DB}_$i"
		echo "$(pg_url "${DB}_$i")" >> list
	done
	migration 1_a 'CREATE TABLE a (x int); INSERT INTO a SELECT generate_series(1, 20000);' 'DROP TABLE a;'
	migration 2_b 'CREATE TABLE b (x int); INSERT INTO b SELECT count(*) FROM a;' 'DROP TABLE b;'
	mig-apply --databases list --jobs 2 > out 2> said 3>&- &
	pid=$!
	until [ "$(wc -l < out)" -ge 6 ] || ! kill -0 $pid 2> /dev/null; do sleep 0.01; done
	kill -KILL $pid 2> /dev/null || true
	wait $pid || true
	until ! pgrep -f -- "mig-apply --output=json --jobs=" > /dev/null; do sleep 0.05; done
	before=$(wc -l < out)
	[ "$before" -lt 20 ]
	works mig-apply --databases list --jobs 2 -q --wait 30
	assert_equal "$(tail -n 1 <<< "$output" | jq -r '[.done, .failed, .left] | join(" ")')" "20 0 0"
	for i in $(seq 20); do
		assert_equal "$i $(pg_q "${DB}_$i" "SELECT string_agg(n::text, ',') FROM (SELECT count(*) AS n FROM mig.mig_event WHERE event = 'apply' GROUP BY version) AS x") $(pg_q "${DB}_$i" 'SELECT x FROM b')" "$i 1,1 20000"
	done
	works mig-status --databases list --check
}
