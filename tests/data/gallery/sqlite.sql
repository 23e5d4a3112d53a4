-- The gallery of SQLite: migrations with one known danger each, and what the
-- rehearsal must say of it; and harmless ones, of which it must say nothing.
-- How it is read: see gallery.bash.

-- table: users: 100 rows; 80 names, 50 notes, 100 phones with a 0 before them
CREATE TABLE $users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER, note TEXT);
CREATE UNIQUE INDEX $users_email ON $users (email);
INSERT INTO $users WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
	SELECT i, 'User' || i || '@example.org', CASE WHEN i % 5 > 0 THEN 'Name ' || i END,
	'0' || (1000 + i), 20 + i % 50, CASE WHEN i % 2 = 0 THEN 'note ' || i END FROM n;

-- table: orders: 300 rows, 3 for each user, each total with a fraction
CREATE TABLE $orders (id INTEGER PRIMARY KEY,
	user_id INTEGER REFERENCES $users (id) ON DELETE CASCADE ON UPDATE CASCADE,
	total REAL, state TEXT, placed TEXT);
CREATE INDEX $orders_user ON $orders (user_id);
INSERT INTO $orders WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
	SELECT i, 1 + (i - 1) % 100, i + 0.25,
	CASE i % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' ELSE 'sent' END,
	datetime('2026-01-01', '+' || i || ' hours') FROM n;

-- table: tags: 60 rows, 10 of them have a label that another one has, too
CREATE TABLE $tags (id INTEGER PRIMARY KEY, label TEXT, weight INTEGER);
INSERT INTO $tags WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
	SELECT i, 'tag' || (1 + (i - 1) % 50), i FROM n;

-- table: visits: 200 rows, 150 of them lead to a user
CREATE TABLE $visits (id INTEGER PRIMARY KEY,
	user_id INTEGER REFERENCES $users (id) ON DELETE SET NULL, page TEXT);
INSERT INTO $visits WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
	SELECT i, CASE WHEN i <= 150 THEN 1 + (i - 1) % 50 END, '/' || i FROM n;

-- table: log: 40 rows, written by triggers
CREATE TABLE $log (id INTEGER PRIMARY KEY, tag_id INTEGER, what TEXT);
INSERT INTO $log WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
	SELECT i, i, 'made' FROM n;

-- ----------------------------------------------------------------- dangers

-- danger: cascade
-- on: users orders
DELETE FROM $users WHERE id <= 10;
-- says: losses | any(.name == "$orders" and .amount == 30 and .unit == "rows" and .action == "taken along by a foreign key or trigger")
-- says: effects | any(.table == "$orders" and .named == false and .before == 300 and .after == 270 and .cascaded == 30)
-- says: effects | any(.table == "$users" and .deleted == 10 and .after == 90)

-- danger: cascade_rebuild
-- A rebuild in another order than SQLite's manual has it: DROP TABLE deletes first.
-- on: users orders
CREATE TABLE $users_old AS SELECT * FROM $users;
DROP TABLE $users;
CREATE TABLE $users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER CHECK (age > 0), note TEXT);
INSERT INTO $users SELECT * FROM $users_old;
DROP TABLE $users_old;
-- says: losses | any(.name == "$orders" and .amount == 300)
-- says: effects | any(.table == "$orders" and .named == false and .after == 0)

-- danger: rebuild_loses_index
-- No row is lost, and the next query is slow.
-- on: orders
-- setup:
CREATE TRIGGER $stamp AFTER UPDATE ON $orders BEGIN SELECT 1; END;
-- up:
CREATE TABLE $orders_new (id INTEGER PRIMARY KEY, user_id INTEGER, total REAL, state TEXT, placed TEXT);
INSERT INTO $orders_new SELECT * FROM $orders;
DROP TABLE $orders;
ALTER TABLE $orders_new RENAME TO $orders;
-- says: left == ["index $orders_user of $orders is gone, and no statement drops it", "trigger $stamp of $orders is gone, and no statement drops it"]

