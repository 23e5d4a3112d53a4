/*
 * text: what a migration of mig's own format may leave open in its text: pieces
 * that stand in other files ("-- mig: include PATH"), and values that the caller
 * has ("-- mig: placeholders", then ${NAME}).
 */
#ifndef MIGRATION_TEXT_H
#define MIGRATION_TEXT_H

struct err;
struct migration_part;
struct values;

/* How a placeholder is written. */
enum text_open {
	TEXT_NONE, /* it is text */
	TEXT_DOLLAR, /* ${NAME} */
	TEXT_BRACES /* {{ index .Options "NAME" }}, as pop's templates have it */
};

/*
 * Put the files that p includes into its text, each behind its line.  folder: of
 * the migrations, out of which no path leads.  ERR_USAGE "migration".
 */
int text_include(struct migration_part *p, const char *folder, struct err *e);

/* how, if there is something between such brackets in the text; or TEXT_NONE. */
enum text_open text_has_placeholder(enum text_open how, const char *text);

/*
 * If p asks for it, fill p->run from its text and values; what has no value, or
 * no end, is kept in p->unfilled for text_check().
 */
void text_fill(struct migration_part *p, const struct values *values);

/* ERR_USAGE "placeholder": the part cannot be run, for want of a value. */
int text_check(const struct migration_part *p, struct err *e);

/* Where a line of p's text stands: *line becomes that of the file.  Borrowed. */
const char *text_place(const struct migration_part *p, int *line);

/* Where the lines of from's text stand, for to, which has the same text. */
void text_copy_places(struct migration_part *to,
	const struct migration_part *from);

/* Take p's secret values out of the words of an error. */
void text_hide(const struct migration_part *p, struct err *e);

#endif
