/*
 * format_refinery: refinery (refinery_core/src/util.rs, runner.rs): V1__name.sql
 * and U1__name.sql, which may come late; no way down.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "codec/digest.h"
#include "db/db.h"
#include "migration/format/format.h"
#include "migration/history.h"

/* ^([U|V])(\d+(?:\.\d+)?)__(\w+)\.sql$, the version an int4. */
static int
parse_refinery(const char *file, struct format_file *out, struct err *e)
{
	size_t n = strlen(file), digits = strspn(file + (n > 0),
		"0123456789"), i;
	int64_t value;

	if (n < 9 || (*file != 'V' && *file != 'U') || digits == 0 ||
		!strs_ends(file, ".sql") || strncmp(file + 1 + digits, "__",
			2) != 0)
		return 0;
	for (i = digits + 3; i < n - 4; i++)
		if (strchr(" -.()+,", file[i]) != NULL)
			return 0;
	out->version = mem_dup_n(file + 1, digits);
	if (num_parse(out->version, 0, INT32_MAX, &value) == -1) {
		err_set(e, ERR_USAGE, "migration", "'%s': the version is more "
			"than refinery can count", file);
		return err_next(e, "its versions are numbers up to "
			"2147483647");
	}
	out->name = mem_dup_n(file + digits + 3, n - 4 - digits - 3);
	out->side = 'u';
	return 1;
}

static int
list_refinery(struct format_files *f, struct err *e)
{
	return format_tree(f, parse_refinery, e);
}

/* SipHash-1-3 of the name, FF, the version as 4 bytes, the text, FF. */
static void
sum_refinery(const struct migration *m, const char *raw, size_t n,
	struct buf *out)
{
	long version = strtol(m->version, NULL, 10);
	struct buf b = { 0 };
	int i;

	buf_text(&b, m->name);
	buf_char(&b, '\xff');
	for (i = 0; i < 4; i++)
		buf_char(&b, (char)(version >> (8 * i) & 255));
	buf_add(&b, raw, n);
	buf_char(&b, '\xff');
	buf_printf(out, "%llu", (unsigned long long)digest_siphash13(b.data,
		b.len));
	buf_free(&b);
}

static int
load_refinery(struct history *h, struct ledger *out, const struct set *s,
	struct err *e)
{
	(void)s;
	return history_rows(h, out, e, "SELECT version, name, checksum, "
		"'applied' FROM %s");
}

static int
put_refinery(struct history *h, const struct migration *m,
	const struct format_done *done, struct err *e)
{
	char now[CLOCK_TEXT];

	(void)done;
	clock_text(clock_now(), now);
	return history_exec(h, e, "INSERT INTO %s (version, name, applied_on, "
		"checksum) VALUES (?1, ?2, ?3, ?4)", "ssss", m->version,
		m->name, now, m->sum);
}

static int
restamp_refinery(struct history *h, const struct migration *m, struct err *e)
{
	return history_exec(h, e, "UPDATE %s SET checksum = ?2 WHERE version = "
		"?1", "ss", m->version, m->sum);
}

static void
write_refinery(struct format_text *t)
{
	t->files[0] = mem_printf("V%s__%s.sql", t->version, t->name);
	buf_text(&t->texts[0], t->up);
}

static const char *const refinery_columns[] = { "version", "applied_on",
	"checksum", NULL };

#define REFINERY \
	"CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name " \
	"VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))"

static const struct format_history refinery_history = {
	.table = "refinery_schema_history", .columns = refinery_columns,
	.create = { REFINERY, REFINERY }, .load = load_refinery,
	.put = put_refinery, .restamp = restamp_refinery, .remove = format_remove_version,
};

const struct format format_refinery = { .name = "refinery",
	.shown = "refinery", .list = list_refinery,
	.read = format_whole, .unmarked = 1, .first = "1", .sum = sum_refinery, .write = write_refinery,
	.history = &refinery_history };
