#include "lib/simd_conv.h"

#include <assert.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_each.h"
#include "lib/simd_vec.h"

/*
 * PIXELS x PANELS * 16 accumulators, the weights of
 * one step and a broadcast input fill the register file, no more.
 */
#if defined(__AVX512F__)
#define PIXELS 14
#define PANELS 2
#elif defined(__AVX2__)
#define PIXELS 6
#define PANELS 1
#elif defined(__aarch64__)
#define PIXELS 6
#define PANELS 1
#else
#define PIXELS 3
#define PANELS 1
#endif

#define ROWS MX_CONV_PANEL_ROWS
#define AHEAD ((size_t)MX_CONV_AHEAD)
#define PANEL_VECS (ROWS / MX_VEC)

/* Pixels and vectors of channels that depthwise works on at once. */
#define DEPTH_PIXELS 4
#define DEPTH_VECS 2

_Static_assert(PIXELS <= MX_CONV_PIXELS_MAX, "a table's pixels fit a call");
_Static_assert(PANELS <= MX_CONV_PANELS_MAX, "a table's panels fit a call");

/* Registers are for the sums: what is behind @pointer shall not be kept in
 * any. (GCC takes vector registers for it, and then has too few.) */
#define IN_MEMORY(pointer) __asm__ volatile("" : "+r"(pointer))

/* A cache line, for all that one can know. */
#define LINE_FLOATS ((size_t)16)

MX_VEC_INLINE void fetch(const struct mx_conv_work *work, size_t at)
{
	size_t i;

	IN_MEMORY(work);
	for (i = 0; i < AHEAD; i++)
		__builtin_prefetch(work->ahead + at + i * LINE_FLOATS, 0, 2);
}

/* @pixels and @panels are constants once inlined; all rows are there. */
MX_VEC_INLINE void gemm_tile(const struct mx_conv_work *work,
			     const size_t pixels, const size_t panels)
{
	const size_t vecs = panels * PANEL_VECS;
	const mx_vec low = mx_vec_spread(work->low),
		     high = mx_vec_spread(work->high);
	mx_vec sum[PIXELS][PANELS * PANEL_VECS] = {{{0}}};
	const float *const *x = work->x;
	size_t p, k, first, end, i, j;
	size_t at = 0;

	mx_vec_for (i, pixels)
		mx_vec_for (j, panels)
			__builtin_prefetch(
				work->out[i] + work->out_offset + j * ROWS, 1);
	for (p = 0; p < work->positions; p++, x += pixels) {
		const float *w0 = work->weights[0] + work->at[p] * ROWS;
		const float *w1 = w0;

		if (panels > 1)
			w1 = work->weights[1] + work->at[p] * ROWS;
		for (first = 0; first < work->run; first = end) {
			end = work->run - first < AHEAD ? work->run
							: first + AHEAD;
			fetch(work, at);
			at += work->ahead_step;
			for (k = first; k < end; k++) {
				mx_vec w[PANELS * PANEL_VECS];

				IN_MEMORY(x);
				mx_vec_for (j, vecs)
					w[j] = mx_vec_load(
						(j < PANEL_VECS ? w0 : w1) +
						k * ROWS +
						j % PANEL_VECS * MX_VEC);
				mx_vec_for (i, pixels)
					mx_vec_for (j, vecs)
						sum[i][j] +=
							x[i]
							 [k + work->x_offset] *
							w[j];
			}
		}
	}
	mx_vec_for (i, pixels) {
		float *to = work->out[i] + work->out_offset;
		const float *from = work->bias ? work->bias : to;

		mx_vec_for (j, vecs)
			mx_vec_store(
				to + j * MX_VEC,
				mx_vec_clamp(mx_vec_load(from + j * MX_VEC) +
						     sum[i][j],
					     low, high));
	}
}

#define TILE(pixels, panels)                                                   \
	static void tile_##pixels##_##panels(const struct mx_conv_work *work)  \
	{                                                                      \
		gemm_tile(work, pixels, panels);                               \
	}

#if PIXELS == 14
#define FOR_PIXELS MX_SIMD_EACH_14
#elif PIXELS == 6
#define FOR_PIXELS MX_SIMD_EACH_6
#else
#define FOR_PIXELS MX_SIMD_EACH_3
#endif
#define ENTRY(pixels, panels) tile_##pixels##_##panels,

FOR_PIXELS(TILE, 1)
#if PANELS > 1
FOR_PIXELS(TILE, 2)
#endif

static void (*const tiles[PANELS][PIXELS])(const struct mx_conv_work *) = {
	{FOR_PIXELS(ENTRY, 1)},
#if PANELS > 1
	{FOR_PIXELS(ENTRY, 2)},
#endif
};