-- danger: set_null
-- on: users visits
DELETE FROM $users WHERE id <= 10;
-- says: losses | any(.name == "$visits.user_id" and .amount == 30 and .unit == "values")
-- says: effects | any(.table == "$visits" and .named == false and .updated == 30 and .before == .after)

-- danger: key_cascade
-- An UPDATE of a key writes the table that points to it.
-- on: users orders
UPDATE $users SET id = id + 1000 WHERE id <= 20;
-- says: effects | any(.table == "$orders" and .named == false and .updated == 60)

-- danger: trigger_deletes
-- on: tags log
-- setup:
CREATE TRIGGER $tags_t AFTER UPDATE ON $tags BEGIN
	DELETE FROM $log WHERE tag_id = old.id;
END;
-- up:
UPDATE $tags SET weight = 0 WHERE id <= 25;
-- says: losses | any(.name == "$log" and .amount == 25)
-- says: effects | any(.table == "$log" and .named == false and .after == 15 and .cascaded == 25)

-- danger: trigger_writes
-- on: tags log
-- setup:
CREATE TRIGGER $tags_t AFTER UPDATE ON $tags BEGIN
	INSERT INTO $log (tag_id, what) VALUES (old.id, 'changed');
END;
-- up:
UPDATE $tags SET weight = 0 WHERE id <= 25;
-- says: effects | any(.table == "$log" and .named == false and .inserted == 25 and .after == 65)

-- danger: drop_table
-- on: tags
DROP TABLE $tags;
-- down:
CREATE TABLE $tags (id INTEGER PRIMARY KEY, label TEXT, weight INTEGER);
-- says: losses | any(.name == "$tags" and .amount == 60 and .action == "DROP TABLE")
-- says: down == "schema-only"
-- says: down_text | contains("$tags: 0 rows, not 60")

-- danger: drop_column
-- on: users
ALTER TABLE $users DROP COLUMN note;
-- down:
ALTER TABLE $users ADD COLUMN note TEXT;
-- says: losses | any(.name == "$users.note" and .amount == 50)
-- says: effects[].columns | any(.column == "note" and .change == "dropped" and .before == 50)
-- says: statements[0].works | any(.relation == "$users" and .action == "rewritten")
-- says: down == "schema-only"
-- says: down_text | contains("$users.note: 0 values, not 50")

-- danger: rename_by_hand
-- A rename that is written as a new column and a drop takes the values along only if it copies them.
-- on: users
ALTER TABLE $users ADD COLUMN full_name TEXT;
ALTER TABLE $users DROP COLUMN name;
-- says: losses | any(.name == "$users.name" and .amount == 80)
-- says: effects[].columns | any(.column == "full_name" and .change == "added" and .after == 0)

-- danger: delete_all
-- on: tags
DELETE FROM $tags;
-- says: losses | any(.name == "$tags" and .amount == 60)

-- danger: update_all
-- on: users
UPDATE $users SET note = '';
-- says: losses | any(.name == "$users.note" and .amount == 50)
-- says: statements[0].updated == 100

-- danger: dedup
-- on: tags
DELETE FROM $tags WHERE id NOT IN (SELECT min(id) FROM $tags GROUP BY label);
CREATE UNIQUE INDEX $tags_label ON $tags (label);
-- down:
DROP INDEX $tags_label;
-- says: effects | any(.table == "$tags" and .deleted == 10 and .before == 60 and .after == 50)
-- says: statements[0].deleted == 10
-- says: down == "schema-only"
-- says: down_text | contains("$tags: 50 rows, not 60")

-- danger: rebuild_filters
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL,
	phone TEXT, age INTEGER, note TEXT);
INSERT INTO $users_new SELECT * FROM $users WHERE name IS NOT NULL;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
-- says: losses | any(.name == "$users" and .amount == 20 and .unit == "rows")
-- says: effects | any(.table == "$users" and .before == 100 and .after == 80)

