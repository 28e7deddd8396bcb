/*
 * The operator table: all that differs between operators. A new one is a file
 * op_<kind>.c and a line in op.c. After import nothing else asks what an
 * operator is.
 *
 * Work. A layer's work is cut into parts: part p is tile p % tile_count of
 * weight block p / tile_count. The cut depends on the layer's shape alone.
 * Parts may run in any order and side by side; each writes its own part of the
 * output and sums in one fixed order, so results are the same bits whatever
 * the order, the threads and the slices.
 */
#ifndef MX_LIB_OP_H
#define MX_LIB_OP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/activation.h"
#include "lib/network.h"
#include "lib/view.h"

struct mx_blas;
struct mx_simd;

/* Parts [begin, end). */
struct mx_range {
	size_t begin;
	size_t end;
};

enum mx_op_traits {
	/* Each output element depends on the input elements at the same index
	 * (or a broadcast one) alone. */
	MX_OP_ELEMENTWISE = 1 << 0,
	/* The output may live in the memory of input 0 (of any input of the
	 * same shape, for ELEMENTWISE with several inputs). */
	MX_OP_IN_PLACE = 1 << 1,
	/* Works on feature maps: input 0 and the outputs are channels-last. */
	MX_OP_SPATIAL = 1 << 2,
	/* Depends on the order of elements in memory: all row-major. */
	MX_OP_ORDERED = 1 << 3,
	/* Moves nothing when both sides are row-major: the output is the same
	 * memory under another shape. */
	MX_OP_RESHAPE = 1 << 4,
	/* Takes MX_ATTR_ACTIVATION. */
	MX_OP_FUSES_ACTIVATION = 1 << 5,
	/* A per-row scale and bias (over output channels) can be folded into
	 * its weights; weight vector 0 is the bias. */
	MX_OP_FUSES_AFFINE = 1 << 6,
	/* Fully connected: each output row reads all of the input. */
	MX_OP_DENSE = 1 << 7,
	/* Copies its inputs side by side along attribute "axis". */
	MX_OP_CONCAT = 1 << 8,
	/* Its only content is its weights: a constant. */
	MX_OP_CONSTANT = 1 << 9,
	/* Does nothing at run time: the output is input 0. */
	MX_OP_IDENTITY = 1 << 10,
	/* Takes MX_ATTR_POOL (convolve_pool.h), where infer() does. */
	MX_OP_FUSES_POOLING = 1 << 11,
};

/* What run() gets. Views: see view.h; they outlive the call. */
struct mx_op_args {
	const struct mx_layer *layer;
	const struct mx_view *in; /* layer->in_count */
	const struct mx_view *out; /* layer->out_count */
	/* Block `first_block` of the weights, MX_WEIGHT_ALIGN_BYTES aligned;
	 * the blocks that the parts need follow it. NULL without weights. */
	const unsigned char *weights;
	size_t first_block;
	void *scratch; /* layer->scratch_bytes, 64-byte aligned, this
			  thread's, contents undefined */
	const struct mx_blas *blas;
	const struct mx_simd *simd;
};

struct mx_op {
	const char *name;
	unsigned traits; /* enum mx_op_traits */
	/* For elementwise functions that others can take in: what to store in
	 * MX_ATTR_ACTIVATION for this layer. NULL: cannot be taken in. */
	struct mx_activation (*activation)(const struct mx_layer *layer);
	uint32_t in_min;
	uint32_t in_max;
	uint32_t out_max; /* outputs: 1 .. out_max */
	size_t params_bytes;
	/* Decode and check attributes into @params (zeroed, params_bytes).
	 * NULL: no attributes. Returns 0 or -EBADMSG, -ENOMEM. */
	int (*bind)(void *params, const struct mx_attrs *attrs,
		    struct mx_err *err);
	/* Free what @params points to. NULL: nothing. */
	void (*release)(void *params);
	/* The only place that computes and checks shapes: @in (layer->in_count)
	 * to @out (layer->out_count). May fill in what params lack (it may
	 * write to layer->params). Returns 0 or -EBADMSG. */
	int (*infer)(const struct mx_layer *layer, const struct mx_shape *in,
		     struct mx_shape *out, struct mx_err *err);
	/* The weights it wants, shapes being known. NULL: none. */
	void (*weights)(const struct mx_layer *layer,
			struct mx_weight_spec *spec);
	/* Tiles of each weight block. NULL: 1. */
	size_t (*tiles)(const struct mx_layer *layer);
	/* NULL: none. */
	size_t (*scratch_bytes)(const struct mx_layer *layer);
	/* NULL: one for each output element. */
	uint64_t (*macs)(const struct mx_layer *layer);
	/* How many multiply-accumulates of a convolution computed directly take
	 * as long as this layer does, where it has a quicker way; from the
	 * shape alone. NULL: as many as it has (macs). */
	uint64_t (*work)(const struct mx_layer *layer);
	void (*run)(const struct mx_op_args *args, struct mx_range parts);
};

/* The operator of that name, or NULL. */
const struct mx_op *mx_op_find(const char *name);

/* All operators: item @index, NULL past the last. For listings and tests. */
const struct mx_op *mx_op_at(size_t index);

/* The bytes of block @block, given the args' weights. */
static inline const unsigned char *mx_op_block(const struct mx_op_args *args,
					       size_t block)
{
	return args->weights +
	       (block - args->first_block) *
		       mx_weight_block_bytes(&args->layer->weights, 0);
}

#endif
