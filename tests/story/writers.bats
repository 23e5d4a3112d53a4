load ../lib
# Writers go on while backups run; runners are killed at any moment.

# 4 writers move amounts between two tables; the sum of both stays.
@test "4 writers, 20 backups: each restores to one instant, and no writer waits" {
	sqlite3 app.db "PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, n); CREATE TABLE b (id INTEGER PRIMARY KEY, n);
		CREATE TABLE bulk (x);
		WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 8000) INSERT INTO bulk SELECT randomblob(1000) FROM i;
		INSERT INTO a SELECT 1, 1000; INSERT INTO b SELECT 1, 1000" > /dev/null
	export DATABASE_URL=app.db
	local writers=() i round
	SECONDS=0
	for i in 1 2 3 4; do
		(
			trap 'exit 0' TERM
			n=0
			while [ -e app.db ] && [ ! -e stop ] && [ $SECONDS -lt 90 ]; do
				sqlite3 -cmd '.timeout 5000' app.db "BEGIN IMMEDIATE; UPDATE a SET n = n - 1; UPDATE b SET n = n + 1; INSERT INTO a (n) VALUES (0); INSERT INTO b (n) VALUES (0); COMMIT" || echo "writer $i" >> failed
				n=$((n + 1))
				echo $n > "count.$i"
			done
		) 3>&- > /dev/null 2>> writers.log &
		writers+=($!)
	done
	for round in $(seq 20); do
		works mig-backup -q --to "$round.migbak" --level 1
		works mig-rollback --restore --into "$round.db" "$round.migbak" -q
		assert_equal "$(sqlite3 "$round.db" "SELECT (SELECT sum(n) FROM a) + (SELECT sum(n) FROM b), (SELECT count(*) FROM a) = (SELECT count(*) FROM b)")" "2000|1"
		rm -f "$round.db" "$round.migbak"
	done
	touch stop
	wait "${writers[@]}"
	assert_file_not_exist failed
	[ "$(cat count.*  | awk '{ s += $1 } END { print s }')" -gt 20 ]
}

@test "killed at any moment, status tells the truth and the next run finishes" {
	JOURNAL=wal family
	local i
	for i in 1 2 3 4 5 6 7 8; do
		migration "$i"_t "CREATE TABLE t$i (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t$i SELECT i FROM n;" "DROP TABLE t$i;"
	done
	cp app.db start.db
	local delay killed=0
	for delay in 0.002 0.005 0.008 0.012 0.016 0.02 0.025 0.03 0.04 0.05 0.06 0.08; do
		rm -rf app.db* backups
		cp start.db app.db
		mig-apply -q > /dev/null 2>&1 3>&- &
		local runner=$!
		sleep "$delay"
		kill -9 "$runner" 2> /dev/null && killed=$((killed + 1))
		wait "$runner" 2> /dev/null || true
		works mig-status
		local applied tables
		applied=$(json .applied)
		tables=$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 't_'")
		assert_equal "$applied" "$tables"
		assert_equal "$(json '.problems | length')" 0
		works mig-apply -q
		assert_equal "$(sqlite3 app.db "SELECT count(*) FROM mig_ledger WHERE state = 'applied'")" 8
		assert_equal "$(rows t8)" 3000
		assert_equal "$(find . -name '.*partial*' -o -name '.mig-scratch*' | wc -l)" "$(find . -name '.*partial*' | wc -l)"
	done
	[ "$killed" -gt 3 ]
}

@test "two at once: every migration is applied exactly once" {
	family
	local i
	for i in $(seq 20); do migration "$i"_t "INSERT INTO parent VALUES (100 + $i, 'm', NULL);"; done
	mig-apply -q > one.json 2> one.err 3>&- &
	local one=$!
	mig-apply -q > two.json 2> two.err 3>&- &
	local two=$! a=0 b=0
	wait "$one" || a=$?
	wait "$two" || b=$?
	[ "$a" -eq 0 ] || [ "$a" -eq 8 ]
	[ "$b" -eq 0 ] || [ "$b" -eq 8 ]
	[ $((a * b)) -eq 0 ]
	assert_equal "$(sqlite3 app.db "SELECT count(*) FROM parent WHERE name = 'm'")" 20
	# And with --wait both end well.
	migration 21_t "INSERT INTO parent VALUES (200, 'w', NULL);"
	mig-apply -q --wait 30s > one.json 3>&- &
	one=$!
	mig-apply -q --wait 30s > two.json 3>&- &
	two=$!
	wait "$one"
	wait "$two"
	assert_equal "$(jq -r .result one.json two.json | sort | tr '\n' ' ')" "applied nothing "
}

