/* html_tables: what a migration did, as tables of HTML. */
#ifndef CLI_HTML_TABLES_H
#define CLI_HTML_TABLES_H

struct buf;
struct part_rehearsed;
struct shape_list;

/*
 * Append the losses, sequences and what is left, then the tables and columns
 * that changed, then the statements; nothing for a list that is empty.
 */
void html_tables(const struct part_rehearsed *m, struct buf *out);

/*
 * Append what a list of struct part_loss comes to, "30 rows, 1,990 values", or
 * "none"; of several lists: one after another into a struct html_losses.
 */
struct html_losses {
	long long rows, values, others; /* others: of a unit we do not know */
	int n, refused; /* losses; those that were not allowed */
};

void html_tables_count(const struct shape_list *list, struct html_losses *sum);
void html_tables_losses(const struct html_losses *sum, struct buf *out);

#endif
