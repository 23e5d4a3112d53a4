/* cli_report: the page of a rehearsal, in the file that was asked for. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/html.h"
#include "doc/part_rehearsal.h"
#include "os/file.h"

/* One that this program wrote begins so. */
static const char doctype[] = "<!doctype html>";

int
cli_report_check(struct cli *c, const char *path)
{
	struct err *e = &c->err;
	char *folder, start[sizeof(doctype)];
	int result = 0, fd;
	ssize_t n;

	if (path == NULL)
		return 0;
	folder = file_dir(path);
	if (access(folder, W_OK) == -1)
		result = err_sys(e, "write the report '%s'", path);
	free(folder);
	if (result == -1 || !file_exists(path))
		return result;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, start, sizeof(doctype) - 1);
	if (fd != -1)
		close(fd);
	if (n == (ssize_t)sizeof(doctype) - 1 && memcmp(start, doctype,
		sizeof(doctype) - 1) == 0)
		return 0;
	err_set(e, ERR_REFUSED, "exists", "'%s' is there, and is no page of "
		"HTML: it is not replaced", path);
	return err_next(e, "name another file with --report");
}

int
cli_report(struct cli *c, const char *path, const struct html_page *page,
	const struct part_rehearsal *r, int status)
{
	struct html_page whole = *page;
	struct buf b = { 0 };
	int result;

	if (path == NULL)
		return status;
	if (r == NULL) {
		report_say(&c->report, REPORT_WARN, "no rehearsal was made: "
			"'%s' is not written", path);
		return status;
	}
	whole.tool = CLI_TOOL;
	html_rehearsal(&whole, r, &b);
	result = file_replace(path, b.data, b.len, 0600, &c->err);
	buf_free(&b);
	if (result == 0)
		return status;
	err_wrap(&c->err, "write the report '%s'", path);
	result = cli_complain(c);
	return status == 0 ? result : status;
}
