/*
 * The inner loop of convolutions whose pixels lie at even distances in memory:
 * products of a strip of pixels with panels of weights (simd_conv.h's). An
 * output is a sum over positions, and at each position over a run of elements
 * that are contiguous in memory.
 *
 * Each output is one chain of multiply-adds from the bias through positions
 * and runs in order: results do not depend on how many pixels and rows a call
 * takes.
 */
#ifndef MX_LIB_SIMD_STRIP_H
#define MX_LIB_SIMD_STRIP_H

#include <stddef.h>

#include "lib/simd_conv.h"

struct mx_strip {
	size_t pixels; /* 1 .. simd_strip->pixels */
	size_t positions;
	size_t run; /* elements at each position */
	const float *const *x; /* [positions]: where pixel 0 reads */
	size_t x_step; /* elements from pixel to pixel */
	/* Whole panels, each [positions * run][MX_CONV_PANEL_ROWS], and behind
	 * them a short one, filled up with anything; NULL if there is none. */
	const float *weights;
	const float *tail;
	size_t rows; /* outputs of a pixel */
	const float *bias; /* rows values */
	float *out; /* of pixel 0 */
	size_t out_step;
	float low; /* results are clamped; NaN stays */
	float high;
};

struct mx_simd_strip {
	size_t pixels; /* that one call takes at most */
	size_t narrow; /* that fill the registers with more rows instead */
	/* out[p][r] = clamp(bias[r] + sum of x * weights) */
	void (*product)(const struct mx_strip *strip);
};

#endif
