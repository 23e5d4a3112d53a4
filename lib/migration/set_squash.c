/* set_squash: squashed migrations, and what they stand for. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "migration/format/format.h"
#include "migration/set_part.h"
#include "os/file.h"

/* qsort() hands nothing through. */
static __thread enum version_rule rule;

static int
by_replaced(const void *a, const void *b)
{
	const struct set_replaced *x = a, *y = b;

	return version_compare(rule, x->version, y->version);
}

/* What was squashed, and must not be there beside that. */
int
set_find_replaced(struct set *s, struct err *e)
{
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		const struct migration *m = &s->v[i], *x;

		for (k = 0; k < m->up.replaces.n; k++) {
			s->replaced = mem_more(s->replaced, s->replaced_n,
				sizeof(*s->replaced));
			s->replaced[s->replaced_n].version =
				m->up.replaces.v[k];
			s->replaced[s->replaced_n++].by = m;
			x = set_find(s, m->up.replaces.v[k]);
			if (x == NULL || x == m)
				continue;
			set_twice(e, x->version, m->script, x->script);
			return err_next(e, "'%s' replaces it: take the old file "
				"away", m->script);
		}
	}
	rule = s->format->rule;
	if (s->replaced_n > 0)
		qsort(s->replaced, s->replaced_n, sizeof(*s->replaced),
			by_replaced);
	return 0;
}

/* A squash that was killed between its files (op_squash.c). */
int
set_judge_squash(const struct set *s, const struct strs *folders, struct err *e)
{
	size_t i;
	int there = 0;

	for (i = 0; i < folders->n && s->format->graph == FORMAT_LINE && !there;
		i++) {
		char *path = mem_printf("%s/%s/new.sql", s->folder,
			folders->v[i]);

		there = file_exists(path);
		if (there) {
			err_set(e, ERR_USAGE, "migration", "a squash was "
				"interrupted: '%s' is there", path);
			err_next(e, "move all other files of that folder back "
				"to '%s', then remove it", s->folder);
		}
		free(path);
	}
	return there ? -1 : 0;
}

static const char *
version_at(const void *list, size_t i)
{
	return ((const struct set_replaced *)list)[i].version;
}

const struct migration *
set_replaced(const struct set *s, const char *version)
{
	size_t i = version_search(s->format->rule, version, s->replaced_n,
		version_at, s->replaced);

	return i == s->replaced_n ? NULL : s->replaced[i].by;
}
