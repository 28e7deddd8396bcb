/*
 * 3x3 convolutions by Winograd's minimal filtering (simd_winograd.h): one of
 * the ways of convolve.h.
 *
 * Weights are transformed anew in each part, panel by panel in cache, so that
 * neither the file nor memory grows. A part's tiles and the channels that are
 * taken at once follow from the shape; so do the parts' results.
 *
 * Outputs differ from the definition's by rounding: with inputs and weights of
 * either sign by about 1e-6 of the outputs' size (tests/test_winograd.c). NaN
 * and infinities spread over a tile's 4x4 pixels.
 */
#ifndef MX_LIB_WINOGRAD_H
#define MX_LIB_WINOGRAD_H

#include <stddef.h>

#include "lib/op.h"

struct mx_convolve;

/* How a layer's tiles of 4x4 pixels are worked on. */
struct mx_winograd {
	size_t across; /* tiles in a row of a picture */
	size_t down; /* rows of tiles in a picture */
	size_t tiles; /* of all pictures */
	size_t part_tiles; /* of a part, at most */
	size_t channels; /* that are transformed at once */
	size_t block_rows;
};

/* 1 if @conv, its input and output being known, is computed faster so. */
int mx_winograd_suits(const struct mx_convolve *conv);

/* Cut the work: conv->winograd, tiles and tile_pixels. */
void mx_winograd_plan(struct mx_convolve *conv);

/* struct mx_op's. The work, as it is cut, with its transforms. */
uint64_t mx_winograd_work(const struct mx_layer *layer);
size_t mx_winograd_scratch_bytes(const struct mx_layer *layer);
void mx_winograd_run(const struct mx_op_args *args, struct mx_range parts);

#endif
