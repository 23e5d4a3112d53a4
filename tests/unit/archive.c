/*
 * An archive in memory-sized form: every bit that is flipped, every length at
 * which it is cut, and every two that are spliced must be noticed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/manifest.h"
#include "archive/reader.h"
#include "archive/writer.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/zst.h"
#include "tap.h"

#define RAW (ZST_BLOCK + 70000)

static int
keep_quiet(void *arg, int64_t offset, const void *p, size_t n, struct err *e)
{
	unsigned char *raw = arg;

	(void)e;
	memcpy(raw + offset, p, n);
	return 0;
}

/* Write an archive of RAW bytes to fd: its length. */
static int64_t
make(int fd, const char *id, const unsigned char *raw, int64_t n)
{
	struct manifest_header h = { 0 };
	struct manifest m = { 0 };
	struct shape_list tables = { 0 };
	struct wire_table t = { (char *)"t", 3, -1, NULL };
	struct writer *w;
	struct err e;
	int64_t total = 0, at;
	static char zeros[65];

	memset(zeros, '0', 64);
	h.tool = m.tool = (char *)"test";
	h.id = m.id = (char *)id;
	h.created = m.created = 1700000000;
	h.database.engine = m.database.engine = "sqlite";
	h.database.name = m.database.name = (char *)"a.db";
	h.database.path = m.database.path = (char *)"/a.db";
	h.raw_bytes = m.raw_bytes = n;
	m.fingerprint = zeros;
	m.position.journal = "wal";
	m.purpose = manifest_purposes[0];
	tables.items = &t;
	tables.n = 1;
	if (writer_open(&w, fd, 2, 3, &h, &e) == -1)
		return -1;
	/* Backwards within the first block, then onwards. */
	for (at = n < (int64_t)ZST_BLOCK ? n : (int64_t)ZST_BLOCK; at > 0;) {
		int64_t from = at > 4096 ? at - 4096 : 0;

		writer_put(w, from, raw + from, (size_t)(at - from), &e);
		at = from;
	}
	if (n > (int64_t)ZST_BLOCK &&
		writer_put(w, ZST_BLOCK, raw + ZST_BLOCK,
			(size_t)(n - (int64_t)ZST_BLOCK), &e) == -1)
		printf("# %s\n", e.text);
	if (writer_finish(w, &tables, &m, &total, &e) == -1)
		printf("# %s\n", e.text);
	writer_free(w);
	free(m.digest);
	free(m.members_sha256);
	return total;
}

static int
reads(int fd, struct err *e)
{
	struct reader_options o = { .jobs = 1, .inflate = 1, .what = "x" };
	struct reader_result r;
	int result;

	lseek(fd, 0, SEEK_SET);
	result = reader_run(fd, &o, &r, e);
	reader_result_free(&r);
	return result == 0;
}

static int
temp(void)
{
	return memfd_create("archive", MFD_CLOEXEC);
}

static void
round_trip(const unsigned char *raw)
{
	unsigned char *back = mem_alloc(RAW);
	struct reader_options o = { .jobs = 2, .inflate = 1,
		.block = keep_quiet, .arg = back, .what = "x" };
	struct reader_result r;
	struct stat st;
	struct err e;
	int fd = temp();
	int64_t total = make(fd, "00000000000000000000000000000001", raw, RAW);

	OK(fstat(fd, &st) == 0 && st.st_size == total, "its length is told");
	lseek(fd, 0, SEEK_SET);
	if (reader_run(fd, &o, &r, &e) == -1)
		OK(0, "%s", e.text);
	OK(memcmp(back, raw, RAW) == 0, "what was put comes back");
	OK(r.blocks == 2 && r.tables.n == 1 && r.manifest.rows == 3,
		"with its tables");
	reader_result_free(&r);
	close(fd);
	free(back);
}

static void
spoil(const unsigned char *raw)
{
	unsigned char *bytes;
	int64_t n, i, missed = 0, blamed = 0;
	struct err e;
	int fd = temp(), other = temp();

	n = make(fd, "00000000000000000000000000000001", raw, 5000);
	make(other, "00000000000000000000000000000002", raw, 5000);
	OK(reads(fd, &e) && reads(other, &e), "both are good");
	bytes = mmap(NULL, (size_t)n, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		0);
	for (i = 0; i < n; i++) {
		bytes[i] ^= (unsigned char)(1 << (i % 8));
		missed += reads(fd, &e);
		blamed += e.code == ERR_DAMAGE;
		bytes[i] ^= (unsigned char)(1 << (i % 8));
	}
	OK(missed == 0, "a flipped bit in any of %d bytes is noticed", (int)n);
	OK(blamed == n, "and is called damage");
	munmap(bytes, (size_t)n);
	for (missed = 0, i = n - 1; i >= 0; i -= 37) {
		if (ftruncate(fd, i) == 0)
			missed += reads(fd, &e);
	}
	OK(missed == 0, "cut short at any length, it is noticed");
	close(fd);
	close(other);
}

/* Half of one, half of another; one and one more; a member twice. */
static void
splice_two(const unsigned char *raw)
{
	unsigned char *a = mem_alloc(100000), *b = mem_alloc(100000);
	struct err e;
	int fd = temp(), missed = 0;
	int64_t n, m, cut;

	n = make(fd, "00000000000000000000000000000001", raw, 5000);
	OK(pread(fd, a, (size_t)n, 0) == n, "one");
	OK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "anew");
	m = make(fd, "00000000000000000000000000000002", raw + 9, 5000);
	OK(pread(fd, b, (size_t)m, 0) == m, "another");
	for (cut = 512; cut < n && cut < m; cut += 512) {
		/* Where it makes one of the two again, it is no splice. */
		if (memcmp(a, b, (size_t)cut) == 0 ||
			(n == m && memcmp(a + cut, b + cut,
				(size_t)(n - cut)) == 0))
			continue;
		if (ftruncate(fd, 0) == -1 ||
			pwrite(fd, a, (size_t)cut, 0) != cut ||
			pwrite(fd, b + cut, (size_t)(m - cut), cut) != m - cut)
			OK(0, "spliced");
		missed += reads(fd, &e);
	}
	OK(missed == 0, "two spliced archives are noticed");
	if (ftruncate(fd, 0) == -1 || pwrite(fd, a, (size_t)n, 0) != n ||
		pwrite(fd, b, (size_t)m, n) != m)
		OK(0, "joined");
	OK(!reads(fd, &e), "two in a row: %s", e.text);
	close(fd);
	free(a);
	free(b);
}

/* A frame that claims more than its block may hold is not inflated. */
static void
bomb(void)
{
	unsigned char *big = mem_alloc(ZST_BLOCK * 2), *out;
	struct zst *z = zst_new(1);
	size_t n, len;
	struct err e;

	out = mem_alloc(zst_bound(ZST_BLOCK * 2));
	OK(zst_pack(z, big, ZST_BLOCK * 2, out, zst_bound(ZST_BLOCK * 2), &n,
		&e) == 0 && n < 2000, "8 MiB of zeros are small");
	OK(zst_unpack(z, out, n, big, ZST_BLOCK, &len, &e) == -1 &&
		strstr(e.text, "claims") != NULL, "refused: %s", e.text);
	zst_free(z);
	free(big);
	free(out);
}

int
main(void)
{
	unsigned char *raw = mem_alloc(RAW);
	size_t i;

	for (i = 0; i < RAW; i++)
		raw[i] = (unsigned char)(i * 2654435761u >> 13);
	round_trip(raw);
	spoil(raw);
	splice_two(raw);
	bomb();
	free(raw);
	return tap_done();
}
