/* term: the terminal: messages, the progress bar, questions. */
#ifndef CLI_TERM_H
#define CLI_TERM_H

struct cli;
struct err;

/* Fill c->report. */
void term_report(struct cli *c);

/* Ask on /dev/tty: 0 for yes; ERR_REFUSED "not-confirmed". */
int term_confirm(void *arg, const char *question, struct err *e);

#endif
