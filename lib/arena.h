/*
 * Arena: where in one block of memory each root tensor of a network lives
 * while a job runs. Tensors whose lifetimes (in execution order) do not
 * overlap share memory. Best fit over tensors by falling size, as in
 * "Efficient Memory Management for Deep Neural Net Inference" (Pisarchyk and
 * Lee, 2020), greedy by size. What is placed first, the largest, is at the
 * end; so what is left when the large ones are done with is mostly there too.
 */
#ifndef MX_LIB_ARENA_H
#define MX_LIB_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_network;

struct mx_arena {
	size_t *offset_bytes; /* for each tensor that is its own root */
	size_t *size_bytes; /* likewise; 0 for the others */
	uint32_t *first_layer; /* the first and last layer that */
	uint32_t *last_layer; /* touches the root */
	size_t total_bytes;
	size_t lower_bound_bytes; /* the most that is live at one layer */
	uint32_t peak_layer; /* where that is */
};

/*
 * Plan a bound network. Inputs live from the start, outputs to the end.
 * mx_arena_fini() ends it. Returns 0, -ENOMEM or -EOVERFLOW.
 */
int mx_arena_init(struct mx_arena *arena, const struct mx_network *net,
		  struct mx_err *err);

void mx_arena_fini(struct mx_arena *arena);

#endif
