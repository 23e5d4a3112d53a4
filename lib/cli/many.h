/*
 * many: one program over several databases.  Each database is a run of the
 * program of its own, in a process of its own: what befalls one befalls no other.
 */
#ifndef CLI_MANY_H
#define CLI_MANY_H

struct cli;

/* Whether several were named, or a file of them. */
int many_asked(const struct cli *c);

/*
 * Run the program for each, write a document of each as it has ended, in the
 * order of the list, and a mig.summary.  Returns the exit status: that of the
 * first that is not 0.
 */
int many_run(struct cli *c);

#endif
