/*
 * The inner loop of depthwise convolution: each channel of a line of output
 * pixels is a sum over the window's positions of that channel alone.
 *
 * Each output is one chain of multiply-adds from the bias through the
 * positions in order, whatever else a call computes.
 */
#ifndef MX_LIB_SIMD_DEPTHWISE_H
#define MX_LIB_SIMD_DEPTHWISE_H

#include <stddef.h>

/* Channels that are best worked on together, through all lines of a tile. */
#define MX_DEPTHWISE_CHANNELS 32

struct mx_depthwise {
	size_t pixels;
	size_t channels;
	/* The window, as much of it as lies inside the picture. */
	size_t rows;
	size_t columns;
	const float *x; /* position 0 of pixel 0 */
	size_t x_row; /* elements from row to row of the window, */
	size_t x_column; /* from column to column */
	size_t x_step; /* and from pixel to pixel */
	const float *weights; /* of position 0: [position][w_column] */
	size_t w_row; /* likewise */
	size_t w_column;
	const float *bias;
	float *out;
	size_t out_step;
	float low; /* results are clamped; NaN stays */
	float high;
};

struct mx_simd_depthwise {
	void (*line)(const struct mx_depthwise *line);
	/* Copy @channels of each of @pixels pixels, which lie @step apart, to
	 * @to, where they lie side by side. */
	void (*gather)(float *to, const float *from, size_t step,
		       size_t channels, size_t pixels);
};

#endif
