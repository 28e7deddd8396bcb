/*
 * A part of a convolution while it is computed: a block of rows on a tile of
 * pixels. For the ways that go from kernel position to kernel position, a
 * chunk of positions at a time.
 */
#ifndef MX_LIB_CONVOLVE_IMPL_H
#define MX_LIB_CONVOLVE_IMPL_H

#include <stddef.h>

#include "lib/convolve.h"
#include "lib/simd_conv.h"
#include "lib/spatial.h"

struct mx_op_args;

/* One kernel position that reaches the input in the tile's phase. */
struct mx_convolve_position {
	size_t index; /* in the window */
	ptrdiff_t base[MX_SPATIAL_DIMS];
	ptrdiff_t elems; /* base, in elements */
};

/* One output pixel: where a position of base 0 reads the input. */
struct mx_convolve_pixel {
	ptrdiff_t at[MX_SPATIAL_DIMS];
	ptrdiff_t elems; /* at, in elements from the first picture */
	int is_inside; /* no position of the chunk reads the padding */
};

/* What the scratch memory holds. */
struct mx_convolve_scratch {
	struct mx_convolve_pixel *pixels; /* [tile_pixels] */
	float **outs; /* [tile_pixels] */
	float **windows; /* pooled: [tile_pixels / CORNERS], where they go, */
	float *pooled; /* and the tile's outputs, [tile_pixels][block_rows] */
	struct mx_convolve_position *positions; /* [chunk] */
	size_t *at; /* [chunk]: positions' row elements in the weights, */
	size_t *packed_at; /* and in `panel` */
	const float **table; /* struct mx_conv_work, x, tile by tile */
	float *zeros; /* a pixel of the padding */
	float *panel; /* a chunk of a short panel, filled up with zeros */
	float *patches; /* [tile_pixels][row_elems] */
};

/* A part while it is computed. */
struct mx_convolve_part {
	const struct mx_op_args *args;
	const struct mx_convolve *conv;
	enum mx_convolve_way way; /* any but Winograd's */
	const struct mx_simd_conv *simd;
	struct mx_spatial_map in;
	struct mx_spatial_map out;
	struct mx_convolve_scratch scratch;
	/* the tile */
	size_t phase[MX_SPATIAL_DIMS];
	size_t last[MX_SPATIAL_DIMS]; /* pixel.at, of the phase's last pixel */
	size_t pixel_count;
	size_t position_count; /* of the current chunk */
	/* the block */
	size_t first_row;
	size_t rows;
	const float *matrix;
	const float *bias;
	const float *slope; /* NULL unless the activation is PRELU */
	/* what goes into every call, for the current chunk */
	struct mx_conv_work work;
	int is_first_chunk;
};

/* Set the tile: which phase, which pixels of it, where their outputs are.
 * Pooled pixels come window by window. */
void mx_convolve_place(struct mx_convolve_part *part, size_t tile);

/*
 * Fill the scratch memory's table with what each pixel reads at each of the
 * chunk's positions, for @calls calls of about equal size, the larger first.
 */
void mx_convolve_fill(struct mx_convolve_part *part, size_t calls);

#endif
