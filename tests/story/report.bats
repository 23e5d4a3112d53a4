load ../lib
# The page of a rehearsal, for a change request: written, whole, and drawn by a
# browser that has no network and no complaint.

prepare() {
	family
	migration 1_a "ALTER TABLE parent ADD COLUMN age INTEGER NOT NULL DEFAULT 7;
		CREATE TABLE \"<script>alert(1)</script>\" (x); INSERT INTO \"<script>alert(1)</script>\" VALUES (1);" \
		'DROP TABLE "<script>alert(1)</script>"; ALTER TABLE parent DROP COLUMN age;'
	migration 2_b 'CREATE INDEX child_x ON child (x);' 'DROP INDEX child_x;'
}

# report STATUS [OPTION...]: a rehearsal with its page in report.html.
report() {
	local want=$1
	shift
	mig-backup -q > backup.json
	run --separate-stderr bash -c 'mig-verify --rehearse --report report.html "$@" < backup.json' - "$@"
	if [ "$status" -ne "$want" ]; then
		echo "status $status, not $want; stderr: $stderr"
		return 1
	fi
}

# Where it must not reach: with root's power, or by names that nobody has.
cut_off() {
	if [ "$(id -u)" = 0 ] && unshare -n true 2> /dev/null; then unshare -n "$@"; else "$@"; fi
}

# browse OPTION... FILE: one headless run; its console is on standard error.
browse() {
	cut_off timeout 25 chromium --headless=new --no-sandbox --disable-gpu \
		--disable-dev-shm-usage --user-data-dir="$WORK/profile" \
		--host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr \
		--virtual-time-budget=2000 --window-size=1200,2000 "$@" 2> browser.log
}

# The browser's own troubles with its machine are not the page's.
content() { ! grep -E 'CONSOLE|Content Security Policy' browser.log; }

# A PNG of one colour is small: less than 15 kB at this size.
picture() { # FILE
	assert_equal "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a
	[ "$(stat -c %s "$1")" -gt 30000 ]
}

@test "a page for each end: passed, refused, failed" {
	report 0
	assert_equal "$(json .rehearsal.result)" passed
	grep -q 'Passed' report.html
	grep -q '<!doctype html>' report.html
	assert_equal "$(tail -n 1 report.html)" '</html>'
	migration 3_c 'DELETE FROM parent WHERE id = 1;'
	report 3
	grep -q 'Refused' report.html
	grep -q -F 'taken along by a foreign key or trigger' report.html
	grep -q -F -- '--allow-loss' report.html
	migration 3_c 'INSERT INTO nowhere VALUES (1);'
	report 3
	grep -q 'Failed' report.html
	grep -q -F 'no such table: nowhere' report.html
}

@test "nothing in it leads out, nothing in it runs" {
	report 0
	run grep -c -i -E 'https?:|src=|<script|<link|@import|url\(|<iframe' report.html
	assert_equal "$output" 0
	grep -q -F '&lt;script&gt;alert(1)&lt;/script&gt;' report.html
	grep -q -F "default-src 'none'" report.html
	[ "$(stat -c %s report.html)" -lt 200000 ]
}

@test "a page that cannot be written is an error, an old one is replaced" {
	printf '<!doctype html>\nold\n' > report.html
	report 0
	run grep -c '^old$' report.html
	assert_equal "$output" 0
	run --separate-stderr bash -c 'mig-verify --rehearse --report /proc/nowhere/report.html < backup.json'
	assert_equal "$status" 4
	[[ $stderr == *"/proc/nowhere/report.html"* ]]
}

@test "a browser draws it, in light and in dark, without a complaint" {
	command -v chromium > /dev/null || skip "no chromium: the page is not drawn"
	report 0
	browse --screenshot="$WORK/light.png" "file://$WORK/report.html"
	content
	picture light.png
	browse --blink-settings=preferredColorScheme=0 --screenshot="$WORK/dark.png" "file://$WORK/report.html"
	content
	picture dark.png
	run cmp -s light.png dark.png
	assert_equal "$status" 1
}

@test "a browser reads it as it was written" {
	command -v chromium > /dev/null || skip "no chromium: the page is not read"
	report 0
	browse --dump-dom "file://$WORK/report.html" > dom.html
	content
	grep -q -F '&lt;script&gt;alert(1)&lt;/script&gt;' dom.html
	# What it had to close or to move would be more or fewer of them.
	local tag
	for tag in section table tr td th h2 h3 svg rect text code li; do
		assert_equal "$tag $(grep -o "<$tag[ >]" dom.html | wc -l)" "$tag $(grep -o "<$tag[ >]" report.html | wc -l)"
	done
	# A complaint would be seen.
	printf '<meta http-equiv="Content-Security-Policy" content="default-src %s">\n<img src="x.png">\n' "'none'" > bad.html
	browse --dump-dom "file://$WORK/bad.html" > /dev/null
	run content
	assert_equal "$status" 1
}
