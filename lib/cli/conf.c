/* conf: mig.conf. */
#include "cli/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/strs.h"
#include "os/file.h"

#define CONF_MAX ((size_t)1 << 20)
#define SET "set." /* set.NAME: the value of a placeholder */
#define SET_FILE "set-file."

static const char *const names[CONF_KEYS] = { "database", "migrations",
	"backups", "policy", "max-backup-age", "busy-timeout", "jobs",
	"level", "role", "statement-timeout", "format", "hooks",
	"hook-timeout", "scratch" };

static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

static int
bad(struct err *e, const struct conf *c, int line, const char *what,
	const char *name)
{
	err_set(e, ERR_USAGE, "config", "'%s' line %d: %s%s%s%s", c->path,
		line, what, name == NULL ? "" : " '",
		name == NULL ? "" : name, name == NULL ? "" : "'");
	return err_next(e, "mig.conf(5) lists the keys");
}

static int
set(struct conf *c, char *text, int line, int own, struct err *e)
{
	char *eq = strchr(text, '='), *key, *value;
	int k;

	if (eq == NULL)
		return bad(e, c, line, "not 'key = value'", NULL);
	*eq = '\0';
	key = trim(text);
	value = trim(eq + 1);
	if (strs_starts(key, SET) || strs_starts(key, SET_FILE)) {
		char *word;

		if (*value == '\0' || strchr(key, '.')[1] == '\0')
			return bad(e, c, line, "no name, or no value, for",
				key);
		word = mem_printf("%s=%s", strchr(key, '.') + 1, value);
		strs_add(strs_starts(key, SET) ? &c->set : &c->set_file, word);
		free(word);
		return 0;
	}
	for (k = 0; k < CONF_KEYS; k++)
		if (strcmp(names[k], key) == 0)
			break;
	if (k == CONF_KEYS)
		return bad(e, c, line, "unknown key", key);
	if (*value == '\0')
		return bad(e, c, line, "no value for", key);
	free(c->value[k]);
	c->value[k] = mem_dup(value);
	c->own[k] = (char)own;
	return 0;
}

/*
 * The top comes first in the file, so a section's value, read later, is the
 * stronger one.  Other sections are read for their errors only.
 */
static int
read_lines(struct conf *c, char *text, const char *env, int *found,
	struct err *e)
{
	struct conf other = { 0 };
	char *next, *section = NULL;
	int line = 0, result = 0, k;

	other.path = c->path;
	for (; text != NULL && result == 0; text = next) {
		next = strchr(text, '\n');
		if (next != NULL)
			*next++ = '\0';
		line++;
		text = trim(text);
		if (*text == '\0' || *text == '#' || *text == ';')
			continue;
		if (*text == '[') {
			char *end = strchr(text, ']');

			if (end == NULL || end[1] != '\0' || end == text + 1) {
				result = bad(e, c, line, "not a [section]",
					NULL);
				break;
			}
			*end = '\0';
			section = trim(text + 1);
			if (env != NULL && strcmp(section, env) == 0 &&
				(*found)++ > 0)
				result = bad(e, c, line, "a second section",
					section);
			continue;
		}
		if (section == NULL ||
			(env != NULL && strcmp(section, env) == 0))
			result = set(c, text, line, section != NULL, e);
		else
			result = set(&other, text, line, 1, e);
	}
	for (k = 0; k < CONF_KEYS; k++)
		free(other.value[k]);
	strs_free(&other.set);
	strs_free(&other.set_file);
	return result;
}

static char *
choose(const char *path)
{
	const char *named = path != NULL ? path : getenv("MIG_CONFIG");

	if (named != NULL && *named != '\0')
		return mem_dup(named);
	if (file_exists("mig.conf"))
		return mem_dup("mig.conf");
	if (file_exists("/etc/mig/mig.conf"))
		return mem_dup("/etc/mig/mig.conf");
	return NULL;
}

int
conf_read(struct conf *out, const char *path, const char *env, struct err *e)
{
	struct buf b = { 0 };
	int found = 0, result;

	memset(out, 0, sizeof(*out));
	out->path = choose(path);
	if (out->path == NULL) {
		if (env == NULL)
			return 0;
		err_set(e, ERR_USAGE, "config",
			"no mig.conf, so no environment '%s'", env);
		return err_next(e, "write one, or name it with --config");
	}
	result = file_slurp(out->path, CONF_MAX, &b, e);
	if (result == -1)
		e->code = ERR_USAGE;
	else if (strlen(b.data) != b.len)
		result = err_set(e, ERR_USAGE, "config",
			"'%s' holds a NUL byte", out->path);
	else
		result = read_lines(out, strs_starts(b.data, "\xef\xbb\xbf") ?
			b.data + 3 : b.data, env, &found, e);
	if (result == 0 && env != NULL && !found) {
		err_set(e, ERR_USAGE, "config", "'%s' has no section [%s]",
			out->path, env);
		result = err_next(e, "add it, or use another --env");
	}
	buf_free(&b);
	if (result == -1)
		conf_free(out);
	return result;
}

void
conf_free(struct conf *c)
{
	int k;

	for (k = 0; k < CONF_KEYS; k++)
		free(c->value[k]);
	strs_free(&c->set);
	strs_free(&c->set_file);
	free(c->path);
	memset(c, 0, sizeof(*c));
}
