/*
 * What Convolution and Deconvolution share: everything but the output's size.
 *
 * The output's pixels are cut into phases, in each of which the same kernel
 * positions reach the input: all of a convolution's are one phase; a
 * deconvolution has one for each remainder by its stride. Inside a phase,
 * pixel j reads the input at j * in_step + base(position) on each axis.
 */
#ifndef MX_LIB_CONVOLVE_H
#define MX_LIB_CONVOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/activation.h"
#include "lib/op.h"
#include "lib/spatial.h"
#include "lib/winograd.h"

struct mx_attrs;
struct mx_err;
struct mx_shape;

enum mx_convolve_direction { MX_CONVOLVE_FORWARD, MX_CONVOLVE_TRANSPOSED };

/* How a tile is computed. */
enum mx_convolve_way {
	MX_CONVOLVE_DIRECT, /* from the input as it lies */
	MX_CONVOLVE_PATCHES, /* few channels: from copies of the windows */
	MX_CONVOLVE_DEPTHWISE, /* one channel in, one out, many groups */
	MX_CONVOLVE_DEPTH_LINES, /* the same, in lines of pixels: depthwise.h */
	MX_CONVOLVE_STRIPS, /* 1x1, and few channels: strip.h */
	MX_CONVOLVE_WINOGRAD, /* 3x3: with fewer multiplications */
};

/* The operators' params. */
struct mx_convolve {
	struct mx_spatial spatial;
	struct mx_activation act;
	size_t out_channels;
	size_t pool; /* 0, or the side of the windows: convolve_pool.h */
	/* From here on: set by mx_convolve_plan(). */
	enum mx_convolve_direction direction;
	enum mx_convolve_way way;
	size_t batch;
	size_t in_channels;
	size_t in_dim[MX_SPATIAL_DIMS];
	size_t out_dim[MX_SPATIAL_DIMS]; /* before pooling */
	size_t in_step[MX_SPATIAL_DIMS];
	size_t out_step[MX_SPATIAL_DIMS];
	size_t phases[MX_SPATIAL_DIMS];
	size_t tile_pixels; /* of a phase, at most; whole pooled windows */
	size_t tiles; /* of each phase */
	size_t tile_rows; /* strips of one pixel: tiles are rows of a block */
	size_t chunk; /* kernel positions that are worked on at once */
	struct mx_winograd winograd; /* in that way only */
};

/* struct mx_op's bind. */
int mx_convolve_bind(void *params, const struct mx_attrs *attrs,
		     struct mx_err *err);

/*
 * Take in the input's shape: batch, in_channels and in_dim. Returns 0 or
 * -EBADMSG.
 */
int mx_convolve_input(struct mx_convolve *conv, const struct mx_shape *in,
		      struct mx_err *err);

/*
 * Cut the work, @conv->out_dim being known, and write the output's shape.
 * Returns 0 or -EBADMSG.
 */
int mx_convolve_plan(struct mx_convolve *conv,
		     enum mx_convolve_direction direction, struct mx_shape *out,
		     struct mx_err *err);

/* struct mx_op's, for both. */
void mx_convolve_weights(const struct mx_layer *layer,
			 struct mx_weight_spec *spec);
size_t mx_convolve_tiles(const struct mx_layer *layer);
size_t mx_convolve_scratch_bytes(const struct mx_layer *layer);
void mx_convolve_run(const struct mx_op_args *args, struct mx_range parts);

/* @elems * elements of a weight row, or UINT64_MAX. */
uint64_t mx_convolve_macs(const struct mx_layer *layer, size_t elems);

#endif
