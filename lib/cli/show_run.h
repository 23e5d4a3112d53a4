/* show_run: mig.apply and mig.rollback as text. */
#ifndef CLI_SHOW_RUN_H
#define CLI_SHOW_RUN_H

struct buf;

void show_run_apply(const void *body, struct buf *out);
void show_run_rollback(const void *body, struct buf *out);

#endif
