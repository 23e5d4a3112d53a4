/*
 * sqlite_position: the state of the data, without touching it.
 *
 * Read through SQLite's own file handle: opening and closing the database
 * file beside SQLite would drop its locks (sqlite.org/howtocorrupt.html 2.2).
 * The header's layout is sqlite.org/fileformat2.html 1.3, the WAL index's is
 * sqlite.org/walformat.html 2.1.
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "db/sqlite/sqlite.h"
#include "os/file.h"

enum {
	AT_PAGE_SIZE = 16,
	AT_WRITE_VERSION = 18,
	AT_COUNTER = 24
};

/* The first of the two copies of the WAL index header. */
struct wal_index {
	uint32_t version, unused, change;
	uint8_t is_init, big_end;
	uint16_t page_size;
	uint32_t max_frame, pages;
	uint32_t frame_checksum[2];
	unsigned char salt[8];
	uint32_t checksum[2];
};

static sqlite3_file *
file_of(struct sqlite *s)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(s->h, "main", SQLITE_FCNTL_FILE_POINTER,
		    &f) != SQLITE_OK || f == NULL || f->pMethods == NULL)
		return NULL;
	return f;
}

int
sqlite_position_header(struct sqlite *s, unsigned char out[100],
	struct err *e)
{
	sqlite3_file *f = file_of(s);
	int code;

	if (f == NULL)
		return err_bug(e, "no file handle");
	code = f->pMethods->xRead(f, out, 100, 0);
	/* An empty database has no header yet: zeros. */
	if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
		return sqlite_error_code(code, sqlite3_errstr(code), s->shown,
			e, "read the header");
	return 0;
}

/* Copy the WAL index header when both its copies agree. */
static int
read_index(sqlite3_file *f, struct wal_index *out)
{
	struct wal_index pair[2];
	void volatile *shared = NULL;
	int tries;

	if (f->pMethods->iVersion < 2 || f->pMethods->xShmMap == NULL ||
		f->pMethods->xShmMap(f, 0, 32768, 0, &shared) != SQLITE_OK ||
		shared == NULL)
		return -1;
	for (tries = 0; tries < 1000; tries++) {
		memcpy(pair, (const void *)shared, sizeof(pair));
		__sync_synchronize();
		if (memcmp(&pair[0], &pair[1], sizeof(pair[0])) == 0) {
			*out = pair[0];
			return 0;
		}
	}
	return -1;
}

int
sqlite_position_get(struct db *d, struct wire_position *out, struct err *e)
{
	struct sqlite *s = sqlite_of(d);
	sqlite3_file *f = file_of(s);
	sqlite3_int64 size = 0;
	struct file_times times;
	struct wal_index index;
	unsigned char header[100] = { 0 };
	char salt[17];

	if (f == NULL)
		return err_bug(e, "no file handle");
	if (sqlite_position_header(s, header, e) == -1 ||
		file_times(s->path, &times, e) == -1)
		return -1;
	if (f->pMethods->xFileSize(f, &size) != SQLITE_OK)
		return sqlite_error(s, e, "ask for its size");
	out->journal = header[AT_WRITE_VERSION] == 2 ? "wal" : "rollback";
	out->change_counter = (int64_t)header[AT_COUNTER] << 24 |
		header[AT_COUNTER + 1] << 16 | header[AT_COUNTER + 2] << 8 |
		header[AT_COUNTER + 3];
	out->page_bytes = header[AT_PAGE_SIZE] << 8 | header[AT_PAGE_SIZE + 1];
	if (out->page_bytes == 1)
		out->page_bytes = 65536;
	out->pages = out->page_bytes == 0 ? 0 : size / out->page_bytes;
	out->changed_s = times.changed_s;
	out->changed_ns = times.changed_ns;
	if (header[AT_WRITE_VERSION] == 2 && read_index(f, &index) == 0 &&
		index.is_init && index.max_frame > 0) {
		num_hex(index.salt, sizeof(index.salt), salt);
		out->wal_salt = mem_dup(salt);
		out->wal_frames = index.max_frame;
		out->pages = index.pages;
	}
	return 0;
}
