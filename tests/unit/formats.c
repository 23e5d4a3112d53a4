/* Versions of formats compared, checksums of other tools by known values. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/digest.h"
#include "migration/format/format.h"
#include "tap.h"

static const struct {
	enum version_rule rule;
	const char *a, *b;
	int order;
} versions[] = {
	{ VERSION_NUMBER, "7", "007", 0 },
	{ VERSION_NUMBER, "9", "10", -1 },
	{ VERSION_NUMBER, "1.9", "1.10", -1 },
	{ VERSION_NUMBER, "1", "1.0.0", 0 },
	{ VERSION_NUMBER, "1.0", "1.0.1", -1 },
	{ VERSION_NUMBER, "1.2", "1", 1 },
	{ VERSION_NUMBER, "20260101000000", "99", 1 },
	{ VERSION_NUMBER, "18446744073709551616", "18446744073709551615", 1 },
	{ VERSION_NUMBER, "99999999999999", "R:a", -1 },
	{ VERSION_NUMBER, "R:a", "R:b", -1 },
	{ VERSION_TEXT, "7", "007", 1 },
	{ VERSION_TEXT, "10", "9", -1 },
	{ VERSION_TEXT, "10", "1", -1 }, /* 10_b.sql is before 1_a.sql */
	{ VERSION_TEXT, "20260101000000_b", "20260101000000_a", 1 },
	{ VERSION_TEXT, "1", "1", 0 },
};

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

static void
sum(const struct format *f, const char *version, const char *name,
	const char *text, const char *want)
{
	struct migration m = { .version = (char *)version, .name =
		(char *)name };
	struct buf b = { 0 };

	f->sum(&m, text, strlen(text), &b);
	IS(b.data, want, "%s: %s", f->name, want);
	buf_free(&b);
}

int
main(void)
{
	char sha384[DIGEST_SHA384_TEXT];
	size_t i;

	for (i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		enum version_rule r = versions[i].rule;
		const char *a = versions[i].a, *b = versions[i].b;

		OK(sign(version_compare(r, a, b)) == versions[i].order &&
			sign(version_compare(r, b, a)) == -versions[i].order,
			"%s against %s", a, b);
	}
	digest_sha384("", 0, sha384);
	IS(sha384, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63"
		"f6e1da274edebfe76f65fbd51ad2f14898b95b", "SHA-384");
	OK(digest_crc32(0, "123456789", 9) == 0xcbf43926, "CRC-32");
	OK(digest_crc32(digest_crc32(0, "1234", 4), "56789", 5) == 0xcbf43926,
		"CRC-32 in two parts");
	/* Of refinery's own tests; the third is more than an int64. */
	sum(&format_refinery, "1", "initial", "CREATE TABLE persons (\n    id "
		"int,\n    name varchar(255),\n    city varchar(255)\n);\n",
		"2959965718684201605");
	sum(&format_refinery, "3", "add_brand_to_cars_table", "ALTER TABLE "
		"non_existent\nADD brand varchar(255);\n",
		"11315710005134622691");
	/* Lines are what BufferedReader.readLine() makes of them. */
	sum(&format_flyway, "1", "a", "abcd", "-310194927");
	sum(&format_flyway, "1", "a", "\xef\xbb\xbf" "a\rb\r\nc\n\nd\n",
		"-310194927");
	sum(&format_flyway, "1", "a", "", "0");
	return tap_done();
}
