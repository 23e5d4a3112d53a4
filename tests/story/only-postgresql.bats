# mig-rollback --restore --only on a server.
load ../lib
load ../pg

setup_file() { if pg_available; then pg_start; fi; }
teardown_file() { pg_stop; }

prepare() { :; }

@test "PostgreSQL: generated, identity, and names with dots in them" {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists --force app
	createdb app
	export DATABASE_URL=postgresql:///app
	psql -q app <<- 'SQL'
		CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED, gone int);
		INSERT INTO g (a, gone) VALUES (5, 6), (7, 8);
		CREATE SCHEMA "S.x";
		CREATE TABLE "S.x"."T'q" (id int PRIMARY KEY, "V.w" text);
		INSERT INTO "S.x"."T'q" VALUES (1, 'one');
	SQL
	mig-backup -q -o none
	psql -q app -c 'DELETE FROM g WHERE id = 1' -c 'ALTER TABLE g DROP COLUMN gone' -c "UPDATE \"S.x\".\"T'q\" SET \"V.w\" = NULL"
	works mig-rollback --restore --only g --only "\"S.x\".\"T'q\""
	psql -q -v ON_ERROR_STOP=1 app -c "$(json '.brought[0].sql')"
	[ "$(psql -Atc 'SELECT string_agg(id::text || a || b, $$,$$ ORDER BY id) FROM g' app)" = 1510,2714 ]
	[ "$(json '.brought[1].rows')" = 1 ]
	fails 2 'no table and column' mig-rollback --restore --only '"S x"."T q".v'
}

@test "PostgreSQL: a table, a column, a type that is gone, a schema" {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists --force app
	createdb app
	export DATABASE_URL=postgresql:///app
	psql -q app <<- 'SQL'
		CREATE TYPE mood AS ENUM ('sad', 'glad');
		CREATE SCHEMA s;
		CREATE TABLE users (id bigint PRIMARY KEY, name text, m mood, score numeric(10,2));
		CREATE TABLE s."My T" (a int, b int, note text, PRIMARY KEY (a, b));
		INSERT INTO users SELECT i, 'u' || i, 'glad', i FROM generate_series(1, 100) i;
		INSERT INTO s."My T" SELECT i, i, E'a\tb\\' FROM generate_series(1, 10) i;
	SQL
	mig-backup -q -o none
	psql -q app <<- 'SQL'
		ALTER TABLE users DROP COLUMN m;
		DROP TYPE mood;
		UPDATE users SET name = NULL WHERE id < 50;
		DELETE FROM s."My T" WHERE a > 5;
	SQL
	works mig-rollback --restore --only 'users.m,users.name' --only 's."My T"'
	[ "$(json '[.brought[].rows] | join(" ")')" = '100 100 10' ]
	for i in 0 1 2; do psql -q -v ON_ERROR_STOP=1 app -c "$(json ".brought[$i].sql")"; done
	[ "$(psql -Atc "SELECT count(*), count(m), min(m), count(name) FROM users" app)" = '100|100|glad|100' ]
	[ "$(psql -Atc "SELECT count(*), min(note) = 'a' || chr(9) || 'b' || chr(92) FROM s.\"My T\"" app)" = '10|t' ]
	fails 2 "no table 'nobody'" mig-rollback --restore --only users,nobody
	[ "$(psql -Atc "SELECT count(*) FROM pg_class WHERE relname ~ '^users_2'" app)" = 0 ]
}

@test "PostgreSQL: a column may be named in quotes" {
	pg_available || skip "$PG_REASON"
	dropdb --if-exists --force app
	createdb app
	export DATABASE_URL=postgresql:///app
	psql -q app -c 'CREATE TABLE u (id int PRIMARY KEY, "userId" int, userid int)' -c 'INSERT INTO u VALUES (1, 100, 1), (2, 200, 2)'
	mig-backup -q -o none
	psql -q app -c 'UPDATE u SET "userId" = 7, userid = 8'
	works mig-rollback -q --restore --only 'u."userId"'
	psql -q -v ON_ERROR_STOP=1 app -c "$(json '.brought[0].sql')"
	[ "$(psql -Atc 'SELECT "userId", userid FROM u ORDER BY id' app | xargs)" = "100|8 200|8" ]
}
