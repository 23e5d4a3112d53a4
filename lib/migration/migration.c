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

/* "mig: allow-loss NAME" and its kin, from behind "mig:". */
static int
directive(struct migration_part *p, const char *at, const char *end, int line,
	struct err *e)
{
	const char *verb, *arg;
	size_t n = comment_word(&at, end, &verb), k = comment_word(&at, end, &arg);
	struct strs *list;
	char *copy;

	if (comment_is(verb, n, "allow-loss"))
		list = &p->allow_loss;
	else if (comment_is(verb, n, "rebuild"))
		list = &p->rebuilds;
	else
		return bad_line(e, p->file, line,
			"mig knows no such directive; it knows allow-loss "
			"NAME and rebuild TABLE");
	if (k == 0)
		return bad_line(e, p->file, line, "the directive names "
						  "nothing");
	copy = mem_dup_n(arg, k);
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
	p->file = mem_dup(path);
	p->line = line;
	return migration_prepare(p, e);
}

static void
free_part(struct migration_part *p)
{
	free(p->text);
	free(p->file);
	strs_free(&p->allow_loss);
	strs_free(&p->rebuilds);
}

void
migration_free(struct migration *m)
{
	free(m->version);
	free(m->name);
	free(m->checksum);
	free(m->sum);
	free(m->script);
	free_part(&m->up);
	free_part(&m->down);
	memset(m, 0, sizeof(*m));
}
