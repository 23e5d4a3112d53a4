/* The ground floor: numbers, time, text, errors. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/shell.h"
#include "base/strs.h"
#include "tap.h"

static void
numbers(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} spans[] = { { "90", 90 }, { "90s", 90 }, { "15m", 900 },
		{ "2h", 7200 }, { "7d", 604800 }, { "", -1 }, { "h", -1 },
		{ "1x", -1 }, { "1hh", -1 }, { "-1", -1 }, { " 1", -1 } };
	static const struct {
		const char *a, *b;
		int order;
	} versions[] = { { "1", "2", -1 }, { "9", "10", -1 },
		{ "007", "7", 0 }, { "20260101", "3", 1 },
		{ "99999999999999999999999", "100000000000000000000000", -1 } };
	char out[32];
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		n = -1;
		if (num_span(spans[i].text, &n) == -1)
			n = -1;
		OK(n == spans[i].seconds, "span '%s'", spans[i].text);
	}
	for (i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		int order = num_compare_digits(versions[i].a, versions[i].b);

		OK((order > 0) - (order < 0) == versions[i].order,
			"%s against %s", versions[i].a, versions[i].b);
	}
	IS(num_commas(0, out, sizeof(out)), "0", "commas of 0");
	IS(num_commas(999, out, sizeof(out)), "999", "commas of 999");
	IS(num_commas(48112, out, sizeof(out)), "48,112", "commas of 48112");
	IS(num_commas(-1234567, out, sizeof(out)), "-1,234,567", "negative");
	OK(num_parse("12a", 0, 100, &n) == -1, "12a is no number");
	OK(num_parse("101", 0, 100, &n) == -1, "101 is out of range");
	OK(num_parse("9223372036854775808", 0, INT64_MAX, &n) == -1,
		"overflow is no number");
}

static void
times(void)
{
	static const char *const bad[] = { "2026-02-30T00:00:00Z",
		"2026-1-01T00:00:00Z", "2026-01-01T00:00:00", "",
		"2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z" };
	char text[CLOCK_TEXT];
	int64_t when;
	size_t i;

	OK(clock_parse("2026-01-31T23:59:59Z", &when) == 0 &&
		when == 1769903999, "a time is read");
	clock_text(when, text);
	IS(text, "2026-01-31T23:59:59Z", "and written the same");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		OK(clock_parse(bad[i], &when) == -1, "'%s' is no time", bad[i]);
}

static void
errors(void)
{
	char longer[4096];
	struct err e;

	err_set(&e, ERR_USAGE, "x", "a '%s'\nb\033", "c");
	IS(e.text, "a 'c' b?", "an error is one line");
	err_wrap(&e, "outer");
	IS(e.text, "outer: a 'c' b?", "context comes first");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&e, ERR_USAGE, "x", "%s", longer);
	err_wrap(&e, "%s", "ctx");
	OK(strncmp(e.text, "ctx: xxx", 8) == 0 &&
		strlen(e.text) < sizeof(e.text), "a long text is cut, not spilt");
	err_set(&e, ERR_ENV, "y", "again: %s", e.text);
	OK(strncmp(e.text, "again: ctx: x", 13) == 0, "its own text may be used");
}

static void
text(void)
{
	struct strs l = { 0 };
	struct buf b = { 0 };
	int i;

	strs_add_once(&l, "Users");
	strs_add_once(&l, "USERS");
	OK(l.n == 1, "names are the same in any case");
	for (i = 0; i < 100; i++)
		strs_add(&l, "x");
	OK(l.n == 101 && strs_has(&l, "users"), "a list grows");
	strs_free(&l);
	OK(strs_is_utf8("gr\xc3\xbc\xc3\x9f", 6), "UTF-8");
	OK(!strs_is_utf8("\xc0\xaf", 2), "overlong is not UTF-8");
	OK(!strs_is_utf8("\xed\xa0\x80", 3), "a surrogate is not UTF-8");
	OK(!strs_is_utf8("\xe2\x82", 2), "a cut one is not UTF-8");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	OK(b.len == 3890, "a buffer grows (%zu)", b.len);
	buf_free(&b);
}

static void
words(void)
{
	static const struct {
		const char *word, *read_back;
	} list[] = { { "a/b-1.tar", "a/b-1.tar" }, { "", "''" },
		{ "My Files/x", "'My Files/x'" },
		{ "it's", "'it'\\''s'" }, { "~", "'~'" },
		{ "$(id)", "'$(id)'" } };
	static char endless[1000];
	struct buf b = { 0 };
	struct err e;
	char small[5];
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(*list); i++) {
		buf_shell(&b, list[i].word);
		IS(b.data, list[i].read_back, "'%s' for a shell", list[i].word);
		buf_clear(&b);
	}
	buf_free(&b);
	OK(shell_quote(small, sizeof(small), "long one") == 10, "its length");
	err_set(&e, ERR_NO, "x", "x");
	err_next(&e, "run");
	err_next_word(&e, "a b");
	IS(e.next, "run 'a b'", "a word behind what is next");
	memset(endless, '\'', sizeof(endless) - 1);
	err_next(&e, "run");
	err_next_word(&e, endless);
	IS(e.next, "run ...", "one that does not fit is left out");
	for (i = 760; i < 768; i++) {
		err_next(&e, "%.*s", (int)i, endless);
		err_next_word(&e, "word");
		OK(strlen(e.next) < sizeof(e.next), "room behind %zu", i);
	}
}

int
main(void)
{
	numbers();
	times();
	errors();
	text();
	words();
	return tap_done();
}
