# The gallery: migrations with a known danger, and harmless ones, in
# data/gallery/ENGINE.sql.  A record there is
#
#	-- danger: NAME		or harmless, or alone: a danger that needs a run
#				of its own, for it ends it
#	-- on: TABLE ...	the tables that it begins with, of those below
#	-- setup:		what it begins with besides
#	-- up: [WORDS]		its statements; the words go behind the marker
#	-- down:		its way back
#	-- says: CONDITION	of jq, begun behind the dot, about what the
#				rehearsal says of it: an object "rehearsed",
#				with result and error of the whole run
#
# Other lines of comment before its first statement say more about it.  A dollar
# sign stands for the record's name, so that each has tables of its own; two stay.
# Before the records stand the tables: -- table: NAME: words, and its SQL.
# Load it with: load ../gallery

GALLERY=$TOP/tests/data/gallery

# gallery_cut ENGINE: records/KIND/NAME/ with the files number, setup, up and says.
gallery_cut() {
	awk -f - "$GALLERY/$1.sql" <<- 'END'
		function own(text) {
			gsub(/\$\$/, "\001", text)
			gsub(/\$/, name "_", text)
			gsub(/\001/, "$$", text)
			return text
		}
		function put(file, text) {
			print text > (folder "/" file)
			close_later[folder "/" file] = 1
		}
		function leave(	file) {
			for (file in close_later)
				close(file)
			delete close_later
		}
		match($0, /^-- [a-z]+:/) {
			key = substr($0, 4, RLENGTH - 4)
			rest = substr($0, RLENGTH + 2)
		}
		!match($0, /^-- [a-z]+:/) {
			key = ""
		}
		key == "table" {
			table = rest
			sub(/:.*/, "", table)
			place = "table"
			next
		}
		key == "danger" || key == "harmless" || key == "alone" {
			leave()
			name = rest
			folder = "records/" key "/" name
			if (system("mkdir -p records/" key " && mkdir " folder) != 0)
				exit 1
			put("number", ++n)
			printf "" > (folder "/setup")
			printf "" > (folder "/says")
			put("up", "-- migrate:up")
			place = "up"
			next
		}
		key == "on" {
			m = split(rest, words, " ")
			for (i = 1; i <= m; i++)
				if (words[i] in tables)
					put("setup", own(tables[words[i]]))
				else
					exit bad("no table " words[i])
			next
		}
		key == "setup" {
			place = "setup"
			next
		}
		key == "up" {
			place = "up"
			if (rest != "") {
				close(folder "/up")
				put("up", "-- migrate:up " rest)
			}
			next
		}
		key == "down" {
			place = "up"
			put("up", rest == "" ? "-- migrate:down" : "-- migrate:down " rest)
			next
		}
		key == "says" {
			put("says", own("." rest))
			next
		}
		/^-- / || /^$/ {
			next
		}
		place == "table" {
			tables[table] = tables[table] $0 "\n"
			next
		}
		{
			put(place, own($0))
		}
		function bad(text) {
			print "gallery: line " NR ": " text > "/dev/stderr"
			return 1
		}
	END
}

# gallery_lay FOLDER RECORD ...: setup.sql and migrations/ of these, in FOLDER.
gallery_lay() {
	local folder=$1 record number
	shift
	mkdir -p "$folder/migrations"
	for record in "$@"; do
		cat "$record/setup" >> "$folder/setup.sql"
		number=$(cat "$record/number")
		cp "$record/up" "$folder/migrations/$(printf %03d "$number")_${record##*/}.sql"
	done
}

# gallery_check DOCUMENT CONDITIONS RECORD ...: fails when one of them is not true of
# what the document says of the record, and says which.  With its own ones in says.
gallery_check() {
	local document=$1 general=$2 record name seen condition bad=0
	shift 2
	for record in "$@"; do
		name=${record##*/}
		seen=$(jq -c --arg name "$name" '.rehearsal as $r | $r.migrations[]? | select(.name == $name) |
			. + {result: $r.result, error: $r.error}' "$document")
		if [ -z "$seen" ]; then
			echo "$name: the rehearsal does not speak of it"
			bad=$((bad + 1))
			continue
		fi
		while IFS= read -r condition; do
			if ! jq -e "$condition" > /dev/null 2> jq.err <<< "$seen"; then
				echo "$name: not true: $condition"
				sed 's/^/	/' jq.err
				jq -c 'del(.checksum, .fingerprint, .duration_us, .size_before, .size_after, .down_us, .wal_bytes) |
					.statements |= map(del(.fingerprint, .begin_us, .duration_us, .wal_bytes, .locks[].held_us)) |
					.error |= .text?' <<< "$seen" | sed 's/^/	/'
				bad=$((bad + 1))
			fi
		done < <(printf '%s' "$general" && cat "$record/says")
	done
	[ "$bad" -eq 0 ] || { echo "$bad conditions are not true"; return 1; }
}

# What is said of no harmless one; of those with a way back, that it is exact.
GALLERY_HARMLESS='.losses == []
.sequences == []
.left == []
[.statements[].works[] | select(.action == "rewritten" or .action == "emptied")] == []
[.effects[] | select(.named | not)] == []
[.effects[].columns[] | select(.lossy != null and .lossy > 0)] == []
.down == "exact" or .down == "none"
'
