load ../lib
load ../pg
load ../gallery
# What a rehearsal says of migrations with a known danger, and of harmless ones.

prepare() { case $BATS_TEST_DESCRIPTION in postgresql*) pg_prepare gallery ;; esac; }

# rehearse FOLDER ENGINE [OPTION ...]: of the setup and the migrations in it;
# the document is FOLDER/document.
rehearse() {
	local folder=$1 engine=$2
	shift 2
	if [ "$engine" = sqlite ]; then
		sqlite3 -bail "$folder/app.db" < "$folder/setup.sql" || return
		export DATABASE_URL=sqlite:$folder/app.db
	else
		pg_drop "$DB" && pg_new "$DB" "$@" "$folder/setup.sql" || return
		set -- --scratch "$(pg_url postgres)"
	fi
	mig-backup -q --migrations "$folder/migrations" --backups "$folder/backups" > "$folder/backup" || return
	mig-verify -q --rehearse --migrations "$folder/migrations" --backups "$folder/backups" "$@" \
		< "$folder/backup" > "$folder/document" 2> "$folder/errors" || [ $? = 3 ]
}

# together ENGINE KIND CONDITIONS LEAST: all of a kind in one run.
together() {
	gallery_cut "$1"
	gallery_lay all records/"$2"/*
	rehearse all "$1" || { cat all/errors; return 1; }
	gallery_check all/document "$3" records/"$2"/* ||
		{ jq -c '.rehearsal | .result, .error.text' all/document; return 1; }
	checked "$2" "$4"
}

# alone ENGINE LEAST: those that end the run, one by one.
alone() {
	local record bad=0
	gallery_cut "$1"
	for record in records/alone/*; do
		gallery_lay "${record##*/}" "$record"
		rehearse "${record##*/}" "$1" || { echo "${record##*/}: $(cat "${record##*/}/errors")"; bad=1; continue; }
		gallery_check "${record##*/}/document" '' "$record" || bad=1
	done
	[ "$bad" = 0 ]
	checked alone "$2"
}

checked() { # KIND LEAST
	local n
	n=$(find records/"$1" -mindepth 1 -maxdepth 1 | wc -l)
	echo "# $BATS_TEST_DESCRIPTION: $n records" >&3
	[ "$n" -ge "$2" ]
}

@test "sqlite: each danger is named, with its number" {
	together sqlite danger '' 37
	[ "$(jq -r .rehearsal.result all/document)" = refused ]
}

@test "sqlite: what cannot run is named, with its line" {
	alone sqlite 8
}

@test "sqlite: no false alarm of harmless ones" {
	together sqlite harmless "$GALLERY_HARMLESS" 30
	[ "$(jq -r .rehearsal.result all/document)" = passed ]
}

@test "postgresql: each danger is named, with its number" {
	together postgresql danger '' 56
	[ "$(jq -r .rehearsal.result all/document)" = refused ]
}

@test "postgresql: what cannot run is named, with its line" {
	alone postgresql 8
}

@test "postgresql: no false alarm of harmless ones" {
	together postgresql harmless "$GALLERY_HARMLESS" 35
	[ "$(jq -r .rehearsal.result all/document)" = passed ]
}
