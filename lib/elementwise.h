/*
 * Elementwise work: what operators do that compute each output element from
 * the inputs' elements at its index. Any strides; a function of simd_map.h
 * sees contiguous lines.
 */
#ifndef MX_LIB_ELEMENTWISE_H
#define MX_LIB_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/op.h"

#define MX_ELEMENTWISE_INPUTS_MAX 4

/* `count` elements; an input's step is 1, or 0: one value for all of them. */
struct mx_elementwise_line {
	float *out; /* may be an input's memory */
	const float *in[MX_ELEMENTWISE_INPUTS_MAX];
	size_t step[MX_ELEMENTWISE_INPUTS_MAX];
	size_t count;
};

struct mx_elementwise {
	const struct mx_view *out;
	/* Broadcast to the output's shape. */
	const struct mx_view *in[MX_ELEMENTWISE_INPUTS_MAX];
	unsigned in_count;
	/* Bit i: input i is to have step 1 always. */
	unsigned no_repeat;
	void (*line)(const struct mx_op_args *args,
		     const struct mx_elementwise_line *line);
};

/* Do @parts of @part_count parts (mx_lines_parts() of the output, or any
 * other number that depends on shapes alone). */
void mx_elementwise_run(const struct mx_op_args *args,
			const struct mx_elementwise *work,
			struct mx_range parts, size_t part_count);

/*
 * Work whose weights are vectors along dimension @axis of input 0, which has
 * the output's shape: Affine, PRelu. What such an operator wants, and the run:
 * @line gets input 0 and then the layer's vectors, whose steps are equal.
 */
#define MX_ROWWISE_VECTORS_MAX (MX_ELEMENTWISE_INPUTS_MAX - 1)

void mx_rowwise_weights(const struct mx_layer *layer, uint32_t axis,
			uint32_t vectors, struct mx_weight_spec *spec);
size_t mx_rowwise_tiles(const struct mx_layer *layer, uint32_t axis);
void mx_rowwise_run(const struct mx_op_args *args, struct mx_range parts,
		    uint32_t axis,
		    void (*line)(const struct mx_op_args *args,
				 const struct mx_elementwise_line *line));

#endif
