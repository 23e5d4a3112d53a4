load ../lib
# mig's cutting of scripts against the grammar of the server itself.

@test "scripts are cut into the statements that PostgreSQL's grammar finds" {
	[ -e /usr/include/pg_query.h ] || skip "libpg_query is not installed"
	cc -g -I"$TOP/lib" -I"$(pg_config --includedir)" -D_GNU_SOURCE -o agree "$TOP/tests/parse/agree.c" \
		"${B:-$TOP/build}/libmig.a" -lpg_query -lsqlite3 -lzstd -lcrypto -ljansson -lpq -lz -pthread
	mkdir sql
	# What is hard to cut, a file each.
	local n=0
	one() {
		n=$((n + 1))
		cat > "sql/$n.sql"
	}
	one <<< $'SELECT 1;;SELECT \';\' || E\'\\\';\' || U&\'a;b\' || $$;$$ || $a$;$$;$a$ -- ;\n; /* ; /* ; */ ; */ SELECT 2'
	one <<< 'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 ELSE 2 END; END; SELECT 3;'
	one <<< 'CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); INSERT INTO v VALUES (2)); SELECT 4;'
	one <<< $'CREATE FUNCTION f(a int) RETURNS trigger AS $_x1$ BEGIN IF a$b$ THEN NULL; END IF; END; $_x1$ LANGUAGE plpgsql;\nSELECT 5'
	one <<< $'SELECT "a;""b", \'it\'\';s\', b\'1\', x\'f\', n\'x;\' \n \'y;\';SELECT 1 -- no end'
	one <<< $'DO $do$ BEGIN PERFORM 1; END; $do$; BEGIN; COMMIT; PREPARE p AS SELECT $1; EXECUTE p(1);'
	one <<< 'CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); INSERT INTO t SELECT CASE a WHEN 1 THEN 2 END FROM u; END;'
	one <<< 'CREATE SCHEMA s CREATE TABLE t (x int) CREATE VIEW v AS SELECT 1; SELECT a[1:2], (SELECT 1), $tag$;$tag$;'
	one < /dev/null
	one <<< ' -- only a comment ;'
	# What is there of real ones, and a folder of the caller's.
	cp "$TOP"/tests/data/*.sql "$TOP"/../shared/data/*.sql sql/ 2> /dev/null || true
	run find sql ${MIG_CORPORA:+"$MIG_CORPORA"} -name '*.sql' -type f
	mapfile -t files <<< "$output"
	run ./agree "${files[@]}"
	echo "$output"
	assert_equal "$status" 0
	[[ ${lines[-1]} =~ ^([0-9]+)\ files\ compared ]]
	[ "${BASH_REMATCH[1]}" -ge "$n" ]
}
