/* cli_part: what the rooms of cli share. */
#ifndef CLI_CLI_PART_H
#define CLI_CLI_PART_H

struct cli;

/* How the document goes out; also when nothing else could be read. */
int cli_settle_output(struct cli *c);

/* All that was said, the strongest first: option, environment, mig.conf, default. */
int cli_settle(struct cli *c);

#endif
