/* many_list: which databases, as they are named. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/many_part.h"
#include "op/op_db.h"
#include "os/file.h"

#define LIST_MAX ((size_t)16 << 20)

int
many_add(struct many *m, const char *url, const char *section, int line)
{
	struct many_one *x;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (url != NULL ? m->v[i].url != NULL && strcmp(m->v[i].url,
			url) == 0 : m->v[i].section != NULL && strcmp(
			m->v[i].section, section) == 0) {
			if (line == 0)
				err_set(&m->c->err, ERR_USAGE, "usage",
					"a database is named twice: %s",
					m->v[i].label);
			else
				err_set(&m->c->err, ERR_USAGE, "usage",
					"'%s' line %d: it is listed before: %s",
					m->c->databases, line, m->v[i].label);
			return err_next(&m->c->err, "name each once: its runs "
				"would be in each other's way");
		}
	m->v = mem_more(m->v, m->n, sizeof(*m->v));
	x = &m->v[m->n++];
	memset(x, 0, sizeof(*x));
	x->url = mem_dup(url);
	x->section = mem_dup(section);
	x->label = url != NULL ? op_db_label(url) : mem_printf("[%s]",
		section);
	if (x->label == NULL)
		x->label = mem_printf("database %zu", m->n);
	return 0;
}

/* Without a database of its own it would run on that of the top. */
static int
check_section(struct many *m, const char *section, int line)
{
	struct err *e = &m->c->err;
	struct conf conf;
	int own;

	if (conf_read(&conf, m->c->conf.path, section, e) == -1)
		return err_wrap(e, "'%s' line %d", m->c->databases, line);
	own = conf.own[CONF_DATABASE];
	conf_free(&conf);
	if (own)
		return 0;
	err_set(e, ERR_USAGE, "config", "'%s' line %d: the section [%s] of '%s' "
		"has no database of its own", m->c->databases, line, section,
		m->c->conf.path);
	return err_next(e, "write database = URL into it");
}

int
many_read_list(struct many *m)
{
	const char *path = m->c->databases;
	struct buf b = { 0 };
	char *at, *next, *end;
	int line = 0, result = file_slurp(path, LIST_MAX, &b, &m->c->err);

	if (result == -1)
		m->c->err.code = ERR_USAGE;
	else if (b.data != NULL && strlen(b.data) != b.len)
		result = err_set(&m->c->err, ERR_USAGE, "usage",
			"'%s' holds a NUL byte", path);
	for (at = b.data; at != NULL && result == 0; at = next) {
		next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		line++;
		at += strspn(at, " \t\r");
		for (end = at + strlen(at); end > at && strchr(" \t\r",
			end[-1]) != NULL; end--)
			end[-1] = '\0';
		if (*at == '\0' || *at == '#')
			continue;
		if (*at == '[' && end[-1] == ']') {
			end[-1] = '\0';
			result = check_section(m, at + 1, line) == -1 ? -1 :
				many_add(m, NULL, at + 1, line);
		} else {
			result = many_add(m, at, NULL, line);
		}
	}
	buf_free(&b);
	if (result == 0 && m->n == 0) {
		err_set(&m->c->err, ERR_USAGE, "usage", "'%s' lists no "
			"database", path);
		return err_next(&m->c->err, "write a URL in each line, or "
			"[NAME] for a section of mig.conf");
	}
	return result;
}
