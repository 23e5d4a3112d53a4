/* op_hook: programs of the user before and after. */
#include "op/op_hook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/strs.h"
#include "doc/doc.h"
#include "doc/doc_apply.h"
#include "op/op.h"
#include "os/call.h"
#include "os/file.h"

static const char *const names[] = { "before-apply", "after-apply",
	"before-each", "after-each", "on-failure", NULL };

static int
is_hook(const char *name)
{
	const char *const *n;

	for (n = names; *n != NULL; n++)
		if (strcmp(*n, name) == 0)
			return 1;
	return 0;
}

static int
look_at(const char *folder, const char *name, struct err *e)
{
	char *path = file_join(folder, name);
	int result = 0;

	if (is_hook(name) && access(path, X_OK) == -1) {
		err_set(e, ERR_USAGE, "hook", "the hook '%s' cannot be "
			"executed", path);
		result = err_next(e, "chmod +x it, or take it away");
	} else if (!is_hook(name) && *name != '.' && strchr(name, '.') == NULL &&
		!file_is_dir(path)) {
		/* "before_apply": it would never run, and nobody would know. */
		err_set(e, ERR_USAGE, "hook", "no hook is called '%s'", path);
		result = err_next(e, "there are before-apply, after-apply, "
			"before-each, after-each and on-failure; a file with a "
			"dot in its name is passed over");
	}
	free(path);
	return result;
}

int
op_hook_check(const struct op *o, struct err *e)
{
	struct strs files = { 0 };
	size_t i;
	int result;

	if (o->hooks == NULL)
		return 0;
	if (!file_is_dir(o->hooks)) {
		err_set(e, ERR_USAGE, "hook", "no folder of hooks at '%s'",
			o->hooks);
		return err_next(e, "check the working folder, --hooks and "
			"MIG_HOOKS");
	}
	result = file_list(o->hooks, &files, e);
	for (i = 0; i < files.n && result == 0; i++)
		result = look_at(o->hooks, files.v[i], e);
	strs_free(&files);
	return result;
}

int
op_hook_run(const struct op *o, enum op_hook hook, const struct doc_apply *d,
	const char *version, struct err *e)
{
	/* doc_write() takes a body that it could free, and does not. */
	const struct doc whole = { &doc_apply_shape, (void *)d };
	/* A bare name would be looked for in PATH. */
	char *path = o->hooks == NULL ? NULL : strcmp(o->hooks, ".") == 0 ?
		mem_printf("./%s", names[hook]) : file_join(o->hooks, names[hook]);
	struct strs environment = { 0 };
	struct buf text = { 0 };
	char *variable;
	int result = 0;

	if (path != NULL && file_exists(path)) {
		variable = mem_printf("MIG_HOOK=%s", names[hook]);
		strs_add(&environment, variable);
		free(variable);
		variable = mem_printf("MIG_HOOK_MIGRATION=%s", version == NULL ?
			"" : version);
		strs_add(&environment, variable);
		free(variable);
		doc_write(&whole, &text);
		report_say(o->report, REPORT_MORE, "hook %s", path);
		result = call_run(path, &environment, text.data, text.len,
			o->hook_s * 1000, hook != HOOK_FAILURE, e);
		if (result == -1 && strcmp(e->reason, "hook") == 0)
			err_next(e, "mend the hook, or take it away");
	}
	buf_free(&text);
	strs_free(&environment);
	free(path);
	return result;
}
