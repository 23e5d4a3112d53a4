load ../lib
# Programs of the user that mig-apply runs before and after.

prepare() {
	mkdir migrations hooks
	sqlite3 app.db 'CREATE TABLE own (x)'
	export DATABASE_URL=sqlite:app.db MIG_HOOKS=hooks
	migration 1_a 'CREATE TABLE a (x);' 'DROP TABLE a;'
	migration 2_b 'CREATE TABLE b (x);' 'DROP TABLE b;'
}
hook() { # NAME [COMMAND]
	printf '#!/bin/sh\ncat > "$MIG_HOOK.json"\necho "$MIG_HOOK $MIG_HOOK_MIGRATION" >> log\n%s\n' "${2:-}" > "hooks/$1"
	chmod +x "hooks/$1"
}
all() {
	local name
	for name in before-apply after-apply before-each after-each on-failure; do hook $name; done
}
apply() { works mig-apply -q --no-backup "$@"; }

@test "hooks run in their places, with the document as it is then" {
	all
	apply
	assert_equal "$(paste -sd, log)" "before-apply ,before-each 1,after-each 1,before-each 2,after-each 2,after-apply "
	assert_equal "$(jq -r '.kind + " " + .result + " " + (.plan | length | tostring)' before-apply.json)" "mig.apply planned 2"
	assert_equal "$(jq -r '.applied[1].migration' after-each.json)" 2
	assert_equal "$(jq -r '.result + " " + .current' after-apply.json)" "applied 2"
	assert_file_not_exist on-failure.json
	# Nothing pending, or a dry run: no hook.
	rm log
	apply
	assert_file_not_exist log
	migration 3_c 'CREATE TABLE c (x);'
	apply --dry-run
	assert_file_not_exist log
}

@test "on-failure gets the error; the status is that of the failure" {
	all
	migration 3_c 'SELECT nope;'
	fails 6 "no such column" mig-apply --no-backup
	assert_equal "$(tail -n 1 log)" "on-failure "
	assert_equal "$(jq -r '.result + " " + .error.reason + " " + (.applied | length | tostring)' on-failure.json)" "failed statement 2"
	[ "$(grep -c after-apply log)" = 0 ]
	# One that fails itself is only said.
	hook on-failure 'exit 9'
	fails 6 "'hooks/on-failure' ended with status 9" mig-apply --no-backup
}

@test "a hook that fails: before-apply refuses, before anything is done" {
	all
	hook before-apply 'echo to-stderr >&2; echo to-stdout; exit 3'
	fails 3 "'hooks/before-apply' ended with status 3; mend the hook" mig-apply
	[[ $stderr == *to-stderr* && $stderr == *to-stdout* ]]
	assert_equal "$(json .reason)" hook
	assert_file_not_exist backups
	assert_equal "$(paste -sd, log)" "before-apply ,on-failure "
	assert_equal "$(sqlite3 app.db .tables)" own
}

@test "a hook that fails: before-each, after-each, after-apply" {
	all
	hook before-each '[ "$MIG_HOOK_MIGRATION" = 1 ]'
	fails 6 "before-each" mig-apply --no-backup
	assert_equal "$(json '.result, .current, .error.reason' | xargs)" "failed 1 hook"
	hook before-each 'false'
	fails 3 "before-each" mig-apply --no-backup
	hook before-each
	hook after-each 'false'
	fails 6 "after-each" mig-apply --no-backup
	assert_equal "$(json '.current')" 2
	works mig-status --check
	migration 3_c 'CREATE TABLE c (x);'
	hook after-each
	hook after-apply 'kill -9 $$'
	fails 4 "'hooks/after-apply' was ended by signal 9" mig-apply --no-backup
	assert_equal "$(json '.result, .current, .error.status' | xargs)" "applied 3 4"
	works mig-status --check
}

@test "a hook that hangs is ended with its children; a signal ends it too" {
	# Of nobody else on the machine.
	local nap=300.$RANDOM$RANDOM
	hook before-apply "sleep $nap & sleep $nap"
	fails 3 "took longer than 1 s, and was ended" mig-apply --hook-timeout 1
	run ! pgrep -f "sleep $nap"
	hook before-apply "sleep 1$nap"
	rm log
	mig-apply --no-backup 2> said 3>&- &
	local pid=$!
	until [ -e log ]; do sleep 0.05; done
	kill -TERM $pid
	local status=0
	wait $pid || status=$?
	assert_equal "$status" 4
	grep -q interrupted said
	run ! pgrep -f "sleep 1$nap"
	assert_equal "$(sqlite3 app.db .tables)" own
}

@test "what is wrong with the folder is said before anything is done" {
	hook before-apply
	chmod -x hooks/before-apply
	fails 2 "cannot be executed" mig-apply
	chmod +x hooks/before-apply
	touch hooks/README.md hooks/before-apply.sample
	mkdir hooks/more
	hook before_apply
	fails 2 "no hook is called 'hooks/before_apply'" mig-apply
	rm hooks/before_apply
	fails 2 "no folder of hooks at 'absent'" mig-apply --hooks absent
	printf '#!/nowhere/interpreter\n' > hooks/before-apply
	fails 3 "cannot be run" mig-apply
	assert_file_not_exist backups
	printf 'hooks = hooks\nhook-timeout = x\n' > mig.conf
	fails 2 "is not a time" mig-apply
}

@test "a caller that ignores SIGCHLD does not make a failed hook pass" {
	hook before-apply 'exit 1'
	run --separate-stderr perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' mig-apply --no-backup
	assert_equal "$status" 3
	assert_equal "$(sqlite3 app.db .tables)" own
	rm hooks/before-apply
	cp app.db b.db
	sqlite3 b.db 'CREATE TABLE a (x)'
	run --separate-stderr perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' mig-apply --no-backup -d app.db -d b.db -k
	assert_equal "$status" 6
	fails 2 "leaves a hook no time" mig-apply --hook-timeout 0
}

@test "hooks in the working folder are those, and not what PATH has" {
	family
	migration 1_a 'CREATE TABLE a (x);'
	mkdir elsewhere
	printf '#!/bin/sh\ntouch wrong\n' > elsewhere/before-apply
	printf '#!/bin/sh\ntouch right\n' > before-apply
	chmod +x elsewhere/before-apply before-apply
	PATH=$PWD/elsewhere:$PATH works mig-apply -q --no-backup --hooks .
	[ -e right ] && [ ! -e wrong ]
}
