-- A small database without an encoding: its text is bytes, not all of them
-- UTF-8.  This file is plain ASCII; the server makes the bytes.
--
--	createdb -T template0 -E SQL_ASCII nasty_ascii
--	psql -X -q -v ON_ERROR_STOP=1 -f nasty-ascii.sql nasty_ascii

\set ON_ERROR_STOP on
SET client_encoding = 'SQL_ASCII';
SET standard_conforming_strings = on;
SET client_min_messages = error;
CREATE TABLE bytes (id int PRIMARY KEY, t text, v varchar(4), c char(3), a text[], n name);
INSERT INTO bytes VALUES
	(1, E'caf\xe9 (Latin-1)', E'\xe9', E'\xe9', ARRAY[E'\xe9', E'\xff,"\\'], E'\xe9'),
	(2, E'caf\xc3\xa9 (UTF-8)', E'\xc3\xa9', E'\xc3', ARRAY[E'\xc3\xa9'], E'\xc3\xa9'),
	(3, E'\x80\x81\xfe\xff', E'\xff\xff', E'\x80', '{}', E'\xff'),
	(4, E'half of a character \xc3', E'\xf0\x9f', E'\xe2\x82', ARRAY[E'\xc3'], E'\xc3'),
	(5, E'\x93\xfa\x96\x7b\x83\x5c (Shift JIS, with a backslash byte)', E'\x83\x5c', E'\x5c', ARRAY[E'\x83\x5c'], E'\x83\x5c'),
	(6, E'\xed\xa0\x80 \xc0\x80 \xf4\x90\x80\x80 (surrogate, long zero, too large)', '', '', NULL, ''),
	(7, E'\xe9\n\\.\n\xe9\t\\N', E'\\.', E'\\N', NULL, E'\n'),
	(8, NULL, NULL, NULL, NULL, NULL);
DO $$
DECLARE
	i int;
	s text := '';
BEGIN
	FOR i IN 1..255 LOOP
		s := s || chr(i);
	END LOOP;
	INSERT INTO bytes VALUES (9, s || s);
	-- Names are bytes too.
	EXECUTE format('CREATE TABLE %1$I (%2$I text DEFAULT %3$L, CHECK (%2$I <> %4$L))', E'na\xefve', E'\xff', E'\xe9', E'\xfe');
	EXECUTE format('INSERT INTO %I VALUES (DEFAULT), (%L)', E'na\xefve', E'\xfc');
	EXECUTE format('COMMENT ON TABLE %I IS %L', E'na\xefve', E'comment \xe9');
	EXECUTE format('CREATE TYPE %I AS ENUM (%L, %L)', E'sort\xe9', E'\xe9', E'\xc3\xa9');
	EXECUTE format('CREATE TABLE enums (e %I)', E'sort\xe9');
	EXECUTE format('INSERT INTO enums VALUES (%L), (%L), (NULL)', E'\xe9', E'\xc3\xa9');
	EXECUTE format('CREATE VIEW %I AS SELECT %L::text AS %I', E'v\xfce', E'\xe9', E'\xe8');
	EXECUTE format('CREATE FUNCTION %I() RETURNS text LANGUAGE sql AS %L', E'f\xfc', E'SELECT ''\xe9''::text');
END
$$;
CREATE INDEX bytes_t ON bytes (lower(t));
CREATE TABLE documents (j json);
INSERT INTO documents VALUES (E'{"caf\xe9": "\xff"}');
