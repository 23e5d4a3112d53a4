/*
 * sqlite_sink: a SQLite VFS that keeps nothing.  The online backup API writes
 * its copy into it, and every write goes to a function: a consistent copy of
 * the database without a copy on disk.  Reads find an empty file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sqlite/sqlite.h"

struct sink_file {
	sqlite3_file base;
	struct sqlite_sink *sink; /* NULL: not the database itself */
};

static int
on_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int
on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 offset)
{
	(void)f;
	(void)offset;
	memset(p, 0, (size_t)n);
	return SQLITE_IOERR_SHORT_READ;
}

/*
 * The backup raises the copy's change counter and schema cookie.  We want
 * the source's bytes, so that the archive holds the source bit for bit.
 */
static void
mend_header(const struct sqlite_sink *k, unsigned char *p)
{
	if (k->patch_counter) {
		memcpy(p + 24, k->patch + 24, 4);
		memcpy(p + 92, k->patch + 92, 8);
	}
	if (k->patch_cookie)
		memcpy(p + 40, k->patch + 40, 4);
}

static int
on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 offset)
{
	struct sqlite_sink *k = ((struct sink_file *)f)->sink;
	unsigned char *copy = NULL;
	int result;

	if (k == NULL || k->failed)
		return SQLITE_IOERR_WRITE;
	if (offset == 0 && n >= 100) {
		copy = mem_alloc((size_t)n);
		memcpy(copy, p, (size_t)n);
		mend_header(k, copy);
		p = copy;
	}
	result = k->put(k->arg, offset, p, (size_t)n, k->e);
	free(copy);
	if (result == -1) {
		k->failed = 1;
		return SQLITE_IOERR_WRITE;
	}
	if (offset + n > k->end)
		k->end = offset + n;
	return SQLITE_OK;
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	(void)f;
	(void)size;
	return SQLITE_OK;
}

static int
on_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return SQLITE_OK;
}

static int
on_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct sqlite_sink *k = ((struct sink_file *)f)->sink;

	*size = k == NULL ? 0 : k->end;
	return SQLITE_OK;
}

static int
on_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int
on_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int
on_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
on_sector(sqlite3_file *f)
{
	(void)f;
	return 512;
}

static int
on_traits(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_lock,
	.xCheckReservedLock = on_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
};

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
	int *out_flags)
{
	struct sink_file *file = (struct sink_file *)f;

	(void)name;
	file->base.pMethods = &methods;
	file->sink = flags & SQLITE_OPEN_MAIN_DB ? vfs->pAppData : NULL;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	(void)vfs;
	(void)name;
	(void)sync_dir;
	return SQLITE_OK;
}

static int
on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int
on_full_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)room, "%s", name);
	return SQLITE_OK;
}

sqlite3_vfs *
sqlite_sink_register(struct sqlite_sink *sink)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs = mem_alloc(sizeof(*vfs));

	vfs->iVersion = 1;
	vfs->szOsFile = sizeof(struct sink_file);
	vfs->mxPathname = 256;
	vfs->zName = "mig-sink";
	vfs->pAppData = sink;
	vfs->xOpen = on_open;
	vfs->xDelete = on_delete;
	vfs->xAccess = on_access;
	vfs->xFullPathname = on_full_path;
	/* Randomness and time are the system's. */
	vfs->xRandomness = real->xRandomness;
	vfs->xSleep = real->xSleep;
	vfs->xCurrentTime = real->xCurrentTime;
	vfs->xGetLastError = real->xGetLastError;
	sqlite3_vfs_register(vfs, 0);
	return vfs;
}

void
sqlite_sink_unregister(sqlite3_vfs *vfs)
{
	if (vfs == NULL)
		return;
	sqlite3_vfs_unregister(vfs);
	free(vfs);
}
