/*
 * The inner loops of convolution. An output pixel is a sum over kernel
 * positions, and at each position over a run of channels that are contiguous
 * in memory. Where a position's input is, the caller says by a pointer for
 * each pixel, so that no copy of the input is made; positions in the padding
 * point to zeros.
 *
 * Each output of a call is one chain of multiply-adds from 0 through positions
 * and channels in order, added to the bias or to what is there: results do not
 * depend on how many pixels, panels and rows a call takes.
 */
#ifndef MX_LIB_SIMD_CONV_H
#define MX_LIB_SIMD_CONV_H

#include <stddef.h>

/* Rows (output channels) of a weight panel, stored [row_elems][rows]. */
#define MX_CONV_PANEL_ROWS 16
/* No instruction set takes more pixels or panels in one call. */
#define MX_CONV_PIXELS_MAX 14
#define MX_CONV_PANELS_MAX 2
#define MX_CONV_AHEAD 16

struct mx_conv_work {
	size_t pixels; /* 1 .. simd_conv->pixels */
	size_t positions; /* may be 0 */
	size_t run; /* channels at each position */
	const float *const *x; /* [positions][pixels] */
	size_t x_offset; /* added to each pointer: where the group begins */
	/* Where each position's weights begin, in row elements. */
	const size_t *at;
	/* gemm: panel i at weights[i], [row element][PANEL_ROWS];
	 * depthwise: weights[0] is [row element][weight_step]. */
	const float *weights[MX_CONV_PANELS_MAX];
	size_t panels; /* gemm: 1 .. simd_conv->panels */
	size_t weight_step;
	size_t rows; /* outputs of a pixel; gemm: at most panels' rows */
	const float *bias; /* rows values; NULL: go on from what out holds */
	float *const *out; /* [pixels] */
	size_t out_offset; /* added to each: where the rows begin */
	/* gemm: what the caller reads next. For each AHEAD row elements so many
	 * cache lines are fetched from there, every time ahead_step floats
	 * on. */
	const float *ahead;
	size_t ahead_step;
	float low; /* results are clamped; NaN stays */
	float high;
};

struct mx_simd_conv {
	size_t pixels;
	size_t panels;
	/* out[p][r] = clamp(bias[r] + sum of x * weights over positions and
	 * channels). */
	void (*gemm)(const struct mx_conv_work *work);
	/* out[p][r] = clamp(bias[r] + sum over positions of x[r] * weight):
	 * one channel a row; run is not used. */
	void (*depthwise)(const struct mx_conv_work *work);
};

#endif
