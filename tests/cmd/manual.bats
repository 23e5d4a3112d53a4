load ../lib
# The manuals, --help, the field tables and the sources tell the same.

programs="mig-status mig-backup mig-verify mig-apply mig-rollback mig-gen"

page() { mandoc -Tutf8 "$TOP/man/$1" | sed 's/.\x08//g'; } # no overstriking

# The words of one section.
section() { # PAGE SECTION
	page "$1" | awk -v s="$2" '/^[A-Z]/ { on = $0 == s; next } on' | tr -s ' \n\t' ' ' | sed 's/^ //; s/ $//'
}

@test "the usage line of --help is the SYNOPSIS" {
	for p in $programs; do
		assert_equal "$(section $p.1 SYNOPSIS)" "$($p --help | head -n 1 | sed 's/^usage: //')"
	done
}

@test "every option of --help has its item, and every item is an option" {
	for p in $programs; do
		local own
		own=$($p --help | sed '/^Options that every/,$d' | grep -o -E '^  (-.,|   ) --[a-z-]+' | grep -o -E -- '--[a-z-]+' | sort)
		assert_equal "$(grep -E '^\.It Fl' "$TOP/man/$p.1" | grep -o -E -- '-[a-z]+(-[a-z]+)*' | grep -v -x -E -- '-[a-z]' | sed 's/^-*/--/' | sort -u)" "$own"
	done
	for o in $(mig-status --help | sed '1,/^Options that every/d' | grep -o -E -- '--[a-z-]+'); do
		grep -q -E "^\.It Fl.* ${o#-}( |\$)" "$TOP/man/mig.7" || { echo "mig.7 has no $o"; return 1; }
	done
}

@test "every page has its sections and exit statuses" {
	for p in $programs; do
		for s in NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT FILES "EXIT STATUS" EXAMPLES "SEE ALSO"; do
			grep -q -E "^\.Sh $s\$" "$TOP/man/$p.1" || { echo "$p.1: no $s"; return 1; }
		done
		for n in 0 2 4 70; do
			sed -n '/^\.Sh EXIT STATUS/,/^\.Sh /p' "$TOP/man/$p.1" | grep -q "^\.It $n\$" || { echo "$p.1: no $n"; return 1; }
		done
	done
	for n in 0 1 2 3 4 5 6 7 8 70; do
		sed -n '/^\.Sh EXIT STATUS/,/^\.Sh /p' "$TOP/man/mig.7" | grep -q -E "^\.It (Li )?$n\$" || { echo "mig.7: no $n"; return 1; }
	done
}

