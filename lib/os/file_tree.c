/* file_tree: a temporary folder, made and removed. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/file.h"

int
file_make_temp_dir(const char *dir, const char *name, char **path,
	struct err *e)
{
	*path = mem_printf("%s/%sXXXXXX", dir, name);
	if (mkdtemp(*path) != NULL)
		return 0;
	err_sys(e, "make a folder in '%s'", dir);
	free(*path);
	*path = NULL;
	return -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void
file_remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