-- danger: rebuild_forgets
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER);
INSERT INTO $users_new SELECT id, email, name, phone, age FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
CREATE UNIQUE INDEX $users_email ON $users (email);
-- says: losses | any(.name == "$users.note" and .amount == 50)
-- says: effects[].columns | any(.column == "note" and .change == "dropped")

-- danger: rebuild_leaves_empty
-- The column is there again, and nothing in it.
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER, note TEXT);
INSERT INTO $users_new (id, email, name, phone, age) SELECT id, email, name, phone, age FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
CREATE UNIQUE INDEX $users_email ON $users (email);
-- says: losses | any(.name == "$users.note" and .amount == 50)
-- says: effects[].columns | any(.column == "note" and .before == 50 and .after == 0)

-- danger: rebuild_swaps
-- Columns in another order, and an INSERT that names none.
-- on: tags
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, weight TEXT, label TEXT);
INSERT INTO $tags_new SELECT * FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- says: losses | any(.name == "$tags.label" and .amount == 60)
-- says: effects[].columns | any(.column == "label" and .change == "changed" and .lossy == 60)
-- says: effects[].columns | any(.column == "weight" and .change == "changed" and .lossy == 60)

-- danger: rebuild_truncates
-- on: tags
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT, weight INTEGER);
INSERT INTO $tags_new SELECT id, substr(label, 1, 4), weight FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- says: effects[].columns | any(.column == "label" and .lossy == 42 and .samples[0] == "10: 'tag10' -> 'tag1'")
-- says: losses | any(.name == "$tags.label" and .amount == 42)

-- danger: affinity
-- 01001 becomes the number 1001.
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone INTEGER, age INTEGER, note TEXT);
INSERT INTO $users_new SELECT * FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
CREATE UNIQUE INDEX $users_email ON $users (email);
-- says: effects[].columns | any(.column == "phone" and .lossy == 100 and (.samples[0] | contains("01001")))
-- says: losses | any(.name == "$users.phone" and .amount == 100)

-- danger: narrowing
-- on: orders users
CREATE TABLE $orders_new (id INTEGER PRIMARY KEY,
	user_id INTEGER REFERENCES $users (id) ON DELETE CASCADE ON UPDATE CASCADE,
	total INTEGER, state TEXT, placed TEXT);
INSERT INTO $orders_new SELECT id, user_id, CAST(total AS INTEGER), state, placed FROM $orders;
DROP TABLE $orders;
ALTER TABLE $orders_new RENAME TO $orders;
CREATE INDEX $orders_user ON $orders (user_id);
-- says: effects[].columns | any(.column == "total" and .lossy == 300 and (.samples[0] == "1: 1.25 -> 1"))
-- says: losses | any(.name == "$orders.total" and .amount == 300)

-- danger: date_only
-- on: orders users
UPDATE $orders SET placed = date(placed) WHERE state = 'new';
-- down:
SELECT 1;
-- says: effects | any(.table == "$orders" and .updated == 100)
-- says: effects[].columns | any(.column == "placed" and .change == "changed" and .before == 300 and .after == 300)
-- says: down == "schema-only"
-- says: down_text | contains("$orders.placed: other values")

-- danger: ignored
-- INSERT OR IGNORE leaves out what does not fit.
-- on: tags
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT UNIQUE, weight INTEGER);
INSERT OR IGNORE INTO $tags_new SELECT * FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- says: losses | any(.name == "$tags" and .amount == 10)

-- danger: conflict_clause
-- A rule of the new table deletes while it is filled.
-- on: tags
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT UNIQUE ON CONFLICT REPLACE, weight INTEGER);
INSERT INTO $tags_new SELECT * FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- says: losses | any(.name == "$tags" and .amount == 10)
-- says: effects | any(.table == "$tags" and .before == 60 and .after == 50)