@test "every member and every reason stands in mig-documents(5)" {
	page mig-documents.5 > documents.txt
	local name
	for name in $(cat "$TOP"/lib/doc/*.c "$TOP"/lib/json/wire.c | tr '\n' ' ' | grep -o -E 'SHAPE_(AT|MAY|OF|MAY_OF|ONE_OF)\([a-z_]+, *[a-z_]+' | sed 's/.*, *//' | sort -u); do
		grep -q -w "$name" documents.txt || { echo "no member '$name'"; return 1; }
	done
	for name in $(cat "$TOP"/lib/*/*.c "$TOP"/lib/*/*/*.c "$TOP"/cmd/*.c | tr '\n\t' '  ' | grep -o -E 'ERR_[A-Z]+, +"[a-z-]+"' | sed 's/.*"\(.*\)"/\1/' | sort -u); do
		grep -q -w -- "$name" documents.txt || { echo "no reason '$name'"; return 1; }
	done
}

@test "every reason is documented with each exit status that the sources give it" {
	local code reason status missing=0
	while read -r code reason; do
		case $code in
		NO) status=1 ;; USAGE) status=2 ;; REFUSED) status=3 ;; ENV) status=4 ;; DAMAGE) status=5 ;;
		FAILED) status=6 ;; LEFT) status=7 ;; LOCKED) status=8 ;; BUG) status=70 ;;
		esac
		grep -E "^\.It $reason Pq " "$TOP/man/mig-documents.5" | grep -q -w "$status" || { echo "$reason: not with $status"; missing=1; }
	done < <(cat "$TOP"/lib/*/*.c "$TOP"/lib/*/*/*.c "$TOP"/cmd/*.c | tr '\n\t' '  ' | grep -o -E 'ERR_[A-Z]+, +"[a-z-]+"' | sed 's/ERR_//; s/, *"/ /; s/"//' | sort -u)
	[ "$missing" = 0 ]
}

@test "every kind of document is named in mig-documents(5), and has its place" {
	local kind
	for kind in $(grep -h -o '"mig\.[a-z]*", [0-9]' "$TOP"/lib/doc/*.c | cut -d'"' -f2); do
		sed -n '/^The kinds are/,/^\.Sh/p' "$TOP/man/mig-documents.5" | grep -q "^\.Sy $kind\b" || { echo "no kind $kind"; return 1; }
		grep -q "^\.Ss $kind$" "$TOP/man/mig-documents.5" || { echo "no section $kind"; return 1; }
	done
	for kind in $(grep -h -o '"MIG_[A-Z_]*"' "$TOP"/lib/cli/*.c | tr -d '"' | sort -u); do
		case $kind in MIG_VERSION) continue ;; esac
		grep -q "^\.It Ev .*$kind\b" "$TOP/man/mig.7" || { echo "mig.7: no $kind"; return 1; }
	done
}

@test "every reason belongs to one family" {
	local families reason
	families=$(sed -n '/^The reasons by what/,/^Each of them/p' "$TOP/man/mig-documents.5" | grep -v -E '^\.|:$' | tr ', ' '\n\n' | grep .)
	assert_equal "$(sort <<< "$families")" "$(sed -n '/^Each of them/,/^\.Sh/p' "$TOP/man/mig-documents.5" | sed -n 's/^\.It \([a-z-]*\) Pq .*/\1/p' | sort)"
}

@test "every key of mig.conf stands in mig.conf(5), every column in mig-migration(5)" {
	page mig.conf.5 > conf.txt
	page mig-migration.5 > migration.txt
	local name
	for name in database migrations backups policy max-backup-age busy-timeout jobs level; do
		grep -q -w -- "$name" conf.txt
	done
	for name in $(sed -n 's/^	\([a-z_]*\) [A-Z].*/\1/p' "$TOP/lib/db/sqlite/ledger.sql"); do
		grep -q -w "$name" migration.txt || { echo "no column '$name'"; return 1; }
	done
}

@test "the EXAMPLES run" {
	for p in $programs; do
		rm -rf example
		mkdir -p example/migrations
		(
			cd example
			sqlite3 app.db "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, phone TEXT);
				CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), total INTEGER);
				INSERT INTO users VALUES (1, 'a', '1'), (2, 'b', '2'), (3, 'c', NULL);
				INSERT INTO orders VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7), (4, 3, 8), (5, 3, 9)"
			printf -- '-- migrate:up\nCREATE TABLE notes (id INTEGER PRIMARY KEY);\n-- migrate:down\nDROP TABLE notes;\n' > migrations/20260101000000_add_notes.sql
			export DATABASE_URL=sqlite:app.db
			page $p.1 | awk '/^[A-Z]/ { on = $0 == "EXAMPLES"; next } on' > text
			sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$TOP/man/$p.1" | awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' |
				sed 's/\\(aq/'"'"'/g; s/\\e/\\/g; s/\\-/-/g; s/\\&//g; s/\\(ti/~/g; s/\\(dq/"/g; s/\\(ga/`/g' > commands
			[ -s commands ] || { echo "$p.1: no example"; exit 1; }
			sh -e commands > out.txt 2>&1 < /dev/null || { echo "$p.1:"; cat commands out.txt; exit 1; }
		) || return 1
	done
}