/* A last panel with fewer rows computes all 16 beside the output and copies
 * those that exist; the caller has filled its weights up with zeros. */
static void gemm_short(const struct mx_conv_work *work)
{
	float sum[PIXELS][PANELS * ROWS];
	float bias[PANELS * ROWS];
	float *out[PIXELS];
	struct mx_conv_work padded = *work;
	const size_t bytes = work->rows * sizeof(float);
	size_t i;

	memset(bias, 0, sizeof(bias));
	memset(sum, 0, sizeof(sum));
	if (work->bias) {
		memcpy(bias, work->bias, bytes);
		padded.bias = bias;
	}
	for (i = 0; i < work->pixels; i++) {
		out[i] = sum[i];
		if (!work->bias)
			memcpy(sum[i], work->out[i] + work->out_offset, bytes);
	}
	padded.out = out;
	padded.out_offset = 0;
	tiles[work->panels - 1][work->pixels - 1](&padded);
	for (i = 0; i < work->pixels; i++)
		memcpy(work->out[i] + work->out_offset, sum[i], bytes);
}

static void gemm(const struct mx_conv_work *work)
{
	assert(work->pixels >= 1 && work->pixels <= PIXELS);
	assert(work->panels >= 1 && work->panels <= PANELS);
	assert(work->rows <= work->panels * ROWS);
	if (work->rows < work->panels * ROWS)
		gemm_short(work);
	else
		tiles[work->panels - 1][work->pixels - 1](work);
}

/* @pixels from @first, @vecs vectors of rows from @row. */
MX_VEC_INLINE void depth_tile(const struct mx_conv_work *work,
			      const size_t first, const size_t pixels,
			      const size_t row, const size_t vecs)
{
	const mx_vec low = mx_vec_spread(work->low),
		     high = mx_vec_spread(work->high);
	const size_t offset = work->x_offset + row;
	mx_vec sum[DEPTH_PIXELS][DEPTH_VECS] = {{{0}}};
	size_t p, i, j;

	for (p = 0; p < work->positions; p++) {
		const float *const *x = work->x + p * work->pixels + first;
		const float *w = work->weights[0] +
				 work->at[p] * work->weight_step + row;

		mx_vec_for (i, pixels)
			mx_vec_for (j, vecs)
				sum[i][j] += mx_vec_load(x[i] + offset +
							 j * MX_VEC) *
					     mx_vec_load(w + j * MX_VEC);
	}
	mx_vec_for (i, pixels) {
		float *to = work->out[first + i] + work->out_offset + row;
		const float *from = work->bias ? work->bias + row : to;

		mx_vec_for (j, vecs)
			mx_vec_store(
				to + j * MX_VEC,
				mx_vec_clamp(mx_vec_load(from + j * MX_VEC) +
						     sum[i][j],
					     low, high));
	}
}

/* The rows from @row on that fill no vector. */
static void depth_rest(const struct mx_conv_work *work, size_t pixel,
		       size_t row)
{
	size_t p;

	for (; row < work->rows; row++) {
		float *to = work->out[pixel] + work->out_offset + row;
		float sum = 0;

		for (p = 0; p < work->positions; p++)
			sum += work->x[p * work->pixels + pixel]
				      [work->x_offset + row] *
			       work->weights[0]
					    [work->at[p] * work->weight_step +
					     row];
		sum += work->bias ? work->bias[row] : *to;
		sum = sum < work->low ? work->low : sum;
		*to = sum > work->high ? work->high : sum;
	}
}

static void depthwise(const struct mx_conv_work *work)
{
	const size_t wide = DEPTH_VECS * MX_VEC;
	size_t first, row, i;

	for (first = 0; first < work->pixels; first += DEPTH_PIXELS) {
		const int whole = work->pixels - first >= DEPTH_PIXELS;
		const size_t end = whole ? first + DEPTH_PIXELS : work->pixels;

		for (row = 0; row + wide <= work->rows; row += wide) {
			if (whole)
				depth_tile(work, first, DEPTH_PIXELS, row,
					   DEPTH_VECS);
			else
				for (i = first; i < end; i++)
					depth_tile(work, i, 1, row, DEPTH_VECS);
		}
		for (; row + MX_VEC <= work->rows; row += MX_VEC) {
			if (whole)
				depth_tile(work, first, DEPTH_PIXELS, row, 1);
			else
				for (i = first; i < end; i++)
					depth_tile(work, i, 1, row, 1);
		}
		for (i = first; i < end; i++)
			depth_rest(work, i, row);
	}
}

extern const struct mx_simd_conv MX_SIMD_TABLE(conv);
const struct mx_simd_conv MX_SIMD_TABLE(conv) = {
	.pixels = PIXELS,
	.panels = PANELS,
	.gemm = gemm,
	.depthwise = depthwise,
};
