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

enum text_open
text_has_placeholder(enum text_open how, const char *text)
{
	static const char *const brackets[][2] = { [TEXT_DOLLAR] = { "${", "}" },
		[TEXT_BRACES] = { "{{", "}}" } };
	const char *at = text == NULL || how == TEXT_NONE ? NULL :
		strstr(text, brackets[how][0]);

	return at != NULL && strstr(at, brackets[how][1]) != NULL ? how :
		TEXT_NONE;
}

/* A placeholder: len bytes from open on, and the n of its name; 0: it is none. */
struct hole {
	const char *open, *name;
	size_t len, n;
};

/* Behind word, and the spaces after it; NULL: another one is there. */
static const char *
behind(const char *at, const char *word)
{
	if (at == NULL || !strs_starts(at, word))
		return NULL;
	at += strlen(word);
	return at + strspn(at, " \t");
}

/* {{ index .Options "NAME" }} and {{ .Options.NAME }}, or .Parameters of popx. */
static void
read_braces(struct hole *h)
{
	static const char *const maps[] = { ".Options", ".Parameters" };
	const char *end = strstr(h->open, "}}"), *at, *name;
	size_t i;

	h->len = end == NULL ? strcspn(h->open, "\n") :
		(size_t)(end - h->open) + 2;
	for (i = 0; i < 2 && h->n == 0; i++) {
		size_t n;

		at = behind(behind(h->open, "{{"), "index");
		name = behind(behind(at, maps[i]), "\"");
		n = name == NULL ? 0 : strspn(name, VALUES_NAME);
		at = n == 0 ? NULL : behind(name + n, "\"");
		if (name == NULL) {
			name = behind(behind(behind(h->open, "{{"), maps[i]),
				".");
			n = name == NULL ? 0 : strspn(name, VALUES_NAME);
			at = n == 0 ? NULL : name + n + strspn(name + n, " \t");
		}
		if (at == NULL || at != end)
			continue;
		h->name = name;
		h->n = n;
	}
}

/* The next in text; 0: there is none. */
static int
next_hole(enum text_open how, const char *text, struct hole *h)
{
	memset(h, 0, sizeof(*h));
	h->open = strstr(text, how == TEXT_BRACES ? "{{" : "${");
	if (h->open == NULL)
		return 0;
	if (how == TEXT_BRACES) {
		read_braces(h);
		return 1;
	}
	h->name = h->open + 2;
	h->n = strspn(h->name, VALUES_NAME);
	h->len = h->n + 2 + (h->name[h->n] == '}');
	if (h->name[h->n] != '}')
		h->n = 0;
	return 1;
}

/* Gives; notes in p what has no value, and what is secret. */
static char *
fill(struct migration_part *p, const char *at, const struct values *values)
{
	struct buf out = { 0 };
	struct hole h;

	while (p->unfilled == NULL && next_hole(p->placeholders, at, &h)) {
		const struct value *x = h.n == 0 ? NULL :
			values_find(values, h.name, h.n);

		/* "$${" is "${" itself, in mig's own format. */
		if (h.open > at && h.open[-1] == '$' && !p->of_other) {
			buf_add(&out, at, (size_t)(h.open - at) - 1);
			buf_text(&out, "${");
			at = h.open + 2;
			continue;
		}
		buf_add(&out, at, (size_t)(h.open - at));
		at = h.open;
		if (h.n == 0 || x == NULL) {
			p->unfilled = mem_dup_n(h.open, h.len);
			break;
		}
		if (x->secret && *x->text != '\0')
			strs_add(&p->secrets, x->text);
		buf_text(&out, x->text);
		at += h.len;
	}
	buf_text(&out, at);
	return buf_detach(&out);
}

void
text_fill(struct migration_part *p, const struct values *values)
{
	size_t i;

	if (!p->placeholders || p->text == NULL)
		return;
	free(p->run);
	p->run = fill(p, p->text, values);
	for (i = 0; i < p->expects.n && p->unfilled == NULL; i++) {
		char *text = fill(p, p->expects.v[i].text, values);

		free(p->expects.v[i].text);
		p->expects.v[i].text = text;
	}
}

int
text_check(const struct migration_part *p, struct err *e)
{
	struct hole h = { 0 };
	char name[64] = "NAME";
	const char *file = p->file == NULL ? "ledger" : p->file;

	if (p->unfilled == NULL && (!p->placeholders || p->run != NULL))
		return 0;
	if (p->unfilled != NULL)
		next_hole(p->placeholders, p->unfilled, &h);
	if (p->unfilled == NULL || h.n > 0)
		err_set(e, ERR_USAGE, "placeholder", "'%s': %s has no value",
			file, p->unfilled == NULL ? "a placeholder" :
			p->unfilled);
	else
		err_set(e, ERR_USAGE, "placeholder", "'%s': %.200s is no "
			"placeholder: %s", file, p->unfilled,
			p->placeholders == TEXT_BRACES ?
			"{{ index .Options \"NAME\" }}" : "${NAME}");
	if (p->placeholders == TEXT_BRACES && p->unfilled != NULL && h.n == 0)
		return err_next(e, "mig fills in nothing else of a template: "
			"write down what it gives");
	if (h.n > 0)
		snprintf(name, sizeof(name), "%.*s", (int)h.n, h.name);
	return err_next(e, "give it: --set %s=VALUE, --set-file %s=PATH, or "
		"set.%s in mig.conf%s", name, name, name, p->placeholders ==
		TEXT_BRACES ? "" : "; to write it as it is: $${");
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
		"io", "unreachable", "expectation", "foreign-keys", "rehearsal",
		NULL };
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
	strs_add_all(&l, &p->secrets);
	qsort(l.v, l.n, sizeof(*l.v), by_length);
	for (i = 0; i < l.n; i++) {
		hide(e->text, l.v[i]);
		hide(e->next, l.v[i]);
	}
	strs_free(&l);
}
