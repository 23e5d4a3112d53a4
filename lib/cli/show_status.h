/* show_status: mig.status as text. */
#ifndef CLI_SHOW_STATUS_H
#define CLI_SHOW_STATUS_H

struct buf;

void show_status(const void *body, struct buf *out);

#endif
