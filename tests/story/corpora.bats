load ../lib
load ../pg
# Folders of real projects, where MIG_CORPORA names a folder that holds them:
# up as psql and sqlite3 would go, down as far as there is a way, and up again.

setup_file() { if [ -n "${MIG_CORPORA:-}" ] && pg_available; then pg_start; fi; }
export BATS_TEST_TIMEOUT=600

need() {
	[ -n "${MIG_CORPORA:-}" ] || skip "MIG_CORPORA names no folder of real migrations"
	[ -d "$MIG_CORPORA/$1" ] || skip "$1 is not in MIG_CORPORA"
	export MIG_MIGRATIONS=$MIG_CORPORA/$1
}

# schema: what both make, without any tool's own tables.
schema() { # DB
	if [ "$ENGINE" = sqlite ]; then
		sqlite3 "$1" "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'mig\\_%' ESCAPE '\\' AND tbl_name NOT IN ('schema_migrations', 'goose_db_version', '__diesel_schema_migrations', 'schema_migration', 'sqlite_sequence') ORDER BY type, name"
	else
		pg_dump_text "$1" -s -N mig -T schema_migrations -T 'goose_db_version*' -T __diesel_schema_migrations -T flyway_schema_history -T schema_migration
	fi
}

nothing_pending() {
	works mig-status
	assert_equal "$(json '.pending | length')" 0
}

# up_down_up FORMAT STEPS FILES...: STEPS back at most, as many as have a true way
# back; FILES are the ups in their order, for the reference.
up_down_up() {
	local most=$2 down=0 file
	export MIG_FORMAT=$1
	shift 2
	works mig-apply --no-backup -q
	nothing_pending
	for file; do
		if [ "$ENGINE" = sqlite ]; then
			sqlite3 reference.db < "$file"
		else
			PGOPTIONS='-c client_min_messages=error' "$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -d "$REFERENCE" -f "$file" > /dev/null
		fi
	done
	if [ $# -gt 0 ]; then diff <(schema "$REFERENCE") <(schema "$LIVE"); fi
	schema "$LIVE" > up.txt
	# Until a migration has no way back, or one that is broken.
	while [ $down -lt "$most" ]; do
		run --separate-stderr mig-rollback --steps 1 -q --accept-loss
		[ "$status" -eq 0 ] && [ "$(json .result)" = done ] || break
		down=$((down + 1))
		rm -rf backups
	done
	echo "# $MIG_MIGRATIONS: $down taken back; then: $stderr" >&3
	works mig-apply --no-backup -q
	assert_equal "$(json '.applied | length')" "$down"
	nothing_pending
	schema "$LIVE" > again.txt
	if [ $down -gt 0 ]; then diff up.txt again.txt; fi
}

on_postgresql() {
	need "$1"
	ENGINE=postgresql LIVE=live_$BATS_TEST_NUMBER REFERENCE=ref_$BATS_TEST_NUMBER
	pg_prepare "$LIVE"
	pg_new "$LIVE"
	pg_new "$REFERENCE"
}

on_sqlite() {
	need "$1"
	ENGINE=sqlite LIVE=live.db REFERENCE=reference.db
	export DATABASE_URL=sqlite:live.db
	sqlite3 live.db VACUUM
}

# The ups of diesel by their versions, which are not the order of the folders.
diesel_files() { find "$MIG_MIGRATIONS" -name up.sql | awk -F/ '{ v = $(NF - 1); sub(/_.*/, "", v); gsub("-", "", v); print v "|" $0 }' | LC_ALL=C sort | cut -d'|' -f2-; }
numbered_files() { find "$MIG_MIGRATIONS" -name '*.up.sql' | awk -F/ '{ v = $NF; sub(/_.*/, "", v); print v "|" $0 }' | sort -n | cut -d'|' -f2-; }

@test "crates.io: 285 of diesel" {
	on_postgresql cratesio
	mapfile -t files < <(diesel_files)
	up_down_up diesel 50 "${files[@]}"
}

@test "vaultwarden on PostgreSQL, of diesel" {
	on_postgresql vaultwarden-postgresql
	mapfile -t files < <(diesel_files)
	up_down_up diesel 0 "${files[@]}"
}

@test "vaultwarden on SQLite, of diesel" {
	on_sqlite vaultwarden-sqlite
	mapfile -t files < <(diesel_files)
	up_down_up diesel 0 "${files[@]}"
}

@test "ente: 124 of golang-migrate" {
	on_postgresql ente
	mapfile -t files < <(numbered_files)
	up_down_up golang-migrate 1 "${files[@]}"
}

@test "influxdb on SQLite, of golang-migrate" {
	on_sqlite influxdb
	mapfile -t files < <(numbered_files)
	up_down_up golang-migrate 99 "${files[@]}"
}

@test "openfga on PostgreSQL and SQLite, of goose" {
	on_postgresql openfga-postgres
	up_down_up goose 99
	rm -rf backups
	on_sqlite openfga-sqlite
	up_down_up goose 99
}

@test "cloak, of dbmate" {
	on_postgresql cloak
	up_down_up dbmate 99
}

@test "kestra, of Flyway" {
	on_postgresql kestra
	mapfile -t files < <(find "$MIG_MIGRATIONS" -name 'V*.sql' | sort -V)
	up_down_up flyway 99 "${files[@]}"
}

@test "authelia: 26 pairs with names of their own" {
	on_postgresql authelia
	mapfile -t files < <(find "$MIG_MIGRATIONS" -name '*.up.sql' | sort)
	up_down_up mig 99 "${files[@]}"
}

# The ups of a dialect: its own file, or else the one for all.
pop_files() { # WORDS
	local version file word
	for version in $(find "$MIG_MIGRATIONS" -name '*.up.sql' -printf '%f\n' | cut -d_ -f1 | LC_ALL=C sort -u); do
		for word in "$@" '[!.]*'; do
			file=$(find "$MIG_MIGRATIONS" -name "${version}_*.$word.up.sql" | head -n 1)
			[ "$word" != '[!.]*' ] || file=$(find "$MIG_MIGRATIONS" -name "${version}_*.up.sql" | grep -E '/[^./]*\.up\.sql$' || true)
			[ -z "$file" ] || break
		done
		[ -z "$file" ] || echo "$file"
	done
}

@test "keto on PostgreSQL and SQLite, of popx, with files of dialects" {
	on_postgresql keto
	mapfile -t files < <(pop_files postgres postgresql)
	assert_equal "${#files[@]}" 16
	up_down_up pop 99 "${files[@]}"
	rm -rf backups
	on_sqlite keto
	mapfile -t files < <(pop_files sqlite3 sqlite)
	assert_equal "${#files[@]}" 16
	up_down_up pop 99 "${files[@]}"
}

# Its roles and its schema come first, and pop fills in the name of that.
supabase() {
	local role
	for role in anon authenticated service_role postgres dashboard_user supabase_auth_admin; do
		pg_q postgres "SELECT count(*) FROM pg_roles WHERE rolname = '$role'" | grep -q 1 || pg_q postgres "CREATE ROLE $role"
	done
	pg_q "$LIVE" "CREATE SCHEMA auth"
	pg_q "$REFERENCE" "CREATE SCHEMA auth"
	echo "set.Namespace = auth" > mig.conf
}

@test "supabase/auth: 70 of pop, with a template" {
	on_postgresql supabase-auth
	supabase
	mkdir filled
	local file
	for file in "$MIG_MIGRATIONS"/*.up.sql; do
		sed 's/{{ *index .Options "Namespace" *}}/auth/g' "$file" > "filled/${file##*/}"
	done
	mapfile -t files < <(find filled -name '*.up.sql' | LC_ALL=C sort)
	assert_equal "${#files[@]}" 70
	up_down_up pop 0 "${files[@]}"
}

