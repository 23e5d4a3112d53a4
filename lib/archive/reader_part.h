/* reader_part: what the files of the reader share. */
#ifndef ARCHIVE_READER_PART_H
#define ARCHIVE_READER_PART_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/reader.h"
#include "archive/tar.h"
#include "codec/sha256.h"

struct buf;
struct pool;

/* Members that are no blocks, by what stands for an index. */
enum { MET_HEADER = -1, MET_GLOBALS = -2, MET_TABLES = -3, MET_END = -4 };

/* A member as it was met. */
struct met {
	int64_t offset; /* of its content */
	int64_t bytes;
	int64_t index; /* of a block; negative: not one, see met_name() */
	int64_t raw; /* of a block, inflated; 0: not known */
	char sha256[SHA256_TEXT];
};

struct reader {
	int fd;
	const struct reader_options *o;
	struct reader_result *out;
	int64_t at; /* bytes read */
	struct pool *pool;
	pthread_mutex_t mutex; /* guards met */
	struct met *met;
	size_t met_n;
	char name[TAR_NAME]; /* the member being read */
	int64_t size;
	size_t line; /* of MEMBERS, while comparing */
};

/* ERR_DAMAGE in the member that is being read; returns -1. */
int reader_damage(const struct reader *r, struct err *e, const char *what);

/* Name the member in an error that a lower room made; returns -1. */
int reader_in_member(const char *name, int64_t offset, struct err *e);

/* The header of the next member: fills name and size. */
int reader_next(struct reader *r, struct err *e);

/* A member that is read whole; it is met, with its digest. */
int reader_take_whole(struct reader *r, int64_t max, int64_t index,
	struct buf *b, struct err *e);

/* How many blocks there are, and how many bytes one of them holds. */
int64_t reader_block_count(int64_t raw_bytes);
int64_t reader_block_raw(int64_t raw_bytes, int64_t index);

/* reader_list.c: the member that is being read. */
int reader_globals(struct reader *r, struct err *e);
int reader_tables(struct reader *r, struct err *e);
/* MEMBERS, MANIFEST and the end of the file. */
int reader_end(struct reader *r, struct err *e);

/* Header and manifest agree; every block is there once. */
int reader_whole(struct reader *r, struct err *e);

#endif
