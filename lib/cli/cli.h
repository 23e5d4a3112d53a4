/*
 * cli: what every program does around its verb: options, configuration, the
 * terminal, the document in and the document out, the exit status.  Only this
 * room and cmd/ touch argv, the standard streams and exit.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdint.h>

#include "base/err.h"
#include "base/report.h"
#include "base/strs.h"
#include "base/values.h"
#include "cli/conf.h"
#include "cli/opt.h"
#include "op/op.h"

struct doc;
struct doc_error;
struct html_page;
struct part_rehearsal;

#define CLI_TOOL "mig " MIG_VERSION

enum cli_policy { CLI_DEVELOPMENT, CLI_STAGING, CLI_PRODUCTION };

struct cli {
	const struct opt_program *program;
	struct op op; /* ready for the verb */
	struct strs operands;
	struct strs command; /* behind "--" */
	enum cli_policy policy;
	int64_t max_age_s;
	int yes; /* --yes; set by the program's own options */
	/* The rest is private to the room. */
	struct report report;
	struct conf conf;
	struct strs words; /* the options, for another run */
	struct strs urls;
	char *databases; /* a file of them */
	char *migrations, *backups, *config, *env, *output;
	char *busy, *role, *statement, *format;
	struct strs set, set_file; /* of the options */
	struct values values;
	int quiet, verbose, help, version;
	int json; /* the document goes out as JSON */
	int silent; /* -o none */
	int out_fd; /* where the document goes; -1: it was closed */
	int (*take)(void *arg, int id, const char *value, struct err *e);
	void *arg;
	struct err err;
};

/*
 * Parse and settle everything.  take gets the program's own options.  Returns
 * -1 to go on; else the exit status (--help, --version, a usage error).
 */
int cli_start(struct cli *c, const struct opt_program *p, int argc,
	char **argv,
	int (*take)(void *arg, int id, const char *value, struct err *e),
	void *arg);

/*
 * Read one document from standard input.  *passed is set to an exit status,
 * else -1, when it was an error from upstream, which is passed on.  Gives.
 */
int cli_read(struct cli *c, struct doc **out, int *passed);

/* Write the document as asked.  0, or the exit status of the failure. */
int cli_write(struct cli *c, const struct doc *d);

/*
 * For mig-status: as text, only one list of it: "pending" or "heads", a version
 * in each line, or the "graph".  As JSON, all.
 */
int cli_write_only(struct cli *c, const struct doc *d, const char *list);

/*
 * Send the document to a file, or to an open descriptor given by its number,
 * instead of standard output.
 */
int cli_document_to(struct cli *c, const char *where);

/* The error in c->err, to stand inside a document.  Gives. */
struct doc_error *cli_error_document(struct cli *c);

/* Say the error in c->err on stderr and as a mig.error: its exit status. */
int cli_fail(struct cli *c);

/* Say the error on stderr only: the document tells it too. */
int cli_complain(struct cli *c);

/* Of mig.conf and the options, for programs that need some. */
int cli_values(struct cli *c);

/*
 * Before the verb: a page can be written to path, if that is not NULL.  ERR_REFUSED
 * "exists": something is there that is no page of ours.
 */
int cli_report_check(struct cli *c, const char *path);

/*
 * Behind the verb: write the page of its rehearsal to path, if that is not NULL; the
 * exit status, which was status before.
 */
int cli_report(struct cli *c, const char *path, const struct html_page *page,
	const struct part_rehearsal *r, int status);

/* Before the verb: the questions that the policy asks. */
void cli_ask(struct cli *c, enum cli_policy from);

/* Free everything; returns status. */
int cli_end(struct cli *c, int status);

/* Value parsers with the option's name in the error. */
int cli_span(const char *option, const char *value, int64_t *out,
	struct err *e);
int cli_jobs(const char *value, int64_t *out, struct err *e);
int cli_level(const char *value, int64_t *out, struct err *e);
int cli_number(const char *option, const char *value, int64_t min,
	int64_t max, int64_t *out, struct err *e);

#endif