-- danger: replace
-- INSERT OR REPLACE deletes the row that is in the way, here another one than meant.
-- on: users
INSERT OR REPLACE INTO $users (id, email) SELECT id + 1000, email FROM $users WHERE id <= 15;
-- says: effects | any(.table == "$users" and .inserted == 15 and .deleted == 15)
-- says: effects[].columns | any(.column == "phone" and .before == 100 and .after == 85)

-- danger: replace_cascade
-- on: users orders
REPLACE INTO $users (id, email, name) SELECT id, email, name FROM $users WHERE id <= 15;
-- says: losses | any(.name == "$orders" and .amount == 45)
-- says: effects | any(.table == "$orders" and .named == false and .after == 255)

-- danger: upsert_nulls
-- on: users
INSERT INTO $users (id, email) SELECT id, email FROM $users WHERE id <= 20
	ON CONFLICT (id) DO UPDATE SET note = excluded.note;
-- says: losses | any(.name == "$users.note" and .amount == 10)

-- danger: update_nulls
-- An UPDATE with a WHERE empties what it should have mended.
-- on: users
UPDATE $users SET name = nullif(substr(name, 9), '') WHERE id <= 50;
-- down:
SELECT 1;
-- says: effects[].columns | any(.column == "name" and .before == 80 and .after == 40)
-- says: down == "schema-only"

-- danger: backfill
-- on: users
ALTER TABLE $users ADD COLUMN shown TEXT;
UPDATE $users SET shown = upper(name) WHERE name IS NOT NULL;
-- says: effects[] | select(.table == "$users") | .after == 100 and (.columns | any(.column == "shown" and .change == "added" and .after == 80))

-- danger: down_forgets
-- on: users
ALTER TABLE $users ADD COLUMN nick TEXT;
CREATE INDEX $users_name ON $users (name);
-- down:
ALTER TABLE $users DROP COLUMN nick;
-- says: down == "broken"
-- says: down_text | contains("new or other: ") and contains("index $users_name of $users")

-- danger: down_fails
-- on: tags
ALTER TABLE $tags ADD COLUMN slug TEXT;
CREATE INDEX $tags_slug ON $tags (slug);
-- down:
ALTER TABLE $tags DROP COLUMN slug;
-- says: down == "broken"
-- says: down_text | contains("after drop column")

-- danger: down_loses
-- The way back takes what was there before.
-- on: users
ALTER TABLE $users ADD COLUMN nick TEXT;
-- down:
ALTER TABLE $users DROP COLUMN nick;
ALTER TABLE $users DROP COLUMN note;
ALTER TABLE $users ADD COLUMN note TEXT;
-- says: down == "lossy"
-- says: down_text | contains("$users.note: 0 values, not 50")

-- danger: down_other_default
-- on: tags
ALTER TABLE $tags DROP COLUMN weight;
-- down:
ALTER TABLE $tags ADD COLUMN weight INTEGER DEFAULT 0;
-- says: losses | any(.name == "$tags.weight" and .amount == 60)
-- says: down == "broken"

-- danger: sequence
-- The numbers of rows that are gone are given out again.
-- setup:
CREATE TABLE $bills (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT);
INSERT INTO $bills WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
	SELECT i, 'x' FROM n;
DELETE FROM $bills WHERE id > 100;
-- up:
CREATE TABLE $bills_new (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT NOT NULL);
INSERT INTO $bills_new SELECT * FROM $bills;
DROP TABLE $bills;
ALTER TABLE $bills_new RENAME TO $bills;
-- says: sequences == ["$bills: 120 -> 100"]

-- danger: sequence_reset
-- setup:
CREATE TABLE $bills (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT);
INSERT INTO $bills WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
	SELECT i, 'x' FROM n;
DELETE FROM $bills WHERE id > 100;
-- up:
UPDATE sqlite_sequence SET seq = 5 WHERE name = '$bills';
-- says: sequences == ["$bills: 120 -> 5"]

