/* show_graph: what comes after what, drawn in text, the newest on top. */
#ifndef CLI_SHOW_GRAPH_H
#define CLI_SHOW_GRAPH_H

struct buf;
struct doc_status;

/*
 * A line for each migration, with its parents below it: "*" is applied, "o" is
 * not; lines that part and meet stand to the left of them.
 */
void show_graph(const struct doc_status *d, struct buf *out);

#endif
