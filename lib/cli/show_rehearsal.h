/* show_rehearsal: what a rehearsal saw, as text. */
#ifndef CLI_SHOW_REHEARSAL_H
#define CLI_SHOW_REHEARSAL_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct part_rehearsal;

void show_rehearsal(const struct part_rehearsal *r, struct buf *out);

/* What was, or would be, lost: struct part_loss. */
struct shape_list;
void show_rehearsal_losses(const struct shape_list *losses, struct buf *out);

/* Its tables and losses: struct part_effect, struct part_loss. */
void show_rehearsal_effects(const struct shape_list *effects,
	const struct shape_list *losses, struct buf *out);

/* "0.4 ms", "27 ms", "3 s": microseconds for people, into out. */
const char *show_rehearsal_time(int64_t us, char *out, size_t room);

#endif