-- danger: index_of_all
-- on: orders users
CREATE INDEX $orders_state ON $orders (state, placed);
-- down:
DROP INDEX $orders_state;
-- says: statements[0] | .works | any(.relation == "$orders" and .action == "built" and .why == "$orders_state")
-- says: down == "exact"

-- danger: reindex
-- on: users
REINDEX $users;
-- says: statements[0].works | any(.action == "built" and .why == "REINDEX")

-- danger: split_loses
-- Half of a table is moved, and the other half is dropped with it.
-- on: visits users
CREATE TABLE $known (visit INTEGER PRIMARY KEY, user_id INTEGER NOT NULL);
INSERT INTO $known SELECT id, user_id FROM $visits WHERE user_id IS NOT NULL;
DROP TABLE $visits;
-- says: losses | any(.name == "$visits" and .amount == 200)
-- says: effects | any(.table == "$known" and .before == null and .after == 150)

-- alone: unique_fails
-- on: tags
CREATE UNIQUE INDEX $tags_label ON $tags (label);
-- says: result == "failed"
-- says: error.text | contains("line 2") and contains("UNIQUE constraint failed: $tags.label")

-- alone: not_null_fails
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL,
	phone TEXT, age INTEGER, note TEXT);
INSERT INTO $users_new SELECT * FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
-- says: result == "failed"
-- says: error.text | contains("line 4") and contains("NOT NULL constraint failed: $users_new.name")

-- alone: check_fails
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER CHECK (age >= 25), note TEXT);
INSERT INTO $users_new SELECT * FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
-- says: result == "failed"
-- says: error.text | contains("line 4") and contains("CHECK constraint failed")

-- alone: dangling
-- A rebuild that drops rows which others point to.
-- on: users orders
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER, note TEXT);
INSERT INTO $users_new SELECT * FROM $users WHERE name IS NOT NULL;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
CREATE UNIQUE INDEX $users_email ON $users (email);
-- says: result == "failed"
-- says: error.reason == "foreign-keys"
-- says: error.text | contains("60 rows whose foreign key leads nowhere")

-- alone: strict_fails
-- on: users
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name INTEGER) STRICT;
INSERT INTO $users_new SELECT id, email, name FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
-- says: result == "failed"
-- says: error.text | contains("line 3") and contains("cannot store TEXT value in INTEGER column")

-- alone: view_breaks
-- on: tags
-- setup:
CREATE VIEW $heavy AS SELECT id, weight FROM $tags;
-- up:
ALTER TABLE $tags DROP COLUMN weight;
-- says: result == "failed"
-- says: error.text | contains("line 2") and contains("$heavy")

-- alone: no_default
-- on: users
ALTER TABLE $users ADD COLUMN town TEXT NOT NULL;
-- says: result == "failed"
-- says: error.text | contains("Cannot add a NOT NULL column with default value NULL")

