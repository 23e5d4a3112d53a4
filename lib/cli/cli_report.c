/* cli_report: the page of a rehearsal, in the file that was asked for. */
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/html.h"
#include "doc/part_rehearsal.h"
#include "os/file.h"

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
	result = file_replace(path, b.data, b.len, 0644, &c->err);
	buf_free(&b);
	if (result == 0)
		return status;
	err_wrap(&c->err, "write the report '%s'", path);
	result = cli_complain(c);
	return status == 0 ? result : status;
}
