/*
 * The inner loops of 3x3 convolutions by Winograd's minimal filtering,
 * F(4x4, 3x3): A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
 * Networks, CVPR 2016. A tile of 4x4 outputs comes from 6x6 inputs. Inputs and
 * weights are taken to 36 points, at each point the channels' products are
 * summed (a matrix product over tiles, channels and rows), and the sums are
 * taken back: 36 multiplications where the definition has 144.
 *
 * Each value depends on its own tile, channels and row alone, by one fixed
 * chain of operations: how many tiles or rows a call takes changes no bit.
 */
#ifndef MX_LIB_SIMD_WINOGRAD_H
#define MX_LIB_SIMD_WINOGRAD_H

#include <stddef.h>

/* A tile's outputs, its inputs and the kernel, on an axis. */
#define MX_WINOGRAD_OUT 4
#define MX_WINOGRAD_IN 6
#define MX_WINOGRAD_KERNEL 3
#define MX_WINOGRAD_POINTS (MX_WINOGRAD_IN * MX_WINOGRAD_IN)
#define MX_WINOGRAD_PIXELS (MX_WINOGRAD_OUT * MX_WINOGRAD_OUT)
/*
 * Weights are transformed in stages, and multiplied before the next, so that
 * they stay in cache: the points of two rows of MX_WINOGRAD_IN in each.
 */
#define MX_WINOGRAD_STAGES 3
#define MX_WINOGRAD_STAGE_POINTS (2 * MX_WINOGRAD_IN)
/* Rows of a weight panel: those of MX_CONV_PANEL_ROWS. */
#define MX_WINOGRAD_ROWS 16
/* The input and the sums at a point come in whole vectors of the widest set. */
#define MX_WINOGRAD_LANES 16

/* Strides are in floats. */
struct mx_winograd_weights {
	const float *panel; /* [position][channel][width] */
	size_t width; /* rows of the panel, 1 .. ROWS */
	size_t position_step;
	size_t channels;
	size_t stage;
	float *u; /* [stage's point][channel][ROWS], filled up with zeros */
	size_t u_point;
};

struct mx_winograd_product {
	size_t stage;
	size_t tiles;
	size_t channels;
	size_t panels; /* 1 or 2 */
	const float *v; /* [point][tile][channel] */
	size_t v_point;
	size_t v_tile;
	const float *u; /* [stage's point][panel][channel][ROWS] */
	size_t u_point;
	size_t u_panel;
	float *m; /* [point][tile][panels * ROWS] */
	size_t m_point;
	size_t m_tile;
	int is_first; /* m is written, else added to */
	/* Weights that are transformed next, to be fetched meanwhile: two
	 * panels' like mx_winograd_weights.panel, or NULL. */
	const float *ahead[2];
	size_t ahead_step; /* from position to position */
};

struct mx_winograd_output {
	const float *m; /* a tile's: [point][rows] */
	size_t m_point;
	size_t rows;
	const float *bias; /* rows */
	float *y[MX_WINOGRAD_PIXELS]; /* NULL: there is no such pixel */
	float low; /* results are clamped; NaN stays */
	float high;
};

struct mx_simd_winograd {
	/* v[point][channel] of one tile, from its pixels x. Channels are
	 * filled up to whole LANES with anything. The pixels `next` are fetched
	 * meanwhile. */
	void (*input)(const float *const x[MX_WINOGRAD_POINTS],
		      const float *const next[MX_WINOGRAD_POINTS],
		      size_t channels, float *v, size_t v_point);
	void (*weights)(const struct mx_winograd_weights *work);
	/* m (+)= the sum over channels of v * u, at the stage's points. */
	void (*product)(const struct mx_winograd_product *work);
	/* The tile's pixels: clamp(bias + sum). */
	void (*output)(const struct mx_winograd_output *work);
};

#endif
