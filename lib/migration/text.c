/* text: includes and placeholders. */
#include "migration/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/values.h"
#include "migration/comment.h"
#include "migration/format/format.h"
#include "migration/migration.h"
#include "os/file.h"

/* --- includes ------------------------------------------------------------- */

/* Add a piece of the text that is made: so many lines of a file. */
static void
add_piece(struct migration_part *p, const char *file, int first, int line)
{
	struct migration_piece *x;

	p->pieces = mem_more(p->pieces, p->piece_n, sizeof(*p->pieces));
	x = &p->pieces[p->piece_n++];
	x->file = mem_dup(file);
	x->line = line;
	x->first = first;
}

static int
outside(struct err *e, const struct migration_part *p, int line,
	const char *path)
{
	err_set(e, ERR_USAGE, "migration", "'%s' line %d: '%s' is not within "
		"the folder of the migrations", p->file, line, path);
	return err_next(e, "name it from that folder: -- mig: include "
		"parts/names.sql");
}

/* The path within the folder, which no link may lead out of. */
static int
slurp(struct migration_part *p, const char *folder, const char *path, int line,
	struct buf *out, struct err *e)
{
	char *full = file_join(folder, path);
	char *real = realpath(full, NULL), *home = realpath(folder, NULL);
	size_t n = home == NULL ? 0 : strlen(home);
	int result = 0;

	if (*path == '/' || (real != NULL && home != NULL &&
		(strncmp(real, home, n) != 0 || real[n] != '/')))
		result = outside(e, p, line, path);
	else if (format_slurp(folder, path, out, e) == -1)
		result = err_wrap(e, "'%s' line %d", p->file, line);
	free(real);
	free(home);
	free(full);
	return result;
}

/* Lines of a fragment: directives in it hold for the whole, but no include. */
static int
look_at_fragment(struct migration_part *p, const char *file, const char *text,
	struct err *e)
{
	struct migration_part x = { .text = mem_dup(text),
		.file = mem_dup(file), .line = 1 };
	int result = migration_prepare(&x, e);
	size_t i;

	if (result == 0 && (x.include || x.after.n > 0 || x.repeatable ||
		x.expects.n > 0))
		result = format_bad(e, file, 0, "an included file may hold "
			"no '-- mig: include', '-- mig: after', '-- mig: "
			"repeatable' and '-- mig: expect'");
	for (i = 0; i < x.allow_loss.n; i++)
		strs_add_once(&p->allow_loss, x.allow_loss.v[i]);
	for (i = 0; i < x.rebuilds.n; i++)
		strs_add_once(&p->rebuilds, x.rebuilds.v[i]);
	if (result == 0 && strstr(text, "-- migrate:") != NULL)
		result = format_bad(e, file, 0, "an included file is of one "
			"direction, and may hold no '-- migrate:' marker");
	p->placeholders |= x.placeholders;
	migration_free_part(&x);
	return result;
}

/* The path of "-- mig: include PATH"; NULL: the line is another one.  Gives. */
static char *
included(const char *at, const char *end)
{
	const char *key, *word;
	size_t n = comment_key(&at, end, &key);

	if (n == 0 || !comment_is(key, n, "mig:"))
		return NULL;
	n = comment_word(&at, end, &word);
	if (!comment_is(word, n, "include"))
		return NULL;
	n = comment_word(&at, end, &word);
	return mem_dup_n(word, n);
}

