/*
 * A frame: one job's activations and the views of all layers into them.
 *
 * Threads: after mx_frame_new() any number may run parts of one layer; the
 * caller keeps the layers in order.
 */
#ifndef MX_LIB_FRAME_H
#define MX_LIB_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/op.h"

struct mx_arena;
struct mx_blas;
struct mx_err;
struct mx_frame;
struct mx_network;
struct mx_simd;

/*
 * A frame of a bound network. @net and @arena must outlive it, and so must
 * @memory: arena->total_bytes, MX_ARENA_ALIGN_BYTES aligned. When @memory is
 * NULL the frame has memory of its own, touched now. mx_frame_free() ends it.
 *
 * Returns 0 or -ENOMEM.
 */
int mx_frame_new(struct mx_frame **out, const struct mx_network *net,
		 const struct mx_arena *arena, void *memory,
		 struct mx_err *err);

void mx_frame_free(struct mx_frame *frame);

/* The view of @tensor. */
const struct mx_view *mx_frame_view(const struct mx_frame *frame,
				    uint32_t tensor);

/* Parts that layer @layer has: block_count * tile_count. */
size_t mx_layer_part_count(const struct mx_layer *layer);

/*
 * Compute parts of a layer. @weights is block @first_block of it and on, NULL
 * if it has none; @scratch is layer->scratch_bytes of the calling thread's.
 */
struct mx_frame_work {
	uint32_t layer;
	struct mx_range parts;
	const unsigned char *weights;
	size_t first_block;
	void *scratch;
	const struct mx_blas *blas;
	const struct mx_simd *simd;
};
void mx_frame_run(const struct mx_frame *frame,
		  const struct mx_frame_work *work);

/*
 * Compute all layers in order on the calling thread with resident weights
 * (net->weights_base). Returns 0 or -ENOMEM.
 */
int mx_frame_run_all(const struct mx_frame *frame, const struct mx_blas *blas,
		     const struct mx_simd *simd, struct mx_err *err);

#endif
