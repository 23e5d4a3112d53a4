-- A nasty database for PostgreSQL 13 and later: everything that is known to
-- have gone wrong in a dump, a copy or a comparison.
--
--	createdb -T template0 -E UTF8 nasty
--	psql -X -q -v ON_ERROR_STOP=1 -f nasty.sql nasty	(as a superuser)
--
-- All of it can be dumped, restored with --exit-on-error in the same cluster
-- and dumped again; what pg_dump itself does not bring back the same is
--
--	nasty.adopted, child, "Grand Child"	the order of inherited columns
--	nasty.by_colour_0, by_colour_1		which of them has a row
--	mig_test_config.fixed			the rows that are not the extension's
--	ALTER DATABASE, ALTER ROLE IN DATABASE	only with pg_dump --create
--
-- Variables (psql -v NAME=1) choose:
--
--	broken_view		a materialized view that no restore can fill
--	broken_check		a table that no restore can load
--	no_subscription		leaves out what keeps the database from being dropped
--
-- It makes roles mig_test_..., which belong to the cluster and stay.

\set ON_ERROR_STOP on
\o /dev/null
SET client_min_messages = error;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET check_function_bodies = on;
SET search_path = public;
SELECT v >= 140000 AS pg14, v >= 150000 AS pg15, v >= 160000 AS pg16, v >= 170000 AS pg17
	FROM (SELECT current_setting('server_version_num')::int) AS s (v) \gset
SELECT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS icu,
	EXISTS (SELECT FROM pg_available_extensions WHERE name = 'hstore') AS hstore,
	EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') AS citext,
	EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS pg_trgm,
	EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist') AS btree_gist,
	EXISTS (SELECT FROM pg_available_extensions WHERE name = 'mig_test_config') AS config \gset

---------------------------------------------------------------- roles, schemas

DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['mig_test_owner', 'mig_test_reader', 'mig_test_We"ird Röle.'] LOOP
		BEGIN
			EXECUTE format('CREATE ROLE %I', r);
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
		END;
	END LOOP;
	ALTER ROLE mig_test_owner LOGIN;
	ALTER ROLE mig_test_reader LOGIN;
END
$$;
GRANT mig_test_reader TO mig_test_owner;