static int
count_lines(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

int
text_include(struct migration_part *p, const char *folder, struct err *e)
{
	const char *at, *end;
	struct buf out = { 0 };
	int line = p->line, now = p->line, result = 0;

	if (!p->include)
		return 0;
	add_piece(p, p->file, now, line);
	for (at = p->text; *at != '\0' && result == 0;
		at = *end == '\0' ? end : end + 1, line++, now++) {
		char *path, *full;
		struct buf fragment = { 0 };

		end = at + strcspn(at, "\n");
		path = included(at, end);
		if (path == NULL) {
			buf_add(&out, at, (size_t)(end - at));
			buf_text(&out, *end == '\0' ? "" : "\n");
			continue;
		}
		/* The ledger keeps the text: it must not be included again. */
		buf_printf(&out, "-- mig: included %s\n", path);
		full = file_join(folder, path);
		result = slurp(p, folder, path, line, &fragment, e);
		if (result == 0)
			result = look_at_fragment(p, full, fragment.data, e);
		if (result == 0 && fragment.len > 0) {
			add_piece(p, full, now + 1, 1);
			buf_add(&out, fragment.data, fragment.len);
			if (fragment.data[fragment.len - 1] != '\n')
				buf_char(&out, '\n');
			now += count_lines(fragment.data) +
				(fragment.data[fragment.len - 1] != '\n');
			add_piece(p, p->file, now + 1, line + 1);
		}
		buf_free(&fragment);
		free(full);
		free(path);
	}
	if (result == 0) {
		free(p->text);
		p->text = out.data == NULL ? mem_dup("") : buf_detach(&out);
	}
	buf_free(&out);
	return result;
}

const char *
text_place(const struct migration_part *p, int *line)
{
	size_t i;

	for (i = p->piece_n; i > 0; i--)
		if (p->pieces[i - 1].first <= *line) {
			*line += p->pieces[i - 1].line - p->pieces[i - 1].first;
			return p->pieces[i - 1].file;
		}
	return p->file == NULL ? "ledger" : p->file;
}

void
text_copy_places(struct migration_part *to, const struct migration_part *from)
{
	size_t i;

	for (i = 0; i < from->piece_n; i++)
		add_piece(to, from->pieces[i].file, from->pieces[i].first,
			from->pieces[i].line);
}

/* --- placeholders --------------------------------------------------------- */

int
text_has_placeholder(const char *text)
{
	const char *at = text == NULL ? NULL : strstr(text, "${");

	return at != NULL && strchr(at, '}') != NULL;
}

void
text_fill(struct migration_part *p, const struct values *values)
{
	const char *at = p->text, *open;
	struct buf out = { 0 };

	if (!p->placeholders || at == NULL)
		return;
	while ((open = strstr(at, "${")) != NULL && p->unfilled == NULL) {
		size_t n = strspn(open + 2, VALUES_NAME);
		const struct value *x = values_find(values, open + 2, n);

		/* "$${" is "${" itself, in mig's own format. */
		if (open > at && open[-1] == '$' && !p->of_other) {
			buf_add(&out, at, (size_t)(open - at) - 1);
			buf_text(&out, "${");
			at = open + 2;
			continue;
		}
		buf_add(&out, at, (size_t)(open - at));
		if (n == 0 || open[2 + n] != '}' || x == NULL) {
			p->unfilled = mem_dup_n(open, n + 2 + (open[2 + n] ==
				'}'));
			break;
		}
		if (x->secret && *x->text != '\0')
			strs_add(&p->secrets, x->text);
		buf_text(&out, x->text);
		at = open + 2 + n + 1;
	}
	buf_text(&out, at);
	free(p->run);
	p->run = buf_detach(&out);
}

int
text_check(const struct migration_part *p, struct err *e)
{
	size_t n = p->unfilled == NULL ? 0 : strlen(p->unfilled);

	if (p->unfilled == NULL && (!p->placeholders || p->run != NULL))
		return 0;
	err_set(e, ERR_USAGE, "placeholder", "'%s': %s %s",
		p->file == NULL ? "ledger" : p->file,
		n == 0 ? "a placeholder" : p->unfilled,
		n > 0 && p->unfilled[n - 1] != '}' ?
		"is no placeholder: ${NAME}" : "has no value");
	return err_next(e, "give it: --set NAME=VALUE, --set-file NAME=PATH, or "
		"set.NAME in mig.conf; to write it as it is: $${");
}

/* Every place of what in text becomes "***".  size: room for the text. */
static void
hide(char *text, const char *what)
{
	size_t n = strlen(what), stars = n < 3 ? n : 3;
	char *at = text;

	while ((at = strstr(at, what)) != NULL) {
		memcpy(at, "***", stars);
		memmove(at + stars, at + n, strlen(at + n) + 1);
		at += stars;
	}
}

static int
by_length(const void *a, const void *b)
{
	size_t n = strlen(*(char *const *)a), k = strlen(*(char *const *)b);

	return (n < k) - (n > k); /* the longest first: one may begin another */
}

void
text_hide(const struct migration_part *p, struct err *e)
{
	/* These are mig's own words; all others may hold any piece of a value. */
	static const char *const ours[] = { "loss", "forbidden", "interrupted",
		"lock-timeout", "lock-lost", "locked", "busy", "scan", "no-space",
		"io", "unreachable", NULL };
	const char *const *o = ours;
	struct strs l = { 0 };
	size_t i;

	if (p->secrets.n == 0)
		return;
	while (*o != NULL && strcmp(*o, e->reason) != 0)
		o++;
	if (*o == NULL) {
		char reason[sizeof(e->reason)];

		snprintf(reason, sizeof(reason), "%s", e->reason);
		err_set(e, e->code, reason, "the database refused it; its words "
			"are not shown, because the migration has secrets");
		err_next(e, "try it on a copy, with values that are none");
		return;
	}
	for (i = 0; i < p->secrets.n; i++)
		strs_add(&l, p->secrets.v[i]);
	qsort(l.v, l.n, sizeof(*l.v), by_length);
	for (i = 0; i < l.n; i++) {
		hide(e->text, l.v[i]);
		hide(e->next, l.v[i]);
	}
	strs_free(&l);
}
