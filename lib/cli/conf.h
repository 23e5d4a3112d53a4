/*
 * conf: mig.conf, "key = value" lines under "[section]" heads.  The top, before
 * any head, holds for every environment; the section of --env is stronger.
 * mig.conf(5) lists the keys.
 */
#ifndef CLI_CONF_H
#define CLI_CONF_H

#include "base/strs.h"

struct err;

enum conf_key {
	CONF_DATABASE,
	CONF_MIGRATIONS,
	CONF_BACKUPS,
	CONF_POLICY,
	CONF_MAX_AGE,
	CONF_BUSY,
	CONF_JOBS,
	CONF_LEVEL,
	CONF_ROLE,
	CONF_STATEMENT,
	CONF_FORMAT,
	CONF_HOOKS,
	CONF_HOOK_TIMEOUT,
	CONF_SCRATCH,
	CONF_KEYS
};

struct conf {
	char *path; /* the file that was read; NULL: none */
	char *value[CONF_KEYS]; /* NULL: not said */
	char own[CONF_KEYS]; /* whether the section says it, and not the top */
	struct strs set, set_file; /* NAME=VALUE, NAME=PATH; the last counts */
};

/*
 * Read path, or, when NULL, the first of MIG_CONFIG, ./mig.conf and
 * /etc/mig/mig.conf that is there.  ERR_USAGE "config" names file and line;
 * also when env is no section of it.  Gives out's contents: conf_free().
 */
int conf_read(struct conf *out, const char *path, const char *env,
	struct err *e);
void conf_free(struct conf *c);

#endif
