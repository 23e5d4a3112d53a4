/*
 * op_hook: programs of the user that mig-apply runs before and after.  Each is an
 * executable file with the hook's name, in one folder.
 */
#ifndef OP_OP_HOOK_H
#define OP_OP_HOOK_H

struct doc_apply;
struct err;
struct op;

enum op_hook { HOOK_BEFORE, HOOK_AFTER, HOOK_BEFORE_EACH, HOOK_AFTER_EACH,
	HOOK_FAILURE };

/*
 * Look at the folder, if there is to be one.  ERR_USAGE "hook": it is not there,
 * a hook cannot be executed, or a file is called as none.
 */
int op_hook_check(const struct op *o, struct err *e);

/*
 * Run a hook, if it is there, with the document as it is now on its standard
 * input.  version: of a migration, or NULL.  The error is call_run()'s.
 */
int op_hook_run(const struct op *o, enum op_hook hook,
	const struct doc_apply *d, const char *version, struct err *e);

#endif