CREATE SCHEMA nasty;
COMMENT ON SCHEMA nasty IS 'plain name, nasty things; it''s "quoted", \back\slashed,
on two lines -- and $$ /* so on';
CREATE SCHEMA "we.ird ""sche\ma"" %s" AUTHORIZATION "mig_test_We""ird Röle.";
CREATE SCHEMA "two
lines";
CREATE SCHEMA "ext s";
CREATE SCHEMA "Ünï cödé 🦆";
CREATE SCHEMA empty;
GRANT USAGE, CREATE ON SCHEMA nasty TO mig_test_owner WITH GRANT OPTION;
SET ROLE mig_test_owner;
GRANT USAGE ON SCHEMA nasty TO mig_test_reader;
RESET ROLE;
GRANT ALL ON SCHEMA "two
lines" TO PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO "mig_test_We""ird Röle.";
COMMENT ON SCHEMA public IS 'not the usual comment';

-- For all that comes.
ALTER DEFAULT PRIVILEGES FOR ROLE mig_test_owner GRANT SELECT ON TABLES TO mig_test_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE mig_test_owner IN SCHEMA nasty
	GRANT ALL ON SEQUENCES TO "mig_test_We""ird Röle." WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE mig_test_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA "two
lines" GRANT INSERT ON TABLES TO mig_test_owner;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;

-- Of what is not ours.
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO mig_test_owner;
REVOKE USAGE ON LANGUAGE sql FROM PUBLIC;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO mig_test_reader;

------------------------------------------------------------------------- names

-- One table for each name, which is also its column's, with two rows.
DO $names$
DECLARE
	n text;
	s text;
	i int := 0;
	schemas text[] := ARRAY['we.ird "sche\ma" %s', E'two\nlines', 'Ünï cödé 🦆'];
BEGIN
	FOREACH n IN ARRAY ARRAY['Upper', 'select', 'a.b.c', 'two words', ' leading', 'trailing ', '.', ' ',
		'"', '""', '"quoted"', 'o''clock', 'back\slash', '\', '\.', '\N', 'C:\new\table', E'new\nline',
		E'cr\rlf\r\n', E'tab\there', E'x\n\\.\nDROP TABLE y; --', '100% %s %n %d %%', '$$', '$1', ':colon', ':''var''',
		'-- comment', '/* comment', '{brace,}', '[bracket]', '(paren)', 'a,b', 'a=b', '*', '?', '`tick`', '|', '~/x', '../up',
		'<x & y>', E'bell\x07', E'del\x7f', 'ünïcödé', 'Ünïcödé', '表', 'שלום', '🦆', E'e\u0301', E'\u00e9', E'zero\u200bwidth',
		E'\ufeffbom', repeat('x', 63), repeat('x', 62) || 'y', repeat('é', 31) || 'z', repeat('🦆', 15) || 'abc', '1st', 'null', 'true',
		'pg_class', '_', 'ctid.', 'TABLE DATA', 'public.t', '"a"."b"', 'mig_', 'schema_migrations '] LOOP
		i := i + 1;
		FOREACH s IN ARRAY CASE WHEN octet_length(n) = 63 THEN schemas ELSE schemas[i % 3 + 1:i % 3 + 1] END LOOP
			EXECUTE format('CREATE TABLE %1$I.%2$I (%2$I text DEFAULT %2$L, CONSTRAINT %2$I CHECK (%2$I IS NOT NULL))', s, n);
			EXECUTE format('INSERT INTO %1$I.%2$I VALUES (DEFAULT), (%3$L)', s, n, n || n);
			EXECUTE format('COMMENT ON TABLE %I.%I IS %L', s, n, 'table ' || n);
			EXECUTE format('COMMENT ON COLUMN %1$I.%2$I.%2$I IS %3$L', s, n, 'column ' || n);
		END LOOP;
	END LOOP;
END
$names$;

CREATE TABLE nasty."columns" ("a.b" int, "A" int, a int, " " int, """" text, "two
lines" text, "%d" text, "\" text, "order" int, "oid" int, "user" int, "ctid." int, "é" int, U&"e\0301" int);
INSERT INTO nasty."columns" VALUES (1, 2, 3, 4, '"', E'\n', '%d', '\', 5, 6, 7, 8, 9, 10);
GRANT SELECT ("a.b", "two
lines"), UPDATE ("A") ON nasty."columns" TO mig_test_reader;
GRANT ALL ON nasty."columns" TO "mig_test_We""ird Röle." WITH GRANT OPTION;
ALTER TABLE nasty."columns" OWNER TO "mig_test_We""ird Röle.";

-- A wide one.
DO $$
BEGIN
	EXECUTE 'CREATE TABLE nasty.wide (' || (SELECT string_agg(format('"column %s" int', i), ', ') FROM generate_series(1, 300) i) || ')';
	EXECUTE 'INSERT INTO nasty.wide SELECT ' || (SELECT string_agg(CASE WHEN i % 3 = 0 THEN 'NULL' ELSE i::text END, ', ') FROM generate_series(1, 300) i);
END
$$;

----------------------------------------------------------------- odd table forms

CREATE TABLE nasty.no_columns ();
INSERT INTO nasty.no_columns DEFAULT VALUES;
INSERT INTO nasty.no_columns DEFAULT VALUES;
CREATE TABLE nasty.no_columns_left (a int);
INSERT INTO nasty.no_columns_left VALUES (1), (2), (3);
ALTER TABLE nasty.no_columns_left DROP COLUMN a;
CREATE TABLE nasty.no_rows (a int);
CREATE TABLE nasty.only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO nasty.only_generated DEFAULT VALUES;
INSERT INTO nasty.only_generated DEFAULT VALUES;
CREATE TABLE nasty.generated (
	first text GENERATED ALWAYS AS (b || '!') STORED,
	b text,
	n int,
	twice int GENERATED ALWAYS AS (n * 2) STORED UNIQUE);
INSERT INTO nasty.generated (b, n) VALUES ('x', 1), (NULL, 2), ('y', NULL);
CREATE TABLE nasty.generated_child (twice int REFERENCES nasty.generated (twice));
INSERT INTO nasty.generated_child VALUES (2), (4), (NULL);

CREATE TABLE nasty.identity_always (id int GENERATED ALWAYS AS IDENTITY, x text);
INSERT INTO nasty.identity_always (x) SELECT 'row ' || i FROM generate_series(1, 5) i;
INSERT INTO nasty.identity_always OVERRIDING SYSTEM VALUE VALUES (-7, 'by hand');
DELETE FROM nasty.identity_always WHERE id = 5;
CREATE TABLE nasty.identity_default (
	id bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME nasty."Odd.Identity" START WITH 9000000000 INCREMENT BY -3 MINVALUE -100 MAXVALUE 9000000000 CACHE 7),
	"Second" smallint NOT NULL);
INSERT INTO nasty.identity_default ("Second") VALUES (1), (2), (3);
SELECT setval('nasty."Odd.Identity"', 4711, false);
CREATE TABLE nasty.identity_unused (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE nasty.serials (a smallserial, b serial, c bigserial, x text);
INSERT INTO nasty.serials (x) VALUES ('1'), ('2'), ('3');
SELECT setval('nasty.serials_b_seq', 1000);
CREATE TABLE nasty.serial_apart (id int DEFAULT 0);
CREATE SEQUENCE nasty.apart OWNED BY nasty.serial_apart.id;
ALTER TABLE nasty.serial_apart ALTER id SET DEFAULT nextval('nasty.apart') + 10;
INSERT INTO nasty.serial_apart DEFAULT VALUES;

CREATE TABLE nasty.dropped (gone1 int, a text, gone2 text, b int DEFAULT 3, gone3 int);
INSERT INTO nasty.dropped VALUES (1, 'a', 'x', 2, 3), (4, 'b', 'y', 5, 6);
ALTER TABLE nasty.dropped DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3;
ALTER TABLE nasty.dropped ADD COLUMN c text DEFAULT 'never written';
INSERT INTO nasty.dropped VALUES ('c', NULL, NULL);

-- Rows in both, columns in another order, two parents.
CREATE TABLE nasty.parent (id int, x text DEFAULT 'parent');
CREATE TABLE nasty.other_parent (y int, CONSTRAINT only_here CHECK (y < 0) NO INHERIT);
CREATE TABLE nasty.child (z int, x text, id int) INHERITS (nasty.parent);
CREATE TABLE nasty."Grand Child" (own int) INHERITS (nasty.child, nasty.other_parent);
ALTER TABLE nasty.child ALTER x SET DEFAULT 'child';
ALTER TABLE nasty.parent ADD late int DEFAULT 7;
CREATE TABLE nasty.adopted (late int, x text, id int);
ALTER TABLE nasty.adopted INHERIT nasty.parent;
INSERT INTO nasty.parent VALUES (1, 'p', 1), (2, 'q', 2);
INSERT INTO nasty.other_parent VALUES (-1);
INSERT INTO nasty.child (id, x, z) VALUES (3, 'c', 3);
INSERT INTO nasty."Grand Child" (id, x, z, y, own) VALUES (4, 'g', 4, 5, 6), (5, DEFAULT, 5, 6, 7);
INSERT INTO nasty.adopted VALUES (9, 'adopted', 6);

CREATE UNLOGGED TABLE nasty.unlogged (a int PRIMARY KEY, b text);
INSERT INTO nasty.unlogged VALUES (1, 'kept'), (2, NULL);
\if :pg15
CREATE UNLOGGED SEQUENCE nasty.unlogged_sequence START 12;
\endif

CREATE ACCESS METHOD nasty_heap TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD nasty_heap IS 'heap by another name';
CREATE TABLE nasty.other_method (a int) USING nasty_heap;
INSERT INTO nasty.other_method VALUES (1), (2);

-------------------------------------------------------------------------- types

CREATE TYPE nasty.colour AS ENUM ('red', 'it''s "blue"', '', 'grün', E'two\nlines');
ALTER TYPE nasty.colour ADD VALUE 'before green' BEFORE 'grün';
COMMENT ON TYPE nasty.colour IS 'enum';
CREATE TYPE nasty."Pair" AS ("First" int, gone text, "sec ond" text COLLATE "C");
ALTER TYPE nasty."Pair" DROP ATTRIBUTE gone;
ALTER TYPE nasty."Pair" ADD ATTRIBUTE third nasty.colour;
COMMENT ON COLUMN nasty."Pair"."sec ond" IS 'attribute';
CREATE TYPE nasty.shell;
CREATE TYPE nasty.base;
CREATE FUNCTION nasty.base_in(cstring) RETURNS nasty.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION nasty.base_out(nasty.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE nasty.base (INPUT = nasty.base_in, OUTPUT = nasty.base_out, LIKE = integer, CATEGORY = 'Q', DELIMITER = ';');
CREATE TYPE nasty.floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TYPE nasty."text range" AS RANGE (SUBTYPE = text, COLLATION = "C");
CREATE FUNCTION nasty.is_even(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0';
CREATE DOMAIN nasty.even AS int DEFAULT 4 CONSTRAINT "is even" CHECK (nasty.is_even(VALUE)) CHECK (VALUE < 1000);
CREATE DOMAIN nasty.required AS text COLLATE "C" NOT NULL CHECK (VALUE <> E'\\\'' AND VALUE ~ '^[^$]*$');
CREATE DOMAIN nasty.late AS int;
CREATE DOMAIN nasty.evens AS nasty.even[] CHECK (cardinality(VALUE) < 5);
CREATE DOMAIN nasty.a_pair AS nasty."Pair" CHECK ((VALUE)."First" > 0);
COMMENT ON DOMAIN nasty.even IS 'domain';
COMMENT ON CONSTRAINT "is even" ON DOMAIN nasty.even IS 'domain''s constraint';
GRANT USAGE ON DOMAIN nasty.even TO mig_test_reader;
ALTER TYPE nasty.colour OWNER TO mig_test_owner;

CREATE TABLE nasty.typed_values (
	c nasty.colour, cs nasty.colour[], p nasty."Pair", ps nasty."Pair"[], b nasty.base, bs nasty.base[],
	f nasty.floats, t nasty."text range", e nasty.even, r nasty.required, l nasty.late, es nasty.evens, ap nasty.a_pair,
	row nasty.parent);
INSERT INTO nasty.typed_values VALUES
	('it''s "blue"', '{red,"it''s \"blue\"","",NULL,"two
lines"}', ROW (1, 'a,(")\', 'grün'), ARRAY[ROW (1, NULL, NULL), ROW (NULL, '', '')]::nasty."Pair"[], '7', '{1;2;NULL}',
	'[1e-300,Infinity)', '["\\","a,b"]', 8, '', 1, '{2,4,NULL}', ROW (5, 'x', 'red'), ROW (1, '"', NULL)),
	('', '{}', ROW (NULL, NULL, NULL), NULL, NULL, NULL, 'empty', '(,)', DEFAULT, 'x', -1, NULL, NULL, NULL);
ALTER DOMAIN nasty.late ADD CONSTRAINT not_valid CHECK (VALUE > 0) NOT VALID;
CREATE TABLE nasty.typed OF nasty."Pair" ("First" WITH OPTIONS PRIMARY KEY, third DEFAULT 'red');
INSERT INTO nasty.typed VALUES (1, 'one'), (2, NULL);
\if :pg14
CREATE TABLE nasty.multiranges (m int4multirange, n nasty.floats_multirange, d datemultirange);
INSERT INTO nasty.multiranges VALUES ('{[1,2],[5,9)}', '{[-Infinity,0],(0,1)}', '{}'), (NULL, NULL, '{[-infinity,infinity]}');
\endif

------------------------------------------------------------------------- values

CREATE TABLE nasty.texts (id int PRIMARY KEY, t text, v varchar(20), c char(6), n name, "char" "char", arr text[]);
INSERT INTO nasty.texts VALUES
	(1, '', '', '', '', '', '{}'),
	(2, NULL, NULL, NULL, NULL, NULL, NULL),
	(3, '\.', '\.', '\.', '\.', '\', '{"\\."}'),
	(4, E'before\n\\.\nafter', E'\n\\.\n', E'\\.\n', E'\n\\.', E'\n', ARRAY[E'\n\\.\n', '\.']),
	(5, '\N', '\N', '\N', '\N', 'N', '{NULL,"NULL","null","\\N",""}'),
	(6, E'\ttab\tand\nnewline\rreturn\r\nboth\n', E'\t', E'\r\n', E'\t', E'\t', ARRAY[E'\t', E'\r', E'\n']),
	(7, '\n\t\\ are two characters each', '\\', '\\\\\\', '\', E'\x7f', '{"\\\\",a\"b}'),
	(8, (SELECT string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 300) i), E'\x01\x02\x1b\x7f', E'\b\f\v', E'\x01', E'\x01', ARRAY[E'\x01']),
	(9, U&'\FEFFbom \FFFE \FFFF \+01FFFF \+10FFFF \D83E\DD86 \0085 \2028', '🦆🦆', 'é', '🦆', 'x', '[0:1]={a,b}'),
	(10, 'trailing blanks   ', '   ', 'ab    ', ' ', ' ', '{{a,"b,c"},{"{}",NULL}}'),
	(11, U&'\05E9\05DC\05D5\05DD (right to left) \202Ereversed\202C zero\200Bwidth e\0301', 'NaN', 'null', 'x', '0', '{{{"a"}}}'),
	(12, E'--\n/* not a comment\n;$$ $1 :x ''''; DROP TABLE nasty.texts; COPY x FROM stdin;\n1\t2\n\\.\n', '$$', '''', '"', '''', '{"''"}'),
	(13, E'\\restrict abc\n\\connect postgres\n\\! touch /tmp/mig-was-here\n', '\!', '\q', '\c', '\', '{"\\q"}');

-- No key, rows that are the same.
CREATE TABLE nasty.no_key_twice (a text, b int);
INSERT INTO nasty.no_key_twice SELECT x, 1 FROM unnest(ARRAY['same', 'same', 'same', NULL, NULL, '', '']) x;

-- Over 100 kB each, that do and do not compress; and the storage settings.
CREATE TABLE nasty.toast (id int, plain text, ext text, main text, small text, b bytea, j jsonb, a text[]);
ALTER TABLE nasty.toast ALTER ext SET STORAGE EXTERNAL, ALTER main SET STORAGE MAIN, ALTER small SET STORAGE PLAIN;
ALTER TABLE nasty.toast ALTER plain SET STATISTICS 0, ALTER ext SET STATISTICS 1000, ALTER main SET (n_distinct = -0.5, n_distinct_inherited = 7);
ALTER TABLE nasty.toast SET (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false, parallel_workers = 3, toast_tuple_target = 256);
\if :pg14
ALTER TABLE nasty.toast ALTER plain SET COMPRESSION pglz;
\endif
INSERT INTO nasty.toast
	SELECT 1, repeat('0123456789', 20000), string_agg(md5(i::text), ''), repeat('m', 3000), 's',
		decode(string_agg(md5(i::text), ''), 'hex'), jsonb_agg(md5(i::text)), array_agg(E'\\.\n' || i)
	FROM generate_series(1, 5000) i;
INSERT INTO nasty.toast SELECT 2, repeat(E'\\', 120000), repeat(E'\n', 120000), repeat(E'\t\\N', 3000), NULL, decode(repeat('00', 200000), 'hex'), NULL, NULL;
INSERT INTO nasty.toast SELECT 3, repeat('🦆', 60000), '', NULL, '', '', '{}', '{}';

CREATE TABLE nasty.bytes (b bytea);
INSERT INTO nasty.bytes VALUES (NULL), (''), ('\x00'), ('\x005c2e0a5c4e09'), ('\x5c'), ('\x27'), ('\xff'), ('\\x41'),
	(decode(repeat('000102fdfeff0d0a', 100), 'hex'));
INSERT INTO nasty.bytes SELECT decode(lpad(to_hex(i), 2, '0'), 'hex') FROM generate_series(0, 255) i;

CREATE TABLE nasty.numbers (s smallint, i int, l bigint, n numeric, n5 numeric(5,2), f4 real, f8 double precision, o oid);
INSERT INTO nasty.numbers VALUES
	(-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', 4294967295),
	(32767, 2147483647, 9223372036854775807, 1e1000, 999.99, 'Infinity', 'Infinity', 0),
	(0, 0, 0, 0.000, 0.00, '-Infinity', '-Infinity', 1),
	(-1, -1, -1, -1e-1000, -999.99, '-0', '-0', 2),
	(NULL, NULL, NULL, 1.10, 1.1, 3.4028235e38, 1.7976931348623157e308, NULL),
	(NULL, NULL, NULL, 1.100, NULL, '1e-45', '4.9e-324', NULL),
	(NULL, NULL, NULL, 12345678901234567890123456789012345678901234567890.12345678901234567890, NULL, 0.1, 0.1, NULL),
	(NULL, NULL, NULL, -0.0, NULL, 16777217, 9007199254740993, NULL),
	(NULL, NULL, NULL, NULL, NULL, 0.3, 0.30000000000000004, NULL);
\if :pg14
INSERT INTO nasty.numbers (n) VALUES ('Infinity'), ('-Infinity');
\endif
\if :pg15
CREATE TABLE nasty.scales (a numeric(3,-2), b numeric(2,5));
INSERT INTO nasty.scales VALUES (12345, 0.00012), ('NaN', NULL);
\endif

CREATE TABLE nasty.times (d date, ts timestamp, tz timestamptz, t time, ttz timetz, i interval, d3 timestamp(3), ym interval year to month);
INSERT INTO nasty.times VALUES
	('-infinity', '-infinity', '-infinity', '00:00', '00:00+15:59', '0', '1999-12-31 23:59:59.9996', '1 year'),
	('infinity', 'infinity', 'infinity', '24:00:00', '24:00:00-15:59', '1 year -2 months 3 days -04:05:06.789', NULL, '-1 month'),
	('4713-01-01 BC', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '23:59:59.999999', '12:00+00:30', '-178000000 years', NULL, NULL),
	('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', NULL, NULL, '178000000 years', NULL, NULL),
	('0001-01-01 BC', '0044-03-15 12:00 BC', '1900-01-01 00:00:00+00:19:32', NULL, NULL, '0.000001 s', NULL, NULL),
	('2024-02-29', '2024-03-31 02:30', '2024-03-31 02:30 Europe/Berlin', NULL, NULL, '1 mon -1 day', NULL, NULL),
	('2001-02-03', '2001-02-03 04:05:06.7', '2024-10-27 02:30 Europe/Berlin', '04:05:06.7', '04:05:06.7 -3:30', '-1 day +23:59:59', NULL, NULL);
\if :pg17
INSERT INTO nasty.times (i) VALUES ('infinity'), ('-infinity');
\endif

CREATE TABLE nasty.documents (j json, b jsonb, p jsonpath);
INSERT INTO nasty.documents VALUES
	('{"a" : 1,   "a":2, "b":[ ]}', '{"b":1,"a":2,"":null,"é":"\u00e9"}', '$.a[*] ? (@ > 1)'),
	('"\u0000 \ud83e\udd86 \\. \n"', '"\ud83e\udd86 \\. \n"', '$'),
	(E'[1,\n\t2]\n', '1e300', NULL), ('null', 'null', NULL), (NULL, NULL, NULL), ('1E+2', '0.10', 'strict $."\\."');

CREATE TABLE nasty.arrays (i int[], m int[][], b bool[], d date[], by bytea[], j json[], n numeric[], bx box[], iv interval[]);
INSERT INTO nasty.arrays VALUES
	('{}', '{{1,2},{3,4}}', '{t,f,NULL}', '{infinity,"0044-03-15 BC"}', ARRAY['\x00'::bytea, '', NULL], ARRAY['{"a": "b,\"c"}'::json], '{NaN,0.0}', '{(1,1),(0,0);(2,2),(1,1)}', '{"1 day","-00:00:01"}'),
	('[-2:0]={1,NULL,3}', '[2:2][3:4]={{5,6}}', NULL, '{}', NULL, NULL, NULL, NULL, NULL);

CREATE TABLE nasty.others (
	bo bool, bi bit(5), vb varbit, ip inet, net cidr, mac macaddr, mac8 macaddr8, u uuid, tv tsvector, tq tsquery, lsn pg_lsn,
	pt point, ln line, seg lseg, bx box, pa path, pol polygon, ci circle, rc regclass, rt regtype, rp regprocedure, ro regrole,
	r4 int4range, rn numrange, rts tsrange, rd daterange, x8 xid8, cur refcursor, m money);
INSERT INTO nasty.others VALUES
	(true, B'10101', B'', '::ffff:1.2.3.4/128', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
	$$'a\\b':1A 'it''s':2,3B 'x y'$$, $$'a b' & !c <-> d:*A$$, 'FFFFFFFF/FFFFFFFF', '(NaN,-Infinity)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1),(2,0)]',
	'((0,0),(1,1),(2,0))', '<(0,0),1e-300>', 'nasty.texts', 'nasty."Pair"[]', 'nasty.is_even(int)', 'mig_test_owner', '[1,5)', '(,NaN]', '[-infinity,"2000-01-01 00:00:00")', 'empty',
	'18446744073709551615', E'a\nb', '-1234.56');
INSERT INTO nasty.others (bo) VALUES (false), (NULL);

-- Nothing sorts or compares them.
CREATE TABLE nasty.not_comparable (j json, p point, x text);
INSERT INTO nasty.not_comparable VALUES ('{"b":1}', '(1,2)', 'x'), ('{"b":1}', '(1,2)', 'x'), (NULL, NULL, NULL);
DO $$
BEGIN
	CREATE TABLE nasty.xml (x xml);
	INSERT INTO nasty.xml VALUES ('<a b="&lt;"><![CDATA[\.]]></a>'), ('text, not a document'), ('');
EXCEPTION WHEN feature_not_supported THEN
END
$$;

---------------------------------------------------------------------- sequences

CREATE SEQUENCE nasty.never_called;
CREATE SEQUENCE nasty.at_the_end AS smallint;
SELECT setval('nasty.at_the_end', 32767);
CREATE SEQUENCE nasty.down AS int INCREMENT -5 MINVALUE -1000 MAXVALUE -1 START -2 CACHE 20;
SELECT nextval('nasty.down'), nextval('nasty.down');
CREATE SEQUENCE nasty.round MINVALUE 3 MAXVALUE 5 CYCLE;
SELECT nextval('nasty.round') FROM generate_series(1, 4);
CREATE SEQUENCE nasty."Big Step" INCREMENT 9223372036854775807 MINVALUE -9223372036854775808 START -9223372036854775808;
SELECT nextval('nasty."Big Step"');
CREATE SEQUENCE "two
lines"."seq
uence" START 42;
SELECT setval(E'"two\nlines"."seq\nuence"', 99, false);
COMMENT ON SEQUENCE nasty.down IS 'downwards';
GRANT USAGE ON SEQUENCE nasty.down TO mig_test_reader;
ALTER SEQUENCE nasty.round OWNER TO mig_test_owner;

--------------------------------------------------------------------- partitions

CREATE TABLE nasty.measure (at date NOT NULL, place text DEFAULT 'here', n int, half numeric GENERATED ALWAYS AS (n / 2.0) STORED,
	PRIMARY KEY (at, place)) PARTITION BY RANGE (at);
CREATE TABLE nasty.measure_old PARTITION OF nasty.measure FOR VALUES FROM (MINVALUE) TO ('2020-01-01') WITH (fillfactor = 50);
CREATE TABLE nasty."measure 2020" PARTITION OF nasty.measure (place DEFAULT 'there') FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (place);
CREATE TABLE nasty."measure 2020 'a'" PARTITION OF nasty."measure 2020" FOR VALUES IN ('a', 'it''s');
CREATE TABLE nasty."measure 2020 rest" PARTITION OF nasty."measure 2020" DEFAULT;
-- Attached: other column order, dropped columns.
CREATE TABLE "two
lines"."measure
2021" (gone int, n int, place text NOT NULL, at date NOT NULL);
ALTER TABLE "two
lines"."measure
2021" DROP COLUMN gone;
ALTER TABLE "two
lines"."measure
2021" ADD half numeric GENERATED ALWAYS AS (n / 2.0) STORED;
ALTER TABLE nasty.measure ATTACH PARTITION "two
lines"."measure
2021" FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE nasty.measure_rest PARTITION OF nasty.measure DEFAULT;
INSERT INTO nasty.measure (at, place, n) SELECT d, p, extract(doy FROM d) FROM generate_series(date '2019-06-01', date '2022-06-01', interval '31 days') d, unnest(ARRAY['a', 'b', 'it''s']) p;
CREATE TABLE nasty.detached (LIKE nasty.measure INCLUDING ALL);
ALTER TABLE nasty.measure ATTACH PARTITION nasty.detached FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
INSERT INTO nasty.measure (at, n) VALUES ('2030-05-05', 1);
ALTER TABLE nasty.measure DETACH PARTITION nasty.detached;
CREATE TABLE nasty.hashed (k text, v int) PARTITION BY HASH (k);
CREATE TABLE nasty.hashed_0 PARTITION OF nasty.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE nasty.hashed_1 PARTITION OF nasty.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE nasty.hashed_2 PARTITION OF nasty.hashed FOR VALUES WITH (MODULUS 6, REMAINDER 2);
CREATE TABLE nasty.hashed_5 PARTITION OF nasty.hashed FOR VALUES WITH (MODULUS 6, REMAINDER 5);
INSERT INTO nasty.hashed SELECT 'k' || i, i FROM generate_series(1, 40) i;
-- A hash of an enum: pg_dump has these loaded through the root.
CREATE TABLE nasty.by_colour (c nasty.colour, v int) PARTITION BY HASH (c);
CREATE TABLE nasty.by_colour_0 PARTITION OF nasty.by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE nasty.by_colour_1 PARTITION OF nasty.by_colour FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO nasty.by_colour SELECT c, i FROM unnest(enum_range(NULL::nasty.colour)) c, generate_series(1, 3) i;
CREATE TABLE nasty.by_expression (a text, b int) PARTITION BY LIST (lower(a) COLLATE "C");
CREATE TABLE nasty.by_expression_null PARTITION OF nasty.by_expression FOR VALUES IN (NULL, '', 'a');
INSERT INTO nasty.by_expression VALUES (NULL, 1), ('', 2), ('A', 3);
CREATE TABLE nasty.no_partitions (a int) PARTITION BY RANGE (a);
CREATE TABLE nasty.list_unlogged (a int) PARTITION BY LIST (a);
CREATE UNLOGGED TABLE nasty.list_unlogged_1 PARTITION OF nasty.list_unlogged FOR VALUES IN (1, 2);
INSERT INTO nasty.list_unlogged VALUES (1), (2);
CREATE INDEX measure_n ON nasty.measure (n);
CREATE INDEX not_on_all ON ONLY nasty.hashed (v);
CREATE INDEX hashed_0_v ON nasty.hashed_0 (v);
ALTER INDEX nasty.not_on_all ATTACH PARTITION nasty.hashed_0_v;

----------------------------------------------------- collations and text search

CREATE COLLATION nasty."C again" FROM "C";
CREATE COLLATION nasty.plain (LOCALE = 'POSIX');
COMMENT ON COLLATION nasty.plain IS 'collation';
CREATE TABLE nasty.collated (a text COLLATE nasty."C again" PRIMARY KEY, b text COLLATE nasty.plain);
INSERT INTO nasty.collated VALUES ('a', 'B'), ('B', 'a'), ('ä', 'Z'), ('_', '-');
\if :icu
CREATE COLLATION nasty.any_case (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE TABLE nasty.any_case (a text COLLATE nasty.any_case UNIQUE);
INSERT INTO nasty.any_case VALUES ('abc'), ('Äbc');
\endif
CREATE CONVERSION nasty.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION nasty.latin IS 'conversion';

CREATE TEXT SEARCH PARSER nasty."Parser" (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE nasty.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY nasty."dict 'n" (TEMPLATE = nasty.template, accept = false);
CREATE TEXT SEARCH CONFIGURATION nasty.configuration (PARSER = nasty."Parser");
ALTER TEXT SEARCH CONFIGURATION nasty.configuration ADD MAPPING FOR word, asciiword WITH nasty."dict 'n", simple;
COMMENT ON TEXT SEARCH PARSER nasty."Parser" IS 'parser';
COMMENT ON TEXT SEARCH TEMPLATE nasty.template IS 'template';
COMMENT ON TEXT SEARCH DICTIONARY nasty."dict 'n" IS 'dictionary';
COMMENT ON TEXT SEARCH CONFIGURATION nasty.configuration IS 'configuration';
ALTER TEXT SEARCH CONFIGURATION nasty.configuration OWNER TO mig_test_owner;
CREATE TABLE nasty.searched (t text, v tsvector GENERATED ALWAYS AS (to_tsvector('nasty.configuration', t)) STORED);
INSERT INTO nasty.searched (t) VALUES ('Some words, and it''s a \. here'), (NULL);

---------------------------------------------------------------------- functions

CREATE FUNCTION nasty."fun,ction
(x)"("a b" int DEFAULT 1, VARIADIC "c""d" text[] DEFAULT '{}', OUT "$x" text, OUT y int) RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER COST 1234 ROWS 7 PARALLEL RESTRICTED
SET search_path = nasty, "we.ird ""sche\ma"" %s", pg_temp
SET "mig.odd" = E'it''s \\ "odd"'
AS $_$
DECLARE
	-- $$ is quoted in here, and $a$
	s text := $$one 'quoted' \.
$$ || $a$\N$a$ || E'\\';
BEGIN
	"$x" := s || "a b" || coalesce("c""d"[1], ''); y := 1;
	RETURN NEXT;
END
$_$;
COMMENT ON FUNCTION nasty."fun,ction
(x)"(int, text[]) IS E'a function\nwith ''quotes''';
REVOKE ALL ON FUNCTION nasty."fun,ction
(x)"(int, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nasty."fun,ction
(x)"(int, text[]) TO mig_test_reader;
ALTER FUNCTION nasty."fun,ction
(x)"(int, text[]) OWNER TO mig_test_owner;
CREATE FUNCTION nasty.overloaded(int) RETURNS int LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION nasty.overloaded(text) RETURNS text LANGUAGE sql AS $$ SELECT '\.' || $1 $$;
CREATE FUNCTION nasty.overloaded(nasty."Pair"[], INOUT nasty.colour) LANGUAGE sql AS 'SELECT $2';
CREATE FUNCTION nasty.a_table() RETURNS TABLE (a int, "B c" nasty.even) LANGUAGE sql ROWS 3 AS 'VALUES (1, 2::nasty.even)';
CREATE FUNCTION nasty.rows_of_table() RETURNS SETOF nasty.parent LANGUAGE sql AS 'SELECT * FROM nasty.parent';
CREATE FUNCTION nasty.refers_later() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM nasty.not_there_yet); END';
CREATE PROCEDURE nasty.proc(INOUT a int, b text DEFAULT E'\n') LANGUAGE plpgsql AS 'BEGIN a := a + 1; COMMIT; END';
COMMENT ON PROCEDURE nasty.proc(int, text) IS 'procedure';
CREATE FUNCTION nasty.win() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
\if :pg14
CREATE FUNCTION nasty.atomic(i int) RETURNS SETOF text LANGUAGE sql
BEGIN ATOMIC
	SELECT t || ';' FROM nasty.texts WHERE id = i;
	SELECT format('%s', x) FROM nasty.parent WHERE id = i;
END;
CREATE FUNCTION nasty.atomic_return(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i * 2;
CREATE PROCEDURE nasty.atomic_proc(i int) LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO nasty.no_rows VALUES (i);
	DELETE FROM nasty.no_rows WHERE a = i;
END;
CREATE TABLE nasty.uses_atomic (a int, b int GENERATED ALWAYS AS (nasty.atomic_return(a)) STORED);
INSERT INTO nasty.uses_atomic VALUES (21);
\endif

CREATE AGGREGATE nasty.join_all(text) (SFUNC = textcat, STYPE = text, INITCOND = E'it''s \\ ');
CREATE AGGREGATE nasty.percentile(float8 ORDER BY anyelement) (STYPE = internal, SFUNC = ordered_set_transition,
	FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA = true, FINALFUNC_MODIFY = read_write);
CREATE AGGREGATE nasty.total(int) (SFUNC = int4pl, STYPE = int, COMBINEFUNC = int4pl, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0', INITCOND = '0', PARALLEL = SAFE, SORTOP = >);
COMMENT ON AGGREGATE nasty.join_all(text) IS 'aggregate';
COMMENT ON AGGREGATE nasty.percentile(float8 ORDER BY anyelement) IS 'ordered set';

CREATE FUNCTION nasty.base_cmp(nasty.base, nasty.base) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE FUNCTION nasty.base_lt(nasty.base, nasty.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION nasty.base_le(nasty.base, nasty.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION nasty.base_eq(nasty.base, nasty.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION nasty.base_ge(nasty.base, nasty.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION nasty.base_gt(nasty.base, nasty.base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION nasty.base_minus(nasty.base) RETURNS nasty.base LANGUAGE internal IMMUTABLE STRICT AS 'int4um';
CREATE OPERATOR nasty.< (LEFTARG = nasty.base, RIGHTARG = nasty.base, FUNCTION = nasty.base_lt, COMMUTATOR = OPERATOR(nasty.>), NEGATOR = OPERATOR(nasty.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR nasty.> (LEFTARG = nasty.base, RIGHTARG = nasty.base, FUNCTION = nasty.base_gt, COMMUTATOR = OPERATOR(nasty.<), NEGATOR = OPERATOR(nasty.<=));
CREATE OPERATOR nasty.<= (LEFTARG = nasty.base, RIGHTARG = nasty.base, FUNCTION = nasty.base_le, COMMUTATOR = OPERATOR(nasty.>=), NEGATOR = OPERATOR(nasty.>));
CREATE OPERATOR nasty.>= (LEFTARG = nasty.base, RIGHTARG = nasty.base, FUNCTION = nasty.base_ge, COMMUTATOR = OPERATOR(nasty.<=), NEGATOR = OPERATOR(nasty.<));
CREATE OPERATOR nasty.= (LEFTARG = nasty.base, RIGHTARG = nasty.base, FUNCTION = nasty.base_eq, COMMUTATOR = OPERATOR(nasty.=), HASHES, MERGES);
CREATE OPERATOR nasty.@#%& (RIGHTARG = nasty.base, FUNCTION = nasty.base_minus);
COMMENT ON OPERATOR nasty.< (nasty.base, nasty.base) IS 'operator';
COMMENT ON OPERATOR nasty.@#%& (NONE, nasty.base) IS 'prefix operator';
CREATE OPERATOR FAMILY nasty."base Family" USING btree;
CREATE OPERATOR CLASS nasty."base Class" DEFAULT FOR TYPE nasty.base USING btree FAMILY nasty."base Family" AS
	OPERATOR 1 nasty.<, OPERATOR 2 nasty.<=, OPERATOR 3 nasty.=, OPERATOR 4 nasty.>=, OPERATOR 5 nasty.>,
	FUNCTION 1 nasty.base_cmp(nasty.base, nasty.base);
COMMENT ON OPERATOR CLASS nasty."base Class" USING btree IS 'operator class';
CREATE TABLE nasty.bases (b nasty.base PRIMARY KEY, lots nasty.base[]);
INSERT INTO nasty.bases VALUES ('3', '{1;2}'), ('-5', NULL);

CREATE FUNCTION nasty.colour_number(nasty.colour) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE $1 WHEN 'red' THEN 1 ELSE 0 END $$;
CREATE CAST (nasty.colour AS int) WITH FUNCTION nasty.colour_number(nasty.colour) AS ASSIGNMENT;
CREATE CAST (nasty.base AS int) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (nasty."Pair" AS json) WITH INOUT;
COMMENT ON CAST (nasty.colour AS int) IS 'cast';

-------------------------------------------------------------------- constraints

CREATE TABLE nasty.constrained (
	a int CONSTRAINT "key's name" PRIMARY KEY,
	b int CONSTRAINT later UNIQUE DEFERRABLE INITIALLY DEFERRED,
	c int CHECK (c > 0) CHECK (c < 100) NO INHERIT,
	d text NOT NULL DEFAULT E'\\.\n',
	during daterange,
	EXCLUDE USING gist (during WITH &&) WHERE (a > 0),
	CONSTRAINT "ex
cluded" EXCLUDE USING btree (c WITH =) DEFERRABLE INITIALLY IMMEDIATE,
	UNIQUE (a, b) INCLUDE (d) WITH (fillfactor = 60));
INSERT INTO nasty.constrained VALUES (1, 1, 1, DEFAULT, '[2020-01-01,2020-02-01)'), (2, 2, 2, '', '[2020-02-01,)'), (-1, 3, 3, 'x', '(,)'), (4, NULL, NULL, 'null', NULL);
-- These are broken by rows that are there, and not valid.
CREATE TABLE nasty.not_valid (a int, b int);
INSERT INTO nasty.not_valid VALUES (1, 99), (-1, 1), (NULL, NULL);
ALTER TABLE nasty.not_valid ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
ALTER TABLE nasty.not_valid ADD CONSTRAINT "no ""such"" row" FOREIGN KEY (b) REFERENCES nasty.constrained (a) ON DELETE SET DEFAULT ON UPDATE CASCADE NOT VALID;
ALTER TABLE nasty.not_valid ADD CONSTRAINT all_right CHECK (b <> 7);
COMMENT ON CONSTRAINT positive ON nasty.not_valid IS 'not valid';
-- A circle, one of itself, one of two columns, one to partitions.
CREATE TABLE nasty.hen (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE nasty.egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES nasty.hen ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE nasty.hen ADD FOREIGN KEY (egg) REFERENCES nasty.egg DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO nasty.hen VALUES (1, 10), (2, 20);
INSERT INTO nasty.egg VALUES (10, 2), (20, 1);
COMMIT;
CREATE TABLE nasty.tree (id int PRIMARY KEY, up int REFERENCES nasty.tree ON DELETE SET NULL, CHECK (up <> id));
INSERT INTO nasty.tree VALUES (3, NULL), (2, 3), (1, 2);
CREATE TABLE nasty.to_partitions (at date, place text, FOREIGN KEY (at, place) REFERENCES nasty.measure MATCH FULL);
INSERT INTO nasty.to_partitions SELECT at, place FROM nasty.measure WHERE place = 'a';
INSERT INTO nasty.to_partitions VALUES (NULL, NULL);
\if :pg15
CREATE TABLE nasty.new_constraints (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b),
	FOREIGN KEY (a, b) REFERENCES nasty.constrained (a, b) ON DELETE SET NULL (b));
INSERT INTO nasty.new_constraints VALUES (1, NULL), (NULL, NULL);
\endif

CREATE INDEX "In dex" ON nasty.texts (lower(t) text_pattern_ops DESC NULLS LAST, (octet_length(t) + 1)) INCLUDE (v) WHERE t <> '\.' AND octet_length(t) < 1000;
CREATE INDEX texts_hash ON nasty.texts USING hash (v);
CREATE INDEX texts_arr ON nasty.texts USING gin (arr) WITH (fastupdate = off);
CREATE INDEX texts_brin ON nasty.texts USING brin (id) WITH (pages_per_range = 2);
CREATE INDEX others_ip ON nasty.others USING spgist (ip);
CREATE INDEX typed_values_ranges ON nasty.typed_values USING gist (f);
CREATE INDEX dropped_function ON nasty.dropped (nasty.overloaded(b));
ALTER INDEX nasty."In dex" ALTER COLUMN 2 SET STATISTICS 123;
ALTER TABLE nasty.dropped CLUSTER ON dropped_function;
COMMENT ON INDEX nasty."In dex" IS 'index';
COMMENT ON CONSTRAINT "key's name" ON nasty.constrained IS 'key';
CREATE UNIQUE INDEX collated_b ON nasty.collated (b);
ALTER TABLE nasty.collated ALTER b SET NOT NULL;
ALTER TABLE nasty.collated REPLICA IDENTITY USING INDEX collated_b;
ALTER TABLE nasty.no_key_twice REPLICA IDENTITY FULL;
ALTER TABLE nasty.tree REPLICA IDENTITY NOTHING;

CREATE STATISTICS nasty."stat 'istics" (ndistinct, dependencies, mcv) ON a, b FROM nasty.constrained;
ALTER STATISTICS nasty."stat 'istics" SET STATISTICS 77;
COMMENT ON STATISTICS nasty."stat 'istics" IS 'statistics';
\if :pg14
CREATE STATISTICS nasty.of_expression ON (a % 10), (d || '\.') FROM nasty.constrained;
\endif

---------------------------------------------------------------- views and rules

CREATE VIEW nasty."View" ("a b", "C", "sele""ct") WITH (security_barrier) AS SELECT id, t, E'\\.\n''' FROM nasty.texts WHERE id > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW nasty."View" ALTER "C" SET DEFAULT 'of the view';
COMMENT ON VIEW nasty."View" IS 'view';
COMMENT ON COLUMN nasty."View"."a b" IS 'view''s column';
GRANT SELECT ("a b") ON nasty."View" TO mig_test_reader;
CREATE VIEW nasty.view_of_view AS SELECT v.*, p AS whole_row FROM nasty."View" v LEFT JOIN nasty.parent p ON p.id = v."a b";
CREATE RECURSIVE VIEW nasty.numbers_to (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers_to WHERE n < 5;
-- Grouped by the key: made in two steps, as the key comes late.
CREATE VIEW nasty.by_key AS SELECT a, b, d, count(*) AS n FROM nasty.constrained GROUP BY a;
CREATE VIEW nasty.on_by_key AS SELECT * FROM nasty.by_key WHERE n > 0;
CREATE VIEW nasty.no_columns_view AS SELECT FROM nasty.no_columns;
CREATE VIEW nasty.renamed AS SELECT a.id AS x, b.x AS y FROM nasty.parent a JOIN nasty.parent b USING (id);
ALTER TABLE nasty.parent RENAME COLUMN late TO "re named";
CREATE VIEW nasty.operators AS SELECT b OPERATOR(nasty.<) '1'::nasty.base AS less, nasty.join_all(b::int::text) OVER () AS joined FROM nasty.bases;
ALTER VIEW nasty.operators OWNER TO mig_test_owner;
\if :pg15
CREATE VIEW nasty.invoker WITH (security_invoker = true) AS SELECT 1 AS one;
\endif

CREATE TABLE nasty.ruled (a int PRIMARY KEY, b text);
CREATE TABLE nasty.rule_log (what text, a int);
INSERT INTO nasty.ruled VALUES (1, 'one'), (2, 'two');
CREATE RULE "log it" AS ON INSERT TO nasty.ruled DO ALSO INSERT INTO nasty.rule_log VALUES ('insert; \.', NEW.a);
CREATE RULE keep AS ON DELETE TO nasty.ruled WHERE OLD.a = 1 DO INSTEAD NOTHING;
CREATE RULE off AS ON UPDATE TO nasty.ruled DO INSTEAD (UPDATE nasty.rule_log SET a = NEW.a; NOTIFY nasty);
ALTER TABLE nasty.ruled DISABLE RULE off;
CREATE RULE "view insert" AS ON INSERT TO nasty.by_key DO INSTEAD INSERT INTO nasty.constrained (a, b) VALUES (NEW.a, NEW.b) RETURNING a, b, d, 1::bigint;
COMMENT ON RULE "log it" ON nasty.ruled IS 'rule';
INSERT INTO nasty.ruled VALUES (3, 'three');

-- Chains that the alphabet gets wrong; one is never filled.
CREATE MATERIALIZED VIEW nasty.mv_z AS SELECT id, t FROM nasty.texts WHERE id < 8;
CREATE VIEW nasty.between AS SELECT id, t, md5(t) AS m FROM nasty.mv_z;
CREATE MATERIALIZED VIEW nasty.mv_m WITH (fillfactor = 80) AS SELECT m, count(*) AS n FROM nasty.between GROUP BY m;
CREATE MATERIALIZED VIEW nasty."mv A" AS SELECT * FROM nasty.mv_m LEFT JOIN nasty.mv_z ON md5(t) = m;
CREATE MATERIALIZED VIEW nasty.mv_never AS SELECT * FROM nasty."mv A" WITH NO DATA;
CREATE MATERIALIZED VIEW nasty.mv_of_key AS SELECT * FROM nasty.by_key;
CREATE UNIQUE INDEX mv_z_id ON nasty.mv_z (id);
CREATE INDEX mv_never_m ON nasty.mv_never (m);
ALTER MATERIALIZED VIEW nasty.mv_z CLUSTER ON mv_z_id;
ALTER MATERIALIZED VIEW nasty.mv_m OWNER TO mig_test_owner;
COMMENT ON MATERIALIZED VIEW nasty.mv_z IS 'materialized view';
GRANT SELECT ON nasty.mv_z, nasty.between TO mig_test_owner;
GRANT SELECT ON nasty.mv_m TO mig_test_reader;

----------------------------------------------------------------------- triggers

CREATE TABLE nasty.triggered (a int, b text);
CREATE TABLE nasty.trigger_log (id serial, what text, args text);
INSERT INTO nasty.triggered VALUES (1, 'x'), (2, 'y');
CREATE FUNCTION nasty.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO nasty.trigger_log (what, args) VALUES (TG_NAME || ' ' || TG_OP || ' ' || TG_LEVEL, array_to_string(TG_ARGV, '|'));
	IF TG_WHEN = 'BEFORE' AND TG_OP = 'INSERT' AND TG_LEVEL = 'ROW' THEN NEW.b := 'changed: ' || NEW.b; END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER "be fore" BEFORE INSERT OR UPDATE OF b ON nasty.triggered FOR EACH ROW WHEN (NEW.a <> 7) EXECUTE FUNCTION nasty.note('it''s', E'back\\slash\n', '', 'a,b', '\000');
CREATE TRIGGER never BEFORE DELETE ON nasty.triggered FOR EACH ROW EXECUTE FUNCTION nasty.note();
CREATE TRIGGER replica AFTER INSERT ON nasty.triggered FOR EACH ROW EXECUTE FUNCTION nasty.note();
CREATE TRIGGER always AFTER INSERT ON nasty.triggered FOR EACH STATEMENT EXECUTE FUNCTION nasty.note();
CREATE TRIGGER tables AFTER UPDATE ON nasty.triggered REFERENCING OLD TABLE AS "old s" NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION nasty.note();
CREATE TRIGGER emptied BEFORE TRUNCATE ON nasty.triggered EXECUTE FUNCTION nasty.note();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON nasty.triggered FROM nasty.parent DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nasty.note();
CREATE TRIGGER instead INSTEAD OF UPDATE ON nasty.renamed FOR EACH ROW EXECUTE FUNCTION nasty.note();
CREATE TRIGGER on_all AFTER DELETE ON nasty.measure FOR EACH ROW EXECUTE FUNCTION nasty.note();
ALTER TABLE nasty.triggered DISABLE TRIGGER never;
ALTER TABLE nasty.triggered ENABLE REPLICA TRIGGER replica;
ALTER TABLE nasty.triggered ENABLE ALWAYS TRIGGER always;
ALTER TABLE nasty.measure_old DISABLE TRIGGER on_all;
COMMENT ON TRIGGER "be fore" ON nasty.triggered IS 'trigger';
INSERT INTO nasty.triggered VALUES (3, 'z');

------------------------------------------------------------- row level security

-- With row_security on, the owner sees one row of three, others fewer.
CREATE TABLE nasty.secured (id int PRIMARY KEY, owner name, x text);
INSERT INTO nasty.secured VALUES (1, 'mig_test_owner', 'seen'), (2, 'nobody', 'hidden'), (3, NULL, 'hidden');
ALTER TABLE nasty.secured OWNER TO mig_test_owner;
ALTER TABLE nasty.secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE nasty.secured FORCE ROW LEVEL SECURITY;
CREATE POLICY "own's" ON nasty.secured USING (owner = current_user) WITH CHECK (x <> '\.');
CREATE POLICY reading ON nasty.secured AS RESTRICTIVE FOR SELECT TO mig_test_owner, mig_test_reader USING (id < 3);
CREATE POLICY writing ON nasty.secured FOR INSERT TO mig_test_reader WITH CHECK (EXISTS (SELECT FROM nasty.parent p WHERE p.id = secured.id));
COMMENT ON POLICY reading ON nasty.secured IS 'policy';
GRANT SELECT, INSERT ON nasty.secured TO mig_test_reader;
CREATE TABLE nasty.secured_closed (a int);
INSERT INTO nasty.secured_closed VALUES (1), (2);
ALTER TABLE nasty.secured_closed ENABLE ROW LEVEL SECURITY;
CREATE TABLE nasty.secured_off (a int);
INSERT INTO nasty.secured_off VALUES (1);
CREATE POLICY unused ON nasty.secured_off USING (false);
ALTER TABLE nasty.secured_off FORCE ROW LEVEL SECURITY;

-------------------------------------------------------------- privileges, owners

CREATE TABLE nasty.owned (a int, b int);
INSERT INTO nasty.owned VALUES (1, 2);
ALTER TABLE nasty.owned OWNER TO mig_test_owner;
SET ROLE mig_test_owner;
GRANT SELECT, INSERT ON nasty.owned TO mig_test_reader WITH GRANT OPTION;
REVOKE UPDATE, TRUNCATE ON nasty.owned FROM mig_test_owner;
RESET ROLE;
SET ROLE mig_test_reader;
GRANT SELECT ON nasty.owned TO PUBLIC;
RESET ROLE;
CREATE TABLE nasty.nobodys (a int);
REVOKE ALL ON nasty.nobodys FROM CURRENT_USER;
GRANT TRIGGER, REFERENCES ON nasty.nobodys TO PUBLIC;
-- Made by the owner, under the default privileges above.
SET ROLE mig_test_owner;
CREATE TABLE nasty.made_by_owner (id serial, x text);
CREATE FUNCTION nasty.made_by_owner() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
INSERT INTO nasty.made_by_owner (x) VALUES ('a'), ('b');
RESET ROLE;

------------------------------------------------------------------ large objects

SELECT lo_from_bytea(424201, 'small \\. object'), lo_create(424202), lo_from_bytea(424203, '\x00'),
	lo_from_bytea(4294967295, 'the last number');
SELECT lo_from_bytea(424204, decode(string_agg(md5(i::text), ''), 'hex')) FROM generate_series(1, 20000) i;
-- With a hole.
SELECT lo_put(424202, 300000, 'behind the hole');
SELECT lo_create(424205);
ALTER LARGE OBJECT 424201 OWNER TO mig_test_owner;
ALTER LARGE OBJECT 424204 OWNER TO "mig_test_We""ird Röle.";
GRANT SELECT, UPDATE ON LARGE OBJECT 424201 TO mig_test_reader WITH GRANT OPTION;
GRANT SELECT ON LARGE OBJECT 424203 TO PUBLIC;
REVOKE ALL ON LARGE OBJECT 424205 FROM CURRENT_USER;
COMMENT ON LARGE OBJECT 424201 IS 'large object; it''s "large"';
COMMENT ON LARGE OBJECT 424205 IS 'empty';
CREATE TABLE nasty.lo_users (id int, lo oid);
INSERT INTO nasty.lo_users VALUES (1, 424201), (2, 424202), (3, 424299);

----------------------------------------------------------------- foreign tables

CREATE FOREIGN DATA WRAPPER "dummy wrap" OPTIONS (debug 'it''s');
CREATE SERVER "ser ver" TYPE 'ty"pe' VERSION '1.\0' FOREIGN DATA WRAPPER "dummy wrap" OPTIONS (host 'no''where', "Po rt" '');
CREATE USER MAPPING FOR mig_test_owner SERVER "ser ver" OPTIONS ("user" 'u', password 'secret \ ''');
CREATE USER MAPPING FOR PUBLIC SERVER "ser ver";
CREATE FOREIGN TABLE nasty."for eign" (a int OPTIONS ("Col umn" '\.') NOT NULL, b text COLLATE "C" DEFAULT 'x', CHECK (a > 0)) SERVER "ser ver" OPTIONS (file E'a\nb');
ALTER FOREIGN TABLE nasty."for eign" ALTER a SET STATISTICS 5;
GRANT USAGE ON FOREIGN DATA WRAPPER "dummy wrap" TO mig_test_owner;
GRANT USAGE ON FOREIGN SERVER "ser ver" TO mig_test_owner WITH GRANT OPTION;
ALTER SERVER "ser ver" OWNER TO mig_test_owner;
COMMENT ON FOREIGN DATA WRAPPER "dummy wrap" IS 'wrapper';
COMMENT ON SERVER "ser ver" IS 'server';
COMMENT ON FOREIGN TABLE nasty."for eign" IS 'foreign table';

--------------------------------------------------------------------- extensions

\if :hstore
CREATE EXTENSION hstore SCHEMA "ext s";
COMMENT ON EXTENSION hstore IS 'not the comment it came with';
CREATE TABLE nasty.hstores (h "ext s".hstore, a "ext s".hstore[] DEFAULT ARRAY['a=>1'::"ext s".hstore]);
INSERT INTO nasty.hstores VALUES ('"a b"=>"\\.", c=>NULL, ""=>""', DEFAULT);
CREATE INDEX hstores_h ON nasty.hstores USING gin (h);
GRANT EXECUTE ON FUNCTION "ext s".akeys("ext s".hstore) TO mig_test_reader;
\endif
\if :citext
CREATE EXTENSION citext SCHEMA "ext s";
CREATE TABLE nasty.citexts (c "ext s".citext PRIMARY KEY);
INSERT INTO nasty.citexts VALUES ('Abc'), ('ÄÖÜ'), ('');
\endif
\if :pg_trgm
CREATE EXTENSION pg_trgm SCHEMA public;
CREATE INDEX texts_trgm ON nasty.texts USING gin (t gin_trgm_ops) WHERE octet_length(t) < 100;
\endif
\if :btree_gist
CREATE EXTENSION btree_gist SCHEMA "ext s";
CREATE TABLE nasty.booked (room text, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO nasty.booked VALUES ('a', '[2020-01-01,2020-01-02)'), ('a', '[2020-01-02,)'), ('b', '(,)');
\endif
-- Configuration tables (tests/pg.bash brings the extension): the extension makes
-- them and their first rows, a dump must have the others, parent before child.
\if :config
CREATE EXTENSION mig_test_config;
INSERT INTO mig_test_config.zone (name) VALUES ('our own'), (E'\\.\n');
INSERT INTO mig_test_config.city VALUES ('in ours', 'our own'), ('in theirs', 'given');
INSERT INTO mig_test_config.fixed VALUES ('no dump has this row');
SELECT setval('mig_test_config.number', 77);
\endif

------------------------------------- publications, subscription, event triggers

CREATE PUBLICATION "everything's" FOR ALL TABLES WITH (publish = 'insert');
CREATE PUBLICATION "some" FOR TABLE nasty.texts, ONLY nasty.parent, "two
lines"."measure
2021" WITH (publish = 'insert, delete');
CREATE PUBLICATION roots FOR TABLE nasty.measure WITH (publish_via_partition_root = true, publish = 'insert, truncate');
CREATE PUBLICATION nothing;
\if :pg15
CREATE PUBLICATION filtered FOR TABLE nasty.constrained (a, d) WHERE (a > 0 AND d <> '\.') WITH (publish = 'insert');
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "we.ird ""sche\ma"" %s" WITH (publish = 'insert');
\endif
ALTER PUBLICATION nothing OWNER TO mig_test_owner;
COMMENT ON PUBLICATION "some" IS 'publication';

\if :{?no_subscription}
\else
CREATE SUBSCRIPTION "sub's" CONNECTION 'host=/nowhere dbname=nothing password=''sec ret''' PUBLICATION "some", "every thing"
	WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE);
COMMENT ON SUBSCRIPTION "sub's" IS 'subscription';
\endif

CREATE FUNCTION nasty.no_casts() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more casts'; END $$;
CREATE FUNCTION nasty.silent() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM tg_event || tg_tag; END $$;
-- Restored before the casts, it would stop them.
CREATE EVENT TRIGGER "no casts" ON ddl_command_start WHEN TAG IN ('CREATE CAST', 'CREATE OPERATOR FAMILY') EXECUTE FUNCTION nasty.no_casts();
CREATE EVENT TRIGGER any_end ON ddl_command_end EXECUTE FUNCTION nasty.silent();
CREATE EVENT TRIGGER dropping ON sql_drop EXECUTE FUNCTION nasty.silent();
CREATE EVENT TRIGGER rewriting ON table_rewrite EXECUTE FUNCTION nasty.silent();
CREATE EVENT TRIGGER disabled ON ddl_command_start EXECUTE FUNCTION nasty.no_casts();
ALTER EVENT TRIGGER disabled DISABLE;
ALTER EVENT TRIGGER dropping ENABLE ALWAYS;
ALTER EVENT TRIGGER rewriting ENABLE REPLICA;
\if :pg17
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION nasty.silent();
\endif
COMMENT ON EVENT TRIGGER "no casts" IS 'event trigger';

------------------------------------------------------------------- unrestorable

\if :{?broken_view}
-- A dump has it; pg_restore fails, as it refreshes with an empty search_path.
CREATE TABLE public.few (a int);
INSERT INTO public.few VALUES (1);
CREATE FUNCTION public.unqualified() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM few); END';
CREATE MATERIALIZED VIEW public.mv_unqualified AS SELECT public.unqualified() AS n;
\endif
\if :{?broken_check}
-- It holds when its rows are written, and not when they are loaded.
CREATE TABLE public.later (a int);
INSERT INTO public.later VALUES (1);
CREATE FUNCTION public.has_later() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.later); END';
CREATE TABLE public.before (a int CHECK (public.has_later()));
INSERT INTO public.before VALUES (1);
\endif

------------------------------------------------------- settings of the database

-- Whoever connects from here on gets these; neither a dump nor a comparison may
-- depend on them.
DO $$
DECLARE
	d text := current_database();
BEGIN
	EXECUTE format('COMMENT ON DATABASE %I IS %L', d, E'a database\nit''s "nasty" \\ %s');
	EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO mig_test_owner WITH GRANT OPTION', d);
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO mig_test_reader', d);
	EXECUTE format('ALTER DATABASE %I SET search_path = %I, "Ünï cödé 🦆", nasty, public', d, E'two\nlines');
	EXECUTE format('ALTER DATABASE %I SET DateStyle = %L', d, 'SQL, DMY');
	EXECUTE format('ALTER DATABASE %I SET IntervalStyle = %L', d, 'sql_standard');
	EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', d, 'Asia/Kathmandu');
	EXECUTE format('ALTER DATABASE %I SET bytea_output = %L', d, 'escape');
	EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -3', d);
	EXECUTE format('ALTER DATABASE %I SET xmloption = %L', d, 'document');
	EXECUTE format('ALTER DATABASE %I SET "mig.odd" = %L', d, E'it''s "odd", \\ and\nso on');
	EXECUTE format('ALTER ROLE mig_test_owner IN DATABASE %I SET default_transaction_read_only = on', d);
	EXECUTE format('ALTER ROLE mig_test_reader IN DATABASE %I SET standard_conforming_strings = off', d);
	EXECUTE format('ALTER ROLE mig_test_reader IN DATABASE %I SET row_security = off', d);
END
$$;
\o
