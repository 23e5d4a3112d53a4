/* show: documents as text for people. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

struct buf;
struct doc;

/* Append the document as text, its lines ended. */
void show_doc(const struct doc *d, struct buf *out);

#endif
