/* migration: one versioned change, read from its file or files. */
#include "migration/migration.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/sha256.h"
#include "migration/comment.h"

void
migration_checksum(const char *text, char out[65])
{
	struct sha256 *h = sha256_new();
	const char *cr;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while ((cr = strstr(text, "\r\n")) != NULL) {
		sha256_add(h, text, (size_t)(cr - text));
		text = cr + 1;
	}
	sha256_add(h, text, strlen(text));
	sha256_end_text(h, out);
	sha256_free(h);
}

static int
bad_line(struct err *e, const char *file, int line, const char *what)
{
	return err_set(e, ERR_USAGE, "migration", "'%s' line %d: %s",
		file == NULL ? "ledger" : file, line, what);
}

/* "4, 5": versions. */
static int
versions(struct migration_part *p, struct strs *list, const char *at,
	const char *end, int line, struct err *e)
{
	static const char between[] = ", \t\r";
	size_t n;
	char *copy;

	for (;;) {
		while (at < end && strchr(between, *at) != NULL)
			at++;
		for (n = 0; at + n < end && strchr(between, at[n]) == NULL;)
			n++;
		if (n == 0)
			break;
		copy = mem_dup_n(at, n);
		/* Those that are replaced may be thousands, each once. */
		if (list == &p->after)
			strs_add_once(list, copy);
		else
			strs_add(list, copy);
		free(copy);
		at += n;
	}
	return list->n > 0 ? 0 : bad_line(e, p->file, line,
		"the directive names no version");
}

/* "3 baseline: 1, 2, 3": an earlier one, and what it stood for. */
static int
squashed(struct migration_part *p, const char *at, const char *end, int line,
	struct err *e)
{
	const char *colon;

	while (at < end && *at == ' ')
		at++;
	colon = memrchr(at, ':', (size_t)(end - at));
	if (colon == NULL || memchr(at, ' ', (size_t)(colon - at)) == NULL)
		return bad_line(e, p->file, line, "the directive needs VERSION "
			"NAME: VERSION, ...");
	strs_add_n(&p->squashed, at, (size_t)(end - at));
	return 0;
}

/* Of the whole migration: 1 when it is one. */
static int
of_all(struct migration_part *p, const char *at, const char *end, int line,
	struct err *e)
{
	const char *verb;
	size_t n = comment_word(&at, end, &verb);

	if (comment_is(verb, n, "after"))
		return versions(p, &p->after, at, end, line, e) == -1 ? -1 : 1;
	if (comment_is(verb, n, "replaces"))
		return versions(p, &p->replaces, at, end, line, e) == -1 ? -1 :
			1;
	if (comment_is(verb, n, "squashed"))
		return squashed(p, at, end, line, e) == -1 ? -1 : 1;
	if (comment_is(verb, n, "repeatable"))
		p->repeatable = 1;
	else if (comment_is(verb, n, "placeholders"))
		p->placeholders = TEXT_DOLLAR;
	else
		return 0;
	return comment_word(&at, end, &verb) == 0 ? 1 : bad_line(e, p->file,
		line, "the directive takes nothing behind it");
}

int
migration_directive(struct migration_part *up, const char *at,
	const char *end, int line, struct err *e)
{
	int result = of_all(up, at, end, line, e);

	if (result == 0)
		return bad_line(e, up->file, line, "stands before "
			"'-- migrate:up': put it behind the marker of its "
			"direction");
	return result == -1 ? -1 : 0;
}

/* "mig: allow-loss NAME" and its kin, from behind "mig:". */
static int
directive(struct migration_part *p, const char *at, const char *end, int line,
	struct err *e)
{
	const char *verb, *arg, *start = at;
	size_t n = comment_word(&at, end, &verb), k = comment_word(&at, end, &arg);
	struct strs *list;
	char *copy;
	int whole = of_all(p, start, end, line, e);

	if (whole != 0)
		return whole == -1 ? -1 : 0;
	if (comment_is(verb, n, "included"))
		return 0; /* in the ledger: what follows stood there */
	if (comment_is(verb, n, "expect"))
		return expect_parse(&p->expects, verb + n, end,
			p->file, line, e);
	p->include |= comment_is(verb, n, "include");
	if (comment_is(verb, n, "allow-loss"))
		list = &p->allow_loss;
	else if (comment_is(verb, n, "rebuild"))
		list = &p->rebuilds;
	else if (comment_is(verb, n, "include"))
		list = NULL;
	else
		return bad_line(e, p->file, line,
			"mig knows no such directive; it knows allow-loss "
			"NAME, rebuild TABLE, expect ..., after VERSION, repeatable, "
			"replaces VERSION, placeholders and include PATH");
	if (k == 0)
		return bad_line(e, p->file, line, "the directive names "
						  "nothing");
	copy = mem_dup_n(arg, k);
	if (list != NULL)
		strs_add_once(list, copy);
	free(copy);
	if (comment_word(&at, end, &arg) != 0)
		return bad_line(e, p->file, line,
			"the directive names more than one thing; write one "
			"line for each");
	return 0;
}

int
migration_prepare(struct migration_part *p, struct err *e)
{
	const char *at = p->text, *end, *key, *rest;
	int line = p->line;
	size_t n;

	for (; at != NULL && *at != '\0'; at = *end == '\0' ? end : end + 1,
		line++) {
		end = at + strcspn(at, "\n");
		rest = at;
		n = comment_key(&rest, end, &key);
		if (comment_is(key, n, "mig:") &&
			directive(p, rest, end, line, e) == -1)
			return -1;
	}
	return 0;
}

int
migration_set_part(struct migration_part *p, const char *path,
	const char *text, size_t n, int line, struct err *e)
{
	p->text = mem_dup_n(text, n);
	free(p->file);
	p->file = mem_dup(path);
	p->line = line;
	return migration_prepare(p, e);
}

void
migration_free_part(struct migration_part *p)
{
	size_t i;

	for (i = 0; i < p->piece_n; i++)
		free(p->pieces[i].file);
	free(p->pieces);
	free(p->run);
	free(p->unfilled);
	strs_free(&p->secrets);
	free(p->text);
	free(p->file);
	strs_free(&p->allow_loss);
	strs_free(&p->rebuilds);
	strs_free(&p->after);
	strs_free(&p->replaces);
	strs_free(&p->squashed);
	expect_free(&p->expects);
}

void
migration_free(struct migration *m)
{
	free(m->version);
	free(m->name);
	free(m->checksum);
	free(m->sum);
	free(m->script);
	free(m->parents);
	migration_free_part(&m->up);
	migration_free_part(&m->down);
	memset(m, 0, sizeof(*m));
}
