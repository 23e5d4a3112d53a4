/*
 * Generate a SQLite database of about N MiB for the benchmarks: text,
 * integers, times, JSON, blobs, indexes.  usage: generate FILE MIB
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t seed = 88172645463325252u;

static uint32_t
draw(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 11) % n;
}

static const char *const words[] = { "order", "ship", "customer", "invoice",
	"pending", "quick", "brown", "the", "of", "return", "delivery", "north",
	"address", "amount", "total", "payment", "card", "late", "note", "and",
	"with", "item", "stock", "price", "summer", "winter", "blue", "green",
	"large", "small", "again", "before" };

static void
phrase(char *out, size_t room, int n)
{
	size_t at = 0;

	while (n-- > 0 && at + 16 < room)
		at += (size_t)snprintf(out + at, room - at, "%s ",
			words[draw(32)]);
	out[at] = '\0';
}

static void
must(sqlite3 *h, int ok)
{
	if (!ok) {
		fprintf(stderr, "generate: %s\n", sqlite3_errmsg(h));
		exit(1);
	}
}

static void
run(sqlite3 *h, const char *sql)
{
	must(h, sqlite3_exec(h, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void
fill(sqlite3 *h, sqlite3_stmt *event, sqlite3_stmt *document, int64_t *id)
{
	unsigned char blob[900];
	char text[400], json[400];
	int i, k;

	run(h, "BEGIN");
	for (i = 0; i < 20000; i++, (*id)++) {
		phrase(text, sizeof(text), 4 + (int)draw(20));
		sqlite3_bind_int64(event, 1, *id);
		sqlite3_bind_int(event, 2, (int)draw(200000));
		sqlite3_bind_int64(event, 3, 1700000000 + *id * 7);
		sqlite3_bind_text(event, 4, text, -1, SQLITE_TRANSIENT);
		snprintf(json, sizeof(json),
			"{\"id\":%u,\"state\":\"%s\",\"tags\":[\"%s\",\"%s\"],"
			"\"price\":%u.%02u}", draw(1000000), words[draw(32)],
			words[draw(32)], words[draw(32)], draw(1000),
			draw(100));
		sqlite3_bind_text(event, 5, json, -1, SQLITE_TRANSIENT);
		must(h, sqlite3_step(event) == SQLITE_DONE);
		sqlite3_reset(event);
		if (i % 10 != 0)
			continue;
		for (k = 0; k < (int)sizeof(blob); k++)
			blob[k] = (unsigned char)draw(256);
		sqlite3_bind_int64(document, 1, *id);
		sqlite3_bind_blob(document, 2, blob,
			(int)(300 + draw(600)), SQLITE_TRANSIENT);
		must(h, sqlite3_step(document) == SQLITE_DONE);
		sqlite3_reset(document);
	}
	run(h, "COMMIT");
}

int
main(int argc, char **argv)
{
	sqlite3_stmt *event, *document;
	int64_t want, id = 1;
	struct stat st;
	sqlite3 *h;

	if (argc != 3) {
		fprintf(stderr, "usage: generate FILE MIB\n");
		return 2;
	}
	want = (int64_t)atoi(argv[2]) << 20;
	must(NULL, sqlite3_open(argv[1], &h) == SQLITE_OK);
	run(h, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
	       "PRAGMA cache_size = -200000;"
	       "CREATE TABLE event (id INTEGER PRIMARY KEY, customer INTEGER,"
	       " at INTEGER, note TEXT, body TEXT);"
	       "CREATE TABLE document (event_id INTEGER REFERENCES event (id),"
	       " content BLOB);"
	       "CREATE INDEX event_customer ON event (customer);"
	       "CREATE INDEX event_at ON event (at);"
	       "CREATE INDEX document_event ON document (event_id)");
	must(h, sqlite3_prepare_v2(h, "INSERT INTO event VALUES "
		"(?, ?, ?, ?, ?)", -1, &event, NULL) == SQLITE_OK);
	must(h, sqlite3_prepare_v2(h, "INSERT INTO document VALUES (?, ?)", -1,
		&document, NULL) == SQLITE_OK);
	do {
		fill(h, event, document, &id);
	} while (stat(argv[1], &st) == 0 && st.st_size < want);
	sqlite3_finalize(event);
	sqlite3_finalize(document);
	run(h, "PRAGMA journal_mode = WAL");
	sqlite3_close(h);
	return 0;
}