-- alone: key_of_parent
-- A restricting key keeps the parent, at the commit.
-- on: tags
-- setup:
CREATE TABLE $uses (id INTEGER PRIMARY KEY,
	tag_id INTEGER REFERENCES $tags (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO $uses SELECT id, id FROM $tags WHERE id <= 5;
-- up:
DELETE FROM $tags WHERE id = 3;
-- says: result == "failed"
-- says: error.text | contains("FOREIGN KEY constraint failed")

-- ---------------------------------------------------------------- harmless

-- harmless: add_column
-- on: users
ALTER TABLE $users ADD COLUMN nick TEXT;
-- down:
ALTER TABLE $users DROP COLUMN nick;

-- harmless: add_with_default
-- on: users
ALTER TABLE $users ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
-- down:
ALTER TABLE $users DROP COLUMN active;
-- says: effects[].columns | any(.column == "active" and .change == "added" and .after == 100)

-- harmless: backfill_whole
-- on: users
ALTER TABLE $users ADD COLUMN shown TEXT;
UPDATE $users SET shown = coalesce(upper(name), email);
-- down:
ALTER TABLE $users DROP COLUMN shown;
-- says: effects[].columns | any(.column == "shown" and .after == 100)

-- harmless: new_table
-- on: users
CREATE TABLE $posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES $users (id), body TEXT);
CREATE INDEX $posts_user ON $posts (user_id);
-- down:
DROP TABLE $posts;

-- harmless: new_table_filled
-- on: users
CREATE TABLE $ages (age INTEGER PRIMARY KEY, n INTEGER NOT NULL);
INSERT INTO $ages SELECT age, count(*) FROM $users GROUP BY age;
-- down:
DROP TABLE $ages;
-- says: effects | any(.table == "$ages" and .inserted == 50)

-- harmless: table_as
-- on: users
CREATE TABLE $copy AS SELECT id, email FROM $users;
-- down:
DROP TABLE $copy;

-- harmless: index
-- on: tags
CREATE INDEX $tags_label ON $tags (label);
-- down:
DROP INDEX $tags_label;

-- harmless: partial_index
-- on: users
CREATE INDEX $users_noted ON $users (lower(email)) WHERE note IS NOT NULL;
-- down:
DROP INDEX $users_noted;

-- harmless: view
-- on: users
CREATE VIEW $adults AS SELECT id, name FROM $users WHERE age >= 21;
-- down:
DROP VIEW $adults;

-- harmless: trigger
-- on: users
CREATE TRIGGER $users_t AFTER UPDATE OF email ON $users BEGIN
	UPDATE $users SET note = 'moved' WHERE id = new.id;
END;
-- down:
DROP TRIGGER $users_t;

-- harmless: insert
-- on: tags
INSERT INTO $tags (id, label, weight) VALUES (61, 'new', 1), (62, 'newer', 2);
-- down:
DELETE FROM $tags WHERE id IN (61, 62);

-- harmless: insert_or_ignore
-- on: tags
INSERT OR IGNORE INTO $tags (id, label) VALUES (1, 'other'), (61, 'new');
-- down:
DELETE FROM $tags WHERE id = 61;

-- harmless: upsert
-- on: tags
INSERT INTO $tags (id, label, weight) VALUES (1, 'x', 101) ON CONFLICT (id) DO UPDATE SET weight = excluded.weight;
-- down:
UPDATE $tags SET weight = 1 WHERE id = 1;

-- harmless: update_and_back
-- on: orders users
UPDATE $orders SET state = 'done' WHERE state = 'sent';
-- down:
UPDATE $orders SET state = 'sent' WHERE state = 'done';
-- says: effects | any(.table == "$orders" and .named and .updated == 100)

-- harmless: rename_table
-- on: tags
ALTER TABLE $tags RENAME TO $labels;
-- down:
ALTER TABLE $labels RENAME TO $tags;

-- harmless: rename_column
-- on: users
ALTER TABLE $users RENAME COLUMN phone TO telephone;
-- down:
ALTER TABLE $users RENAME COLUMN telephone TO phone;
-- says: effects[].columns | any(.column == "telephone" and .change == "renamed" and .was == "phone")

-- harmless: rename_with_child
-- on: users orders
ALTER TABLE $users RENAME TO $people;
-- down:
ALTER TABLE $people RENAME TO $users;

-- harmless: rebuild
-- The procedure of SQLite's manual, on a table that others point to.
-- on: users orders
CREATE TABLE $users_new (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT,
	phone TEXT, age INTEGER CHECK (age > 0), note TEXT);
INSERT INTO $users_new SELECT * FROM $users;
DROP TABLE $users;
ALTER TABLE $users_new RENAME TO $users;
CREATE UNIQUE INDEX $users_email ON $users (email);
-- says: fingerprint != null

-- harmless: rename_with_index
-- on: users
ALTER TABLE $users RENAME TO $people;
-- down:
ALTER TABLE $people RENAME TO $users;

-- harmless: rename_with_view
-- on: tags
-- setup:
CREATE VIEW $heavy AS SELECT label FROM $tags WHERE $tags.weight > 10;
-- up:
ALTER TABLE $tags RENAME TO $labels;
-- down:
ALTER TABLE $labels RENAME TO $tags;

-- harmless: rebuild_fills
-- A null becomes something: no value is lost.
-- on: tags
-- setup:
UPDATE $tags SET label = NULL WHERE id <= 7;
-- up:
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT NOT NULL, weight INTEGER);
INSERT INTO $tags_new SELECT id, coalesce(label, ''), weight FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- says: effects[].columns | any(.column == "label" and .before == 53 and .after == 60)

