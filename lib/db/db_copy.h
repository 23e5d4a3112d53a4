/*
 * db_copy: a database copied out, brought back, and compared with a copy.
 */
#ifndef DB_DB_COPY_H
#define DB_DB_COPY_H

#include "db/db.h"

/* What a snapshot is, known before its first byte. */
struct db_snapshot {
	int64_t raw_bytes; /* -1: a stream, whose length the end tells */
	int64_t estimate; /* bytes, for the space that a backup needs */
	struct wire_position position;
	char fingerprint[65];
	int blocks_writers; /* commits wait until the snapshot ends */
};

struct db_backup {
	void *arg;
	int (*begin)(void *arg, const struct db_snapshot *s, struct err *e);
	int (*put)(void *arg, int64_t offset, const void *p, size_t n,
		struct err *e);
	/*
	 * After the last put: the tables of the snapshot, struct wire_table,
	 * and SQL of what the server has beside the database; NULL: nothing.
	 */
	int (*end)(void *arg, int64_t raw_bytes,
		const struct shape_list *tables, const char *globals,
		struct err *e);
	int check; /* count the rows of the stream against the database */
	int tolerant; /* a table too damaged to count has no count */
	int jobs; /* connections to read with, where there may be several */
	const char *spool_dir; /* copy there first, then give; NULL: do not */
};

/* Stream one consistent snapshot: begin, put until all is given, end. */
int db_backup(struct db *d, const struct db_backup *b, struct err *e);

/* An archive that was verified and rebuilt as a scratch file. */
struct db_rebuilt {
	const char *path;
	const struct shape_list *tables; /* struct wire_table: what it lists */
	int jobs;
};

/*
 * Replace the contents with those of the scratch file, at once or not at all.
 * ready is called when nobody else can write any more and nothing has been
 * written yet; -1 from it leaves the database as it was.  With a server a new
 * database is filled beside it first, and given to prepare; then the two
 * change their names.  d is of no more use afterwards, but to be closed.
 */
struct db_restore {
	void *arg;
	int (*ready)(void *arg, struct err *e);
	int (*prepare)(void *arg, struct db *fresh, struct err *e);
	int check; /* compare the new database with the archive */
	const char *into; /* a new database of this name, and no swap */
	char **kept; /* out: the name of the old one.  Gives; may be NULL */
};

/* What would refuse a restore, as far as it is known now: ERR_REFUSED. */
int db_restore_may(struct db *d, struct err *e);

int db_restore(struct db *d, const struct db_rebuilt *from,
	const struct db_restore *r, struct err *e);

/*
 * A verified archive as a database of its own, which may be written to and is
 * gone when it is closed: what a rehearsal runs on.  The scratch file of from
 * must outlive it, and may be changed by it.
 */
struct db_stage {
	const char *engine;
	struct db_rebuilt from;
	const char *server; /* its url; NULL: a throw-away one on this machine */
	int alone; /* no other program will open it */
	struct db *like; /* the live one, for its settings; NULL: not at hand */
	const struct report *report;
	struct strs *notes; /* gets what is not as in the live one, as sentences */
};

/* Gives *out: db_close(). */
int db_stage(struct db **out, const struct db_stage *how, struct err *e);

/* The url that leads another program there.  Gives. */
char *db_stage_url(const struct db *d);

/* The definitions of one database, without rows, into an empty one. */
int db_copy_schema(struct db *from, struct db *to, struct err *e);

/*
 * With a dump (a scratch file of a server's archive): restore it into a scratch
 * server and compare.  server: its url, or NULL for a throw-away one on this
 * machine.  found as of db_check().
 */
int db_deep(struct db *d, const char *scratch, const char *server, int jobs,
	const struct report *report, char *found, size_t room,
	struct err *e);

/*
 * After a restore on a server that was killed, or is regretted: undo 1 leads
 * back to the database from before, undo 0 finishes a swap that was ready.
 * *said tells what was done, *kept names the database that was put aside (or
 * is NULL).  Gives both.  ERR_REFUSED "nothing".
 */
struct db_mend {
	int undo;
	int accept; /* what was written since may go */
	const char *role; /* SET ROLE; NULL: none */
	const struct report *report;
};

int db_mend(const char *url, const struct db_mend *how, char **said,
	char **kept, struct err *e);

/*
 * Remember what is written now: db_restore() refuses with "written" when
 * anything came after.  To be called before the gap is looked at.
 */
int db_mark(struct db *d, struct err *e);

/*
 * A text that moves with every write to the database: two equal ones mean that nothing
 * was written between them.  Gives *out.
 */
int db_written(struct db *d, char **out, struct err *e);

/* What differs between this database and the archive, per table. */
struct db_gap {
	char *table;
	int64_t rows_then, rows_now; /* -1: the table is not there */
	int64_t added, changed, removed; /* -1: cannot be counted */
};

int db_gap(struct db *d, const struct db_rebuilt *from, struct db_gap **out,
	size_t *n, struct err *e);
void db_gap_free(struct db_gap *g, size_t n);

#endif