# rehearsed FORMAT: all of it on the restored backup, up and down, then for real, each
# migration held to the schema that it came to on the copy.
rehearsed() {
	export MIG_FORMAT=$1
	run --separate-stderr mig-apply --rehearse -q
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[ "$(json '.rehearsal | .result + (.comparable | tostring)')" = passedtrue ]
	[ "$(json '.rehearsal.migrations | length')" = "$(json '.applied | length')" ]
	echo "# $MIG_MIGRATIONS: $(jq -r '[.rehearsal.migrations[].down] | group_by(.) | map(.[0] + " " + (length | tostring)) | join(", ")' < <(printf '%s' "$output"))" >&3
	nothing_pending
	rm -rf backups
}

@test "rehearsed: crates.io" { on_postgresql cratesio; rehearsed diesel; }
@test "rehearsed: vaultwarden on PostgreSQL" { on_postgresql vaultwarden-postgresql; rehearsed diesel; }
@test "rehearsed: vaultwarden on SQLite" { on_sqlite vaultwarden-sqlite; rehearsed diesel; }
@test "rehearsed: ente" { on_postgresql ente; rehearsed golang-migrate; }
@test "rehearsed: influxdb" { on_sqlite influxdb; rehearsed golang-migrate; }
@test "rehearsed: openfga on PostgreSQL" { on_postgresql openfga-postgres; rehearsed goose; }
@test "rehearsed: openfga on SQLite" { on_sqlite openfga-sqlite; rehearsed goose; }
@test "rehearsed: cloak" { on_postgresql cloak; rehearsed dbmate; }
@test "rehearsed: kestra" { on_postgresql kestra; rehearsed flyway; }
@test "rehearsed: keto on PostgreSQL" { on_postgresql keto; rehearsed pop; }
@test "rehearsed: keto on SQLite" { on_sqlite keto; rehearsed pop; }
@test "rehearsed: supabase/auth" { on_postgresql supabase-auth; supabase; rehearsed pop; }
@test "rehearsed: authelia" { on_postgresql authelia; rehearsed mig; }