-- harmless: rebuild_and_back
-- on: tags
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT NOT NULL, weight INTEGER);
INSERT INTO $tags_new (id, label, weight) SELECT id, label, weight FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;
-- down:
CREATE TABLE $tags_new (id INTEGER PRIMARY KEY, label TEXT, weight INTEGER);
INSERT INTO $tags_new (id, label, weight) SELECT id, label, weight FROM $tags;
DROP TABLE $tags;
ALTER TABLE $tags_new RENAME TO $tags;

-- harmless: rebuild_sequence
-- The number of an AUTOINCREMENT is carried over.
-- setup:
CREATE TABLE $bills (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT);
INSERT INTO $bills WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
	SELECT i, 'x' FROM n;
DELETE FROM $bills WHERE id > 100;
-- up:
CREATE TABLE $bills_new (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT NOT NULL);
INSERT INTO $bills_new SELECT * FROM $bills;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = '$bills') WHERE name = '$bills_new';
DROP TABLE $bills;
ALTER TABLE $bills_new RENAME TO $bills;

-- harmless: drop_empty_column
-- setup:
CREATE TABLE $t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
INSERT INTO $t (id, a) VALUES (1, 'a'), (2, 'b');
-- up:
ALTER TABLE $t RENAME COLUMN b TO c;
ALTER TABLE $t ADD COLUMN d TEXT;
-- down:
ALTER TABLE $t DROP COLUMN d;
ALTER TABLE $t RENAME COLUMN c TO b;

-- harmless: drop_empty_table
-- setup:
CREATE TABLE $t (id INTEGER PRIMARY KEY, a TEXT);
-- up:
DROP TABLE $t;
-- down:
CREATE TABLE $t (id INTEGER PRIMARY KEY, a TEXT);

-- harmless: quoted_names
-- setup:
CREATE TABLE "$The ""Table""" ("a column" INTEGER PRIMARY KEY, "select" TEXT);
INSERT INTO "$The ""Table""" VALUES (1, 'a'), (2, 'b');
-- up:
UPDATE "$The ""Table""" SET "select" = 'c' WHERE "a column" = 2;
-- down:
UPDATE [$The "Table"] SET [select] = 'b' WHERE [a column] = 2;

-- harmless: other_case
-- on: tags
update $TAGS set WEIGHT = weight + 1 where ID > 30;
-- down:
Update $Tags Set Weight = Weight - 1 Where Id > 30;

-- harmless: with_update
-- on: tags
WITH x AS (SELECT id FROM $tags WHERE label = 'tag1') UPDATE $tags SET weight = -weight WHERE id IN (SELECT id FROM x);
-- down:
UPDATE $tags SET weight = -weight WHERE label = 'tag1';

-- harmless: main_schema
-- on: tags
UPDATE main.$tags SET weight = weight + 1 WHERE id > 30;
-- down:
UPDATE main.$tags SET weight = weight - 1 WHERE id > 30;

-- harmless: generated_column
-- on: users
ALTER TABLE $users ADD COLUMN initial TEXT GENERATED ALWAYS AS (substr(name, 1, 1)) VIRTUAL;
-- down:
ALTER TABLE $users DROP COLUMN initial;