@test "two that begin together and wait: the second sees what the first did" {
	family
	migration 1_t "INSERT INTO parent VALUES (300, 'once', NULL); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n;"
	mig-apply -q --wait 30s > one.json 3>&- &
	local one=$!
	sleep 0.05
	mig-apply -q --wait 30s > two.json 3>&- &
	local two=$!
	wait "$one"
	wait "$two"
	assert_equal "$(sqlite3 app.db "SELECT count(*) FROM parent WHERE id = 300; SELECT count(*) FROM mig_event" | tr '\n' ' ')" "1 1 "
	assert_equal "$(jq -r .result one.json two.json | sort | tr '\n' ' ')" "applied nothing "
}

@test "SIGTERM ends between migrations, with the truth in the ledger" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	migration 2_slow 'CREATE TABLE b AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT count(*) AS c FROM n;'
	mig-apply -q > out.json 2> err.txt 3>&- &
	local runner=$! i code=0
	for i in $(seq 100); do
		[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'a'")" = 1 ] && break
		sleep 0.05
	done
	sleep 0.2
	kill -TERM "$runner"
	wait "$runner" || code=$?
	assert_equal "$code" 4
	grep -q interrupted err.txt
	assert_equal "$(jq -r '.result, .current' out.json)" "$(printf 'failed\n1')"
	works mig-status
	assert_equal "$(json '.current, (.pending | length), (.problems | length)')" "$(printf '1\n1\n0')"
}

@test "a restore that is killed leaves the old or the new, whole" {
	sqlite3 app.db "PRAGMA journal_mode = WAL; CREATE TABLE t (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT randomblob(300) FROM n" > /dev/null
	export DATABASE_URL=app.db
	works mig-backup -q --to good.migbak
	sqlite3 app.db "CREATE TABLE later (x); DELETE FROM t WHERE rowid % 2"
	cp app.db start.db
	local delay
	for delay in 0.02 0.05 0.08 0.1 0.12 0.15 0.2 0.25; do
		rm -f app.db app.db-wal app.db-shm
		cp start.db app.db
		mig-rollback --restore good.migbak --accept-loss --no-safety-backup -q > /dev/null 2>&1 3>&- &
		local runner=$!
		sleep "$delay"
		kill -9 "$runner" 2> /dev/null || true
		wait "$runner" 2> /dev/null || true
		assert_equal "$(sqlite3 app.db 'PRAGMA integrity_check')" ok
		local n
		n=$(rows t)
		[ "$n" = 20000 ] || [ "$n" = 10000 ]
	done
	works mig-rollback --restore good.migbak --accept-loss -q
	assert_equal "$(rows t)" 20000
	assert_equal "$(find . -name '.*mig-new*')" ""
}

@test "what is written while the question is asked is not lost" {
	family
	printf '[production]\npolicy = production\n' > mig.conf
	local mode
	for mode in delete wal; do
		sqlite3 app.db "PRAGMA journal_mode = $mode" > /dev/null
		works mig-backup -q
		cat > answer << 'SH'
sleep 1
sqlite3 app.db "INSERT INTO parent VALUES (77, 'precious', NULL)"
echo y
sleep 2
SH
		run bash -c 'sh answer | script -qec "mig-rollback --restore -e production --no-safety-backup" /dev/null'
		[[ $output == *"was written to while"* || $output == *"would lose"* ]]
		assert_equal "$(sqlite3 app.db "SELECT count(*) FROM parent WHERE id = 77")" 1
		sqlite3 app.db "DELETE FROM parent WHERE id = 77"
	done
}
