# What a guarded command leaves running: these tests wait for it.
load ../lib

prepare() {
	family
	cat > tool <<- 'SH'
		#!/bin/sh
		exit 9
	SH
	chmod +x tool
}

@test "what the command leaves running is ended before anything is restored" {
	printf '#!/bin/sh\n(sleep 3; sqlite3 app.db "DELETE FROM child") &\nsqlite3 app.db "DELETE FROM parent"; exit 1\n' > tool
	before=$(contents)
	fails 6 'the backup is restored' mig-apply --restore-on-failure -- ./tool
	sleep 3.2
	[ "$(contents)" = "$before" ]
}

@test "what a killed guard leaves running keeps the lock" {
	printf '#!/bin/sh\ntouch began\nsh -c "sleep 2; touch over"\n' > tool
	mig-apply -- ./tool > doc 2> said 3>&- &
	pid=$!
	for _ in $(seq 200); do [ -e began ] && break; sleep 0.05; done
	kill -KILL "$pid"
	wait "$pid" || true
	fails 8 'another runner' mig-apply -- true
	for _ in $(seq 100); do [ -e over ] && break; sleep 0.05; done
	sleep 0.2
	works mig-apply -- true
}
